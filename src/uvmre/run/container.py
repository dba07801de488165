"""The backends that build the MRE's Dockerfile with a container engine: every RUN is a step.

An engine gets a fresh folder as the build's context, the Dockerfile from beside it, and the gateway as its proxy. What
it says is read line by line, and what it made is removed when the build is over.
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
from uvmre.core.mre.model import Mre
from uvmre.errors import naming_path
from uvmre.run import build_commands, engines, environment, process
from uvmre.run.backend import RunFacts, StepRequest
from uvmre.run.build_commands import RUN, Build
from uvmre.run.build_watcher import BuildWatch
from uvmre.run.engines import Engine
from uvmre.run.environment import RunDirs
from uvmre.run.process import Capped

MAX_LINE = 65536
"""Bytes of a line that are taken as one piece."""
GRACE = 10.0
"""Seconds that an engine has to end a build and its container."""
ENGINE_EXIT = 125
"""From this exit code on, a RUN may have been ended together with its engine."""
LOG = "build.log"
ROOT_VARIABLE = "UVMRE_ROOT"


@dataclass(frozen=True)
class Container:
    """One engine as a backend."""

    name: str

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return _engine(self.name).why

    def describe(self) -> str:
        """Return what builds, with its version."""
        engine = _engine(self.name)
        builder = (" (BuildKit)" if engine.buildkit else " (classic builder)") if self.name == "docker" else ""
        return f"{self.name} {engine.version}{builder}"

    def run(self, request: StepRequest) -> RunFacts:
        """Build the variant's Dockerfile, up to a RUN that fails or takes too long.

        Raises:
            UsageError: when the MRE has no Dockerfile, or a variant cannot be laid over it.
        """
        engine = _engine(self.name)
        plan = _plan(request, engine)
        dockerfile = (DOCKERFILE, plan.text)
        facts = RunFacts(self.describe(), plan.uv or request.uv, plan.python, artifacts=(dockerfile,))
        if why := _unsupported(plan, engine, request):
            return replace(facts, obstacle=why)
        with naming_path(request.dirs.root):
            build = _prepare(request, plan)
        watched = BuildWatch(plan, request)
        log = Capped(process.OUTPUT_LIMIT)
        # Images are asked for beside the build, which does not wait for it.
        with ThreadPoolExecutor(1) as beside:
            stand_ins = beside.submit(_stand_ins, plan, engine)
            try:
                obstacle = _build(engine, build, watched, request, log)
            finally:
                if watched.interrupted:
                    process.end_clients(request.gateway)
                build_commands.builder(engine).clean(engine, build, watched.images)
        return replace(
            facts,
            uv=watched.reported_uv or facts.uv,
            files=tuple((pattern.path, watched.files.get(pattern.path)) for pattern in request.mre.symptom.files),
            obstacle=obstacle,
            stand_ins=stand_ins.result(),
            artifacts=(dockerfile, (LOG, log.value().decode(errors="replace"))),
        )

    def clean_up(self, root: Path) -> None:
        """Do nothing: every build clears what it made."""


@functools.cache
def _engine(name: str) -> Engine:
    return engines.detect(name)


@functools.cache
def _labels(engine: Engine, image: str) -> Mapping[str, str] | None:
    return engines.labels(engine, image)


def _plan(request: StepRequest, engine: Engine) -> BuildPlan:
    """Return what is built."""
    labels = {} if request.live else _own_labels(request.dirs)
    plan = functools.partial(
        build_plan.plan_build, request.base, request.control, uv=request.uv, python=request.python, labels=labels
    )
    made = plan()
    # Another release's image may be one of hundreds that a search asks for: its binary is here already.
    if made.repinned and any(_labels(engine, image) is None for image in made.images_of_uv):
        return replace(plan(uv_from_context=True), images=made.images)
    return made


def _stand_ins(plan: BuildPlan, engine: Engine) -> tuple[str, ...]:
    """Return the images that are not what their names say."""
    taken = plan.images_of_uv if plan.uv_from_context else ()
    others = (image for image in plan.images if image not in taken)
    made = (image for image in others if engines.STAND_IN_LABEL in (_labels(engine, image) or {}))
    return (*made, *(f"{image} (uv's own binary, from PyPI)" for image in taken))


def _unsupported(plan: BuildPlan, engine: Engine, request: StepRequest) -> str:
    """Return why an engine cannot build this at all, or not what was asked for."""
    if plan.secrets and not engine.secrets:
        return (
            "the Dockerfile mounts a build secret, and docker's classic builder knows none: "
            "install docker-buildx, or take podman"
        )
    if plan.heredocs and not engine.heredocs:
        return f"the Dockerfile has heredocs, which {engine.name} {engine.version} does not read by itself"
    if request.live and plan.uv != request.uv:
        pins = f"pins uv {plan.uv}" if plan.uv else "pins no release of uv"
        return f"the Dockerfile {pins}, and `--live` builds it as it is: uv {request.uv} is not what would run"
    return ""


def _prepare(request: StepRequest, plan: BuildPlan) -> Build:
    """Write the context of the build, and what lies beside it."""
    dirs, mre = request.dirs, request.mre
    dirs.work.mkdir(parents=True)
    for file in mre.files:
        environment.write_file(dirs.work, file)
    own = dirs.work / CONTEXT_FOLDER
    if not request.live or plan.uv_from_context:
        own.mkdir(exist_ok=True)
        _unignore_own_folder(dirs)
    if not request.live:
        # BuildKit runs what is the same in two builds once, for both; but each variant has a door of its own.
        (own / "authority.pem").write_bytes(f"# {_run_name(dirs)}\n".encode() + request.certificate)
    if plan.uv_from_context:
        for name, tool in (("uv", request.binary), ("uvx", request.binary.with_name("uvx"))):
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
        labels=_own_labels(dirs) if request.live else {},
        arguments=arguments if request.live else {**_proxies(request.gateway), **arguments},
        secrets={name: _secret(dirs, mre, name) for name in plan.secrets},
    )


def _run_name(dirs: RunDirs) -> str:
    return f"{dirs.root.parent.name}.{dirs.root.name}"


def _own_labels(dirs: RunDirs) -> dict[str, str]:
    return {engines.LABEL: "run", RUN: _run_name(dirs)}


def _proxies(gateway: str) -> dict[str, str]:
    """Return the build arguments that every builder knows by itself, and hands to each RUN."""
    return {
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), gateway),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1"),
    }


def _unignore_own_folder(dirs: RunDirs) -> None:
    """Let our own folder into a context that leaves files out."""
    ignore = dirs.work / ".dockerignore"
    if ignore.exists():
        text = ignore.read_text(encoding="utf-8", errors="replace")
        ignore.write_text(f"{text}\n!{CONTEXT_FOLDER}\n!{CONTEXT_FOLDER}/**\n", encoding="utf-8")


def _secret(dirs: RunDirs, mre: Mre, name: str) -> Path:
    """Write what a build secret holds: a variable or a file of its name, or else all the variables as an env file."""
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


def _build(engine: Engine, build: Build, watched: BuildWatch, request: StepRequest, log: Capped) -> str:
    """Run the engine, and return why the steps could not be run, where they could not."""
    row = build_commands.builder(engine)
    command = [engine.program, *row.arguments(engine, build)]
    log.add(f"$ {' '.join(command)}\n".encode())
    with process.streamed(
        command,
        cwd=request.dirs.root,
        # Who finds this folder without its owner finds the engine by it.
        environment={**engines.variables(engine), ROOT_VARIABLE: f"{request.dirs.root}/"},
        stop=request.stop,
        late=watched.is_late,
        grace=GRACE,
    ) as streaming:
        watched.consume(READERS[row.log_format], _lines(streaming, log, MARKS.get(row.log_format)))
    watched.interrupted = streaming.timed_out or request.stop.is_set()
    if (watched.failed or 0) >= ENGINE_EXIT and (gone := engines.detect(engine.name).why):
        return f"{engine.name} went away while it built: {gone}"
    return watched.finish(streaming.exit, streaming.timed_out)


def _lines(chunks: Iterable[bytes], log: Capped, marks: "re.Pattern[bytes] | None") -> Iterator[LogLine]:
    """Cut what an engine says into lines; lines without any of its own words come as one, for there may be millions."""
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
