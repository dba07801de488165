"""Serve the gateway by hand, for any client."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from uvmre.core.observation import Network
from uvmre.errors import UsageError
from uvmre.gateway.gateway import Door, Gateway
from uvmre.run.environment import gateway_variables

TAPE = "tape"


@dataclass(frozen=True)
class Served:
    """A gateway that is up."""

    variables: dict[str, str]
    """What a client must be given to go through it."""
    door: Door


@contextlib.contextmanager
def gateway(*, cache: Path, port: int = 0, network: Network = "auto", day: date | None = None) -> Iterator[Served]:
    """Serve on a port of this machine until the `with` ends.

    Args:
        cache: where the authority and the recorded answers are kept.
        port: a free one where 0.
        network: what answers.
        day: PyPI is as it was at the end of this day.

    Raises:
        UsageError: when somebody else has the port.
    """
    with tempfile.TemporaryDirectory(prefix="uvmre_") as folder, Gateway(cache, cache / TAPE, network, day) as served:
        certificate = Path(folder) / "authority.pem"
        certificate.write_bytes(served.certificate)
        with contextlib.ExitStack() as open_door:
            try:
                door = open_door.enter_context(served.door(port))
            except OSError as error:
                why = f"Port {port} cannot be had: {os.strerror(error.errno or 0)}."
                raise UsageError(why, "Take another, or leave it out.") from None
            yield Served(gateway_variables(door.url, certificate), door)
