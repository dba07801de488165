"""The backends by name."""

from collections.abc import Mapping

from uvmre.errors import UsageError
from uvmre.run.backend import LOCAL, Backend
from uvmre.run.engines.container import Container
from uvmre.run.local import Local

AUTO = "auto"
"""The first backend that can be used."""
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
        return next((each for each in BACKENDS.values() if not each.available()), BACKENDS[LOCAL])
    backend = BACKENDS[name]
    if why := backend.available():
        hint = (
            "run it on Linux or macOS"
            if name == LOCAL
            else "`uvmre doctor` lists the available engines and how to install one"
        )
        raise UsageError(f"the backend `{name}` is not available", hint, cause=why)
    return backend
