"""The releases of uv, and which of them a selector means (PEP 440, 592)."""

import functools
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from uvmre.errors import UsageError

if TYPE_CHECKING:
    from packaging.version import Version

VERSION_OUTPUT = re.compile(r"uv (\d\S*)")
LOCAL_BUILD = "head"
HASH_LENGTH = 8


@dataclass(frozen=True)
class Release:
    """One release of uv, ordered by its version."""

    version: str
    date: datetime | None = None
    """When its first file came, where the index says so."""
    yanked: str | bool = False
    """Whether it was yanked; the reason, where one was given."""

    @property
    def published(self) -> bool:
        """Tell whether there is such a release: a binary that somebody built has none."""
        return LOCAL_BUILD not in self.version

    def __lt__(self, other: "Release") -> bool:
        return parse_version(self.version) < parse_version(other.version)

    def __le__(self, other: "Release") -> bool:
        return parse_version(self.version) <= parse_version(other.version)


@functools.cache
def parse_version(version: str) -> "Version":
    """Return a version as PEP 440 orders it."""
    from packaging.version import Version

    return Version(version)


def is_path(text: str) -> bool:
    """Tell whether a text on the command line is a path to a binary and no selector, whatever the disk has."""
    return "/" in text


def reported_version(output: str) -> str:
    """Return the version in what `uv --version` prints, as `0.5.21+4` of a build between two releases.

    Raises:
        UsageError: when it is not uv that said it.
    """
    if found := VERSION_OUTPUT.match(output.strip()):
        return found[1]
    line = output.strip().partition("\n")[0]
    raise UsageError(
        f"not a uv binary: `--version` printed {line[:80]!r}, not `uv 0.5.21`",
        "pass the binary itself, such as ./target/debug/uv",
    )


def local_build_version(reported: str, content: str) -> str:
    """Return a version for a binary that somebody built: right after the one that it says it is (PEP 440, local).

    It names the content by the start of its hash: what was seen of one binary is nothing about the next one built.
    """
    public, _, local = reported.partition("+")
    return f"{public}+{'.'.join(filter(None, [local, LOCAL_BUILD, content[:HASH_LENGTH]]))}"
