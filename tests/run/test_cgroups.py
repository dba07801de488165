"""Control groups, where this machine has some: real processes that exceed them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from uvmre.run import cgroups
from uvmre.run.cgroups import ControlGroup, control_group

MB = 10**6
SECONDS = 60
HOARD = "x = [bytearray(b'x' * 50_000_000) for _ in range(20)]"
SPAWN = "import os, time\nfor _ in range(50):\n    if os.fork() == 0:\n        time.sleep(0.2)\n        os._exit(0)"


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    with control_group({"memory": 200 * MB, "pids": 20}) as created:
        if set(created.folders) != {"memory", "pids"}:
            pytest.skip(f"this machine lets us limit {', '.join(created.folders) or 'nothing'} by control groups")
        yield created


def execute(group: ControlGroup, program: str) -> int:
    command = group.enter([sys.executable, "-c", program])
    return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).returncode


def test_a_process_within_the_limits_is_not_bothered(group: ControlGroup) -> None:
    assert execute(group, "import sys; sys.exit(7)") == 7
    assert group.exceeded() == ""


def test_the_memory_of_all_processes_is_limited(group: ControlGroup) -> None:
    assert execute(group, HOARD) != 0
    assert group.exceeded() == "memory"


def test_the_number_of_processes_is_limited(group: ControlGroup) -> None:
    assert execute(group, SPAWN) != 0
    assert group.exceeded() == "pids"


def test_a_group_is_gone_in_the_end() -> None:
    with control_group({"memory": 200 * MB, "pids": 20}) as created:
        folders = set(created.folders.values())
        assert execute(created, "") == 0
        assert all(folder.is_dir() for folder in folders)
    assert not any(folder.exists() for folder in folders)


def test_a_killed_owner_s_group_is_removed_by_the_next(group: ControlGroup) -> None:
    parents = {folder.parent for folder in group.folders.values()}
    abandoned = [parent / f"{cgroups.PREFIX}1-abandoned" for parent in parents]
    for folder in abandoned:
        folder.mkdir()
        old = time.time() - 2 * cgroups.ABANDONED_SECONDS
        os.utime(folder, (old, old))
    with control_group({"memory": 200 * MB, "pids": 20}):
        assert not any(folder.exists() for folder in abandoned)


@pytest.mark.parametrize("limits", [{}, {"no-such-controller": 1}])
def test_what_is_not_available_is_left_out(limits: Mapping[str, int]) -> None:
    with control_group(limits) as created:
        assert created.folders == {}
        assert created.enter(["true"]) == ["true"]
        assert created.exceeded() == ""
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{cgroups.PREFIX}{os.getpid()}-*"))
