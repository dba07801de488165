"""What becomes of each file where a template is rendered again into a folder that was edited."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from uvmre.core.mre.files import File

OURS, BASE, THEIRS = "before updating", "last update", "after updating"
"""The labels of conflict markers, as copier's."""
MARKER = f"<<<<<<< {OURS}".encode()

MergeTexts = Callable[[bytes, bytes, bytes], tuple[bytes, bool]]
"""Merges ours, base and theirs; returns the text and whether it has conflicts."""


@dataclass(frozen=True)
class MergedFiles:
    """What is written into a folder and removed from it."""

    files: tuple[File, ...]
    removed: tuple[str, ...]
    conflicts: tuple[str, ...]
    """The paths whose two changes do not fit together."""
    notes: tuple[str, ...]
    """What the template changed and an edit prevented."""


def merge_files(
    ours: Mapping[str, File], base: Mapping[str, File], theirs: Mapping[str, File], blocked: Collection[str],
    merge_texts: MergeTexts,
) -> MergedFiles:  # fmt: skip
    """Merge each file three-way: no edit is lost.

    Args:
        ours: the regular files of the folder.
        base: those that the template rendered before.
        theirs: those that it renders now.
        blocked: the paths where the folder has something else, such as a link.
        merge_texts: merges two versions of a text.
    """
    files, removed, conflicts, notes = list[File](), list[str](), list[str](), list[str]()
    for path in sorted({*base, *theirs}):
        our, old, new = ours.get(path), base.get(path), theirs.get(path)
        if new == old or (our == new and path not in blocked):
            continue
        if path in blocked:
            conflicts.append(f"{path}: it is in the way of a file of the template")
        elif our == old:
            if new:
                files.append(new)
            else:
                removed.append(path)
        elif our is None:
            notes.append(f"{path}: stays deleted, and the template changed it")
        elif new is None:
            notes.append(f"{path}: kept, because it was edited; the template no longer has it")
        elif any(b"\0" in each.content for each in (our, new)):
            conflicts.append(f"{path}: kept as it is, because it is not a text")
        else:
            text, conflicting = merge_texts(our.content, old.content if old else b"", new.content)
            mode = new.executable if old and old.executable != new.executable else our.executable
            files.append(replace(our, content=text, executable=mode))
            conflicts += [f"{path}: has conflict markers"] * conflicting
    return MergedFiles(tuple(files), tuple(removed), tuple(conflicts), tuple(notes))
