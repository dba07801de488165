"""Which processes use what of the cache: each names it in a file that it keeps locked.

The lock goes with the process, however it ends. What a running process named is never pruned, nor the recorded bodies
of a recording that it named, nor a body that was used since the first of the running processes started.
"""

import contextlib
import fcntl
import math
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = "users"
SINCE = "since "
HOUR = 60 * 60
SLACK = 2.0
"""Seconds by which the clock of a file system may be behind."""


@dataclass
class _UserFile:
    descriptor: int
    paths: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class InUse:
    """What the running processes use."""

    paths: frozenset[str] = frozenset()
    """Paths below the cache, and absolute ones of recordings elsewhere."""
    since: float = math.inf
    """When the first of them began with what it does."""
    without_locks: bool = False
    """Whether the file system has no locks: what was used within the hour is then taken to be in use."""

    def covers(self, name: str, used: float) -> bool:
        """Tell whether what has this name, or something below it, is in use."""
        below = f"{name}/"
        return (self.without_locks and used >= self.since) or any(
            each == name or each.startswith(below) for each in self.paths
        )


_user_files: dict[Path, _UserFile] = {}
_mutex = threading.Lock()


def hold(cache: Path, name: str) -> None:
    """Name something that this process uses, until it ends or lets go; a path below the cache, or an absolute one."""
    # A cache that cannot be written cannot be pruned either.
    with _mutex, contextlib.suppress(OSError):
        if cache not in _user_files:
            (cache / FOLDER).mkdir(parents=True, exist_ok=True)
            _user_files[cache] = _UserFile(_lock_file(cache / FOLDER))
            _reset(_user_files[cache])
        own = _user_files[cache]
        if name not in own.paths:
            own.paths.add(name)
            os.write(own.descriptor, f"{name}\n".encode())


def release_all(cache: Path) -> None:
    """Let go of all that this process has named."""
    with _mutex:
        if (own := _user_files.get(cache)) and own.paths:
            own.paths.clear()
            _reset(own)


def in_use(cache: Path) -> InUse:
    """Return what running processes use."""
    named: set[str] = set()
    since = math.inf
    if not _has_locks(cache / FOLDER):
        return InUse(since=time.time() - HOUR, without_locks=True)
    for user in (cache / FOLDER).glob("*"):
        with contextlib.suppress(PermissionError, FileNotFoundError), user.open("rb") as file:
            try:
                # Shared: two who look at once do not take each other for users.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                for line in file.read().decode(errors="replace").splitlines():
                    if line.startswith(SINCE):
                        since = min(since, float(line.removeprefix(SINCE)))
                    else:
                        named.add(line)
    return InUse(frozenset(named), since)


def _has_locks(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return True  # nobody has used anything yet
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return True


def _reset(own: _UserFile) -> None:
    os.ftruncate(own.descriptor, 0)
    os.write(own.descriptor, f"{SINCE}{time.time() - SLACK}\n".encode())


def _lock_file(users: Path) -> int:
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
        return descriptor
