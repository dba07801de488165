"""What a release of uv knows: commands and options by its own parser, settings and variables by their names in it."""

import functools
import mmap
import threading
from collections.abc import Iterable
from pathlib import Path

from uvmre.core.outcome.matching import find_unsupported
from uvmre.run import process
from uvmre.run.environment import SYSTEM_PATH, join_path

TOOLS = ("uv", "uvx")
HELP_SECONDS = 30


def missing_need(binary: Path, needs: Iterable[str]) -> str:
    """Return the first need that a release does not meet; empty if there is none."""
    return next((need for need in needs if not _is_known(binary, need)), "")


@functools.cache
def _is_known(binary: Path, need: str) -> bool:
    tool, *words = need.split()
    if tool not in TOOLS:
        with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(need.encode()) >= 0
    if not (program := binary.with_name(tool if tool == "uvx" else binary.name)).is_file():
        return False
    # uv reads the words before `--help` first, also options that its help does not list, and fails on an unknown one.
    result = process.run(
        (str(program), *words, "--help"),
        cwd=Path("/"),
        environment={"PATH": join_path(SYSTEM_PATH)},
        timeout=HELP_SECONDS,
        stop=threading.Event(),
    )
    return not (result.exit and find_unsupported(result.stderr.decode(errors="replace"), settings=False))
