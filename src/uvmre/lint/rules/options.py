"""Mistakes in the extras and groups of a command."""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.projects import list_of, projects
from uvmre.lint.subject import PROJECT, Subject

TAKES_EXTRAS = ("sync", "run", "export", "pip compile", "pip install")
TAKES_GROUPS = ("sync", "run", "export", "tree", "pip compile", "pip install")
"""In `uv add` and `uv remove` the same options have another meaning."""
GROUPS = ("--group", "--only-group")
SWAPPED = {"--extra": "--group", "--group": "--extra", "--only-group": "--extra"}


def undefined_extra(subject: Subject) -> Iterator[Finding]:
    """Find an undefined extra or group.

    https://docs.astral.sh/uv/concepts/projects/dependencies/: extras are in `[project.optional-dependencies]`,
    groups in `[dependency-groups]`.
    """
    found = projects(subject)
    if not found or any("optional-dependencies" in list_of(project.table, "dynamic") for project in found):
        return
    extras = {name for project in found for name in project.extras}
    groups = {name for project in found for name in project.groups}
    for step, calls in subject.steps:
        for call in calls:
            for option, known, other in (("--extra", extras, groups), *((each, groups, extras) for each in GROUPS)):
                if call.verb not in (TAKES_EXTRAS if option == "--extra" else TAKES_GROUPS) or call.has("--script"):
                    continue
                for value in call.values(option):
                    name = canonicalize_name(value)
                    # The extras of other projects are unknown.
                    if name in known or not re.fullmatch(r"[\w.-]+", value) or _of_another(call.arguments):
                        continue
                    yield _finding(subject, subject.mre.steps.index(step), option, value, swap=name in other)


def _of_another(arguments: list[str]) -> bool:
    return any("/" in argument or argument.startswith("git+") for argument in arguments)


def _finding(subject: Subject, at: int, option: str, value: str, *, swap: bool) -> Finding:
    rule = "undefined-extra" if option == "--extra" else "undefined-group"
    kind, table = ("extra", "project.optional-dependencies") if option == "--extra" else ("group", "dependency-groups")
    step = subject.mre.steps[at]
    where = subject.at_step(step)
    if not swap:
        why = (
            f"`{option} {value}` names {'an extra' if kind == 'extra' else 'a group'} that no posted {PROJECT} defines."
        )
        return Finding(
            rule, where, why, question=f"Which `[{table}]` defines `{value}`? Please post the whole {PROJECT}."
        )
    right = SWAPPED[option]
    is_a = "a group" if kind == "extra" else "an extra"
    why = f"`{value}` is {is_a}, which `{right}` takes, not `{option}`"
    if not subject.symptom_contains("is not defined", "No module named", "Failed to spawn"):
        return Finding(rule, where, f"{why}.")
    swapped = re.sub(rf"{re.escape(option)}(=|\s+){re.escape(value)}(?![\w.-])", rf"{right}\g<1>{value}", step.run)
    control = with_fix(rule, f"With `{right} {value}` it is found.", why, steps=subject.with_step(step, swapped))
    return Finding(rule, where, f"{why}.", control)
