"""Which processes use which paths of the cache: each lists them in a file that it keeps locked until it ends.

Pruning skips these paths, the bodies of these recordings, and bodies used since the first running process started.
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
"""Seconds by which a file system's clock may lag."""


@dataclass
class _UserFile:
    descriptor: int
    paths: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class InUse:
    """The paths that running processes use."""

    paths: frozenset[str] = frozenset()
    """Relative to the cache, or absolute for recordings elsewhere."""
    since: float = math.inf
    """When the first of them started."""
    without_locks: bool = False
    """The file system has no locks, so that everything used within the hour counts as in use."""

    def covers(self, name: str, used: float) -> bool:
        """Return whether a path, or something below it, is in use."""
        below = f"{name}/"
        return (self.without_locks and used >= self.since) or any(
            each == name or each.startswith(below) for each in self.paths
        )


_user_files: dict[Path, _UserFile] = {}
_mutex = threading.Lock()


def hold(cache: Path, name: str) -> None:
    """List a path as in use by this process, relative to the cache or absolute."""
    # A cache that cannot be written cannot be pruned either.
    with _mutex, contextlib.suppress(OSError):
        if cache not in _user_files:
            (cache / FOLDER).mkdir(parents=True, exist_ok=True)
            _user_files[cache] = _UserFile(_lock_file(cache / FOLDER))
            _reset(_user_files[cache])
        user = _user_files[cache]
        if name not in user.paths:
            user.paths.add(name)
            os.write(user.descriptor, f"{name}\n".encode())


def release_all(cache: Path) -> None:
    """Remove all paths of this process from the list."""
    with _mutex:
        if (user := _user_files.get(cache)) and user.paths:
            user.paths.clear()
            _reset(user)


def in_use(cache: Path) -> InUse:
    """Return the paths that running processes use."""
    paths: set[str] = set()
    since = math.inf
    if not _has_locks(cache / FOLDER):
        return InUse(since=time.time() - HOUR, without_locks=True)
    for user in (cache / FOLDER).glob("*"):
        with contextlib.suppress(OSError), user.open("rb") as file:
            try:
                # Shared, so that two readers do not take each other for users.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                for line in file.read().decode(errors="replace").splitlines():
                    if line.startswith(SINCE):
                        since = min(since, float(line.removeprefix(SINCE)))
                    else:
                        paths.add(line)
    return InUse(frozenset(paths), since)


def _has_locks(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return True  # no process has used the cache yet
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return True


def _reset(user: _UserFile) -> None:
    os.ftruncate(user.descriptor, 0)
    os.write(user.descriptor, f"{SINCE}{time.time() - SLACK}\n".encode())


def _lock_file(users: Path) -> int:
    """Lock an unlocked file: one of a process that ended, or a new one."""
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
