"""The backend that runs steps as plain processes of this machine: quick, exact, and no sandbox."""

import os
import threading
from pathlib import Path

from uvmre.core.mre import Mre, Step
from uvmre.core.observation import StepResult
from uvmre.run import environment, process
from uvmre.run.environment import Place

NAME = "local"


def available() -> str:
    """Return why this backend cannot be used here; empty when it can."""
    return "" if os.name == "posix" else "it runs steps with /bin/sh, which this system lacks"


def run_step(place: Place, mre: Mre, step: Step, gateway: str, stop: threading.Event) -> StepResult:
    """Run one step in a shell of its own, as a Dockerfile's RUN does: what it exports is gone with it."""
    done = process.run(
        ["/bin/sh", "-c", step.run],
        cwd=place.work,
        environment=environment.variables(place, mre, gateway),
        timeout=step.timeout,
        stop=stop,
    )
    return StepResult(
        title=step.title,
        run=step.run,
        role=step.role,
        exit=done.exit,
        stdout=done.stdout.decode(errors="replace"),
        stderr=done.stderr.decode(errors="replace"),
        seconds=done.seconds,
        timed_out=done.timed_out,
        truncated=done.truncated,
    )


def tidy(root: Path) -> None:
    """End what the steps of places below `root` left running."""
    process.end_strays(root)
