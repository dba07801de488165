"""The RUN instructions of a Dockerfile as commands; the directory of the image is that of the MRE."""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass

from uvmre.core.dockerfile.parser import Instruction, instructions, parse_run
from uvmre.core.dockerfile.single_file import context_sources
from uvmre.core.shell import statements
from uvmre.errors import UvmreError

CALLS_UV = re.compile(r"\buvx?\b")
SHELLS = (["/bin/sh"], ["sh"], ["bash"], ["/bin/bash"])
UV_VARIABLES = ("UV_", "PIP_")
_OF_IMAGE = "HOME PATH PWD SHELL USER VIRTUAL_ENV LD_LIBRARY_PATH PYTHONPATH PYTHONHOME"
OF_IMAGE = frozenset(_OF_IMAGE.split())
"""Variables that depend on the image's directories."""


@dataclass(frozen=True)
class ImageCommand:
    """A RUN."""

    run: str
    line: int
    copied: tuple[str, ...]
    """The paths that are copied from the context before it, or mounted for it."""

    def has(self, path: str) -> bool:
        """Tell whether a path of the context is in the image."""
        found = (pattern.removeprefix("./").rstrip("/") for pattern in self.copied)
        return any(
            each in ("", ".", "*") or path.startswith(f"{each}/") or fnmatch.fnmatch(path, each) for each in found
        )


def commands_of(text: str, line: int) -> tuple[list[ImageCommand], dict[str, str]]:
    """Return the commands that call uv, and the variables of all of them.

    The text may be a part of a Dockerfile; of one that does not parse, nothing is returned.
    """
    try:
        found = instructions(text)
    except UvmreError:
        return [], {}
    commands: list[ImageCommand] = []
    copied: list[str] = []
    for each in found:
        sources = context_sources(each) if each.name in ("COPY", "ADD", "RUN") else []
        if each.name == "RUN" and each.value:
            run = _command(each)
            if CALLS_UV.search(run) and statements.statements(run):
                commands.append(ImageCommand(run, line + each.first - 1, (*copied, *sources)))
        else:
            copied += sources
    return commands, _variables(found)


def _command(instruction: Instruction) -> str:
    run = parse_run(instruction)
    if run.argv:
        return run.argv[-1] if list(run.argv[:1]) in SHELLS else run.command
    return run.command.strip() if "\n" in run.command else " ".join(run.command.split())


def _variables(found: Iterable[Instruction]) -> dict[str, str]:
    pairs = (pair for each in found if each.name in ("ENV", "ARG") for pair in each.pairs)
    values = {name: value.strip("\"'") for name, value in pairs if value is not None}
    return {name: value for name, value in values.items() if name.startswith(UV_VARIABLES) or _is_plain(name, value)}


def _is_plain(name: str, value: str) -> bool:
    """Tell whether a variable has the same meaning outside the image."""
    return name not in OF_IMAGE and not value.startswith("/") and "$" not in value
