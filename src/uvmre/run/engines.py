"""The container engines of this machine: which of them answer, and how each is called."""

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
LABEL = "org.uvmre"
"""The label of all that uvmre makes on an engine."""
STAND_IN_LABEL = "org.uvmre.stand-in"
"""The label of an image that only stands in for the one of its name: it says what it was made of."""
SHORT_NAME = re.compile(r"[a-z0-9._-]+(/[a-z0-9._-]+)?")


@dataclass(frozen=True)
class Engine:
    """One engine, as it answered."""

    name: str
    """`docker`, `podman` or `buildah`."""
    program: str = ""
    """The path of its command."""
    version: str = ""
    """What builds: the daemon's where there is a daemon."""
    client: str = ""
    """The version of its command, where that has one of its own."""
    buildkit: bool = False
    why: str = ""
    """Why it cannot be used here; empty when it can."""

    @property
    def heredocs(self) -> bool:
        """Tell whether it reads `COPY <<EOF` by itself."""
        return _at_least(self.version, HEREDOCS[self.name]) and (self.buildkit or self.name != "docker")

    @property
    def secrets(self) -> bool:
        """Tell whether it takes `--secret`."""
        return self.buildkit or self.name != "docker"


@dataclass(frozen=True)
class EngineCommands:
    """How one engine is asked; each is the words after its command."""

    detect: Callable[[str, float], Engine]
    build: Sequence[str]
    """Build an image from a folder, with the network of this machine; nothing is pulled where that can be said."""
    labels: Sequence[str]
    """Ask for all that is known of an image, its labels among it; the image follows."""
    containers: Sequence[str]
    """List the containers with a label, one id a line; `label=…` follows. Empty where that cannot be asked."""
    image_format: str
    """How a listed image is written: its name with its tag, and its id."""


@dataclass(frozen=True)
class EngineImage:
    """One name of an image."""

    image: str
    id: str


@dataclass(frozen=True)
class ClearedEngine:
    """What was removed from an engine."""

    engine: str
    images: int
    containers: int
    left: int
    """How many of both could not be removed."""


HEREDOCS = {"docker": "23", "podman": "5", "buildah": "1.33"}
"""Since which version each reads heredocs."""


def detect_all(seconds: float = QUERY_TIMEOUT) -> tuple[Engine, ...]:
    """Ask all engines at once whether they are there, and return them all; `why` says why one cannot be used."""
    with ThreadPoolExecutor(len(COMMANDS)) as pool:
        return tuple(pool.map(lambda name: detect(name, seconds), COMMANDS))


def detect(name: str, seconds: float = QUERY_TIMEOUT) -> Engine:
    """Ask one engine whether it can be used here."""
    program = shutil.which(name)
    return COMMANDS[name].detect(program, seconds) if program else Engine(name, why="it is not installed")


def call(
    engine: Engine, words: Sequence[str], *, timeout: float = BUILD_TIMEOUT, stop: threading.Event | None = None
) -> Finished:
    """Run an engine's command with the variables of this process, which may say where its daemon is."""
    return process.run(
        [engine.program, *words],
        cwd=Path("/"),
        environment=variables(engine),
        timeout=timeout,
        stop=stop or threading.Event(),
    )


def variables(engine: Engine) -> Mapping[str, str]:
    """Return what an engine's command sees: all that this process does, and which builder it is to take."""
    told = {"DOCKER_BUILDKIT": "1" if engine.buildkit else "0", "DOCKER_CLI_HINTS": "false", "NO_COLOR": "1"}
    return dict(os.environ) | (told if engine.name == "docker" else {})


def labels(engine: Engine, image: str) -> Mapping[str, str] | None:
    """Return the labels of an image of this machine; nothing is pulled, and None where it is not here."""
    asked = call(engine, [*COMMANDS[engine.name].labels, image], timeout=QUERY_TIMEOUT)
    if asked.exit:
        return None
    data = json.loads(asked.stdout)
    each = data[0] if isinstance(data, list) else data
    config = each["OCIv1"]["config"] if "OCIv1" in each else each["Config"]
    return config.get("Labels") or {}


def images(engine: Engine, label: str) -> tuple[EngineImage, ...]:
    """Return the images of an engine that have a label, one for each name."""
    row = COMMANDS[engine.name]
    words = ["images", "--no-trunc", "--filter", f"label={label}", "--format", row.image_format]
    done = call(engine, words, timeout=QUERY_TIMEOUT)
    lines = done.stdout.decode(errors="replace").splitlines() if done.exit == 0 else []
    rows = (line.split() for line in lines)
    return tuple(EngineImage(re.sub(r"^docker\.io/(library/)?", "", row[0]), row[1]) for row in rows if len(row) == 2)


