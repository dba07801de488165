"""What an issue's text says, and what it lacks, each with its line."""

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from uvmre.core.network.index import Fault, Index

NOT_RELEASED = "did not exist at the date of the post"
"""What is said of a release."""
Kind = Literal["failure", "output", "file", "silence", "none"]


@dataclass(frozen=True)
class Located:
    """A value and where the post has it."""

    text: str
    line: int
    """The line of the post's Markdown, from 1."""


@dataclass(frozen=True)
class PostedFile:
    """A file that the post shows, or that must exist."""

    path: str
    text: str
    line: int
    why: str
    """Where its name comes from: `the heading “### pyproject.toml”`, `[project] means pyproject.toml`."""
    inferred: bool = False
    """Whether the post shows nothing of its content."""
    before: int = 0
    """The index of the command before which it is written; 0 if it exists from the start."""
    append: bool = False
    """Whether it is appended to the file that a command created."""
    good: bool = False
    """Whether the post says that it works with this version of the file: a control."""


@dataclass(frozen=True)
class Command:
    """A command of the post, for `/bin/sh`."""

    run: str
    line: int
    output: str = ""
    """The output that the post shows."""
    works: bool | None = None
    """Whether the post says that it works (a control) or fails; None if it says neither."""
    added_because: str = ""
    """Why it is added; empty for the post's own commands."""


@dataclass(frozen=True)
class Claim:
    """The symptom that the report describes."""

    kind: Kind
    command: int
    """The index of the command that shows it; -1 if unknown. Later commands are not run."""
    line: int
    output: tuple[str, ...] = ()
    """Texts of the failing output, in order, the innermost cause last; `…` matches anything."""
    file: str = ""
    """The file that shows it."""
    contains: tuple[str, ...] = ()
    """Texts that the file contains in the failing case."""
    expected: tuple[str, ...] = ()
    """Texts that the post expects instead."""
    absent: tuple[str, ...] = ()
    """Texts that the output, or the file, lacks in the failing case; the command succeeds all the same."""
    exists: bool | None = None
    """Whether there is `file` after the command in the failing case; the reverse is expected."""
    test: str = ""
    """A shell test that succeeds after the commands in the failing case, if texts cannot express the symptom."""
    about: tuple[str, ...] = ()
    """The title and the sentence that say what uv is silent about: another release may report that."""
    why: str = ""
    """Where the claim comes from, as one line: a sentence, or a part of the output."""
    unconfirmed: bool = False
    """Whether the texts alone are weak evidence, so that another release must behave differently."""
    rule: str = ""
    """The id of the rule that found it."""

    @property
    def two_sided(self) -> bool:
        """Tell whether it is about something that is missing or left: only a release with the reverse confirms it."""
        return bool(self.absent) or self.exists is not None


@dataclass(frozen=True)
class Gap:
    """Information that the post lacks, or a resource that is not available."""

    line: int
    description: str
    blocking: bool
    """Whether it prevents a verdict."""
    question: str = ""
    """The question to the reporter."""


@dataclass(frozen=True)
class ParsedIssue:
    """The content of an issue's text."""

    title: str
    created: datetime.date | None = None
    issue: str = ""
    """Its URL, if the text names it."""
    uv: Located | None = None
    """The release of the report; at line 0 if inferred from the post's date."""
    good: Located | None = None
    """A release that works, according to the post."""
    python: Located | None = None
    platform: Located | None = None
    files: tuple[PostedFile, ...] = ()
    commands: tuple[Command, ...] = ()
    claim: Claim = Claim("none", -1, 0)
    unplaced: tuple[PostedFile, ...] = ()
    """Blocks that are no file of the MRE, because nothing says how it is called."""
    requirements: tuple[str, ...] = ()
    """Requirements in sentences, as `numpy==1.2`."""
    variables: tuple[tuple[str, str], ...] = ()
    gaps: tuple[Gap, ...] = ()
    indexes: "tuple[Index, ...]" = ()
    """Package indexes that stand in for the reporter's private ones."""
    outages: "tuple[Fault, ...]" = ()
    """Hosts that must be unreachable for the symptom to show."""
    stand_ins: tuple[str, ...] = ()
    """The stand-ins, one line each."""
    remarks: tuple[Located, ...] = ()
    """Sentences of comments about the outcome; no evidence."""
