"""`python -m uvmre`, and the command `uvmre`."""

import contextlib
import os
import sys


def main() -> None:
    """Run the command line and exit as it says."""
    from uvmre.cli.main import main as run

    code = run(sys.argv[1:])
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Every thread and file is closed by now; taking all modules down one by one would cost 60 ms a run.
    os._exit(code)


if __name__ == "__main__":
    main()
