"""The first process in the sandbox: make the only network, hand it to the gateway, and become the step.

It runs with nothing but the standard library, isolated from the environment and from site-packages, since its start is
a part of every step.

Usage: init.py GATEWAY STARTED ENVIRONMENT PORT USER COMMAND..., of which the first three are open files.
"""

import _signal  # type: ignore[import-not-found]  # `signal` itself imports much more
import _socket
import array
import os
import sys

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
FIRST_FILE = 3
LAST_FILE = 4096
PR_CAPBSET_DROP = 24
CAPABILITY_VERSION = 0x20080522
CAPABILITY_BYTES = 24


def main() -> None:
    """Open the port and execute the command."""
    gateway, started, environment, port, user = map(int, sys.argv[1:6])
    listening = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listening.bind((LOOPBACK, port))
    listening.listen(BACKLOG)
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [listening.fileno()]))
    control = _socket.socket(fileno=gateway)
    control.sendmsg([b"\0"], [rights])
    with os.fdopen(environment, "rb") as file:
        variables = dict(line.split(b"=", 1) for line in file.read().split(b"\0") if line)
    os.write(started, b"\0")
    # Without this, the step could hand the gateway another socket.
    os.closerange(FIRST_FILE, LAST_FILE)
    if user != os.getuid():
        leave_root(user)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them, and the step would too
        _signal.signal(number, _signal.SIG_DFL)
    os.execve(sys.argv[6], sys.argv[6:], variables)


def leave_root(user: int) -> None:
    """Become another user, and drop what root has of capabilities."""
    import ctypes
    import struct

    libc = ctypes.CDLL(None)
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    libc.capset(struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(CAPABILITY_BYTES))


if __name__ == "__main__":
    main()
