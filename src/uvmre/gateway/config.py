"""What the gateway serves: the network of an MRE as one value, which is sent to the gateway's process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from uvmre.core.network.index import GitRepository, Index, StaticAnswer
from uvmre.core.network.request import OPEN_HOSTS

if TYPE_CHECKING:
    from uvmre.core.mre.model import Mre


@dataclass(frozen=True)
class GatewayConfig:
    """The network of an MRE, without its faults, which differ between variants."""

    exclude_newer: date | None = None
    """PyPI's cutoff date: the last day of which files exist."""
    indexes: tuple[Index, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ("*",)
    """Patterns of the hosts that may have a private address, such as one of this machine."""
    answers: tuple[StaticAnswer, ...] = ()
    repositories: tuple[GitRepository, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The files of the MRE's folder that packages, answers and repositories name, by path."""
    executables: frozenset[str] = frozenset()
    """The paths of those that are executable."""


def gateway_config(mre: "Mre", allow_hosts: tuple[str, ...] = (), *, sandbox: bool = False) -> GatewayConfig:
    """Return the network of an MRE, with more allowed hosts.

    In a sandbox, an MRE cannot allow itself what is on this machine's own network; `allow_hosts` are the user's.
    """
    indexes = (*mre.indexes, *(index for control in mre.controls for index in control.indexes))
    paths = {package.file for index in indexes for package in index.packages if package.file}
    paths |= {answer.file for answer in mre.answers}
    folders = tuple(f"{commit.folder.strip('/')}/" for each in mre.repositories for commit in each.commits)
    files = [file for file in mre.files if file.path in paths or file.path.startswith(folders)]
    return GatewayConfig(
        exclude_newer=mre.environment.exclude_newer,
        indexes=mre.indexes,
        allow_hosts=(*mre.environment.allow_hosts, *allow_hosts),
        private_hosts=(*OPEN_HOSTS, *allow_hosts) if sandbox else ("*",),
        answers=mre.answers,
        repositories=mre.repositories,
        files={file.path: file.content for file in files},
        executables=frozenset(file.path for file in files if file.executable),
    )
