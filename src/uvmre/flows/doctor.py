"""Check what this machine has for uvmre, and how to install what is missing."""

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
from uvmre.run import environment, interpreters
from uvmre.run.engines import availability
from uvmre.run.engines.availability import Engine
from uvmre.run.interpreters import Interpreter
from uvmre.run.sandbox import bubblewrap

SECONDS = 1.5
"""The time limit of each check."""
PACKAGES: Mapping[str, Mapping[str, str]] = {
    "apt-get install": {"docker": "docker.io", "buildx": "docker-buildx"},
    "dnf install": {"docker": "moby-engine", "buildx": "docker-buildx"},
    "zypper install": {"buildx": "docker-buildx"},
    "pacman -S": {"buildx": "docker-buildx"},
    "apk add": {"buildx": "docker-cli-buildx"},
    "brew install": {"buildx": "docker-buildx"},
}
"""The install commands of package managers in the order of preference, with package names that differ."""


SETTINGS = {"kernel.unprivileged_userns_clone": "1", "user.max_user_namespaces": "15000"}
"""The kernel's settings that permit user namespaces; 0 forbids them."""
APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"
"""Ubuntu's setting, since 23.10, that permits them to programs with a profile only."""
CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))


@dataclass(frozen=True)
class EngineStatus:
    """One engine, and how to make it usable."""

    engine: Engine
    command: str
    """Installs or starts what is missing; empty if nothing is."""


@dataclass(frozen=True)
class ToolStatus:
    """One tool."""

    name: str
    version: str = ""
    why: str = ""
    """Why it is not usable; empty if it is."""
    command: str = ""


@dataclass(frozen=True)
class NetworkStatus:
    """Whether PyPI answers."""

    why: str
    """Why it does not; empty if it does."""
    seconds: float


@dataclass(frozen=True)
class CacheStatus:
    """The folder of downloads."""

    path: Path
    size: int | None
    """Bytes; None if counting takes too long."""
    free: int
    """Bytes left on its disk."""
    why: str
    """Why it is not writable; empty if it is."""


@dataclass(frozen=True)
class Health:
    """The result of all checks."""

    engines: tuple[EngineStatus, ...]
    interpreters: tuple[Interpreter, ...]
    sandbox: ToolStatus
    clock: ToolStatus
    network: NetworkStatus
    cache: CacheStatus
    seconds: float
    """The duration of all checks."""


def examine(cache: Path) -> Health:
    """Run all checks in parallel; those that exceed the time limit are reported as such."""
    began = time.monotonic()
    waits = {
        **{name: _later(functools.partial(availability.detect, name, SECONDS)) for name in availability.COMMANDS},
        "interpreters": _later(_interpreters),
        "sandbox": _later(_sandbox),
        "network": _later(lambda: catalogue.ping(SECONDS)),
        "cache": _later(lambda: binary_cache.measure([cache])[1]),
        "writable": _later(lambda: _unwritable(cache)),
    }
    late = f"no answer within {SECONDS:g} s"
    deadline = began + SECONDS + 0.2

    def result(name: str, default: Any) -> Any:
        return waits[name](max(0.0, deadline - time.monotonic()), default)

    detected = [result(name, Engine(name, shutil.which(name) or "", why=late)) for name in availability.COMMANDS]
    why, seconds = result("network", (late, SECONDS))
    return Health(
        engines=tuple(EngineStatus(engine, _advice(engine)) for engine in detected),
        interpreters=result("interpreters", ()),
        sandbox=result("sandbox", ToolStatus("bubblewrap", why=late)),
        clock=_clock(),
        network=NetworkStatus(why, seconds),
        cache=CacheStatus(cache, result("cache", None), _free(cache), result("writable", late)),
        seconds=time.monotonic() - began,
    )


def _later(target: Callable[[], Any]) -> Callable[[float, Any], Any]:
    """Call `target` in a daemon thread; return a function that waits for its result or returns a default."""
    results: list[Any] = []

    def call() -> None:
        with contextlib.suppress(OSError):
            results.append(target())

    thread = threading.Thread(target=call, daemon=True)
    thread.start()

    def wait(seconds: float, default: Any) -> Any:
        thread.join(seconds)
        return results[0] if results else default

    return wait


