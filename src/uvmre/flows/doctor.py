"""What this machine has for uvmre, from its engines to its cache, and how to get what is missing."""

import contextlib
import functools
import os
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre.releases import binary_cache, catalogue
from uvmre.run import engines, interpreters, process
from uvmre.run.engines import Engine
from uvmre.run.interpreters import Interpreter

SECONDS = 1.5
"""How long anything has to answer."""
PACKAGES: Mapping[str, Mapping[str, str]] = {
    "apt-get install": {"docker": "docker.io", "buildx": "docker-buildx"},
    "dnf install": {"docker": "moby-engine", "buildx": "docker-buildx"},
    "zypper install": {"buildx": "docker-buildx"},
    "pacman -S": {"buildx": "docker-buildx"},
    "apk add": {"buildx": "docker-cli-buildx"},
    "brew install": {"buildx": "docker-buildx"},
}
"""The commands of package managers, in the order in which they are looked for, and what they call otherwise."""


@dataclass(frozen=True)
class EngineStatus:
    """One engine and what to do about it."""

    engine: Engine
    command: str
    """What installs or starts what is missing; empty where nothing is."""


@dataclass(frozen=True)
class ToolStatus:
    """One thing that is there or not."""

    name: str
    version: str = ""
    why: str = ""
    """Why it cannot be used; empty when it can."""
    command: str = ""


@dataclass(frozen=True)
class NetworkStatus:
    """Whether PyPI answers."""

    why: str
    """Why it does not; empty when it does."""
    seconds: float


@dataclass(frozen=True)
class CacheStatus:
    """Where uvmre keeps what it fetched."""

    path: Path
    size: int | None
    """Bytes; None where counting them took too long."""
    free: int
    """Bytes that its disk has left."""
    why: str
    """Why it cannot be written; empty when it can."""


@dataclass(frozen=True)
class Health:
    """All of it."""

    engines: tuple[EngineStatus, ...]
    interpreters: tuple[Interpreter, ...]
    sandbox: ToolStatus
    network: NetworkStatus
    cache: CacheStatus
    seconds: float
    """What finding out took."""


def examine(cache: Path) -> Health:
    """Find out what this machine has, all at once; what does not answer in time is told as such."""
    began = time.monotonic()
    waits = {
        **{name: _later(functools.partial(engines.detect, name, SECONDS)) for name in engines.COMMANDS},
        "interpreters": _later(_interpreters),
        "sandbox": _later(_sandbox),
        "network": _later(lambda: catalogue.ping(SECONDS)),
        "cache": _later(lambda: binary_cache.measure([cache])[1]),
        "writable": _later(lambda: _unwritable(cache)),
    }
    late = f"it did not answer within {SECONDS:g} s"
    deadline = began + SECONDS + 0.2

    def told(name: str, otherwise: Any) -> Any:
        return waits[name](max(0.0, deadline - time.monotonic()), otherwise)

    found = [told(name, Engine(name, shutil.which(name) or "", why=late)) for name in engines.COMMANDS]
    silent, seconds = told("network", (late, SECONDS))
    return Health(
        engines=tuple(EngineStatus(engine, _advice(engine)) for engine in found),
        interpreters=told("interpreters", ()),
        sandbox=told("sandbox", ToolStatus("bubblewrap", why=late)),
        network=NetworkStatus(silent, seconds),
        cache=CacheStatus(cache, told("cache", None), _free(cache), told("writable", late)),
        seconds=time.monotonic() - began,
    )


def _later(target: Callable[[], Any]) -> Callable[[float, Any], Any]:
    """Ask in a thread that nobody has to wait for; return what waits so long for the answer, or gives another."""
    answers: list[Any] = []

    def asked() -> None:
        # What the system refuses has not answered either.
        with contextlib.suppress(OSError):
            answers.append(target())

    thread = threading.Thread(target=asked, daemon=True)
    thread.start()

    def wait(seconds: float, otherwise: Any) -> Any:
        thread.join(seconds)
        return answers[0] if answers else otherwise

    return wait


def _interpreters() -> tuple[Interpreter, ...]:
    waits = [_later(functools.partial(interpreters.find_interpreter, minor)) for minor in interpreters.available()]
    deadline = time.monotonic() + SECONDS
    return tuple(each for wait in waits if (each := wait(max(0.0, deadline - time.monotonic()), None)))


def _sandbox() -> ToolStatus:
    """Tell whether bubblewrap is there and may make the namespaces that it needs."""
    program = shutil.which("bwrap")
    if not program:
        return ToolStatus("bubblewrap", why="it is not installed", command=install("bubblewrap"))
    version = _said([program, "--version"])
    tried = process.run(
        [program, "--ro-bind", "/", "/", "--unshare-all", "true"],
        cwd=Path("/"),
        environment=dict(os.environ),
        timeout=SECONDS,
        stop=threading.Event(),
    )
    lines = tried.stderr.decode(errors="replace").strip().splitlines()
    why = (lines[-1] if lines else f"it ends with exit code {tried.exit}") if tried.exit else ""
    return ToolStatus("bubblewrap", version.removeprefix("bubblewrap "), why)


def _said(command: list[str]) -> str:
    asked = process.run(command, cwd=Path("/"), environment=dict(os.environ), timeout=SECONDS, stop=threading.Event())
    return asked.stdout.decode(errors="replace").strip()


def _unwritable(cache: Path) -> str:
    """Return why the cache cannot be written; where it is not there yet, whether it can be made."""
    there = _there(cache)
    try:
        with tempfile.TemporaryFile(dir=there):
            return ""
    except OSError as error:
        return f"{there}: {(error.strerror or str(error)).lower()}"


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.absolute().parents) if each.is_dir())


def _free(cache: Path) -> int:
    try:
        return shutil.disk_usage(_there(cache)).free
    except OSError:
        return 0


def _advice(engine: Engine) -> str:
    """Return the command that brings what an engine lacks."""
    if not engine.program:
        return install(engine.name)
    if engine.name != "docker":
        return ""
    if not engine.why:
        chosen = os.environ.get("DOCKER_BUILDKIT") in ("0", "false")
        return "" if engine.buildkit or chosen else install("buildx")
    if engine.why == engines.NO_ACCESS:
        return "sudo usermod -aG docker $USER"
    return _starting() if engine.why.startswith(engines.NO_DAEMON) else ""


def _starting() -> str:
    """Return the command that starts docker's daemon; the client alone is for one on another machine."""
    if not os.environ.get("DOCKER_HOST", "unix:").startswith("unix:"):
        return ""  # it is started there
    if platform.system() == "Darwin":
        return "open -a Docker"
    if shutil.which("dockerd"):
        return f"{_root()}systemctl start docker" if Path("/run/systemd/system").is_dir() else f"{_root()}dockerd"
    return "export DOCKER_HOST=ssh://USER@HOST"


def install(what: str) -> str:
    """Return the command of this machine's package manager that installs something; empty where there is none."""
    for command, names in PACKAGES.items():
        if shutil.which(command.split()[0]):
            root = "" if command.startswith("brew") else _root()
            return f"{root}{command} {names.get(what, what)}"
    return ""


def _root() -> str:
    return "" if os.geteuid() == 0 else "sudo "
