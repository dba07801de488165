"""The gateway's own process: started by `prespawn`, controlled over a socket, ended with its owner."""

import os
import resource
import signal
import socket
import sys

import uvloop

from uvmre.gateway.server.service import Service

DESCRIPTORS = 65536
"""Enough for thousands of connections; the default of some systems is 256."""


def main() -> None:
    """Serve; the first argument is the descriptor of the control socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    Service(socket.socket(fileno=int(sys.argv[1])), uvloop.new_event_loop()).run()
    os._exit(0)  # the owner waits for this process, and nothing is left to clean up


if __name__ == "__main__":
    main()
