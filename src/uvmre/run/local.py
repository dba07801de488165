"""The backend that runs steps as plain processes, without a sandbox."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from uvmre.core.mre.layer import HOME, Layer
from uvmre.core.mre.model import Mre, Step
from uvmre.core.mre.symptom import FileSymptom
from uvmre.core.outcome.observation import FileState, StepResult
from uvmre.errors import naming_path
from uvmre.run import environment, local_image, process, process_tree
from uvmre.run.backend import LOCAL, RunFacts, StepRequest
from uvmre.run.environment import RunDirs
from uvmre.run.limits import LimitWatch, StepLimits
from uvmre.run.process import Finished
from uvmre.run.services import SETTLE, Services

if TYPE_CHECKING:
    import subprocess

MAX_FILE = 20_000_000
"""Bytes read of a file of the symptom."""


@dataclass(frozen=True)
class Local:
    """This machine itself."""

    name: str = LOCAL
    uses_host: bool = True
    limits: StepLimits = field(default_factory=StepLimits)

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return "" if os.name == "posix" else "it runs steps with /bin/sh, which this system does not have"

    def describe(self) -> str:
        """Return its name."""
        return self.name

    def run(self, request: StepRequest) -> RunFacts:
        """Run the steps in order, until a set-up step or a RUN fails, or a step exceeds a limit."""
        dirs, context = request.dirs, request.context
        request = replace(request, mre=environment.without_tls(request.mre, context.uv))
        with naming_path(dirs.root):
            without_uv = request.control is not None and request.control.without_uv
            environment.prepare(dirs, request.mre, context.binary, context.interpreter, without_uv=without_uv)
            dirs.authority.write_bytes(request.context.certificate)
        steps, before, files = _steps(request.mre), dict[str, FileState](), tuple[FileState, ...]()
        with Services(self.execute, request) as services:
            try:
                obstacle = services.start() or self._run_steps(steps, services, before)
            except local_image.CannotRunStep as error:
                obstacle = f"the services cannot be run: {error}"
        try:
            files = tuple(_look(dirs, steps[-1], file, before) for file in request.mre.observed_files)
        except local_image.CannotRunStep as error:
            obstacle = obstacle or str(error)
        return RunFacts(
            backend=self.name,
            uv=request.context.uv,
            python=request.context.interpreter.version if request.context.interpreter else "",
            files=files,
            obstacle=obstacle,
            artifacts=tuple((name, _without_folders(text, dirs)) for name, text in services.logs()),
        )

    def _run_steps(self, steps: Sequence[Step], services: Services, before: dict[str, FileState]) -> str:
        """Run the steps until one ends the variant; return the obstacle that did, if any.

        The files of the symptom before the first observe step are added to `before`.
        """
        request = services.request
        for step in steps:
            if request.context.stop.is_set():
                break
            request.on_step_start(step.title)
            try:
                if step.role == "observe" and not before:
                    before |= {file.path: _look(request.dirs, step, file) for file in request.mre.observed_files}
                result = self._run_step(step, request)
            except local_image.CannotRunStep as why:
                return f"`{step.title}` cannot be run: {why}"
            request.on_step_end(result)
            if fault := services.fault():
                return fault
            if result.timed_out or result.limit or (result.exit and (result.role == "setup" or step.layer)):
                break
        return services.fault(seconds=SETTLE)

    def clean_up(self, root: Path) -> None:
        """End the processes that steps below `root` left running."""
        process_tree.end_strays(root)

    def _run_step(self, step: Step, request: StepRequest) -> StepResult:
        """Run a step in a shell of its own, as a Dockerfile's RUN does; its output comes without the run's own path.

        Raises:
            CannotRunStep: when it needs a container engine.
        """
        dirs, layer = request.dirs, step.layer
        if layer is None:
            variables = environment.variables(dirs, request.mre, request.gateway)
            # A failure of any command of a set-up step is one of the step.
            shell = ("/bin/sh", *(["-e"] if step.role == "setup" else []), "-c", step.run)
            result = self.execute(shell, dirs.work, variables, step.timeout, request, idle_timeout=step.idle_timeout)
        else:
            result = self._run_layer(step, layer, request)
        stdout, stderr = (
            _without_folders(stream.decode(errors="replace"), dirs) for stream in (result.stdout, result.stderr)
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
            limit=result.limit,
            idle_seconds=result.idle,
        )

    def _run_layer(self, step: Step, layer: Layer, request: StepRequest) -> Finished:
        if layer.refused:
            raise local_image.CannotRunStep(layer.refused)
        dirs = request.dirs
        cwd = local_image.prepare(dirs, layer)
        command = [local_image.translate(dirs, layer, word) for word in layer.argv]
        variables = local_image.variables(dirs, request.mre, layer, request.gateway)
        with local_image.mounts(dirs, layer):
            return self.execute(command, cwd, variables, step.timeout, request)

    def execute(
        self,
        command: Sequence[str],
        cwd: Path,
        variables: Mapping[str, str],
        timeout: int,
        request: StepRequest,
        *,
        idle_timeout: int = 0,
    ) -> Finished:
        """Execute a command within the limits."""
        watch = LimitWatch(self.limits, [request.dirs.writable], idle_timeout, request.count_requests)
        finished = process.run(
            self.limits.shell(command, timeout, own_user=False),
            cwd=cwd,
            environment=variables,
            timeout=timeout,
            stop=request.context.stop,
            watch=watch,
            end=_end,
        )
        return watch.judge(finished, timeout)


def _end(running: "subprocess.Popen[bytes]") -> None:
    """End what is left of a step, and what libfaketime leaves of a shell that became its command."""
    process.end_group(running)
    for left in Path("/dev/shm").glob(f"*faketime_*_{running.pid}"):
        left.unlink(missing_ok=True)


def _steps(mre: Mre) -> tuple[Step, ...]:
    """Return the steps; a variant's Dockerfile may have other files and variables than the MRE's."""
    if not (mre.steps and mre.steps[0].layer):
        return mre.steps
    from uvmre.core.dockerfile.interpret import with_steps

    return with_steps(mre).steps


def _without_folders(text: str, dirs: RunDirs) -> str:
    """Return a text without the run's own folders, as in an image."""
    for folder in (local_image.folder(dirs), dirs.writable, dirs.root):
        text = text.replace(str(folder), "")
    return text


