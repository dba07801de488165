"""The backend that runs steps as plain processes, without a sandbox."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre.core.mre.layer import Layer
from uvmre.core.mre.model import Mre, Step
from uvmre.core.outcome.observation import StepResult
from uvmre.errors import naming_path
from uvmre.run import environment, local_image, process
from uvmre.run.backend import LOCAL, RunFacts, StepRequest


@dataclass(frozen=True)
class Local:
    """This machine itself."""

    name: str = LOCAL

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return "" if os.name == "posix" else "it runs steps with /bin/sh, which this system does not have"

    def describe(self) -> str:
        """Return its name."""
        return self.name

    def run(self, request: StepRequest) -> RunFacts:
        """Run the steps in order, until a set-up step or a RUN fails, or a step times out."""
        dirs = request.dirs
        with naming_path(dirs.root):
            environment.prepare(dirs, request.mre, request.context.binary, request.context.interpreter)
            dirs.authority.write_bytes(request.context.certificate)
        steps, obstacle = _steps(request.mre), ""
        for step in steps:
            if request.context.stop.is_set():
                break
            request.on_step_start(step.title)
            try:
                result = _run_layer(step, step.layer, request) if step.layer else _run(step, request)
            except local_image.CannotRunStep as why:
                obstacle = f"`{step.title}` cannot be run: {why}"
                break
            request.on_step_end(result)
            if result.timed_out or (result.exit and (result.role == "setup" or step.layer)):
                break
        layer = steps[-1].layer
        work = local_image.inside(dirs, layer.cwd) if layer else dirs.work
        return RunFacts(
            backend=self.name,
            uv=request.context.uv,
            python=request.context.interpreter.version if request.context.interpreter else "",
            files=tuple((pattern.path, _read_text(work / pattern.path)) for pattern in request.mre.symptom.files),
            obstacle=obstacle,
        )

    def clean_up(self, root: Path) -> None:
        """End the processes that steps below `root` left running."""
        process.end_strays(root)


def _steps(mre: Mre) -> tuple[Step, ...]:
    """Return the steps; a variant's Dockerfile may have other files and variables than the MRE's."""
    if not (mre.steps and mre.steps[0].layer):
        return mre.steps
    from uvmre.core.dockerfile.interpret import with_steps

    return with_steps(mre).steps


def _run(step: Step, request: StepRequest) -> StepResult:
    """Run a step in a shell of its own, as a Dockerfile's RUN does."""
    variables = environment.variables(request.dirs, request.mre, request.gateway)
    return _execute(("/bin/sh", "-c", step.run), request.dirs.work, variables, step, request)


def _run_layer(step: Step, layer: Layer, request: StepRequest) -> StepResult:
    """Run a RUN of an interpreted Dockerfile.

    Raises:
        CannotRunStep: when it needs a container engine.
    """
    if layer.refused:
        raise local_image.CannotRunStep(layer.refused)
    dirs = request.dirs
    cwd = local_image.prepare(dirs, layer)
    command = [local_image.translate(dirs, layer, word) for word in layer.argv]
    variables = local_image.variables(dirs, request.mre, layer, request.gateway)
    with local_image.mounts(dirs, layer):
        return _execute(command, cwd, variables, step, request)


def _execute(
    command: Sequence[str], cwd: Path, variables: Mapping[str, str], step: Step, request: StepRequest
) -> StepResult:
    """Run a command; its output comes without the path of the run's folder, which differs between runs."""
    result = process.run(command, cwd=cwd, environment=variables, timeout=step.timeout, stop=request.context.stop)
    root = str(request.dirs.root)
    stdout, stderr = (
        stream.decode(errors="replace").replace(f"{root}/{local_image.IMAGE}", "").replace(root, "")
        for stream in (result.stdout, result.stderr)
    )
    return StepResult(
        title=step.title,
        run=step.run,
        role=step.role,
        exit=result.exit,
        stdout=stdout,
        stderr=stderr,
        seconds=result.seconds,
        timed_out=result.timed_out,
        truncated=result.truncated,
    )


def _read_text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return None
