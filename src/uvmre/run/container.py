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

from uvmre.core import build_plan
from uvmre.core.build_edits import OWN
from uvmre.core.build_log import MARKS, READERS, Line
from uvmre.core.build_plan import Plan
from uvmre.core.dockerfile import DOCKERFILE
from uvmre.core.mre import Mre
from uvmre.errors import at
from uvmre.run import builders, engines, environment, process
from uvmre.run.backend import Facts, Job
from uvmre.run.builders import RUN, Build
from uvmre.run.engines import Engine
from uvmre.run.environment import Place
from uvmre.run.process import Capped
from uvmre.run.watching import Watched

LONGEST = 65536
"""Bytes of a line that are taken as one piece."""
GRACE = 10.0
"""Seconds that an engine has to end a build and its container."""
GONE = 125
"""From this exit code on, a RUN may have been ended together with its engine."""
LOG = "build.log"
ROOT = "UVMRE_ROOT"


@dataclass(frozen=True)
class Container:
    """One engine as a backend."""

    name: str

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return _asked(self.name).why

    def described(self) -> str:
        """Return what builds, with its version."""
        engine = _asked(self.name)
        builder = (" (BuildKit)" if engine.buildkit else " (classic builder)") if self.name == "docker" else ""
        return f"{self.name} {engine.version}{builder}"

    def run(self, job: Job) -> Facts:
        """Build the variant's Dockerfile, up to a RUN that fails or takes too long.

        Raises:
            UsageError: when the MRE has no Dockerfile, or a variant cannot be laid over it.
        """
        engine = _asked(self.name)
        plan = _plan(job, engine)
        dockerfile = (DOCKERFILE, plan.text)
        facts = Facts(self.described(), plan.uv or job.uv, plan.python, papers=(dockerfile,))
        if why := _refused(plan, engine, job):
            return replace(facts, obstacle=why)
        with at(job.place.root):
            build = _lay(job, plan)
        watched = Watched(plan, job)
        log = Capped(process.OUTPUT_LIMIT)
        # Images are asked for beside the build, which does not wait for it.
        with ThreadPoolExecutor(1) as beside:
            stand_ins = beside.submit(_stand_ins, plan, engine)
            try:
                obstacle = _build(engine, build, watched, job, log)
            finally:
                if watched.cut_short:
                    process.end_clients(job.gateway)
                builders.row(engine).clean(engine, build, watched.images)
        return replace(
            facts,
            uv=watched.told or facts.uv,
            files=tuple((pattern.path, watched.files.get(pattern.path)) for pattern in job.mre.symptom.files),
            obstacle=obstacle,
            stand_ins=stand_ins.result(),
            papers=(dockerfile, (LOG, log.value().decode(errors="replace"))),
        )

    def tidy(self, root: Path) -> None:
        """Do nothing: every build clears what it made."""


@functools.cache
def _asked(name: str) -> Engine:
    return engines.ask(name)


@functools.cache
def _labels(engine: Engine, image: str) -> Mapping[str, str] | None:
    return engines.labels(engine, image)


def _plan(job: Job, engine: Engine) -> Plan:
    """Return what is built."""
    labels = {} if job.live else _own_labels(job.place)
    plan = functools.partial(build_plan.plan, job.base, job.control, uv=job.uv, python=job.python, labels=labels)
    made = plan()
    # Another release's image may be one of hundreds that a search asks for: its binary is here already.
    if made.repinned and any(_labels(engine, image) is None for image in made.images_of_uv):
        return replace(plan(uv_from_context=True), images=made.images)
    return made


def _stand_ins(plan: Plan, engine: Engine) -> tuple[str, ...]:
    """Return the images that are not what their names say."""
    taken = plan.images_of_uv if plan.uv_from_context else ()
    others = (image for image in plan.images if image not in taken)
    made = (image for image in others if engines.STAND_IN in (_labels(engine, image) or {}))
    return (*made, *(f"{image} (uv's own binary, from PyPI)" for image in taken))


def _refused(plan: Plan, engine: Engine, job: Job) -> str:
    """Return why an engine cannot build this at all, or not what was asked for."""
    if plan.secrets and not engine.secrets:
        return (
            "the Dockerfile mounts a build secret, and docker's classic builder knows none: "
            "install docker-buildx, or take podman"
        )
    if plan.heredocs and not engine.heredocs:
        return f"the Dockerfile has heredocs, which {engine.name} {engine.version} does not read by itself"
    if job.live and plan.uv != job.uv:
        pins = f"pins uv {plan.uv}" if plan.uv else "pins no release of uv"
        return f"the Dockerfile {pins}, and `--live` builds it as it is: uv {job.uv} is not what would run"
    return ""


