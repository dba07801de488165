"""Serve the gateway by hand, for any client."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from uvmre.core.generated.names import GATEWAY
from uvmre.core.network.request import Network
from uvmre.errors import UsageError
from uvmre.flows.scratch import scratch
from uvmre.folder.read import read_mre
from uvmre.gateway.config import GatewayConfig, gateway_config
from uvmre.gateway.session import Gateway, Listener
from uvmre.releases import cache_users
from uvmre.run.environment import gateway_variables

RECORDING = "recording"


@dataclass(frozen=True)
class Served:
    """A gateway that is up."""

    variables: dict[str, str]
    """What a client must be given to go through it."""
    listener: Listener


@contextlib.contextmanager
def gateway(
    folder: Path | None = None,
    *,
    cache: Path,
    port: int = 0,
    network: Network = "auto",
    day: date | None = None,
    allow_hosts: tuple[str, ...] = (),
) -> Iterator[Served]:
    """Serve on a port of this machine until the `with` ends.

    Args:
        folder: an MRE whose indexes, faults and tape it has.
        cache: where the authority and the recorded answers are kept.
        port: a free one where 0.
        network: what answers.
        day: PyPI is as it was at the end of this day, instead of the MRE's own.
        allow_hosts: let through beside the indexes.

    Raises:
        UsageError: when somebody else has the port, or the folder is no MRE.
    """
    mre = read_mre(folder) if folder else None
    made = gateway_config(mre, allow_hosts) if mre else GatewayConfig(allow_hosts=allow_hosts)
    made = replace(made, exclude_newer=day) if day else made
    recording = folder / ".uvmre" / RECORDING if folder else cache / RECORDING
    cache_users.hold(cache, str(recording.absolute()))
    with scratch() as own, Gateway(cache, recording, network, made) as served:
        certificate = own / "authority.pem"
        certificate.write_bytes(served.certificate)
        with contextlib.ExitStack() as open_door:
            try:
                listener = open_door.enter_context(served.listener(port, mre.faults if mre else ()))
            except OSError as error:
                why = f"Port {port} cannot be had: {os.strerror(error.errno or 0)}."
                raise UsageError(why, "Take another, or leave it out.") from None
            whose = {GATEWAY: str(folder.resolve())} if folder else {}
            yield Served(gateway_variables(listener.url, certificate) | whose, listener)
