"""The first process in the sandbox: make the only network, hand it to the gateway, and become the step.

It runs with nothing but built-in modules, isolated from the environment and from site-packages: its start is a part of
every step, and even `os` or `array` would take milliseconds.

Usage: init.py GATEWAY STARTED ENVIRONMENT PORT COMMAND..., of which the first three are open files.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import posix
import sys

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
FIRST_FILE = 3
LAST_FILE = 4096
READ_SIZE = 65536


def main() -> None:
    """Open the port and execute the command."""
    gateway, started, environment, port = map(int, sys.argv[1:5])
    if gateway >= 0:  # else another sandbox with this network has done so
        listening = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        listening.bind((LOOPBACK, port))
        listening.listen(BACKLOG)
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, listening.fileno().to_bytes(4, sys.byteorder))
        _socket.socket(fileno=gateway).sendmsg([b"\0"], [rights])
    text = b"".join(iter(lambda: posix.read(environment, READ_SIZE), b""))
    variables = dict(line.split(b"=", 1) for line in text.split(b"\0") if line)
    posix.write(started, b"\0")
    # Without this, the step could hand the gateway another socket.
    posix.closerange(FIRST_FILE, LAST_FILE)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them, and the step would too
        _signal.signal(number, _signal.SIG_DFL)
    posix.execve(sys.argv[5], sys.argv[5:], variables)


if __name__ == "__main__":
    main()
