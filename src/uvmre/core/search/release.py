"""Releases of uv, ordered by version (PEP 440)."""

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
    """The upload time of its first file, if the index has it."""
    yanked: str | bool = False
    """Whether it is yanked; the reason, if there is one."""

    @property
    def published(self) -> bool:
        """Tell whether it is a published release, and not a local build."""
        return LOCAL_BUILD not in self.version

    def __lt__(self, other: "Release") -> bool:
        return parse_version(self.version) < parse_version(other.version)

    def __le__(self, other: "Release") -> bool:
        return parse_version(self.version) <= parse_version(other.version)


@functools.cache
def parse_version(version: str) -> "Version":
    """Return a version that compares as PEP 440 defines."""
    from packaging.version import Version

    return Version(version)


def is_path(text: str) -> bool:
    """Tell whether an argument is a path to a binary instead of a selector."""
    return "/" in text


def reported_version(output: str) -> str:
    """Return the version that `uv --version` printed, such as `0.5.21+4` between two releases.

    Raises:
        UsageError: if it is not the output of uv.
    """
    if found := VERSION_OUTPUT.match(output.strip()):
        return found[1]
    line = output.strip().partition("\n")[0]
    raise UsageError(
        f"not a uv binary: `--version` printed {line[:80]!r}, not `uv 0.5.21`",
        "pass the binary itself, such as ./target/debug/uv",
    )


def local_build_version(reported: str, content: str) -> str:
    """Return the version of a local build: the reported one, with a hash of the binary as its local segment."""
    public, _, local = reported.partition("+")
    return f"{public}+{'.'.join(filter(None, [local, LOCAL_BUILD, content[:HASH_LENGTH]]))}"
