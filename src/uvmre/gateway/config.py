"""The network that the gateway makes: what an MRE says of it, as one value that is handed to the gateway's process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from uvmre.core.network.index import Index

if TYPE_CHECKING:
    from uvmre.core.mre.model import Mre


@dataclass(frozen=True)
class GatewayConfig:
    """As the network is to look; its faults are each variant's own, and so not here."""

    day: date | None = None
    """PyPI is as it was at the end of this day; as it is now, where there is none."""
    indexes: tuple[Index, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The wheels and sdists of the MRE's folder that made-up packages name, by their path."""


def gateway_config(mre: "Mre", allow_hosts: tuple[str, ...] = ()) -> GatewayConfig:
    """Return the network that an MRE asks for, with more hosts let through."""
    named = {made.file for index in mre.indexes for made in index.packages if made.file}
    files = {file.path: file.content for file in mre.files if file.path in named}
    return GatewayConfig(
        mre.environment.exclude_newer, mre.indexes, (*mre.environment.allow_hosts, *allow_hosts), files
    )
