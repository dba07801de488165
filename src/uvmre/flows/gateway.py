"""Serve the gateway by hand, for any client."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from uvmre.core.generated.names import GATEWAY
from uvmre.errors import UsageError
from uvmre.flows.options import RunOptions
from uvmre.flows.scratch import scratch
from uvmre.folder.read import read_mre
from uvmre.folder.written import read_origin
from uvmre.gateway.config import GatewayConfig, gateway_config
from uvmre.gateway.session import Gateway, Listener
from uvmre.releases import cache_users
from uvmre.run.environment import gateway_variables

RECORDING = "recording"


@dataclass(frozen=True)
class Served:
    """A gateway that is up."""

    variables: dict[str, str]
    """The environment variables that a client needs to use it."""
    listener: Listener


@contextlib.contextmanager
def gateway(
    folder: Path | None, options: RunOptions, *, port: int = 0, exclude_newer: date | None = None
) -> Iterator[Served]:
    """Serve on a local port until the `with` ends.

    Args:
        folder: an MRE whose indexes, faults and recording are served.
        options: its cache, network and allowed hosts.
        port: the port, or 0 for a free one.
        exclude_newer: a cutoff date instead of the MRE's own.

    Raises:
        UsageError: if the port is in use, or the folder is not an MRE.
    """
    mre = read_mre(folder) if folder else None
    config = GatewayConfig(allow_hosts=options.allow_hosts)
    if folder and mre:
        config = gateway_config(mre, options.allow_hosts, sandbox=bool(read_origin(folder)))
    config = replace(config, exclude_newer=exclude_newer) if exclude_newer else config
    recording = folder / ".uvmre" / RECORDING if folder else options.cache / RECORDING
    cache_users.hold(options.cache, str(recording.absolute()))
    with scratch() as root, Gateway(options.cache, recording, options.network, config) as session:
        certificate = root / "authority.pem"
        certificate.write_bytes(session.certificate)
        with contextlib.ExitStack() as stack:
            try:
                listener = stack.enter_context(session.listener(port, mre.faults if mre else ()))
            except OSError as error:
                cause = os.strerror(error.errno or 0)
                raise UsageError(f"failed to listen on port {port}", "omit `--port`", cause=cause) from None
            origin = {GATEWAY: str(folder.resolve())} if folder else {}
            yield Served(gateway_variables(listener.url, certificate) | origin, listener)
