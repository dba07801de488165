"""Prune the cache in the background of the verbs that fill it."""

import contextlib
import os
import sys
import time
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.progress import Progress
from uvmre.run import process

STAMP = "pruned"
"""The file whose modification time is that of the last pruning."""
HOURLY = 60 * 60.0
FOLDERS = ("", "uv", "gateway", "gateway/leaves", "triage")
"""Where temporary folders may be; the gateway sweeps those of recordings."""


def prune_later(cache: Path, progress: Progress, *, every: float = HOURLY) -> None:
    """Remove what killed processes left in the cache, and prune in a detached process if that is due."""
    temp_folders.sweep(*(cache / folder for folder in FOLDERS))
    stamp = cache / STAMP
    with contextlib.suppress(OSError):
        try:
            due = not 0 <= time.time() - stamp.stat().st_mtime < every
        except FileNotFoundError:
            due = False  # a new cache
            stamp.touch()
        if not due:
            return
        stamp.touch()
        from uvmre.core.cache_limits import limits
        from uvmre.errors import UsageError

        try:
            if limits(os.environ).any:
                process.start_detached([sys.executable, "-m", "uvmre", "cache", "prune", "--background"])
        except UsageError as error:
            progress.note(f"the cache is not pruned: {error.summary}")
