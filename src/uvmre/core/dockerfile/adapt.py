"""Edits of a Dockerfile for a machine without an engine: installs into an environment, failures that are ignored."""

import re

from uvmre.core.dockerfile.interpret import PIP, UV_PIP
from uvmre.core.dockerfile.parser import Instruction, parse, parse_run, stages
from uvmre.core.shell.installs import without_installs
from uvmre.core.shell.uv_calls import without_flag

VENV = "uv venv --seed /opt/venv && "
ENV = "ENV VIRTUAL_ENV=/opt/venv PATH=/opt/venv/bin:$PATH"
BY_VARIABLE = re.compile(r"(?<=UV_SYSTEM_PYTHON[= ])[\"']?(?:1|true)[\"']?")


def ignoring(text: str, run: str) -> str:
    """Return a Dockerfile in which the failure of a RUN is ignored; as it is if that RUN has a form of its own."""
    found = (each for each in parse(text) if each.name == "RUN" and parse_run(each).command == run and _is_plain(each))
    each = next(found, None)
    return _replaced(text, {each: _run(each, f"( {run} ) || true")}) if each else text


def in_environment(text: str) -> str:
    """Return a Dockerfile that installs into a virtual environment instead of the system's Python."""
    edits: dict[Instruction, str] = {}
    begun: set[str] = set()
    for stage in stages(parse(text))[1]:
        known = {stage.image.lower()} & begun
        for each in stage.instructions:
            if each.name == "ENV" and BY_VARIABLE.search(each.text):
                edits[each] = BY_VARIABLE.sub("0", each.text)
            elif each.name == "RUN" and _is_plain(each) and (command := _in_environment(each.value[0], bool(known))):
                edits[each] = _run(each, command) if known else f"{ENV}\n{_run(each, command)}"
                known = {stage.name or str(stage.number)}
        begun |= {stage.name, str(stage.number)} if known else set()
    return _replaced(text, edits)


def _in_environment(command: str, known: bool) -> str:
    """Return a command that installs into the environment, which it makes unless it is known; empty for another one."""
    uv = UV_PIP.search(command)
    if not uv and not PIP.search(without_installs(command)):
        return ""
    end = uv.start() if uv else 0
    start = command.rfind(" ", 0, end) + 1 if command[:end].endswith("/") else end
    command = command if known else f"{command[:start]}{command[start:end]}{VENV}{command[start:]}"
    return without_flag(without_flag(command, "--system"), "--break-system-packages")


def _is_plain(each: Instruction) -> bool:
    return not each.json and not each.heredocs


def _run(each: Instruction, command: str) -> str:
    return " ".join(["RUN", *each.flags, command])


def _replaced(text: str, edits: dict[Instruction, str]) -> str:
    lines = text.split("\n")
    for each in sorted(edits, key=lambda each: -each.first):
        lines[each.first - 1 : each.last] = [edits[each]]
    return "\n".join(lines)
