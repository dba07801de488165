"""A subject: files by their paths; and edits of their bytes."""

import hashlib
from collections.abc import Iterable, Mapping

Subject = Mapping[str, bytes]
"""The files of a folder, by relative path."""
Edit = tuple[int, int, bytes]
"""A range of bytes, and what replaces it."""


def digest(subject: Subject) -> str:
    """Return a hash of the content."""
    found = hashlib.sha256()
    for path, content in sorted(subject.items()):
        for part in (path.encode(), content):
            found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def size(subject: Subject) -> int:
    """Return the bytes of all files."""
    return sum(map(len, subject.values()))


def line_count(subject: Subject) -> int:
    """Return the lines of all files."""
    return sum(len(content.splitlines()) for content in subject.values())


def apply(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Return a content with edits; of those that overlap, the outermost counts, and deletions are united."""
    parts, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start >= at:
            parts += [content[at:start], new]
        at = max(at, end)
    return b"".join([*parts, content[at:]])


def edit_files(subject: Subject, edits: Iterable[tuple[str, Edit]]) -> Subject:
    """Return a subject with edits of its files."""
    grouped: dict[str, list[Edit]] = {}
    for path, edit in edits:
        grouped.setdefault(path, []).append(edit)
    return {**subject, **{path: apply(subject[path], each) for path, each in grouped.items()}}


def decode(content: bytes) -> str | None:
    """Return a content as text; None if it is binary."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
