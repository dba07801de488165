"""Temporary folders that belong to a process: removed when it is done, or by the next one when it was killed.

Each holds a locked file. The kernel releases the lock when the owner dies, whatever it died of, so that a folder whose
file can be locked belongs to nobody. Where a file system has no locks, folders are not marked and never swept.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

OWNER = ".uvmre-owner"
_locks: dict[Path, int] = {}
"""The folders of this process, with the descriptors of their locks."""


def create(parent: Path, prefix: str) -> Path:
    """Make a folder that belongs to this process until `remove` or `give_away`."""
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    with contextlib.suppress(OSError):
        # Locked before it has its name: no sweep ever finds the mark of a living owner unlocked.
        aside = folder / f"{OWNER}-new"
        descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            aside.rename(folder / OWNER)
        except OSError:
            os.close(descriptor)
            aside.unlink(missing_ok=True)
            raise
        _locks[folder] = descriptor
    return folder


@contextlib.contextmanager
def temporary(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder that is removed in the end, after those that killed processes left beside it."""
    for left in abandoned(parent, prefix):
        delete_tree(left)
    folder = create(parent, prefix)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder of this process."""
    delete_tree(folder)
    _unlock(folder)


def release(folder: Path) -> None:
    """Leave a folder to the user: nothing of uvmre removes it."""
    (folder / OWNER).unlink(missing_ok=True)
    _unlock(folder)


def owned() -> tuple[Path, ...]:
    """Return the folders of this process."""
    return tuple(_locks)


def abandoned(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield the folders whose owner is no more; each stays locked until the next one is asked for."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        found = sorted(entry.path for entry in entries if entry.name.startswith(prefix) and _is_mine(entry))
        for path in found:
            try:
                descriptor = os.open(Path(path, OWNER), os.O_RDWR | os.O_NOFOLLOW)
            except OSError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield Path(path)
            except OSError:
                continue  # its owner lives, or somebody else sweeps it
            finally:
                os.close(descriptor)


def delete_tree(root: Path) -> None:
    """Remove a folder and all below it, read-only too; its mark last, so that a sweep finds what is left."""
    for folder, _, _ in os.walk(root):
        with contextlib.suppress(OSError):
            Path(folder).chmod(0o700)
    with contextlib.suppress(OSError):
        for path in root.iterdir():
            if path.name == OWNER:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    shutil.rmtree(root, ignore_errors=True)


def _is_mine(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid()


def _unlock(folder: Path) -> None:
    descriptor = _locks.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)