def _interpreters() -> tuple[Interpreter, ...]:
    waits = [_later(functools.partial(interpreters.find_interpreter, minor)) for minor in interpreters.available()]
    deadline = time.monotonic() + SECONDS
    return tuple(each for wait in waits if (each := wait(max(0.0, deadline - time.monotonic()), None)))


def _sandbox() -> ToolStatus:
    """Check that a sandbox can be made, and what has to be changed where it cannot."""
    if not (why := bubblewrap.find_fault()):
        return ToolStatus("bubblewrap", bubblewrap.version())
    command = ""
    if platform.system() == "Linux":
        settings = {name: _setting(name) for name in (*SETTINGS, APPARMOR)}
        command = sandbox_command(bubblewrap.find_program(), settings, in_container=any(map(Path.exists, CONTAINERS)))
    return ToolStatus("bubblewrap", why=why, command=command)


def _clock() -> ToolStatus:
    """Check that the clock of steps can be set."""
    found = environment.find_clock()
    command = "" if found else install("libfaketime") or "pip install 'uvmre[clock]'"
    return ToolStatus("libfaketime", str(found or ""), "" if found else "libfaketime is not installed", command)


def _setting(name: str) -> str:
    try:
        return Path("/proc/sys", name.replace(".", "/")).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def sandbox_command(program: str, settings: Mapping[str, str], *, in_container: bool) -> str:
    """Return the command that makes bubblewrap work.

    Args:
        program: its path; empty where it is not installed.
        settings: the kernel's, by name.
        in_container: whether this machine is a container.
    """
    if not program:
        return install("bubblewrap") or "pip install 'uvmre[sandbox]'"
    if in_container:
        return "docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined …"
    for name, value in SETTINGS.items():
        if settings.get(name) == "0":
            return f"{_root()}sysctl -w {name}={value}"
    if settings.get(APPARMOR) == "1":
        profile = f"abi <abi/4.0>, profile uvmre-bwrap {program} flags=(unconfined) {{ userns, }}"
        path = "/etc/apparmor.d/uvmre-bwrap"
        return f"echo '{profile}' | {_root()}tee {path} && {_root()}apparmor_parser -r {path}"
    return ""


def _unwritable(cache: Path) -> str:
    """Return why the cache, or the folder to create it in, is not writable."""
    parent = _existing(cache)
    try:
        with tempfile.TemporaryFile(dir=parent):
            return ""
    except OSError as error:
        return f"{parent}: {(error.strerror or str(error)).lower()}"


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.absolute().parents) if each.is_dir())


def _free(cache: Path) -> int:
    try:
        return shutil.disk_usage(_existing(cache)).free
    except OSError:
        return 0


def _advice(engine: Engine) -> str:
    """Return the command that installs or starts what an engine lacks."""
    if not engine.program:
        return install(engine.name)
    if engine.name != "docker":
        return ""
    if not engine.why:
        chosen = os.environ.get("DOCKER_BUILDKIT") in ("0", "false")
        return "" if engine.buildkit or chosen else install("buildx")
    if engine.why == availability.NO_ACCESS:
        return "sudo usermod -aG docker $USER"
    return _starting() if engine.why.startswith(availability.NO_DAEMON) else ""


def _starting() -> str:
    """Return the command that starts docker's daemon; a client alone uses one on another machine."""
    if not os.environ.get("DOCKER_HOST", "unix:").startswith("unix:"):
        return ""  # to be started there
    if platform.system() == "Darwin":
        return "open -a Docker"
    if shutil.which("dockerd"):
        return f"{_root()}systemctl start docker" if Path("/run/systemd/system").is_dir() else f"{_root()}dockerd"
    return "export DOCKER_HOST=ssh://USER@HOST"


def install(tool: str) -> str:
    """Return the package manager's command that installs a tool; empty if there is no package manager."""
    for command, names in PACKAGES.items():
        if shutil.which(command.split()[0]):
            root = "" if command.startswith("brew") else _root()
            return f"{root}{command} {names.get(tool, tool)}"
    return ""


def _root() -> str:
    return "" if os.geteuid() == 0 else "sudo "
