"""The first process in the sandbox: make the only network, hand it to the gateway, and become the step.

It runs with nothing but the standard library, isolated from the environment and from site-packages, since its start is
a part of every step.

Usage: init.py GATEWAY STARTED ENVIRONMENT PORT COMMAND..., of which the first three are open files.
"""

import _socket
import array
import os
import sys

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
FIRST_FILE = 3
LAST_FILE = 4096


def main() -> None:
    """Open the port and execute the command."""
    gateway, started, environment, port = map(int, sys.argv[1:5])
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
    os.execve(sys.argv[5], sys.argv[5:], variables)


main()
