"""The backends by name."""

from collections.abc import Mapping

from uvmre.errors import CannotTell, UsageError
from uvmre.run.backend import LOCAL, SANDBOX, Backend
from uvmre.run.engines.container import Container
from uvmre.run.local import Local
from uvmre.run.sandbox.backend import Sandbox

AUTO = "auto"
"""The first backend that can be used."""
BACKENDS: Mapping[str, Backend] = {
    each.name: each for each in (Container("docker"), Container("podman"), Container("buildah"), Local(), Sandbox())
}
"""In the order in which AUTO tries them."""


TRUST_HINT = "`--trust` runs it with your permissions and on your network"


def choose(name: str, *, origin: str = "", trust: bool = False) -> Backend:
    """Return a backend by its name; without one, `local`, or `sandbox` for what came from outside.

    Args:
        name: its name; empty for the default.
        origin: where the MRE came from, as `an issue`; empty for one of the user.
        trust: treat every MRE as one of the user.

    Raises:
        UsageError: when it cannot be used here, or is no sandbox and the MRE came from outside.
        CannotTell: when no sandbox can be made here.
    """
    foreign = bool(origin) and not trust
    if foreign and name not in ("", AUTO, SANDBOX):
        raise UsageError(f"the MRE came from {origin}, and the backend `{name}` is no sandbox", TRUST_HINT)
    if name == AUTO and not foreign:
        return next((each for each in BACKENDS.values() if not each.available()), BACKENDS[LOCAL])
    backend = BACKENDS[SANDBOX if foreign else name or LOCAL]
    if why := backend.available():
        if backend.name == SANDBOX:
            hint = "`uvmre doctor` prints how to get one"
            what = f"the MRE came from {origin}, and there is no sandbox" if foreign else "there is no sandbox"
            raise CannotTell(what, f"{hint}; {TRUST_HINT}" if foreign else hint, cause=why)
        hint = (
            "run it on Linux or macOS"
            if name == LOCAL
            else "`uvmre doctor` lists the available engines and how to install one"
        )
        raise UsageError(f"the backend `{name}` is not available", hint, cause=why)
    return backend
