"""The container engines that tests can use: those of `make engines`, and those that this machine has anyway."""

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
STATE = Path(os.environ.get("UVMRE_ENGINES") or CACHE / "uvmre-engines")
NONE = "no container engine answers (`make engines` sets some up): nothing of this was tested"


@dataclass(frozen=True)
class AtHand:
    """One way to build here."""

    title: str
    """`BuildKit`, `classic`, `podman` or `buildah`."""
    name: str
    """The command, which is also the backend."""
    variables: Mapping[str, str]
    """How it is reached."""

    @property
    def answers(self) -> bool:
        return _answers(self.name, tuple(self.variables.items()))


def _daemon(name: str) -> dict[str, str]:
    socket = STATE / "sock" / f"{name}.sock"
    return {"DOCKER_HOST": f"unix://{socket}", "DOCKER_CONFIG": str(STATE / "config")} if socket.exists() else {}


ENGINES = (
    AtHand("BuildKit", "docker", _daemon("buildkit") | {"DOCKER_BUILDKIT": "1"}),
    AtHand("classic", "docker", _daemon("classic") | {"DOCKER_BUILDKIT": "0"}),
    AtHand("podman", "podman", {}),
    AtHand("buildah", "buildah", {}),
)


@functools.cache
def _answers(name: str, variables: tuple[tuple[str, str], ...]) -> bool:
    program = shutil.which(name)
    if not program:
        return False
    environment = os.environ | dict(variables)
    try:
        done = subprocess.run([program, "info"], env=environment, capture_output=True, timeout=20)
        if dict(variables).get("DOCKER_BUILDKIT") == "1" and done.returncode == 0:
            done = subprocess.run([program, "buildx", "version"], env=environment, capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    # docker tells of itself and ends well also where no daemon answers.
    return done.returncode == 0 and b"Cannot connect" not in done.stderr + done.stdout
