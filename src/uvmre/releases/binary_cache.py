"""Where the binaries lie in the cache: who uses them, how long ago, and which of them can go."""

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uvmre.core.mre.schema import RELEASE
from uvmre.releases import cache_users

ProgressCallback = Callable[[str, int, int], None]
"""Called with what is done, the bytes of it that are done, and those that there are."""

UV = "uv"
ASIDE = ".aside-"
UNFINISHED = (ASIDE, "tmp")
"""How what is written aside is named until it is whole."""
BODIES = "bodies"
SWEPT = ("", UV, BODIES, "gateway", "gateway/leaves")
A_DAY = 24 * 60 * 60
BLOCK = 512
"""Bytes of what `st_blocks` counts, on every system."""


@dataclass(frozen=True)
class CachedRelease:
    """One release in the cache."""

    version: str
    folder: Path
    size: int
    last_used: float
    """When it was last used, in seconds since 1970."""
    in_use: bool
    """Whether a process that runs has taken it."""


@dataclass(frozen=True)
class Pruned:
    """What went, and what did not."""

    removed: tuple[str, ...]
    skipped: tuple[str, ...]
    """Would have gone, but for who uses them."""
    kept: int
    stale: int
    freed: int
    others: Mapping[str, int] = field(default_factory=dict)
    """How many of each other kind went."""


def folder(cache: Path, release: str) -> Path:
    """Return where a release lies, or will."""
    return cache / UV / release


def acquire(cache: Path, release: str) -> Path | None:
    """Return the `uv` of a release that is there; from now until this process ends, nobody prunes it."""
    binary = folder(cache, release) / UV
    if not binary.exists():
        return None
    # A cache that cannot be written cannot be pruned either.
    with contextlib.suppress(OSError):
        os.utime(binary.parent)
        cache_users.hold(cache, f"{UV}/{release}")
    # It may have gone just before it was touched; from here on it does not.
    return binary if binary.exists() else None


def cached_releases(cache: Path) -> list[CachedRelease]:
    """Return the releases in the cache, the one that was used last before all others."""
    taken = cache_users.in_use(cache)
    found = []
    for place in (cache / UV).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # somebody prunes at the same time
            if RELEASE.match(place.name) and (place / UV).exists():
                used = place.stat().st_mtime
                in_use = taken.covers(f"{UV}/{place.name}", used)
                found.append(CachedRelease(place.name, place, size(place), used, in_use))
    return sorted(found, key=lambda each: (-each.last_used, each.version))


def prune(cache: Path, told: ProgressCallback, *, keep: int = 20) -> Pruned:
    """Delete the releases that were not used for the longest time, and what was left unfinished a day ago.

    One that a running process has taken stays.

    Args:
        cache: the folder of all that uvmre keeps.
        told: is told how it goes.
        keep: how many releases stay at least.
    """
    found = cached_releases(cache)
    going = [each for each in found[keep:] if not each.in_use]
    left = list(_stale_files(cache))
    total = sum(each.size for each in going) + sum(map(size, left))
    done = 0
    removed = []
    for each in going:
        if remove(each.folder, each.last_used):
            removed.append(each.version)
            done += each.size
            told("pruning the cache", done, total)
    for path in left:
        length = size(path)
        _delete(path)
        done += length
        told("pruning the cache", done, total)
    spared = tuple(each.version for each in found[keep:] if each.version not in removed)
    return Pruned(tuple(removed), spared, len(found) - len(removed), len(left), done)


def remove(path: Path, used: float) -> bool:
    """Delete something of the cache, unless somebody used it since."""
    # Renamed first, and back if need be: nobody ever finds half of one.
    aside = path.with_name(f"{ASIDE}{path.name}-{os.getpid()}")
    try:
        if path.lstat().st_mtime != used:
            return False
        path.rename(aside)
    except OSError:
        return False
    if aside.lstat().st_mtime != used:
        with contextlib.suppress(OSError):  # somebody made it anew, which is as good
            aside.rename(path)
            return False
    _delete(aside)
    return True


def _stale_files(cache: Path) -> Iterator[Path]:
    now = time.time()
    for place in SWEPT:
        for path in (cache / place).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.name.startswith(UNFINISHED) and now - path.lstat().st_mtime > A_DAY:
                    yield path


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """Return the bytes that a file takes on disk, or a folder with all below it."""
    return measure([path])[1]


def measure(paths: Sequence[Path]) -> tuple[int, int]:
    """Return how many files there are in some places, and their bytes on disk, as `du` counts them.

    Folders take room too; what has several names is counted once, and a link as a link.
    """
    files = length = 0
    known: set[tuple[int, int]] = set()
    waiting = [str(path) for path in paths]
    while waiting:
        place = waiting.pop()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            found = os.lstat(place)
            if stat.S_ISDIR(found.st_mode):
                length += found.st_blocks * BLOCK
                waiting += [entry.path for entry in os.scandir(place)]
                continue
            files += 1
            if found.st_nlink > 1:
                if (found.st_dev, found.st_ino) in known:
                    continue
                known.add((found.st_dev, found.st_ino))
            length += found.st_blocks * BLOCK
    return files, length
