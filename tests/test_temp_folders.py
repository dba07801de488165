"""Temporary folders: whose they are, and what becomes of them when their owner is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from uvmre import temp_folders

MAKE = (
    "import sys, time; from pathlib import Path; from uvmre import temp_folders; "
    "folder = temp_folders.create(Path(sys.argv[1]), 'mine_'); (folder / 'deep').mkdir(); (folder / 'deep' / 'x').touch(); "
    "(folder / 'deep').chmod(0o500); print(folder, flush=True); time.sleep(60)"
)


def owner(parent: Path) -> "tuple[subprocess.Popen[str], Path]":
    """Start a process that owns a folder."""
    process = subprocess.Popen([sys.executable, "-c", MAKE, parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def dead(parent: Path) -> list[Path]:
    return list(temp_folders.abandoned(parent, "mine_"))


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_the_folder_of_a_process_is_dead_only_when_that_is(tmp_path: Path, end: signal.Signals) -> None:
    process, folder = owner(tmp_path)
    with process:
        assert dead(tmp_path) == []
        process.send_signal(end)
    assert dead(tmp_path) == [folder]
    for left in temp_folders.abandoned(tmp_path, "mine_"):
        temp_folders.delete_tree(left)
    assert list(tmp_path.iterdir()) == []


def test_the_next_temporary_folder_clears_what_was_left(tmp_path: Path) -> None:
    killed, left = owner(tmp_path)
    living, stays = owner(tmp_path)
    with killed, living:
        killed.kill()
        killed.wait()
        with temp_folders.temporary(tmp_path, "mine_") as folder:
            assert sorted(tmp_path.iterdir()) == sorted([folder, stays])
        assert list(tmp_path.iterdir()) == [stays]
        assert (stays / "deep" / "x").exists()
        living.kill()
    assert not left.exists()


def test_a_folder_without_a_mark_is_no_one_s_to_remove(tmp_path: Path) -> None:
    (tmp_path / "mine_notes").mkdir()
    kept = temp_folders.create(tmp_path, "mine_")
    temp_folders.release(kept)
    assert dead(tmp_path) == []
    assert list(kept.iterdir()) == []
    assert kept not in temp_folders.owned()


@pytest.mark.parametrize("marked", [True, False], ids=["before its mark had its name", "before it had a mark"])
def test_a_folder_whose_creator_was_killed_before_it_was_marked_is_removed_at_once(
    tmp_path: Path, marked: bool
) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    folders = [tmp_path / f"mine_{pid}_abcd_123" for pid in (ended.pid, os.getpid())]
    for folder in folders:
        folder.mkdir(0o700)
        if marked:
            (folder / temp_folders.UNNAMED).touch()
    assert dead(tmp_path) == []
    assert list(tmp_path.iterdir()) == folders[1:]


def test_a_link_to_a_user_s_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / temp_folders.OWNER).touch()
    (tmp_path / "mine_link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "mine_other").mkdir()
    (tmp_path / "mine_other" / temp_folders.OWNER).symlink_to(tmp_path / "elsewhere" / temp_folders.OWNER)
    assert dead(tmp_path) == []


def test_two_sweeps_at_once_share_nothing(tmp_path: Path) -> None:
    process, folder = owner(tmp_path)
    with process:
        process.kill()
    first, second = temp_folders.abandoned(tmp_path, "mine_"), temp_folders.abandoned(tmp_path, "mine_")
    assert next(first) == folder
    assert list(second) == []


def test_what_was_cleared_in_part_is_still_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, folder = owner(tmp_path)
    with process:
        process.kill()

    (folder / "deep").chmod(0o700)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rmdir", lambda _: os.kill(0, 0))
        temp_folders.delete_tree(folder)
    assert dead(tmp_path) == [folder]
    assert dead(tmp_path / "none") == []


def test_folders_too_deep_for_a_path_are_removed(tmp_path: Path) -> None:
    folder = temp_folders.create(tmp_path, "mine_")
    deep = os.open(folder, os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d" * 20, dir_fd=deep)
        inner = os.open("d" * 20, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(os.open("file", os.O_CREAT, dir_fd=deep))
    os.fchmod(deep, 0)
    os.close(deep)
    (folder / "link").symlink_to(tmp_path)
    (folder / "read-only").mkdir(0o500)
    temp_folders.remove(folder)
    assert list(tmp_path.iterdir()) == []
