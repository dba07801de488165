"""A file of an MRE."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of the folder."""

    path: str
    """Relative, with `/`, inside the folder."""
    content: bytes
    executable: bool = False