def _look(dirs: RunDirs, step: Step, file: FileSymptom, before: Mapping[str, FileState] = {}) -> FileState:
    """Return the state of a path in the step's folder or home, and nothing of what is outside the run's folder."""
    nothing = FileState(file.path, exists=False)
    home, work = dirs.home, dirs.work
    try:
        if step.layer:
            home, work = local_image.inside(dirs, HOME), local_image.inside(dirs, step.layer.cwd)
        path = home / file.path[2:] if file.path.startswith("~/") else work / file.path
        if not path.parent.resolve().is_relative_to(dirs.root.resolve()) or not os.path.lexists(path):
            return nothing
        target = _without_folders(str(path.readlink()), dirs) if path.is_symlink() else ""
    except (local_image.CannotRunStep, OSError, RuntimeError):  # such as a RUN's link in its place, or a loop of them
        return nothing
    content = _read_text(dirs.root, path)
    unchanged = file.path in before and content is not None and before[file.path].content == content
    return FileState(file.path, exists=True, content=content, target=target, unchanged=unchanged)


def _read_text(root: Path, path: Path) -> str | None:
    """Read a regular file that is in the run's folder; a step may leave a link to any other."""
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO would wait for its writer
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = file.read(MAX_FILE + 1) if regular else b""
            if len(content) > MAX_FILE:
                raise local_image.CannotRunStep(f"`{path.name}`, a file of the symptom, has over {MAX_FILE:,} bytes")
            return content.decode(errors="replace") if regular else None
    except (OSError, RuntimeError):  # before Python 3.13, a loop of symbolic links is not an OSError
        return None
