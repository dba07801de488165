"""One run of one variant under one release: fresh folders, a door, the steps, the evidence, the outcome."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from uvmre.core.mre import Mre
from uvmre.core.observation import Observation, StepResult
from uvmre.core.progress import Progress
from uvmre.core.redact import masked, redact
from uvmre.core.symptom import Outcome
from uvmre.errors import at
from uvmre.gateway.gateway import Gateway
from uvmre.run import environment
from uvmre.run.backend import Backend
from uvmre.run.environment import Place
from uvmre.run.interpreters import Interpreter


@dataclass(frozen=True)
class Shared:
    """What every variant of one run shares."""

    backend: Backend
    uv: str
    binary: Path
    interpreter: Interpreter | None
    """None where the steps take what they find."""
    gateway: Gateway
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
        try:
            with at(place.root):
                environment.lay(place, mre, shared.binary, shared.interpreter)
                place.authority.write_bytes(shared.gateway.certificate)
            for step in _steps(name, mre, shared, place, door.url):
                steps.append(step)
        finally:
            door.close()
            observation = Observation(
                variant=name,
                uv=shared.uv,
                python=shared.interpreter.version if shared.interpreter else "",
                backend=shared.backend.NAME,
                platform=platform(),
                steps=tuple(steps),
                requests=tuple(door.requests),
                files=tuple((pattern.path, _text(place.work / pattern.path)) for pattern in mre.symptom.files),
                obstacle="it was interrupted" if shared.stop.is_set() else "",
            )
            outcome = judge(observation)
            outcome = replace(outcome, reason=redact(outcome.reason, shared.secrets))
            observation = masked(observation, shared.secrets)
            keep(observation)
    shared.progress.judged(name, outcome)
    return observation, outcome


def _steps(name: str, mre: Mre, shared: Shared, place: Place, gateway: str) -> Iterator[StepResult]:
    """Run the steps in their order, up to a set-up step that fails or a step whose time was up."""
    for step in mre.steps:
        if shared.stop.is_set():
            return
        shared.progress.step(name, step.title)
        result = _shortened(shared.backend.run_step(place, mre, step, gateway, shared.stop), place)
        shared.progress.stepped(name, result)
        yield result
        if result.timed_out or (result.exit and result.role == "setup"):
            return


def _shortened(result: StepResult, place: Place) -> StepResult:
    """Take the name of the fresh folder out of what a step said: it says nothing, and differs from run to run."""
    root = str(place.root)
    return replace(result, stdout=result.stdout.replace(root, ""), stderr=result.stderr.replace(root, ""))


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None


def platform() -> str:
    """Return what this machine is, for the evidence."""
    system = os.uname()
    return f"{system.sysname} {system.release} {system.machine}"
