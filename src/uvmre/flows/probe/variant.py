"""One run of one variant under one release: fresh folders, a door, the steps, the evidence, the outcome."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.symptom import Outcome
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import observed_secrets, redact_deep
from uvmre.gateway.session import Gateway
from uvmre.run.backend import Backend, RunFacts, StepRequest
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import Interpreter


@dataclass(frozen=True)
class RunContext:
    """What every variant of one run shares."""

    backend: Backend
    base: Mre
    """The MRE that all are variants of."""
    uv: str
    binary: Path
    interpreter: Interpreter | None
    """None where the steps take what they find."""
    python: str
    """The version that was asked for; empty where none was."""
    gateway: Gateway
    live: bool
    stop: threading.Event
    progress: Progress
    keep: bool
    secrets: frozenset[str]
    """Masked in all that is kept."""


def observe(
    name: str,
    mre: Mre,
    context: RunContext,
    dirs: RunDirs,
    judge: Callable[[Observation], Outcome],
    keep: Callable[[Observation], None],
) -> tuple[Observation, Outcome]:
    """Run one variant in fresh folders, hand what it left behind to `keep`, also where it ends early, and judge it."""
    steps: list[StepResult] = []
    with context.gateway.listener(faults=mre.faults) as listener:
        facts = RunFacts(context.backend.name, context.uv, context.interpreter.version if context.interpreter else "")
        try:
            facts = context.backend.run(_job(name, mre, context, dirs, listener.url, steps))
        finally:
            listener.close()
            observation = Observation(
                variant=name,
                uv=facts.uv,
                python=facts.python,
                backend=facts.backend,
                platform=platform(),
                steps=tuple(steps),
                requests=tuple(listener.requests),
                files=facts.files,
                obstacle="it was interrupted" if context.stop.is_set() else facts.obstacle,
                stand_ins=facts.stand_ins,
                artifacts=facts.artifacts,
            )
            outcome = judge(observation)
            values = observed_secrets(observation, context.secrets)
            outcome, observation = redact_deep(outcome, values), redact_deep(observation, values)
            keep(observation)
    context.progress.judged(name, outcome)
    return observation, outcome


def _job(name: str, mre: Mre, context: RunContext, dirs: RunDirs, gateway: str, steps: list[StepResult]) -> StepRequest:
    """Say what a backend has to do; each of its steps is told, and comes into `steps`."""

    def ended(step: StepResult) -> None:
        steps.append(step)
        context.progress.stepped(name, step)

    return StepRequest(
        dirs=dirs,
        base=context.base,
        control=next((control for control in context.base.controls if control.name == name), None),
        mre=mre,
        uv=context.uv,
        binary=context.binary,
        interpreter=context.interpreter,
        python=context.python,
        gateway=gateway,
        certificate=context.gateway.certificate,
        live=context.live,
        stop=context.stop,
        on_step_start=partial(context.progress.step, name),
        on_step_end=ended,
    )


def platform() -> str:
    """Return what this machine is, for the evidence."""
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"
