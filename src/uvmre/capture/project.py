"""A user's project as a value: the files that matter, the commands, and what uv finds around them."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from uvmre.core.mre.files import File
from uvmre.core.shell.statements import statements

TOOLS = ("uv", "uvx")


@dataclass(frozen=True)
class UserProject:
    """What a capture starts from. It has private values."""

    files: tuple[File, ...]
    """The relevant files, relative to the root of the workspace."""
    commands: tuple[str, ...]
    """The commands, in order; the last one fails."""
    uv: str
    """The release of uv that the user runs."""
    folder: str = "."
    """The folder in which the commands run, relative to the root."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The variables of the user that uv reads."""
    home: tuple[File, ...] = ()
    """Files of the user's home that uv reads, relative to it."""
    python: str = ""
    """The minor version of the interpreter that uv selects."""
    platform: str = ""
    left_out: tuple[str, ...] = ()
    """What was not copied, in sorted order."""

    def text(self, path: str) -> str:
        """Return the text of a file; empty if there is none."""
        return next((each.content.decode(errors="replace") for each in self.files if each.path == path), "")


def split_commands(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the commands of a command line: a single argument is a shell text, which may have several of uv."""
    if len(arguments) != 1:
        return (shlex.join(arguments),)
    text = arguments[0].strip()
    found = statements(text)
    # Anything but calls of uv, such as `cd`, may be needed by what follows in the same shell.
    if all(each.simple and each.program in TOOLS for each in found) and len(found) > 1:
        return tuple(each.text for each in found)
    return (text,)
