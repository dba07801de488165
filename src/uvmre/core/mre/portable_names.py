"""The names that files of an MRE may have, wherever somebody unpacks it."""

import unicodedata
from collections.abc import Iterable, Iterator

from uvmre.core.mre.model import LEFT_OUT, MANIFEST
from uvmre.core.text.visible import shown_name


def name_faults(paths: Iterable[str]) -> Iterator[str]:
    """Yield why files cannot have these paths on every system."""
    used, paths = {MANIFEST: MANIFEST}, tuple(paths)
    folders = {_folded(path[:end]) for path in paths for end, char in enumerate(path) if char == "/"}
    for path in paths:
        if _folded(path) in folders:
            yield f"{shown_name(path)} is both a file and a folder"
        if not path.isprintable() or "\\" in path:
            yield f"{shown_name(path)} has a character that not every system has in names: rename it"
        elif path.startswith("/") or not {"", ".", ".."}.isdisjoint(path.split("/")):
            yield f"{path} is outside the folder"
        parents = (path[:end] for end, char in enumerate(path) if char == "/")
        for start in (*parents, path):
            if (same := used.setdefault(_folded(start), start)) != start:
                yield f"{shown_name(start)} and {shown_name(same)} are the same name on some systems: rename one"
                break


def is_reserved(path: str) -> bool:
    """Return whether a path is the manifest's, or in a folder that is no part of an MRE, such as `.git`."""
    folded = _folded(path)
    return folded == MANIFEST or not LEFT_OUT.isdisjoint(folded.split("/"))


def _folded(path: str) -> str:
    """Return a path as a file system compares it that ignores case and the normal form of Unicode."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path.casefold())
