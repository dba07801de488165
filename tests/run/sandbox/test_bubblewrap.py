"""The command line of bubblewrap, and the filter of system calls that it loads."""

import ctypes.util
import subprocess
import sys
from pathlib import Path

import pytest

from uvmre.run.sandbox import bubblewrap

TOOL = Path(__file__).parents[3] / ".ci" / "system-call-filter"


def options(arguments: list[str], name: str, count: int) -> list[tuple[str, ...]]:
    """Return the values of each use of an option."""
    return [tuple(arguments[i + 1 : i + 1 + count]) for i, each in enumerate(arguments) if each == name]


def test_the_system_is_read_only_and_has_no_home() -> None:
    arguments = list(bubblewrap.system_folders())
    assert ("/usr", "/usr") in options(arguments, "--ro-bind", 2)
    assert not options(arguments, "--bind", 2)
    mounted = {path for path, _ in options(arguments, "--ro-bind", 2)}
    assert not mounted & {"/", "/etc", "/home", "/root", "/var", "/run", "/sys", "/etc/ssl", "/etc/ssl/private"}


def test_a_run_s_folders_are_all_that_is_writable(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("tools", "work", "temp", "shm")]
    arguments = list(bubblewrap.mounts([folders[0]], [folders[1]], folders[2], folders[3]))
    writable = {target for _, target in options(arguments, "--bind", 2)}
    assert writable == {str(folders[1]), "/tmp", "/dev/shm"}
    assert arguments[-2:] == ["--remount-ro", "/"]
    # A folder that is mounted later would cover an earlier one.
    assert arguments.index(str(folders[0])) < arguments.index(str(folders[1]))


def test_parents_come_before_their_folders(tmp_path: Path) -> None:
    arguments = list(bubblewrap.mounts([tmp_path / "a" / "b"], [], tmp_path / "t", tmp_path / "s"))
    created = [path for (path,) in options(arguments, "--dir", 1)]
    assert created == sorted(created)
    assert str(tmp_path / "a") in created
    assert "/" not in created


def test_every_namespace_is_new() -> None:
    arguments = list(bubblewrap.namespaces())
    assert {"--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--die-with-parent"} <= set(arguments)
    assert arguments[arguments.index("--cap-drop") + 1] == "ALL"
    assert ("--unshare-user" in arguments) != bubblewrap.is_root()


@pytest.mark.skipif(sys.platform != "linux" or not ctypes.util.find_library("seccomp"), reason="libseccomp is missing")
def test_the_committed_filters_are_those_of_the_rules() -> None:
    checked = subprocess.run([sys.executable, TOOL, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
