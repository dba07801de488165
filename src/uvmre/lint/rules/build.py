"""Mistakes in builds."""

from collections.abc import Iterator

from uvmre.core.mre.model import Step
from uvmre.core.shell.uv_calls import Call, changes_directory
from uvmre.lint.finding import Finding, sentence, with_fix
from uvmre.lint.subject import Subject

REFUSED = (
    "The source distribution includes a virtual environment",
    "symbolic-link target",
    "Invalid tar file",
    "outside of the target directory",
    "links to a file outside",
)


def venv_in_sdist(subject: Subject) -> Iterator[Finding]:
    """Find a virtual environment in the source distribution.

    Its links to the interpreter leave the archive, which newer releases refuse to unpack.
    """
    rule = "venv-in-sdist"
    venv: str = ""
    for step, calls in subject.steps:
        for call in calls:
            venv = "" if call.argv[:1] == ("rm",) and venv in call.argv else _makes_venv(call, step) or venv
            if call.verb != "build" or not venv or not subject.symptom_contains(*REFUSED):
                continue
            why = f"the virtual environment {venv} is in the project's folder and therefore in the source distribution"
            steps = subject.with_step(step, f"rm -rf {venv} && {step.run}")
            control = with_fix(rule, f"Without {venv} the build succeeds.", why, steps=steps)
            yield Finding(rule, subject.at_step(step), sentence(why), control)
            return


def _makes_venv(call: Call, step: Step) -> str:
    """Return the virtual environment that a command creates; empty where it creates none here."""
    if changes_directory(step.run):
        return ""
    if call.verb == "venv":
        name = next(iter(call.arguments), ".venv")
    elif call.argv[1:3] == ("-m", "venv") or call.argv[:1] == ("virtualenv",):
        name = call.argv[-1]
    else:
        name = ".venv" if call.verb == "sync" else ""
    return name if name.replace("-", "").replace("_", "").removeprefix(".").isalnum() else ""
