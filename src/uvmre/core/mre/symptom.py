"""What one sees when a bug shows, as a value. The docstring under a field is its entry in the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FileSymptom:
    """A file or folder to look at after the steps; everything that is given must hold."""

    path: str
    """Relative to the folder in which the steps run; `~/` is the steps' home."""
    contains: str = ""
    """A text that must be in it, compared as output is."""
    absent: str = ""
    """A text that must not be in it, compared as output is; the file must exist."""
    raw: str = ""
    """A text that must be in it byte for byte, white space and case included."""
    ends_with: str = ""
    """Its last characters byte for byte, such as `}` where a final newline is missing."""
    exists: bool | None = None
    """Whether there must be such a file, folder or link."""
    unchanged: bool = False
    """It must be a file, not a folder, with the content that it had before the first observe step."""
    links_to: str = ""
    """The target of the symbolic link that it must be; `…` matches anything."""


@dataclass(frozen=True)
class Count:
    """Something that must happen a number of times, on the observe step."""

    requests: str = ""
    """Requests of any method to this URL, in which `*` matches anything; each try counts."""
    lines: str = ""
    """Lines of both streams that contain this text."""
    least: int = 1
    """At least so many."""
    most: int | None = None
    """At most so many."""


@dataclass(frozen=True)
class Symptom:
    """What one sees when the bug shows: all of it, on one and the same observe step."""

    exit: int | Literal["failure", "success", "timeout"] | str | None = None
    """The exit code; "failure" for any but 0, "success" for 0, "timeout" for a step that exceeds its `timeout` or
    `idle-timeout`, or a signal as "SIGSEGV"."""
    output: tuple[str, ...] = ()
    """Texts that must all appear in one stream of the step, in this order."""
    files: tuple[FileSymptom, ...] = ()
    """Files to look at when the steps are done."""
    step: str = ""
    """The name of the only observe step that can have it; by default any can."""
    adjacent: bool = False
    """Whether the texts of `output` must be on lines that follow each other."""
    any: tuple[str, ...] = ()
    """Texts of which at least one must appear, in either stream."""
    absent: tuple[str, ...] = ()
    """Texts that must not appear in either stream."""
    raw: tuple[str, ...] = ()
    """Texts that must appear byte for byte: white space, case and escape codes count."""
    differs_from: str = ""
    """The name of a step whose standard output or exit code must differ from that of this one."""
    slower_than: str = ""
    """The name of a step that must take less time than this one, by `factor` and by at least half a second."""
    factor: float = 2.0
    """How many times as long as that step."""
    guess: bool = False
    """Whether it is not in the report's own words: a miss is then no proof."""
    counts: tuple[Count, ...] = ()
    """What must happen a number of times."""

    @property
    def bare(self) -> bool:
        """Tell whether it is only an exit code and missing texts, as of any failure or any success of the step."""
        return not (self.texts or self.files or self.counts or self.differs_from or self.slower_than)

    @property
    def needs_host(self) -> bool:
        """Tell whether it is about more than texts of the output and of files in the steps' folder."""
        states = (
            FileSymptom(file.path, file.contains, file.absent) != file or "~/" in file.path for file in self.files
        )
        return bool(self.raw or self.slower_than) or any(states) or any(count.requests for count in self.counts)

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the texts that the output must have."""
        return (*self.output, *self.any, *self.raw)
