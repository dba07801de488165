"""The options of a run, for every verb that runs steps."""

from dataclasses import dataclass
from pathlib import Path

from uvmre.core.network.request import Network


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a verb runs an MRE."""

    cache: Path
    backend: str = ""
    """Its name; empty for `local`, or for `sandbox` where the MRE came from outside."""
    trust: bool = False
    """Whether to run on `local` what came from outside."""
    origin: str = ""
    """Where the MRE came from, if its folder does not say so."""
    network: Network = "auto"
    """`live` bypasses the recording, and `replay` the network."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts allowed in addition to the MRE's own."""
    python: str = ""
    """An interpreter's version instead of the MRE's."""
    again: bool = False
    """Whether to ignore stored outcomes."""
    jobs: int = 0
    """The number of parallel runs; 0 for one more than there are cores."""

    @property
    def live(self) -> bool:
        """Return whether every request goes to the network."""
        return self.network == "live"

    @property
    def offline(self) -> bool:
        """Return whether the network must not be used."""
        return self.network == "replay"