def _lay(job: Job, plan: Plan) -> Build:
    """Write the context of the build, and what lies beside it."""
    place, mre = job.place, job.mre
    place.work.mkdir(parents=True)
    for file in mre.files:
        environment.write(place.work, file)
    own = place.work / OWN
    if not job.live or plan.uv_from_context:
        own.mkdir(exist_ok=True)
        _let_in(place)
    if not job.live:
        # BuildKit runs what is the same in two builds once, for both; but each variant has a door of its own.
        (own / "authority.pem").write_bytes(f"# {_run_name(place)}\n".encode() + job.certificate)
    if plan.uv_from_context:
        for name, tool in (("uv", job.binary), ("uvx", job.binary.with_name("uvx"))):
            if tool.exists():
                shutil.copy2(tool, own / name)
    dockerfile = place.root / DOCKERFILE
    dockerfile.write_text(plan.text, encoding="utf-8")
    variables = mre.variables
    arguments = {name: variables[name] for name in plan.arguments if name in variables}
    return Build(
        name=_run_name(place),
        context=place.work,
        dockerfile=dockerfile,
        image=place.root / "image",
        labels=_own_labels(place) if job.live else {},
        arguments=arguments if job.live else {**_proxies(job.gateway), **arguments},
        secrets={name: _secret(place, mre, name) for name in plan.secrets},
    )


def _run_name(place: Place) -> str:
    return f"{place.root.parent.name}.{place.root.name}"


def _own_labels(place: Place) -> dict[str, str]:
    return {engines.MADE: "run", RUN: _run_name(place)}


def _proxies(gateway: str) -> dict[str, str]:
    """Return the build arguments that every builder knows by itself, and hands to each RUN."""
    return {
        **dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), gateway),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1"),
    }


def _let_in(place: Place) -> None:
    """Let our own folder into a context that leaves files out."""
    ignore = place.work / ".dockerignore"
    if ignore.exists():
        text = ignore.read_text(encoding="utf-8", errors="replace")
        ignore.write_text(f"{text}\n!{OWN}\n!{OWN}/**\n", encoding="utf-8")


def _secret(place: Place, mre: Mre, name: str) -> Path:
    """Write what a build secret holds: a variable or a file of its name, or else all the variables as an env file."""
    path = place.root / "secrets" / name
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


def _build(engine: Engine, build: Build, watched: Watched, job: Job, log: Capped) -> str:
    """Run the engine, and return why the steps could not be run, where they could not."""
    row = builders.row(engine)
    command = [engine.program, *row.words(engine, build)]
    log.add(f"$ {' '.join(command)}\n".encode())
    with process.streamed(
        command,
        cwd=job.place.root,
        # Who finds this folder without its owner finds the engine by it.
        environment={**engines.variables(engine), ROOT: f"{job.place.root}/"},
        stop=job.stop,
        late=watched.late,
        grace=GRACE,
    ) as streaming:
        watched.read(READERS[row.reader], _lines(streaming, log, MARKS.get(row.reader)))
    watched.cut_short = streaming.timed_out or job.stop.is_set()
    if (watched.failed or 0) >= GONE and (gone := engines.ask(engine.name).why):
        return f"{engine.name} went away while it built: {gone}"
    return watched.end(streaming.exit, streaming.timed_out)


def _lines(chunks: Iterable[bytes], log: Capped, marks: "re.Pattern[bytes] | None") -> Iterator[Line]:
    """Cut what an engine says into lines; lines without any of its own words come as one, for there may be millions."""
    rest = b""
    for chunk in chunks:
        log.add(chunk)
        now = time.perf_counter()
        whole, _, rest = (rest + chunk).rpartition(b"\n")
        if whole and marks and not marks.search(whole):
            yield Line(whole.decode(errors="replace") + "\n", now)
        elif whole:
            for line in whole.split(b"\n"):
                yield Line(line.decode(errors="replace") + "\n", now)
        if len(rest) > LONGEST:
            yield Line(rest.decode(errors="replace"), now)
            rest = b""
    if rest:
        yield Line(rest.decode(errors="replace"), time.perf_counter())
