"""What a release of uv knows: commands and options by their help, settings and variables by their names in it."""

import functools
import mmap
import re
import threading
from collections.abc import Iterable
from pathlib import Path

from uvmre.run import process
from uvmre.run.environment import SYSTEM_PATH, join_path

HELP_SECONDS = 30


def missing_need(binary: Path, needs: Iterable[str]) -> str:
    """Return the first need that a release does not meet; empty if there is none."""
    return next((need for need in needs if not _is_known(binary, need)), "")


@functools.cache
def _is_known(binary: Path, need: str) -> bool:
    words = need.split()
    if words[0] != "uv":
        with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(need.encode()) >= 0
    options = [word for word in words[1:] if word.startswith("-")]
    command = [word for word in words[1:] if not word.startswith("-")]
    result = process.run(
        (str(binary), *command, "--help"),
        cwd=Path("/"),
        environment={"PATH": join_path(SYSTEM_PATH)},
        timeout=HELP_SECONDS,
        stop=threading.Event(),
    )
    text = result.stdout.decode(errors="replace")
    return not result.exit and all(re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) for option in options)
