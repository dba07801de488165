"""The RUN instructions of a Dockerfile as commands; the directory of the image is that of the MRE."""

import re
from collections.abc import Iterable

from uvmre.core.dockerfile.parser import Instruction, instructions, parse_run
from uvmre.core.shell import statements
from uvmre.errors import UvmreError

CALLS_UV = re.compile(r"\buvx?\b")
SHELLS = (["/bin/sh"], ["sh"], ["bash"], ["/bin/bash"])
UV_VARIABLES = ("UV_", "PIP_")


def commands_of(text: str, line: int) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """Return the commands that call uv, each with its line, and the variables of all of them.

    The text may be a part of a Dockerfile; of one that does not parse, nothing is returned.
    """
    try:
        found = instructions(text)
    except UvmreError:
        return [], {}
    runs = ((_command(each), line + each.first - 1) for each in found if each.name == "RUN" and each.value)
    return [(run, at) for run, at in runs if CALLS_UV.search(run) and statements.statements(run)], _variables(found)


def _command(instruction: Instruction) -> str:
    run = parse_run(instruction)
    if run.argv:
        return run.argv[-1] if list(run.argv[:1]) in SHELLS else run.command
    return run.command.strip() if "\n" in run.command else " ".join(run.command.split())


def _variables(found: Iterable[Instruction]) -> dict[str, str]:
    pairs = (pair for each in found if each.name in ("ENV", "ARG") for pair in each.pairs)
    return {name: value.strip("\"'") for name, value in pairs if value is not None and name.startswith(UV_VARIABLES)}
