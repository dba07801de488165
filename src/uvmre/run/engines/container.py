"""The backends that build the MRE's Dockerfile with a container engine: every RUN is a step.

The build gets a fresh context, and the gateway as its proxy. Its log is read line by line, and what it leaves on the
engine is removed.
"""

import functools
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from uvmre.core.dockerfile import build_plan
from uvmre.core.dockerfile.build_log import MARKS, READERS, LogLine
from uvmre.core.dockerfile.build_plan import BuildPlan
from uvmre.core.dockerfile.edits import CONTEXT_FOLDER
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.mre.model import DEFAULT_TIMEOUT, Mre
from uvmre.core.outcome.observation import FileState
from uvmre.errors import naming_path
from uvmre.run import environment, process, process_tree
from uvmre.run.backend import RunFacts, StepRequest
from uvmre.run.engines import availability, build_commands
from uvmre.run.engines.availability import Engine
from uvmre.run.engines.build_commands import RUN, Build
from uvmre.run.engines.build_watcher import BuildWatch
from uvmre.run.environment import RunDirs
from uvmre.run.process import Capped

MAX_LINE = 65536
"""Bytes after which a line without an end is split."""
GRACE = 10.0
"""Seconds for an engine to end a build and its container."""
ENGINE_EXIT = 125
"""From this exit code on, a RUN may have ended because its engine did."""
LOG = "build.log"
ROOT_VARIABLE = "UVMRE_ROOT"


@dataclass(frozen=True)
class Container:
    """One engine as a backend."""

    name: str
    uses_host: bool = False

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return _engine(self.name).why

    def describe(self) -> str:
        """Return the engine, with its version and builder."""
        engine = _engine(self.name)
        builder = (" (BuildKit)" if engine.buildkit else " (classic builder)") if self.name == "docker" else ""
        return f"{self.name} {engine.version}{builder}"

    def run(self, request: StepRequest) -> RunFacts:
        """Build the variant's Dockerfile until a RUN fails or exceeds its time limit.

        Raises:
            UsageError: when the MRE has no Dockerfile, or the control cannot be applied to it.
        """
        engine = _engine(self.name)
        if request.control and request.control.without_uv:
            return RunFacts(self.name, "", "", obstacle="a container is built with uv: use `--backend local`")
        plan = _plan(request, engine)
        dockerfile = (DOCKERFILE, plan.text)
        facts = RunFacts(self.describe(), plan.uv or request.context.uv, plan.python, artifacts=(dockerfile,))
        if why := _unsupported(plan, engine, request):
            return replace(facts, obstacle=why)
        with naming_path(request.dirs.root):
            build = _prepare(request, plan)
        watch = BuildWatch(plan, request)
        log = Capped(process.OUTPUT_LIMIT)
        # Looking up the images does not delay the build.
        with ThreadPoolExecutor(1) as executor:
            stand_ins = executor.submit(_stand_ins, plan, engine)
            try:
                obstacle = _build(engine, build, watch, request, log)
            finally:
                if watch.interrupted:
                    process_tree.end_clients(request.gateway)
                build_commands.builder(engine).clean(engine, build, watch.images)
        return replace(
            facts,
            uv=watch.reported_uv or facts.uv,
            files=tuple(FileState(path, text is not None, text) for path, text in watch.files.items()),
            obstacle=obstacle,
            stand_ins=stand_ins.result(),
            artifacts=(dockerfile, (LOG, log.value().decode(errors="replace"))),
        )

    def clean_up(self, root: Path) -> None:
        """Do nothing: every build cleans up after itself."""


@functools.cache
def _engine(name: str) -> Engine:
    return availability.detect(name)


@functools.cache
def _labels(engine: Engine, image: str) -> Mapping[str, str] | None:
    return availability.labels(engine, image)


def _plan(request: StepRequest, engine: Engine) -> BuildPlan:
    labels = {} if request.context.live else _own_labels(request.dirs)
    plan = functools.partial(
        build_plan.plan_build,
        request.context.base,
        request.control,
        uv=request.context.uv,
        python=request.context.python,
        labels=labels,
    )
    planned = plan()
    # A search would pull hundreds of uv images, while the binaries are here already.
    if planned.repinned and any(_labels(engine, image) is None for image in planned.images_of_uv):
        return replace(plan(uv_from_context=True), images=planned.images)
    return planned


def _stand_ins(plan: BuildPlan, engine: Engine) -> tuple[str, ...]:
    """Return the images that are stand-ins."""
    replaced = plan.images_of_uv if plan.uv_from_context else ()
    pulled = (image for image in plan.images if image not in replaced)
    labelled = (image for image in pulled if availability.STAND_IN_LABEL in (_labels(engine, image) or {}))
    return (*labelled, *(f"{image} (uv's own binary, from PyPI)" for image in replaced))


def _unsupported(plan: BuildPlan, engine: Engine, request: StepRequest) -> str:
    """Return why the engine cannot build this; empty when it can."""
    if keys := request.mre.host_keys:
        return f"`{keys[0]}` works on the backends `local` and `sandbox` only"
    if plan.secrets and not engine.secrets:
        return (
            "the Dockerfile mounts a build secret, which docker's classic builder does not support: "
            "install docker-buildx, or use podman"
        )
    if plan.heredocs and not engine.heredocs:
        return f"the Dockerfile has heredocs, which {engine.name} {engine.version} does not support"
    if request.context.live and plan.uv != request.context.uv:
        pins = f"pins uv {plan.uv}" if plan.uv else "pins no release of uv"
        return f"the Dockerfile {pins}, and `--live` builds it unchanged, so uv {request.context.uv} would not run"
    return ""


