"""The command line of bubblewrap, and the filter of system calls that it loads."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from uvmre.run.sandbox import bubblewrap
from uvmre.run.sandbox.bubblewrap import OwnFolders

TOOL = Path(__file__).parents[3] / ".ci" / "system-call-filter"


def options(arguments: list[str], name: str, count: int) -> list[tuple[str, ...]]:
    """Return the values of each use of an option."""
    return [tuple(arguments[i + 1 : i + 1 + count]) for i, each in enumerate(arguments) if each == name]


def arguments_for(folder: Path, read_only: list[Path]) -> list[str]:
    """Return the options for a run in a folder."""
    return list(
        bubblewrap.mounts(OwnFolders(folder / "etc", folder / "tmp", folder / "shm"), read_only, folder / "space")
    )


def test_the_system_is_read_only_and_has_no_home(tmp_path: Path) -> None:
    mounted = options(arguments_for(tmp_path, []), "--ro-bind", 2)
    assert ("/usr", "/usr") in mounted
    assert (str(tmp_path / "etc"), "/etc") in mounted
    assert not {source for source, _ in mounted} & {"/", "/etc", "/home", "/root", "/var", "/run", "/sys", "/etc/ssl"}


def test_a_run_s_folders_are_all_that_is_writable(tmp_path: Path) -> None:
    arguments = arguments_for(tmp_path, [tmp_path / "tools"])
    writable = {target for _, target in options(arguments, "--bind", 2)}
    assert writable == {str(tmp_path / "space"), "/tmp", "/dev/shm"}
    assert arguments[-2:] == ["--remount-ro", "/"]
    assert ("/dev",) in options(arguments, "--remount-ro", 1)


def test_parents_come_before_their_folders(tmp_path: Path) -> None:
    arguments = arguments_for(tmp_path, [tmp_path / "a" / "b"])
    created = [path for (path,) in options(arguments, "--dir", 1)]
    assert created == sorted(created)
    assert str(tmp_path / "a") in created
    assert "/" not in created


def test_no_private_key_is_in_the_copied_configuration(tmp_path: Path) -> None:
    bubblewrap.copy_configuration(tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert not names & {"shadow", "passwd", "ssl/private", "ssh", "sudoers", "resolv.conf"}
    for name in names & {"os-release", "services", "ld.so.cache"}:
        assert (tmp_path / name).read_bytes() == Path("/etc", name).read_bytes()


def test_a_step_becomes_another_user_only_where_that_is_another() -> None:
    assert bubblewrap.become(os.geteuid()) == []
    other = bubblewrap.become(os.geteuid() + 1)
    assert other[0] == bubblewrap.SETPRIV
    assert {"--clear-groups", "--bounding-set=-all", "--inh-caps=-all"} <= set(other)


def test_every_namespace_is_new() -> None:
    arguments = list(bubblewrap.namespaces())
    assert {"--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--die-with-parent"} <= set(arguments)
    assert arguments[arguments.index("--cap-drop") + 1] == "ALL"
    assert ("--unshare-user" in arguments) != bubblewrap.is_root()


@pytest.mark.skipif(sys.platform != "linux" or not ctypes.util.find_library("seccomp"), reason="libseccomp is missing")
def test_the_committed_filters_are_those_of_the_rules() -> None:
    checked = subprocess.run([sys.executable, TOOL, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
