"""What was understood of an issue's text, and what was not: each with the line it came from, before anything runs."""

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from uvmre.core.network.index import Fault, Index

Kind = Literal["failure", "output", "file", "silence", "none"]


@dataclass(frozen=True)
class Located:
    """A word of the post."""

    text: str
    line: int
    """From 1, of the post's Markdown."""


@dataclass(frozen=True)
class PostedFile:
    """A file that the post shows, or that it implies."""

    path: str
    text: str
    line: int
    why: str
    """How its name is known: `the heading “### pyproject.toml”`, `[project] means pyproject.toml` …"""
    inferred: bool = False
    """Whether nothing of its content stands in the post."""
    before: int = 0
    """The command before which it is written; 0 for what is there from the start."""
    append: bool = False
    """Whether it is added at the end of what a command made of that path."""
    good: bool = False
    """Whether the post says that with this one, instead of the other of that path, it works: a free control."""


@dataclass(frozen=True)
class Command:
    """A command of the post, as `/bin/sh` takes it."""

    run: str
    line: int
    output: str = ""
    """What the post shows below it."""
    works: bool | None = None
    """Whether the post says that this one does what it should (a free control); None where it says nothing."""
    added_because: str = ""
    """Why it is there although the post does not have it; empty for the post's own."""


@dataclass(frozen=True)
class Claim:
    """What the reporter says goes wrong."""

    kind: Kind
    command: int
    """Which of the commands shows it, from 0; -1 where that is not known. Those after it need not be run."""
    line: int
    output: tuple[str, ...] = ()
    """Texts that the output has when it goes wrong, in their order, the innermost cause last; `…` for anything."""
    file: str = ""
    """The file in which it is seen."""
    contains: tuple[str, ...] = ()
    """Texts of that file when it goes wrong."""
    expected: tuple[str, ...] = ()
    """What the post says that should be there instead."""
    test: str = ""
    """A shell test that holds, after the commands, when it goes wrong; where texts of output or files cannot say it."""
    why: str = ""
    """How the claim is known, in one line: the sentence, or what of the output it was taken from."""
    unconfirmed: bool = False
    """Whether the texts alone do not prove it: the release must then differ from its neighbours as the post says."""


@dataclass(frozen=True)
class Gap:
    """Something that was not understood, or cannot be had."""

    line: int
    description: str
    blocking: bool
    """Whether nothing can be said without it."""
    question: str = ""
    """What to ask the reporter."""


@dataclass(frozen=True)
class ParsedIssue:
    """An issue's text, read."""

    title: str
    created: datetime.date | None = None
    issue: str = ""
    """Its address, where the text names it."""
    uv: Located | None = None
    """The release of the report; line 0 where none is stated: the newest before the post's day."""
    good: Located | None = None
    """A release of which the post says that it does not show there."""
    python: Located | None = None
    platform: Located | None = None
    files: tuple[PostedFile, ...] = ()
    commands: tuple[Command, ...] = ()
    claim: Claim = Claim("none", -1, 0)
    variables: tuple[tuple[str, str], ...] = ()
    gaps: tuple[Gap, ...] = ()
    indexes: "tuple[Index, ...]" = ()
    """Package indexes that stand in for the reporter's private ones."""
    outages: "tuple[Fault, ...]" = ()
    """Hosts that must fail for the claim to be seen."""
    stand_ins: tuple[str, ...] = ()
    """What stands in for something that cannot be had, in one line each."""