def containers(engine: Engine, label: str) -> tuple[str, ...]:
    """Return the containers of an engine that have a label."""
    if words := COMMANDS[engine.name].containers:
        return _lines(call(engine, [*words, f"label={label}"], timeout=QUERY_TIMEOUT))
    # buildah does not filter its containers by label, so each is asked.
    there = _lines(call(engine, ["containers", "--quiet", "--no-trunc"], timeout=QUERY_TIMEOUT))
    asked = {each: call(engine, ["inspect", each], timeout=QUERY_TIMEOUT).stdout for each in there}
    return tuple(each for each, said in asked.items() if f'"{label}"'.encode() in said)


def clear(engine: Engine) -> ClearedEngine:
    """Remove the containers and images that uvmre labelled on an engine, and the images that were built on those."""
    gone = containers(engine, LABEL)
    if gone:
        call(engine, ["rm", *([] if engine.name == "buildah" else ["--force"]), *gone], timeout=QUERY_TIMEOUT * 3)
    before = there = {each.id for each in images(engine, LABEL)}
    # An image goes only after those that were built on it.
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
    """Return the name to give an image so that FROM finds it: podman and buildah put `localhost/` before it."""
    if engine.name == "docker" or not SHORT_NAME.fullmatch(image.partition("@")[0].rpartition(":")[0] or image):
        return image
    first, slash, _ = image.partition("/")
    if slash and ("." in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _docker(program: str, seconds: float) -> Engine:
    engine = Engine("docker", program)
    asked = _query(program, ["version", "--format", "{{json .}}"], seconds)
    if isinstance(asked, str):
        return _unusable(engine, asked)
    try:
        told = json.loads(asked.stdout)
        client = str((told.get("Client") or {}).get("Version", ""))
        server = str((told.get("Server") or {}).get("Version", ""))
    except (ValueError, AttributeError):
        client = server = ""
    if not server:
        return Engine("docker", program, client=client, why=_docker_problem(asked, client))
    return Engine("docker", program, server, client, buildkit=_buildkit(program, client, seconds))


def _docker_problem(asked: Finished, client: str) -> str:
    """Return why there is no daemon, in our words where the reason is known."""
    said = asked.stderr.decode(errors="replace").strip()
    if "permission denied" in said.lower():
        return "its daemon does not let this user in"
    if asked.exit == 0 and client:
        return "it is another engine under docker's name"
    if "daemon running" in said or "cannot connect" in said.lower() or not said:
        where = os.environ.get("DOCKER_HOST", "")
        here = "" if shutil.which("dockerd") else ", and `dockerd`, which would start it, is not on this machine"
        return f"its daemon does not answer at {where}" if where else f"its daemon does not answer{here}"
    return said.splitlines()[-1]


def _buildkit(program: str, client: str, seconds: float) -> bool:
    """Tell whether docker builds with BuildKit: by buildx, or with a client from when that was built in."""
    wanted = os.environ.get("DOCKER_BUILDKIT", "")
    if wanted in ("0", "false"):
        return False
    if _at_least(client, "18.9") and not _at_least(client, "23") and wanted in ("1", "true"):
        return True
    asked = _query(program, ["buildx", "version"], seconds)
    return not isinstance(asked, str) and asked.exit == 0


def _podman(program: str, seconds: float) -> Engine:
    engine = Engine("podman", program)
    # `podman info` takes a second, and a storage that cannot be used is told by the build as well.
    asked = _query(program, ["version", "--format", "{{.Version}}"], seconds)
    if isinstance(asked, str) or asked.exit:
        return _unusable(engine, asked)
    return Engine("podman", program, asked.stdout.decode(errors="replace").strip())


def _buildah(program: str, seconds: float) -> Engine:
    engine = Engine("buildah", program)
    # Its version is told also where its storage cannot be used.
    usable = _query(program, ["info"], seconds)
    if isinstance(usable, str) or usable.exit:
        return _unusable(engine, usable)
    asked = _query(program, ["--version"], seconds)
    found = None if isinstance(asked, str) else re.search(r"(?<!\d)\d+(\.\d+)+", asked.stdout.decode(errors="replace"))
    return Engine("buildah", program, found[0] if found else "")


def _query(program: str, words: Sequence[str], seconds: float) -> Finished | str:
    """Ask a command something; where it cannot be started or does not answer in time, return that."""
    try:
        asked = process.run(
            [program, *words], cwd=Path("/"), environment=dict(os.environ), timeout=seconds, stop=threading.Event()
        )
    except OSError as error:
        return f"it cannot be started: {error.strerror}"
    return f"it did not answer within {seconds:g} s" if asked.timed_out else asked


def _unusable(engine: Engine, asked: Finished | str) -> Engine:
    if not isinstance(asked, str):
        lines = asked.stderr.decode(errors="replace").strip().splitlines()
        asked = lines[-1] if lines else f"it ended with exit code {asked.exit}"
    return Engine(engine.name, engine.program, why=asked)


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
"""In the order in which they are taken where none is named."""
