"""Which backends there are, by the names that the command line has for them."""

from collections.abc import Mapping

from uvmre.errors import UsageError
from uvmre.run.backend import Backend
from uvmre.run.container import Container
from uvmre.run.local import Local

AUTO = "auto"
"""The first that can be used."""
BACKENDS: Mapping[str, Backend] = {
    each.name: each for each in (Container("docker"), Container("podman"), Container("buildah"), Local())
}
"""In the order in which AUTO tries them."""


def choose(name: str) -> Backend:
    """Return a backend by its name.

    Raises:
        UsageError: when it cannot be used here.
    """
    if name == AUTO:
        return next((each for each in BACKENDS.values() if not each.available()), BACKENDS["local"])
    chosen = BACKENDS[name]
    if why := chosen.available():
        hint = (
            "Run it on Linux or macOS." if name == "local" else "`uvmre doctor` says what is there, and how to get it."
        )
        raise UsageError(f"The backend {name} cannot be used: {why}.", hint)
    return chosen


DEFAULT_BACKEND = "local"
