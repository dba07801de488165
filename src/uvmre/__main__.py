"""`python -m uvmre`, and the command `uvmre`."""

import sys


def main() -> None:
    """Run the command line and exit as it says."""
    from uvmre.cli.main import main as run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
