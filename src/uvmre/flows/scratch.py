"""The temporary folders in which steps run, and what killed processes of uvmre left: their folders and their steps."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from uvmre import temp_folders
from uvmre.run import process

# No hyphens: uv wraps a path at them.
PREFIX = "uvmre_"


@contextlib.contextmanager
def scratch(*, keep: bool = False) -> Iterator[Path]:
    """Give the root of the folders in which steps run, removed in the end; `keep` leaves it to the user.

    What a process that was killed left behind is cleaned up first: steps that still run, then their folders.
    """
    sweep()
    root = temp_folders.create(Path(tempfile.gettempdir()), PREFIX)
    try:
        yield root
    finally:
        if keep:
            temp_folders.release(root)
        else:
            temp_folders.remove(root)


def sweep() -> None:
    """End the steps of processes that were killed, and remove their folders."""
    for left in temp_folders.abandoned(Path(tempfile.gettempdir()), PREFIX):
        process.end_strays(left)
        temp_folders.delete_tree(left)


def end_everything() -> None:
    """Kill whatever this process started and did not end, also what left its group, and remove its folders."""
    process.end_children()
    for root in temp_folders.owned():
        process.end_strays(root)
        temp_folders.remove(root)
