"""The binaries in the cache: their use, and pruning them."""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.mre.keys import RELEASE
from uvmre.releases import cache_users

ProgressCallback = Callable[[str, int, int], None]
"""Called with the name of the work, the bytes done, and the total."""

UV = "uv"
RECEIPT = "receipt.json"
UNFINISHED = (temp_folders.ASIDE, "tmp")
"""Prefixes of unfinished files."""
BODIES = "bodies"
SWEPT = ("", UV, BODIES, "gateway", "gateway/leaves")
A_DAY = 24 * 60 * 60
BLOCK = 512
"""Bytes of a unit of `st_blocks`, on every system."""


@dataclass(frozen=True)
class CachedRelease:
    """One release in the cache."""

    version: str
    folder: Path
    size: int
    last_used: float
    """In seconds since 1970."""
    in_use: bool
    """Whether a running process uses it."""


@dataclass(frozen=True)
class Pruned:
    """The result of pruning."""

    removed: tuple[str, ...]
    skipped: tuple[str, ...]
    """Not removed because a process uses them."""
    kept: int
    stale: int
    freed: int
    others: Mapping[str, int] = field(default_factory=dict)
    """How many of each other kind were removed."""


def folder(cache: Path, release: str) -> Path:
    """Return the folder of a release."""
    return cache / UV / release


def acquire(cache: Path, release: str) -> Path | None:
    """Return the `uv` of a cached release, and keep it from being pruned until this process ends."""
    binary = folder(cache, release) / UV
    if not is_intact(binary.parent):
        return None
    # A cache that cannot be written cannot be pruned either.
    with contextlib.suppress(OSError):
        os.utime(binary.parent)
        cache_users.hold(cache, f"{UV}/{release}")
    # It may have been pruned just before it was marked.
    return binary if binary.exists() else None


def write_receipt(folder: Path) -> None:
    """Record what was unpacked into a folder, so that a damaged binary is fetched again instead of run."""
    receipt = {tool.name: (*_stamp(tool), _digest(tool)) for tool in folder.iterdir()}
    (folder / RECEIPT).write_text(json.dumps(receipt))


def is_intact(folder: Path) -> bool:
    """Tell whether a release's binaries are as they were unpacked; only one that was touched since is read."""
    try:
        if not (folder / RECEIPT).exists():  # put there by hand
            with (folder / UV).open("rb") as file:
                return file.read(1) not in (b"", b"\0")
        receipt = json.loads((folder / RECEIPT).read_bytes())
        return UV in receipt and all(
            _stamp(folder / name) == (nbytes, modified) or _digest(folder / name) == digest
            for name, (nbytes, modified, digest) in receipt.items()
        )
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_releases(cache: Path) -> list[CachedRelease]:
    """Return the releases in the cache, the most recently used first."""
    users = cache_users.in_use(cache)
    found = []
    for folder in (cache / UV).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # pruned meanwhile
            if RELEASE.match(folder.name) and (folder / UV).exists():
                used = folder.stat().st_mtime
                in_use = users.covers(f"{UV}/{folder.name}", used)
                found.append(CachedRelease(folder.name, folder, size(folder), used, in_use))
    return sorted(found, key=lambda each: (-each.last_used, each.version))


def prune(cache: Path, on_progress: ProgressCallback, *, keep: int = 20) -> Pruned:
    """Delete the least recently used releases that no process uses, and unfinished files older than a day.

    Args:
        cache: the cache of uvmre.
        on_progress: called with the bytes removed.
        keep: how many releases to keep at least.
    """
    found = cached_releases(cache)
    unused = [each for each in found[keep:] if not each.in_use]
    stale = list(_stale_files(cache))
    total = sum(each.size for each in unused) + sum(map(size, stale))
    done = 0
    removed = []
    for each in unused:
        if remove(each.folder, each.last_used):
            removed.append(each.version)
            done += each.size
            on_progress("pruning the cache", done, total)
    for path in stale:
        nbytes = size(path)
        _delete(path)
        done += nbytes
        on_progress("pruning the cache", done, total)
    skipped = tuple(each.version for each in found[keep:] if each.version not in removed)
    return Pruned(tuple(removed), skipped, len(found) - len(removed), len(stale), done)


def remove(path: Path, used: float) -> bool:
    """Delete a path of the cache, unless it was used since."""
    try:
        if path.lstat().st_mtime != used:
            return False
        # Moved first, so that no process finds it half deleted.
        with temp_folders.temporary(path.parent, temp_folders.ASIDE) as folder:
            moved = path.rename(folder / path.name)
            if moved.lstat().st_mtime != used:
                with contextlib.suppress(OSError):  # it was created again, which is as good
                    moved.rename(path)
                    return False
    except OSError:
        return False
    return True


def _stale_files(cache: Path) -> Iterator[Path]:
    now = time.time()
    for folder in SWEPT:
        for path in (cache / folder).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.name.startswith(UNFINISHED) and now - path.lstat().st_mtime > A_DAY:
                    yield path


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """Return the size on disk of a file or folder."""
    return measure([path])[1]


def measure(paths: Sequence[Path]) -> tuple[int, int]:
    """Return the number of files below some paths, and their size on disk as `du` counts it."""
    files = nbytes = 0
    known: set[tuple[int, int]] = set()
    waiting = [str(path) for path in paths]
    while waiting:
        folder = waiting.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            found = os.lstat(folder)
            if stat.S_ISDIR(found.st_mode):
                nbytes += found.st_blocks * BLOCK
                waiting += [entry.path for entry in os.scandir(folder)]
                continue
            files += 1
            if found.st_nlink > 1:
                if (found.st_dev, found.st_ino) in known:
                    continue
                known.add((found.st_dev, found.st_ino))
            nbytes += found.st_blocks * BLOCK
    return files, nbytes
