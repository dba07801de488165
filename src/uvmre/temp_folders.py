"""Temporary folders owned by a process: removed when it ends, or by the next one where it is killed.

Each has a locked file. The kernel releases the lock when the owner ends, however it ends, so a folder whose file can be
locked has no owner. On file systems without locks, folders are not marked and never swept.
"""

import contextlib
import fcntl
import itertools
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

OWNER = ".uvmre-owner"
UNNAMED = f"{OWNER}-new"
ASIDE = ".aside-"
"""The prefix of folders with unfinished files."""
UNMARKED_SECONDS = 10.0
"""The age from which a folder without a mark has no owner."""
CREATOR = re.compile(r"(?<!\d)(\d{1,7})_[a-z0-9_]{8}\Z")
"""The end of a folder's name: its creator's process id, which matters until the folder is marked."""
_locks: dict[Path, int] = {}
"""The folders of this process, with the descriptors of their locks."""


def create(parent: Path, prefix: str) -> Path:
    """Create a folder owned by this process until `remove` or `release`."""
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=f"{prefix}{os.getpid()}_"))
    with contextlib.suppress(OSError):
        # Locked before it has its name, so that no sweep finds the unlocked mark of a living owner.
        unnamed = folder / UNNAMED
        descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unnamed.rename(folder / OWNER)
        except OSError:
            os.close(descriptor)
            unnamed.unlink(missing_ok=True)
            raise
        _locks[folder] = descriptor
    return folder


@contextlib.contextmanager
def temporary(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a folder that is removed afterwards; first remove the abandoned ones beside it."""
    for folder in abandoned(parent, prefix):
        delete_tree(folder)
    folder = create(parent, prefix)
    try:
        yield folder
    finally:
        remove(folder)


def write_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all, and create its parents."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary(path.parent, ASIDE) as folder:
        new = folder / path.name
        new.touch(0o600)
        new.write_text(text, encoding="utf-8")
        install(new, path)


def install(new: Path, path: Path) -> None:
    """Move what is finished from a temporary folder to its place; what cannot be overwritten there is moved out."""
    try:
        new.rename(path)
    except OSError:
        if not path.exists():
            raise
        path.rename(new.with_name(f"{new.name}.replaced"))  # a folder in the place of a file, or a damaged folder
        new.rename(path)


def sweep(*parents: Path) -> None:
    """Remove the hidden temporary folders of processes that have ended."""
    for parent in parents:
        for folder in abandoned(parent, "."):
            delete_tree(folder)


def remove(folder: Path) -> None:
    """Remove a folder of this process."""
    delete_tree(folder)
    _unlock(folder)


def release(folder: Path) -> None:
    """Leave a folder to the user: uvmre never removes it."""
    (folder / OWNER).unlink(missing_ok=True)
    _unlock(folder)


def owned() -> tuple[Path, ...]:
    """Return the folders of this process."""
    return tuple(_locks)


def abandoned(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield the folders whose owner has ended; each stays locked until the next one is requested."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        paths = sorted(entry.path for entry in entries if entry.name.startswith(prefix) and _is_mine(entry))
        for path in paths:
            try:
                descriptor = os.open(Path(path, OWNER), os.O_RDWR | os.O_NOFOLLOW)
            except OSError:
                with contextlib.suppress(OSError):
                    if _is_unowned(Path(path)):  # its owner was killed before it was marked, or while it was removed
                        Path(path, UNNAMED).unlink(missing_ok=True)
                        Path(path).rmdir()
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield Path(path)
            except OSError:
                continue  # it has an owner, or another process sweeps it
            finally:
                os.close(descriptor)


def delete_tree(root: Path) -> None:
    """Delete a folder, even where read-only; its mark last, so that a sweep finds what is left.

    Each folder in it is moved to the top before it is deleted: a step may have nested thousands of them, more than a
    recursion or a path has room for.
    """
    number, left = itertools.count(), [str(root)]
    unused = f"deleted-{secrets.token_hex(8)}-"
    while left:
        folder = left.pop()
        with contextlib.suppress(OSError), os.scandir(folder) as scanned:
            entries = (each for each in list(scanned) if each.name != OWNER) if folder == str(root) else scanned
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        Path(entry).chmod(0o700)
                        left.append(str(Path(entry).rename(root / f"{unused}{next(number)}")))
                    else:
                        Path(entry).unlink()
        if folder != str(root):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
    with contextlib.suppress(OSError):
        if all(path.name == OWNER for path in root.iterdir()):
            (root / OWNER).unlink(missing_ok=True)
            root.rmdir()


def _is_unowned(folder: Path) -> bool:
    """Tell whether a folder without a mark is left behind: its creator has ended, or it is too old."""
    found = folder.stat()
    if stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        return False
    if time.time() - found.st_mtime > UNMARKED_SECONDS:
        return True
    creator = CREATOR.search(folder.name)
    try:
        os.kill(int(creator[1]) if creator else os.getpid(), 0)
    except ProcessLookupError:
        return True
    return False


def _is_mine(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid()


def _unlock(folder: Path) -> None:
    descriptor = _locks.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)
