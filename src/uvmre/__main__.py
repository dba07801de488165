"""`python -m uvmre`, and the command `uvmre`."""

import contextlib
import os
import signal
import sys

from uvmre import credentials
from uvmre.cli import streams

BEHIND_A_GATEWAY = ("run", "gateway", "demo")
INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit as it says."""
    credentials.remove()
    # Nothing was begun yet; `cli.interrupts` takes over when it is imported.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(INTERRUPTED))
    streams.prepare()
    if sys.argv[1:2] and sys.argv[1] in BEHIND_A_GATEWAY and not {"-h", "--help"} & set(sys.argv):
        from uvmre.gateway import prespawn

        # It takes 0.15 s to come up, and our own imports another 0.1 s: side by side. What fails here is tried again.
        with contextlib.suppress(OSError):
            prespawn.start()
    from uvmre.cli.main import main as run

    code = run(sys.argv[1:])
    streams.flush()
    # Every thread and file is closed by now; taking all modules down one by one would cost 60 ms a run.
    os._exit(code)


if __name__ == "__main__":
    main()
