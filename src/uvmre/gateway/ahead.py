"""Start the gateway's process, early: it is on its way up while its owner still reads the manifest."""

import os
import socket
import sys
from typing import NamedTuple


class Started(NamedTuple):
    """A process on its way up."""

    pid: int
    control: socket.socket
    """Told what to do over this; the process ends when it closes, however we end."""


_waiting: list[Started] = []


def start() -> None:
    """Start one for whoever takes it."""
    _waiting.append(_start())


def take() -> Started:
    """Return one that was started, or a new one."""
    return _waiting.pop() if _waiting else _start()


def _start() -> Started:
    ours, theirs = socket.socketpair()
    theirs.set_inheritable(True)
    words = [sys.executable, "-m", "uvmre.gateway", str(theirs.fileno())]
    # A group of its own: ^C is for us, and we tell it when it is no longer needed.
    pid = os.posix_spawn(sys.executable, words, os.environ, setpgroup=0)
    theirs.close()
    return Started(pid, ours)
