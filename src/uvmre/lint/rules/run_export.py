"""Variables that one RUN exports for another."""

import re
from collections.abc import Iterator, Mapping, Sequence

from uvmre.core.dockerfile.parser import Instruction
from uvmre.core.shell.uv_calls import exported_variables, parse_calls
from uvmre.lint.dockerfiles import DockerfileImage, images, uses_uv
from uvmre.lint.finding import Finding, sentence, with_fix
from uvmre.lint.subject import Subject

READ_BY_UV = re.compile(r"UV_\w+|SSL_CERT_(FILE|DIR)|NETRC|VIRTUAL_ENV|PATH|(?i:(https?|all|no)_proxy)")
SILENT = ("echo", "printenv", "env", "true", ":")
"""Commands beside an `export` that do not need it."""


def run_export(subject: Subject) -> Iterator[Finding]:
    """Find variables that one RUN exports for another: each RUN is a shell of its own.

    https://docs.docker.com/reference/dockerfile/#run; astral-sh/uv#10903 was closed for this.
    """
    found = [finding for image in images(subject) for finding in _lost_in(subject, image)]
    yield from found
    # The commands of a post may run in one shell.
    if not found and subject.parsed is None:
        yield from _lost_between_steps(subject)


def _lost_in(subject: Subject, image: DockerfileImage) -> Iterator[Finding]:
    runs = image.runs
    for at, run in enumerate(runs):
        later = [each.instruction.text for each in runs[at + 1 :] if uses_uv(each.command)]
        exports = _only_exports(run.command)
        lost = {name: value for name, value in _needed_later(exports, later).items() if name not in image.variables}
        if lost:
            files = {image.path: _with_env(image.text, run.instruction, exports)}
            yield _lost(subject, f"{image.path}:{run.instruction.first}", lost, "RUN", files)


def _lost_between_steps(subject: Subject) -> Iterator[Finding]:
    for at, (step, _) in enumerate(subject.steps):
        later = [each.run for each in subject.mre.steps[at + 1 :] if uses_uv(each.run)]
        if lost := _needed_later(_only_exports(step.run), later):
            yield _lost(subject, subject.at_step(step), lost, "step", {})


def _needed_later(exports: Mapping[str, str], later: Sequence[str]) -> dict[str, str]:
    """Return the exports that uv reads and some later command does not set itself."""
    return {
        name: value
        for name, value in exports.items()
        if READ_BY_UV.fullmatch(name) and any(f"{name}=" not in text and f"env={name}" not in text for text in later)
    }


def _lost(subject: Subject, where: str, lost: Mapping[str, str], kind: str, files: dict[str, str]) -> Finding:
    rule = "run-export"
    names = ", ".join(f"`{name}`" for name in lost)
    why = f"each {kind} is a shell of its own, so {names}, exported in one, is not set for uv in a later one"
    literal = {name: value for name, value in lost.items() if not set("$`") & set(value)}
    known = all(subject.mre.variables.get(name) == value for name, value in literal.items())
    if not literal or known:
        return Finding(rule, where, sentence(why))
    shows = f"With {names} set in the later one, as by ENV."
    control = with_fix(rule, shows, why, variables=literal, files=files)
    return Finding(rule, where, sentence(why), control)


def _only_exports(text: str) -> dict[str, str]:
    """Return the exports of a command that does nothing else."""
    found = parse_calls(text)
    left = {name: value for call in found for name, value in exported_variables(call).items() if call.argv}
    idle = all(not call.argv or exported_variables(call) or call.argv[0] in SILENT for call in found)
    return left if idle else {}


def _with_env(text: str, instruction: Instruction, variables: Mapping[str, str]) -> str:
    lines = text.split("\n")
    pairs = " ".join(f'{name}="{_quoted(value)}"' for name, value in variables.items())
    return "\n".join([*lines[: instruction.first - 1], f"ENV {pairs}", *lines[instruction.last :]])


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
