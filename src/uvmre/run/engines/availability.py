"""The container engines of this machine: which can be used, and their commands."""

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from uvmre.run import process
from uvmre.run.process import Finished

QUERY_TIMEOUT = 10.0
BUILD_TIMEOUT = 600.0
NO_ACCESS = "this user may not access its daemon"
NO_DAEMON = "no response from its daemon"
LABEL = "org.uvmre"
"""The label of everything that uvmre creates on an engine."""
STAND_IN_LABEL = "org.uvmre.stand-in"
"""The label of a stand-in for an image; its value lists the parts."""
SHORT_NAME = re.compile(r"[a-z0-9._-]+(/[a-z0-9._-]+)?")


@dataclass(frozen=True)
class Engine:
    """One engine, as detected."""

    name: str
    """`docker`, `podman` or `buildah`."""
    program: str = ""
    """The path of its command."""
    version: str = ""
    """The daemon's where there is a daemon."""
    client: str = ""
    """The version of its command, where that differs."""
    buildkit: bool = False
    why: str = ""
    """Why it cannot be used here; empty when it can."""

    @property
    def heredocs(self) -> bool:
        """Return whether it supports `COPY <<EOF`."""
        return _at_least(self.version, HEREDOCS[self.name]) and (self.buildkit or self.name != "docker")

    @property
    def secrets(self) -> bool:
        """Return whether it supports `--secret`."""
        return self.buildkit or self.name != "docker"


@dataclass(frozen=True)
class EngineCommands:
    """The arguments of one engine's commands."""

    detect: Callable[[str, float], Engine]
    build: Sequence[str]
    """Build an image from a folder, on the host's network, without pulling where that can be disabled."""
    labels: Sequence[str]
    """Inspect an image, which follows."""
    containers: Sequence[str]
    """List the ids of containers with a label; `label=…` follows. Empty where the engine cannot filter."""
    image_format: str
    """The format of a listed image: name with tag, and id."""


@dataclass(frozen=True)
class EngineImage:
    """One name of an image."""

    image: str
    id: str


@dataclass(frozen=True)
class ClearedEngine:
    """The result of clearing an engine."""

    engine: str
    images: int
    containers: int
    left: int
    """Images and containers that could not be removed."""


HEREDOCS = {"docker": "23", "podman": "5", "buildah": "1.33"}
"""The first version that supports heredocs."""


def detect_all(seconds: float = QUERY_TIMEOUT) -> tuple[Engine, ...]:
    """Detect all engines at once; `why` is the reason why one cannot be used."""
    with ThreadPoolExecutor(len(COMMANDS)) as pool:
        return tuple(pool.map(lambda name: detect(name, seconds), COMMANDS))


def detect(name: str, seconds: float = QUERY_TIMEOUT) -> Engine:
    """Detect one engine."""
    program = shutil.which(name)
    return COMMANDS[name].detect(program, seconds) if program else Engine(name, why="not installed")


def call(
    engine: Engine, arguments: Sequence[str], *, timeout: float = BUILD_TIMEOUT, stop: threading.Event | None = None
) -> Finished:
    """Run an engine's command with the variables of this process, which may name its daemon."""
    return process.run(
        [engine.program, *arguments],
        cwd=Path("/"),
        environment=variables(engine),
        timeout=timeout,
        stop=stop or threading.Event(),
    )


def variables(engine: Engine) -> Mapping[str, str]:
    """Return the variables of an engine's command: those of this process, and the builder to use."""
    docker = {"DOCKER_BUILDKIT": "1" if engine.buildkit else "0", "DOCKER_CLI_HINTS": "false", "NO_COLOR": "1"}
    return dict(os.environ) | (docker if engine.name == "docker" else {})


def labels(engine: Engine, image: str) -> Mapping[str, str] | None:
    """Return the labels of a local image, without pulling it; None where there is none."""
    response = call(engine, [*COMMANDS[engine.name].labels, image], timeout=QUERY_TIMEOUT)
    if response.exit:
        return None
    data = json.loads(response.stdout)
    each = data[0] if isinstance(data, list) else data
    config = each["OCIv1"]["config"] if "OCIv1" in each else each["Config"]
    return config.get("Labels") or {}


def images(engine: Engine, label: str) -> tuple[EngineImage, ...]:
    """Return an engine's images with a label, one for each name."""
    row = COMMANDS[engine.name]
    arguments = ["images", "--no-trunc", "--filter", f"label={label}", "--format", row.image_format]
    done = call(engine, arguments, timeout=QUERY_TIMEOUT)
    lines = done.stdout.decode(errors="replace").splitlines() if done.exit == 0 else []
    rows = (line.split() for line in lines)
    return tuple(EngineImage(re.sub(r"^docker\.io/(library/)?", "", row[0]), row[1]) for row in rows if len(row) == 2)


def containers(engine: Engine, label: str) -> tuple[str, ...]:
    """Return an engine's containers with a label."""
    if arguments := COMMANDS[engine.name].containers:
        return _lines(call(engine, [*arguments, f"label={label}"], timeout=QUERY_TIMEOUT))
    # buildah does not filter containers by label, so each is inspected.
    there = _lines(call(engine, ["containers", "--quiet", "--no-trunc"], timeout=QUERY_TIMEOUT))
    response = {each: call(engine, ["inspect", each], timeout=QUERY_TIMEOUT).stdout for each in there}
    return tuple(each for each, output in response.items() if f'"{label}"'.encode() in output)


