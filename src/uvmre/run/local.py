"""The backend that runs steps as plain processes of this machine: quick, exact, and no sandbox."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre.core.mre.layer import Layer
from uvmre.core.mre.model import Mre, Step
from uvmre.core.outcome.observation import StepResult
from uvmre.errors import naming_path
from uvmre.run import environment, local_image, process
from uvmre.run.backend import RunFacts, StepRequest
from uvmre.run.process import Finished


@dataclass(frozen=True)
class Local:
    """This machine itself."""

    name: str = "local"

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return "" if os.name == "posix" else "it runs steps with /bin/sh, which this system lacks"

    def describe(self) -> str:
        """Return what runs the steps."""
        return self.name

    def run(self, request: StepRequest) -> RunFacts:
        """Run the steps in their order, up to a set-up step or a RUN that fails, or a step whose time was up."""
        dirs = request.dirs
        with naming_path(dirs.root):
            environment.prepare(dirs, request.mre, request.binary, request.interpreter)
            dirs.authority.write_bytes(request.certificate)
        steps, obstacle = _steps(request.mre), ""
        for step in steps:
            if request.stop.is_set():
                break
            request.on_step_start(step.title)
            try:
                result = _run_layer(step, step.layer, request) if step.layer else _run(step, request)
            except local_image.CannotRunStep as why:
                obstacle = f"`{step.title}` could not be run: {why}"
                break
            request.on_step_end(result)
            if result.timed_out or (result.exit and (result.role == "setup" or step.layer)):
                break
        last = steps[-1].layer
        work = local_image.inside(dirs, last.cwd) if last else dirs.work
        return RunFacts(
            backend=self.name,
            uv=request.uv,
            python=request.interpreter.version if request.interpreter else "",
            files=tuple((pattern.path, _read_text(work / pattern.path)) for pattern in request.mre.symptom.files),
            obstacle=obstacle,
        )

    def clean_up(self, root: Path) -> None:
        """End what the steps of places below `root` left running."""
        process.end_strays(root)


def _steps(mre: Mre) -> tuple[Step, ...]:
    """Return the steps; those of a variant's Dockerfile are read again, as it may have other files and variables."""
    if not (mre.steps and mre.steps[0].layer):
        return mre.steps
    from uvmre.core.dockerfile.interpret import with_steps

    return with_steps(mre).steps


def _run(step: Step, request: StepRequest) -> StepResult:
    """Run one step in a shell of its own, as a Dockerfile's RUN does: what it exports is gone with it."""
    variables = environment.variables(request.dirs, request.mre, request.gateway)
    return _result(step, _execute(("/bin/sh", "-c", step.run), request.dirs.work, variables, step, request), request)


def _run_layer(step: Step, layer: Layer, request: StepRequest) -> StepResult:
    """Run a RUN of a Dockerfile that is followed.

    Raises:
        image.Missing: when it cannot be run without an image.
    """
    if layer.refused:
        raise local_image.CannotRunStep(layer.refused)
    dirs = request.dirs
    cwd = local_image.prepare(dirs, layer)
    words = [local_image.translate(dirs, layer, word) for word in layer.argv]
    with local_image.mounts(dirs, layer):
        done = _execute(words, cwd, local_image.variables(dirs, request.mre, layer, request.gateway), step, request)
    return _result(step, done, request)


def _execute(
    words: Sequence[str], cwd: Path, variables: Mapping[str, str], step: Step, request: StepRequest
) -> Finished:
    return process.run(words, cwd=cwd, environment=variables, timeout=step.timeout, stop=request.stop)


def _result(step: Step, done: Finished, request: StepRequest) -> StepResult:
    """Return what a step left behind, without the name of its fresh folder: that differs from run to run."""
    root = str(request.dirs.root)
    return StepResult(
        title=step.title,
        run=step.run,
        role=step.role,
        exit=done.exit,
        stdout=done.stdout.decode(errors="replace").replace(f"{root}/{local_image.IMAGE}", "").replace(root, ""),
        stderr=done.stderr.decode(errors="replace").replace(f"{root}/{local_image.IMAGE}", "").replace(root, ""),
        seconds=done.seconds,
        timed_out=done.timed_out,
        truncated=done.truncated,
    )


def _read_text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None
