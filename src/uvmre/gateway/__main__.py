"""The gateway's own process: started by `Gateway`, told what to do over a control socket, gone with who started it."""

import os
import resource
import signal
import socket
import sys

import uvloop

from uvmre.gateway.server.service import Service

DESCRIPTORS = 65536
"""As many as a test with thousands of connections needs; some systems begin with 256."""


def main() -> None:
    """Serve what the control socket, whose descriptor is the first argument, tells."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))
    Service(socket.socket(fileno=int(sys.argv[1])), uvloop.new_event_loop()).run()
    os._exit(0)  # who waits for us has waited enough: nothing is open that matters


if __name__ == "__main__":
    main()
