"""The limits of a step: what each process gets from the kernel, and what is watched."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from uvmre.run.limits import GB, MB, LimitWatch, StepLimits
from uvmre.run.process import Finished

QUIET_DISK = Path("/dev/shm")


def finished(code: int, limit: str = "") -> Finished:
    return Finished(code, b"", b"", 0.1, False, False, limit)


def test_a_process_gets_its_limits() -> None:
    limits = StepLimits(processes=77, open_files=99, file_size=512 * 1000)
    shown = 'ulimit -t; ulimit -f; ulimit -n; ulimit -c; echo "$0" "$@"'
    command = limits.shell(("/bin/sh", "-c", shown, "name", "a b", ""), 13, own_user=False)
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == ["13", "1000", "99", "0", "name a b "]


def test_processes_are_limited_for_a_user_of_its_own_only() -> None:
    show = ("/bin/sh", "-c", "cat /proc/self/limits")
    for own_user in (True, False):
        command = StepLimits(processes=4321).shell(show, 10, own_user=own_user)
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert bool(re.search(r"Max processes\s+8642\s+8642", text)) == own_user


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(128 + signal.SIGXCPU, "30 s of CPU time", id="CPU"),
        pytest.param(128 + signal.SIGXFSZ, "2 GB per file", id="file"),
        pytest.param(1, "", id="a failure"),
        pytest.param(128 + signal.SIGKILL, "", id="another signal"),
        pytest.param(0, "", id="success"),
    ],
)
def test_an_exit_code_names_a_limit(code: int, words: str) -> None:
    assert StepLimits(file_size=2 * GB).of_exit(code, 30) == words


def test_output_is_limited(tmp_path: Path) -> None:
    watch = LimitWatch(StepLimits(output=3 * MB), [tmp_path])
    assert watch(os.getpid(), 3 * MB) == ""
    assert watch(os.getpid(), 3 * MB + 1) == "3 MB of output"


def test_processes_and_memory_are_those_of_all_descendants(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "sleep 60 & sleep 60 & echo; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as parent:
        try:
            assert parent.stdout
            parent.stdout.readline()
            assert LimitWatch(StepLimits(processes=1), [tmp_path])(parent.pid, 0) == "1 processes"
            assert LimitWatch(StepLimits(processes=2), [tmp_path])(parent.pid, 0) == ""
            assert LimitWatch(StepLimits(memory=1000), [tmp_path])(parent.pid, 0) == "0.001 MB of memory"
        finally:
            os.killpg(parent.pid, signal.SIGKILL)


def write(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param(StepLimits(folder_size=900_000), "0.9 MB of files", id="the folder"),
        pytest.param(StepLimits(files=4), "4 files", id="files"),
        pytest.param(StepLimits(file_size=600_000), "0.6 MB per file", id="a file"),
        pytest.param(StepLimits(folder_size=5 * MB, files=100, file_size=2 * MB), "", id="none"),
    ],
)
def test_files_are_counted_after_a_failure(tmp_path: Path, limits: StepLimits, words: str) -> None:
    (tmp_path / "a").mkdir()
    watch = LimitWatch(limits, [tmp_path / "a", tmp_path / "b"])
    for name, size in (("a/1", 600_000), ("a/d/2", 10), ("b/3", 600_000), ("b/4", 10)):
        write(tmp_path / name, size)
    assert watch.after(finished(1), 10) == words
    assert watch.after(finished(0), 10) == ""
    assert watch.after(finished(0, "3 processes"), 10) == "3 processes"


def test_a_file_with_several_names_is_counted_once_and_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1", 600_000)
    for name in range(5):
        (tmp_path / "a" / f"hard{name}").hardlink_to(tmp_path / "a" / "1")
    write(tmp_path / "outside" / "big", 5_000_000)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "outside")
    assert LimitWatch(StepLimits(folder_size=1_000_000), [tmp_path / "a"]).after(finished(1), 10) == ""


def test_a_sparse_file_counts_by_its_length(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(3_000_000)
    assert LimitWatch(StepLimits(file_size=3_000_000), [tmp_path]).after(finished(1), 10) == "3 MB per file"
    assert LimitWatch(StepLimits(folder_size=1_000_000), [tmp_path]).after(finished(1), 10) == ""


DEEP = """
import os
for _ in range(30):
    os.mkdir("x" * 200)
    os.chdir("x" * 200)
open("y", "wb").write(bytes(60_000_000))
"""


@pytest.mark.skipif(not QUIET_DISK.is_dir(), reason="there is no disk here that nobody else writes to")
def test_files_nested_too_deeply_to_be_counted_count_by_what_the_disk_lost() -> None:
    with tempfile.TemporaryDirectory(dir=QUIET_DISK) as folder:
        watch = LimitWatch(StepLimits(folder_size=30 * MB), [Path(folder)])
        subprocess.run([sys.executable, "-c", DEEP], cwd=folder, check=True)
        assert watch.after(finished(1), 10) == "30 MB of files"
        subprocess.run(["rm", "-rf", f"{folder}/{'x' * 200}"], check=True)
