"""A script whose exit code says whether a bug shows, as in `git bisect run`."""

import shlex
from collections.abc import Sequence

from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.matching import Outcome, last_line
from uvmre.core.outcome.observation import Observation, StepResult

BAD, GOOD, SKIP = 0, 1, 125
NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 126, 127, 128
RELEASE = "UVMRE_UV"
"""The variable with the release that a script is run for."""


def script_mre(words: Sequence[str], uv: str = "") -> Mre:
    """Return an MRE whose only step is a script with its arguments."""
    # `exec`: no shell stays between the script and its parent.
    step = Step(f"exec {shlex.join(words)}", "observe", name=shlex.join(words))
    return Mre("", Environment(uv, variables={RELEASE: uv}), (step,), Symptom())


def judge(observation: Observation) -> Outcome:
    """Return the outcome of a script; an invalid exit code is `broken`."""
    if observation.obstacle or not observation.steps:
        return Outcome("broken", observation.obstacle or "it did not run")
    step = observation.steps[-1]
    if step.timed_out:
        return Outcome("broken", f"the script exceeds its time limit ({step.seconds:.0f} s)")
    if step.exit in (BAD, GOOD):
        return Outcome("shows" if step.exit == BAD else "absent", f"the script exits with code {step.exit}")
    if step.exit == SKIP:
        return Outcome("broken", f"the script exits with code {SKIP} (cannot tell): {last_line(step)}")
    return Outcome("broken", f"the script {_describe_exit(step)}: {last_line(step)}")


def invalid_exit(observation: Observation) -> str:
    """Describe an exit code that is not allowed; empty if it is."""
    if observation.obstacle or not observation.steps:
        return ""
    step = observation.steps[-1]
    if step.timed_out or step.exit in (BAD, GOOD, SKIP):
        return ""
    return f"on uv {observation.uv}, the script {_describe_exit(step)}, which is no answer: {last_line(step)}"


def _describe_exit(step: StepResult) -> str:
    if step.exit == NOT_EXECUTABLE:
        return f"cannot be executed ({step.exit})"
    if step.exit == NOT_FOUND:
        return f"does not find a command ({step.exit})"
    if step.exit > BY_SIGNAL:
        return f"or its last command is killed by signal {step.exit - BY_SIGNAL} ({step.exit})"
    return f"exits with code {step.exit}"
