"""What the gateway serves: the network of an MRE as one value, which is sent to the gateway's process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from uvmre.core.network.index import Index

if TYPE_CHECKING:
    from uvmre.core.mre.model import Mre


@dataclass(frozen=True)
class GatewayConfig:
    """The network of an MRE, without its faults, which differ between variants."""

    exclude_newer: date | None = None
    """PyPI's cutoff date: the last day of which files exist."""
    indexes: tuple[Index, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The wheels and sdists in the MRE's folder that synthetic packages name, by path."""


def gateway_config(mre: "Mre", allow_hosts: tuple[str, ...] = ()) -> GatewayConfig:
    """Return the network of an MRE, with more allowed hosts."""
    paths = {package.file for index in mre.indexes for package in index.packages if package.file}
    files = {file.path: file.content for file in mre.files if file.path in paths}
    allow_hosts = (*mre.environment.allow_hosts, *allow_hosts)
    return GatewayConfig(mre.environment.exclude_newer, mre.indexes, allow_hosts, files)
