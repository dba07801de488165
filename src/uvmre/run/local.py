"""The backend that runs steps as plain processes of this machine: quick, exact, and no sandbox."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre.core.layer import Layer
from uvmre.core.mre import Mre, Step
from uvmre.core.observation import StepResult
from uvmre.errors import at
from uvmre.run import environment, image, process
from uvmre.run.backend import Facts, Job
from uvmre.run.process import Finished


@dataclass(frozen=True)
class Local:
    """This machine itself."""

    name: str = "local"

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return "" if os.name == "posix" else "it runs steps with /bin/sh, which this system lacks"

    def described(self) -> str:
        """Return what runs the steps."""
        return self.name

    def run(self, job: Job) -> Facts:
        """Run the steps in their order, up to a set-up step or a RUN that fails, or a step whose time was up."""
        place = job.place
        with at(place.root):
            environment.lay(place, job.mre, job.binary, job.interpreter)
            place.authority.write_bytes(job.certificate)
        steps, obstacle = _steps(job.mre), ""
        for step in steps:
            if job.stop.is_set():
                break
            job.begun(step.title)
            try:
                result = _layered(step, step.layer, job) if step.layer else _run(step, job)
            except image.Missing as why:
                obstacle = f"`{step.title}` could not be run: {why}"
                break
            job.ended(result)
            if result.timed_out or (result.exit and (result.role == "setup" or step.layer)):
                break
        last = steps[-1].layer
        work = image.inside(place, last.cwd) if last else place.work
        return Facts(
            backend=self.name,
            uv=job.uv,
            python=job.interpreter.version if job.interpreter else "",
            files=tuple((pattern.path, _text(work / pattern.path)) for pattern in job.mre.symptom.files),
            obstacle=obstacle,
        )

    def tidy(self, root: Path) -> None:
        """End what the steps of places below `root` left running."""
        process.end_strays(root)


def _steps(mre: Mre) -> tuple[Step, ...]:
    """Return the steps; those of a variant's Dockerfile are read again, as it may have other files and variables."""
    if not (mre.steps and mre.steps[0].layer):
        return mre.steps
    from uvmre.core.follow import with_steps

    return with_steps(mre).steps


def _run(step: Step, job: Job) -> StepResult:
    """Run one step in a shell of its own, as a Dockerfile's RUN does: what it exports is gone with it."""
    variables = environment.variables(job.place, job.mre, job.gateway)
    return _result(step, _done(("/bin/sh", "-c", step.run), job.place.work, variables, step, job), job)


def _layered(step: Step, layer: Layer, job: Job) -> StepResult:
    """Run a RUN of a Dockerfile that is followed.

    Raises:
        image.Missing: when it cannot be run without an image.
    """
    if layer.refused:
        raise image.Missing(layer.refused)
    place = job.place
    cwd = image.ready(place, layer)
    words = [image.translated(place, layer, word) for word in layer.words]
    with image.mounts(place, layer):
        done = _done(words, cwd, image.variables(place, job.mre, layer, job.gateway), step, job)
    return _result(step, done, job)


def _done(words: Sequence[str], cwd: Path, variables: Mapping[str, str], step: Step, job: Job) -> Finished:
    return process.run(words, cwd=cwd, environment=variables, timeout=step.timeout, stop=job.stop)


def _result(step: Step, done: Finished, job: Job) -> StepResult:
    """Return what a step left behind, without the name of its fresh folder: that differs from run to run."""
    root = str(job.place.root)
    return StepResult(
        title=step.title,
        run=step.run,
        role=step.role,
        exit=done.exit,
        stdout=done.stdout.decode(errors="replace").replace(f"{root}/{image.IMAGE}", "").replace(root, ""),
        stderr=done.stderr.decode(errors="replace").replace(f"{root}/{image.IMAGE}", "").replace(root, ""),
        seconds=done.seconds,
        timed_out=done.timed_out,
        truncated=done.truncated,
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None
