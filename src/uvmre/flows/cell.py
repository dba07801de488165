"""One run of one variant under one release: fresh folders, a door, the steps, the evidence, the outcome."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from uvmre.core.mre import Mre
from uvmre.core.observation import Observation, StepResult
from uvmre.core.progress import Progress
from uvmre.core.redact import hidden, known
from uvmre.core.symptom import Outcome
from uvmre.gateway.gateway import Gateway
from uvmre.run.backend import Backend, Facts, Job
from uvmre.run.environment import Place
from uvmre.run.interpreters import Interpreter


@dataclass(frozen=True)
class Shared:
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
    shared: Shared,
    place: Place,
    judge: Callable[[Observation], Outcome],
    keep: Callable[[Observation], None],
) -> tuple[Observation, Outcome]:
    """Run one variant in fresh folders, hand what it left behind to `keep`, also where it ends early, and judge it."""
    steps: list[StepResult] = []
    with shared.gateway.door(faults=mre.faults) as door:
        facts = Facts(shared.backend.name, shared.uv, shared.interpreter.version if shared.interpreter else "")
        try:
            facts = shared.backend.run(_job(name, mre, shared, place, door.url, steps))
        finally:
            door.close()
            observation = Observation(
                variant=name,
                uv=facts.uv,
                python=facts.python,
                backend=facts.backend,
                platform=platform(),
                steps=tuple(steps),
                requests=tuple(door.requests),
                files=facts.files,
                obstacle="it was interrupted" if shared.stop.is_set() else facts.obstacle,
                stand_ins=facts.stand_ins,
                papers=facts.papers,
            )
            outcome = judge(observation)
            values = known(observation, shared.secrets)
            outcome, observation = hidden(outcome, values), hidden(observation, values)
            keep(observation)
    shared.progress.judged(name, outcome)
    return observation, outcome


def _job(name: str, mre: Mre, shared: Shared, place: Place, gateway: str, steps: list[StepResult]) -> Job:
    """Say what a backend has to do; each of its steps is told, and comes into `steps`."""

    def ended(step: StepResult) -> None:
        steps.append(step)
        shared.progress.stepped(name, step)

    return Job(
        place=place,
        base=shared.base,
        control=next((control for control in shared.base.controls if control.name == name), None),
        mre=mre,
        uv=shared.uv,
        binary=shared.binary,
        interpreter=shared.interpreter,
        python=shared.python,
        gateway=gateway,
        certificate=shared.gateway.certificate,
        live=shared.live,
        stop=shared.stop,
        begun=partial(shared.progress.step, name),
        ended=ended,
    )


def platform() -> str:
    """Return what this machine is, for the evidence."""
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"
