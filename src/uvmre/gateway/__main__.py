"""The gateway's own process: started by `Gateway`, told what to do over a control socket, gone when that closes."""

import os
import signal
import socket
import sys

import uvloop

from uvmre.gateway.service import Service


def main() -> None:
    """Serve what the control socket, whose descriptor is the first argument, tells."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Service(socket.socket(fileno=int(sys.argv[1])), uvloop.new_event_loop()).run()
    os._exit(0)  # who waits for us has waited enough: nothing is open that matters


if __name__ == "__main__":
    main()
