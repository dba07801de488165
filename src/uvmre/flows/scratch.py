"""The temporary folders of runs, and the cleanup after killed processes of uvmre."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from uvmre import temp_folders
from uvmre.run import process_tree

# No hyphens: uv wraps a path at them.
PREFIX = "uvmre_"


@contextlib.contextmanager
def scratch(*, keep: bool = False) -> Iterator[Path]:
    """Create the root of the folders in which steps run, and remove it in the end unless `keep` is set.

    First ends the steps of killed processes, and removes their folders.
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
        process_tree.end_strays(left)
        temp_folders.delete_tree(left)


def end_everything() -> None:
    """Kill all processes that this one started, also those that left its group, and remove its folders."""
    process_tree.kill_descendants(os.getpid())
    for root in temp_folders.owned():
        process_tree.end_strays(root)
        temp_folders.remove(root)