def _prepare(request: StepRequest, plan: BuildPlan) -> Build:
    """Write the build context and the Dockerfile beside it."""
    dirs, mre = request.dirs, request.mre
    dirs.work.mkdir(parents=True)
    for file in mre.files:
        environment.write_file(dirs.work, file)
    own = dirs.work / CONTEXT_FOLDER
    if not request.context.live or plan.uv_from_context:
        own.mkdir(exist_ok=True)
        _unignore_own_folder(dirs)
    if not request.context.live:
        # BuildKit shares identical RUNs between builds, but each variant has its own listener.
        (own / "authority.pem").write_bytes(f"# {_run_name(dirs)}\n".encode() + request.context.certificate)
    if plan.uv_from_context:
        for name, tool in (("uv", request.context.binary), ("uvx", request.context.binary.with_name("uvx"))):
            if tool.exists():
                shutil.copy2(tool, own / name)
    dockerfile = dirs.root / DOCKERFILE
    dockerfile.write_text(plan.text, encoding="utf-8")
    variables = mre.variables
    arguments = {name: variables[name] for name in plan.arguments if name in variables}
    return Build(
        name=_run_name(dirs),
        context=dirs.work,
        dockerfile=dockerfile,
        image=dirs.root / "image",
        labels=_own_labels(dirs) if request.context.live else {},
        arguments=arguments if request.context.live else {**_proxies(request.gateway), **arguments},
        secrets={name: _secret(dirs, mre, name) for name in plan.secrets},
        seconds=max((step.timeout for step in mre.steps), default=DEFAULT_TIMEOUT),
    )


def _run_name(dirs: RunDirs) -> str:
    return f"{dirs.root.parent.name}.{dirs.root.name}"


def _own_labels(dirs: RunDirs) -> dict[str, str]:
    return {availability.LABEL: "run", RUN: _run_name(dirs)}


def _proxies(gateway: str) -> dict[str, str]:
    """Return the build arguments that every builder predefines and passes to each RUN."""
    return {
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), gateway),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1"),
    }


def _unignore_own_folder(dirs: RunDirs) -> None:
    """Re-include our own folder in a context with a .dockerignore."""
    ignore = dirs.work / ".dockerignore"
    if ignore.exists():
        text = ignore.read_text(encoding="utf-8", errors="replace")
        ignore.write_text(f"{text}\n!{CONTEXT_FOLDER}\n!{CONTEXT_FOLDER}/**\n", encoding="utf-8")


def _secret(dirs: RunDirs, mre: Mre, name: str) -> Path:
    """Write a build secret: the variable or the file of its name, or else all variables as an env file."""
    path = dirs.root / "secrets" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    variables, file = mre.variables, mre.file(name)
    if name in variables:
        content = variables[name].encode()
    elif file:
        content = file.content
    else:
        content = "".join(f"{key}={value}\n" for key, value in variables.items()).encode()
    path.write_bytes(content)
    return path


def _build(engine: Engine, build: Build, watch: BuildWatch, request: StepRequest, log: Capped) -> str:
    """Run the engine, and return why the steps could not be run; empty when they were."""
    row = build_commands.builder(engine)
    command = [engine.program, *row.arguments(engine, build)]
    log.add(f"$ {' '.join(command)}\n".encode())
    with process.streamed(
        command,
        cwd=request.dirs.root,
        # The engine of an abandoned folder is found by this variable.
        environment={**availability.variables(engine), ROOT_VARIABLE: f"{request.dirs.root}/"},
        stop=request.context.stop,
        late=watch.is_late,
        grace=GRACE,
    ) as streaming:
        watch.consume(READERS[row.log_format], _lines(streaming, log, MARKS.get(row.log_format)))
    watch.interrupted = streaming.timed_out or request.context.stop.is_set()
    if (watch.failed or 0) >= ENGINE_EXIT and (problem := availability.detect(engine.name).why):
        return f"{engine.name} stopped during the build: {problem}"
    return watch.finish(streaming.exit, streaming.timed_out)


def _lines(chunks: Iterable[bytes], log: Capped, marks: "re.Pattern[bytes] | None") -> Iterator[LogLine]:
    """Split a log into lines; those without a mark of the engine come as one, since there may be millions."""
    rest = b""
    for chunk in chunks:
        log.add(chunk)
        now = time.perf_counter()
        whole, _, rest = (rest + chunk).rpartition(b"\n")
        if whole and marks and not marks.search(whole):
            yield LogLine(whole.decode(errors="replace") + "\n", now)
        elif whole:
            for line in whole.split(b"\n"):
                yield LogLine(line.decode(errors="replace") + "\n", now)
        if len(rest) > MAX_LINE:
            yield LogLine(rest.decode(errors="replace"), now)
            rest = b""
    if rest:
        yield LogLine(rest.decode(errors="replace"), time.perf_counter())
