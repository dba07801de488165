"""Where the binaries lie in the cache: who uses them, how long ago, and which of them can go."""

import contextlib
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre.core.schema import RELEASE

Told = Callable[[str, int, int], None]
"""Called with what is done, the bytes of it that are done, and those that there are."""

UV = "uv"
USERS = "users"
ASIDE = ".aside-"
UNFINISHED = (ASIDE, "tmp")
"""How what is written aside is named until it is whole."""
BODIES = "bodies"
SWEPT = ("", UV, BODIES, "gateway", "gateway/leaves")
A_DAY = 24 * 60 * 60
AN_HOUR = 60 * 60

_held: dict[Path, int] = {}
_holding = threading.Lock()


@dataclass(frozen=True)
class Kept:
    """One release in the cache."""

    version: str
    folder: Path
    size: int
    used: float
    """When it was last used, in seconds since 1970."""
    in_use: bool
    """Whether a process that runs has taken it, or one did within the hour."""


@dataclass(frozen=True)
class Pruned:
    """What went, and what did not."""

    removed: tuple[str, ...]
    spared: tuple[str, ...]
    """Would have gone, but for who uses them."""
    kept: int
    left_overs: int
    freed: int


def folder(cache: Path, release: str) -> Path:
    """Return where a release lies, or will."""
    return cache / UV / release


def take(cache: Path, release: str) -> Path | None:
    """Return the `uv` of a release that is there; from now until this process ends, nobody prunes it."""
    binary = folder(cache, release) / UV
    if not binary.exists():
        return None
    # A cache that cannot be written cannot be pruned either.
    with contextlib.suppress(OSError):
        os.utime(binary.parent)
        _hold(cache, release)
    # It may have gone just before it was touched; from here on it does not.
    return binary if binary.exists() else None


def _hold(cache: Path, release: str) -> None:
    """Name a release in the file that this process keeps locked: the lock goes with the process, however it ends."""
    with _holding:
        if cache not in _held:
            (cache / USERS).mkdir(parents=True, exist_ok=True)
            _held[cache] = _own(cache / USERS)
        os.write(_held[cache], f"{release}\n".encode())


def _own(users: Path) -> int:
    """Lock a file that nobody has locked: one that a process left behind, or a new one."""
    number = 0
    while True:
        descriptor = os.open(users / str(number), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            number += 1
            continue
        except OSError:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        return descriptor


def _taken(cache: Path) -> set[str]:
    """Return the releases that processes which still run have taken."""
    taken: set[str] = set()
    for user in (cache / USERS).glob("*"):
        with contextlib.suppress(PermissionError), user.open("rb") as file:
            try:
                # Shared: two who look at once do not take each other for users.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                taken.update(file.read().decode().split())
            except OSError:
                continue  # a file system without locks
    return taken


def kept(cache: Path) -> list[Kept]:
    """Return the releases in the cache, the one that was used last before all others."""
    taken, now = _taken(cache), time.time()
    found = []
    for place in (cache / UV).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # somebody prunes at the same time
            if RELEASE.match(place.name) and (place / UV).exists():
                used = place.stat().st_mtime
                in_use = place.name in taken or now - used < AN_HOUR
                found.append(Kept(place.name, place, size(place), used, in_use))
    return sorted(found, key=lambda each: (-each.used, each.version))


def prune(cache: Path, told: Told, *, keep: int = 20) -> Pruned:
    """Delete the releases that were not used for the longest time, and what was left unfinished a day ago.

    One that a running process has taken stays, and so does one that was used within the hour: on some network file
    systems there are no locks.

    Args:
        cache: the folder of all that uvmre keeps.
        told: is told how it goes.
        keep: how many releases stay at least.
    """
    found = kept(cache)
    going = [each for each in found[keep:] if not each.in_use]
    left = list(_left_overs(cache))
    total = sum(each.size for each in going) + sum(map(size, left))
    done = 0
    removed = []
    for each in going:
        if _remove(each):
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


def _remove(release: Kept) -> bool:
    """Delete a release, unless somebody took it just now."""
    # Renamed first, and back if need be: nobody ever finds half of one.
    aside = release.folder.with_name(f"{ASIDE}{release.version}-{os.getpid()}")
    try:
        release.folder.rename(aside)
    except FileNotFoundError:
        return False
    if aside.stat().st_mtime != release.used:
        with contextlib.suppress(OSError):  # somebody fetched it anew, which is as good
            aside.rename(release.folder)
            return False
    _delete(aside)
    return True


def _left_overs(cache: Path) -> Iterator[Path]:
    now = time.time()
    for place in SWEPT:
        for path in (cache / place).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if path.name.startswith(UNFINISHED) and now - path.stat().st_mtime > A_DAY:
                    yield path


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    return measured([path])[1]


def measured(paths: Sequence[Path]) -> tuple[int, int]:
    """Return how many files there are in some places, and their bytes; links count as links."""
    files = length = 0
    waiting = [str(path) for path in paths]
    while waiting:
        place = waiting.pop()
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if os.path.isdir(place) and not os.path.islink(place):  # noqa: PTH112, PTH114 - many files, few objects
                waiting += [entry.path for entry in os.scandir(place)]
            else:
                length += os.lstat(place).st_size
                files += 1
    return files, length
