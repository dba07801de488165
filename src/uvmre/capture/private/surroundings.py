"""What must not leave, and what replaces it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Surroundings:
    """The machine and the user that an MRE is captured from."""

    folder: str
    """The absolute path of the project."""
    home: str
    """The absolute path of the user's home."""
    user: str
    host: str
    public: frozenset[str] = frozenset()
    """Canonical names of packages that exist on PyPI, and so stay."""
    secrets: frozenset[str] = frozenset()
    """Values that are known to be secret."""


@dataclass(frozen=True)
class Replacement:
    """One private thing, and what stands for it."""

    kind: str
    """What it is: "package", "module", "member", "folder", "index", "url", "host", "git", "image", "extra", "group",
    "script", "person", "path", "variable", "secret", "user", "number", "word"; "public" for a name of PyPI with a
    private word inside, which stays."""
    private: tuple[str, ...]
    """All its spellings."""
    neutral: str