def clear(engine: Engine) -> ClearedEngine:
    """Remove the containers and images of uvmre from an engine, and the images built on those."""
    gone = containers(engine, LABEL)
    if gone:
        call(engine, ["rm", *([] if engine.name == "buildah" else ["--force"]), *gone], timeout=QUERY_TIMEOUT * 3)
    before = there = {each.id for each in images(engine, LABEL)}
    # An image can be removed only after those built on it.
    while there:
        call(engine, ["rmi", "--force", *sorted(there)], timeout=QUERY_TIMEOUT * 6)
        still = {each.id for each in images(engine, LABEL)}
        if still == there:
            break
        there = still
    left = len(there) + len(containers(engine, LABEL))
    return ClearedEngine(engine.name, len(before - there), len(gone), left)


def _lines(done: Finished) -> tuple[str, ...]:
    return tuple(done.stdout.decode(errors="replace").split()) if done.exit == 0 else ()


def full_name(engine: Engine, image: str) -> str:
    """Return the tag under which FROM finds an image: podman and buildah prefix a short name with `localhost/`."""
    if engine.name == "docker" or not SHORT_NAME.fullmatch(image.partition("@")[0].rpartition(":")[0] or image):
        return image
    first, slash, _ = image.partition("/")
    if slash and ("." in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _docker(program: str, seconds: float) -> Engine:
    engine = Engine("docker", program)
    response = _query(program, ["version", "--format", "{{json .}}"], seconds)
    if isinstance(response, str):
        return _unusable(engine, response)
    try:
        versions = json.loads(response.stdout)
        client = str((versions.get("Client") or {}).get("Version", ""))
        server = str((versions.get("Server") or {}).get("Version", ""))
    except (ValueError, AttributeError):
        client = server = ""
    if not server:
        return Engine("docker", program, client=client, why=_docker_problem(response, client))
    return Engine("docker", program, server, client, buildkit=_buildkit(program, client, seconds))


def _docker_problem(response: Finished, client: str) -> str:
    """Return why there is no daemon, in short where the reason is known."""
    output = response.stderr.decode(errors="replace").strip()
    if "permission denied" in output.lower():
        return NO_ACCESS
    if response.exit == 0 and client:
        return "another engine is installed as `docker`"
    if "daemon running" in output or "cannot connect" in output.lower() or not output:
        where = os.environ.get("DOCKER_HOST", "")
        here = "" if shutil.which("dockerd") else ", and `dockerd` is not installed"
        return f"{NO_DAEMON} at {where}" if where else f"{NO_DAEMON}{here}"
    return output.splitlines()[-1]


def _buildkit(program: str, client: str, seconds: float) -> bool:
    """Return whether docker builds with BuildKit: with buildx, or a client that has it built in."""
    setting = os.environ.get("DOCKER_BUILDKIT", "")
    if setting in ("0", "false"):
        return False
    if _at_least(client, "18.9") and not _at_least(client, "23") and setting in ("1", "true"):
        return True
    response = _query(program, ["buildx", "version"], seconds)
    return not isinstance(response, str) and response.exit == 0


def _podman(program: str, seconds: float) -> Engine:
    engine = Engine("podman", program)
    # `podman info` takes a second, and a build reports an unusable storage as well.
    response = _query(program, ["version", "--format", "{{.Version}}"], seconds)
    if isinstance(response, str) or response.exit:
        return _unusable(engine, response)
    return Engine("podman", program, response.stdout.decode(errors="replace").strip())


def _buildah(program: str, seconds: float) -> Engine:
    engine = Engine("buildah", program)
    # `--version` works even if the storage is unusable.
    usable = _query(program, ["info"], seconds)
    if isinstance(usable, str) or usable.exit:
        return _unusable(engine, usable)
    response = _query(program, ["--version"], seconds)
    found = (
        None
        if isinstance(response, str)
        else re.search(r"(?<!\d)\d+(\.\d+)+", response.stdout.decode(errors="replace"))
    )
    return Engine("buildah", program, found[0] if found else "")


def _query(program: str, arguments: Sequence[str], seconds: float) -> Finished | str:
    """Run a query; return the reason where it cannot be started or times out."""
    try:
        response = process.run(
            [program, *arguments], cwd=Path("/"), environment=dict(os.environ), timeout=seconds, stop=threading.Event()
        )
    except OSError as error:
        return f"it failed to start: {error.strerror}"
    return f"no response within {seconds:g} s" if response.timed_out else response


def _unusable(engine: Engine, response: Finished | str) -> Engine:
    return Engine(engine.name, engine.program, why=response if isinstance(response, str) else process.failure(response))


def _at_least(version: str, least: str) -> bool:
    """Compare two versions by their numbers."""
    have, want = ([int(number) for number in re.findall(r"\d+", text)[:2]] for text in (version, least))
    return have >= want


_LABELS = ("image", "inspect")
_CONTAINERS = ("ps", "--all", "--quiet", "--no-trunc", "--filter")
_NAMED = "{{.Repository}}:{{.Tag}} {{.ID}}"
COMMANDS: Mapping[str, EngineCommands] = {
    "docker": EngineCommands(_docker, ("build", "--network", "host"), _LABELS, _CONTAINERS, _NAMED),
    "podman": EngineCommands(
        _podman, ("build", "--network", "host", "--pull=never", "--layers=false"), _LABELS, _CONTAINERS, _NAMED
    ),
    "buildah": EngineCommands(
        _buildah,
        ("build", "--network", "host", "--pull-never", "--isolation", "chroot"),
        ("inspect", "--type", "image"),
        (),
        "{{.Name}}:{{.Tag}} {{.ID}}",
    ),
}
"""In order of preference."""
