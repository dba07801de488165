"""Start the gateway's process early, while its owner still reads the manifest."""

import os
import socket
import sys
from typing import NamedTuple


class Spawned(NamedTuple):
    """A process that is starting."""

    pid: int
    control: socket.socket
    liveness: int
    """The end of a pipe to which nothing is written: the process ends when it closes, however its owner ends."""


STDIN = 0

_spawned: list[Spawned] = []


def start() -> None:
    """Start a process for the next `acquire`."""
    _spawned.append(_spawn())


def acquire() -> Spawned:
    """Return a process that was started, or a new one."""
    return _spawned.pop() if _spawned else _spawn()


def _spawn() -> Spawned:
    ours, theirs = socket.socketpair()
    theirs.set_inheritable(True)
    # A control socket with an unread message reports an error instead of its end, and libuv stops polling it. A pipe
    # without messages always reports its end.
    watched, liveness = os.pipe()
    stdin = (os.POSIX_SPAWN_DUP2, watched, STDIN)
    # -P: modules are not imported from the current folder, which may be a stranger's project.
    argv = [sys.executable, "-P", "-m", "uvmre.gateway", str(theirs.fileno())]
    # In a process group of its own: ^C does not end it.
    pid = os.posix_spawn(sys.executable, argv, os.environ, setpgroup=0, file_actions=[stdin])
    theirs.close()
    os.close(watched)
    return Spawned(pid, ours, liveness)
