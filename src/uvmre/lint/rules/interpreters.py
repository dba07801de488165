"""Mistakes in the choice of the interpreter."""

import re
from collections.abc import Iterator

from uvmre.core.mre.model import Step
from uvmre.core.shell.uv_calls import Call, parse_calls, without_flag
from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.subject import Subject

BELOW_SYSTEM = re.compile(r"(?:/usr(?:/local)?|/opt/[\w./-]{1,200})/lib/python3\.\d+/(?:site|dist)-packages")
CANNOT_WRITE = ("Read-only file system", "Permission denied", "externally managed")
NOT_THERE = ("No module named", "not found for", "not installed")
NO_WHEEL = (
    "doesn't have a source distribution or wheel for the current platform",
    "has no wheels with a matching Python",
)
PIP_WHEEL = re.compile(r"-cp3(\d+)-(?:cp3\d+m?|abi3)-[\w.]+\.whl")
UV_PYTHON = re.compile(r"(?:Using|using) (?:CPython|Python) 3\.(\d+)|Python 3\.(\d+)(?:\.\d+)? interpreter at")


def system_beside_venv(subject: Subject) -> Iterator[Finding]:
    """Find `--system` where a virtual environment is intended.

    https://docs.astral.sh/uv/pip/environments/: it ignores all, and from 0.2.0 on also an active one.
    """
    rule = "system-beside-venv"
    created = False
    for step, found in subject.steps:
        active = "VIRTUAL_ENV" in subject.mre.variables
        for call in found:
            created = created or _makes_venv(call)
            active = active or _activates(call)
            if not call.verb.startswith("pip ") or not call.has("--system"):
                continue
            if (active and subject.symptom_contains(*CANNOT_WRITE)) or (
                (active or created) and subject.symptom_contains(*NOT_THERE)
            ):
                why = "`--system` ignores virtual environments, and one is intended here"
                steps = subject.with_step(step, without_flag(step.run, "--system"))
                control = with_fix(rule, "Without `--system` the virtual environment is used.", why, steps=steps)
                yield Finding(rule, subject.at_step(step), f"{why}.", control)
            elif _below_system(subject):
                why = "`--system` ignores virtual environments, even an active one, and writes to the system's Python."
                question = "Is a virtual environment active? Does the command work without `--system`?"
                yield Finding(rule, subject.at_step(step), why, question=question)


def _below_system(subject: Subject) -> bool:
    text = "\n".join([*subject.mre.symptom.output, subject.post])
    return bool(BELOW_SYSTEM.search(text)) and any(words in text for words in CANNOT_WRITE)


def _makes_venv(call: Call) -> bool:
    words = call.argv
    return call.verb == "venv" or words[:1] == ("virtualenv",) or (words[1:3] == ("-m", "venv"))


def _activates(call: Call) -> bool:
    if "VIRTUAL_ENV" in call.variables:
        return True
    return len(call.argv) > 1 and call.argv[0] in (".", "source") and call.argv[1].endswith("bin/activate")


def other_interpreter(subject: Subject) -> Iterator[Finding]:
    """Find a comparison of pip and uv on two interpreters, by the tags of pip's wheel (PEP 425)."""
    rule = "other-interpreter"
    text = subject.post
    if not text or not subject.symptom_contains(*NO_WHEEL):
        return
    pips = {int(minor) for minor in PIP_WHEEL.findall(text)}
    uvs = {int(a or b) for a, b in UV_PYTHON.findall(text)}
    if len(pips) != 1 or len(uvs) != 1 or pips & uvs:
        return
    theirs, ours = pips.pop(), uvs.pop()
    why = f"pip used a wheel for Python 3.{theirs}, so it ran on that version, but uv on Python 3.{ours}"
    observed = next(step for step in reversed(subject.mre.steps) if _runs_uv(step))
    shows = f"On Python 3.{theirs} uv finds the wheel as well."
    control = with_fix(rule, shows, why, variables={"UV_PYTHON": f"3.{theirs}"})
    yield Finding(rule, subject.at_step(observed), f"{why}.", control)


def _runs_uv(step: Step) -> bool:
    return any(call.verb for call in parse_calls(step.run))
