"""Start the gateway's process, early: it is on its way up while its owner still reads the manifest."""

import os
import socket
import sys
from typing import NamedTuple


class Spawned(NamedTuple):
    """A process on its way up."""

    pid: int
    control: socket.socket
    """Told what to do over this."""
    liveness: int
    """The end of a pipe, of which nothing is ever written: the process ends when it closes, however we end."""


STDIN = 0

_spawned: list[Spawned] = []


def start() -> None:
    """Start one for whoever takes it."""
    _spawned.append(_spawn())


def acquire() -> Spawned:
    """Return one that was started, or a new one."""
    return _spawned.pop() if _spawned else _spawn()


def _spawn() -> Spawned:
    ours, theirs = socket.socketpair()
    theirs.set_inheritable(True)
    # The control socket does not tell of our end where an answer was still unread: that is an error of the socket, at
    # which libuv stops looking. A pipe that nobody writes to has no such case.
    watched, liveness = os.pipe()
    given = [(os.POSIX_SPAWN_DUP2, watched, STDIN)]
    words = [sys.executable, "-m", "uvmre.gateway", str(theirs.fileno())]
    # A group of its own: ^C is for us, and we tell it when it is no longer needed.
    pid = os.posix_spawn(sys.executable, words, os.environ, setpgroup=0, file_actions=given)
    theirs.close()
    os.close(watched)
    return Spawned(pid, ours, liveness)
