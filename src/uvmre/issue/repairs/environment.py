"""Repairs of what a step runs in: a virtual environment, its activation script."""

import re

from uvmre.issue.repairs.rule import Change, Failure, RepairRule


def _add_venv(failure: Failure, _: re.Match[str]) -> Change:
    return failure.with_step_before("uv venv"), "added `uv venv`"


def _add_venv_of_script(failure: Failure, found: re.Match[str]) -> Change:
    folder = found["folder"].removeprefix("./")
    if folder.startswith(("/", "~")):
        return None
    run = "uv venv" if folder == ".venv" else f"uv venv {folder}"
    return failure.with_step_before(run), f"added `{run}`"


RULES = (
    RepairRule("no-venv", "neutral", re.compile(r"No virtual environment found"), _add_venv),
    RepairRule(
        "no-activate-script",
        "neutral",
        re.compile(r"(?P<folder>[\w./~-]{1,80})/bin/activate: (?:No such file or directory|not found)"),
        _add_venv_of_script,
    ),
)
