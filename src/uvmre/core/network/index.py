"""An index of the MRE: where it is said to be, which registry it behaves as, and what it has."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from uvmre.core.network.registries import RegistryProfile
    from uvmre.core.network.synthetic import SyntheticPackage

PUBLIC_TEST_INDEX = "pypi-proxy"
"""The registry that is behaved as where none is named: the public test index."""
Synthetic = Literal["override", "merge", "replace"]
"""They hide the projects of PyPI of the same names, are merged with them, or replace PyPI."""


@dataclass(frozen=True)
class Index:
    """One `[[index]]`, answered on this machine under its own address."""

    url: str
    """Of the page that lists its projects, as uv is given it."""
    registry: str = PUBLIC_TEST_INDEX
    """Which registry it behaves as."""
    username: str = ""
    password: str = ""
    """What opens it; open to everybody without a password."""
    synthetic: Synthetic = "override"
    packages: "tuple[SyntheticPackage, ...]" = ()
    """The synthetic packages."""

    @property
    def root(self) -> str:
        """Return the path of its pages, without the last slash."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def base(self) -> str:
        """Return the common path of its pages and files."""
        return self.root.removesuffix("/simple").removesuffix("/+simple")

    @property
    def profile(self) -> "RegistryProfile":
        """Return the table of its registry."""
        from uvmre.core.network.registries import PROFILES

        return PROFILES[self.registry]


OUTAGES = ("unresolvable", "refused", "timeout")
"""The faults that keep a client from reaching a host at all."""


@dataclass(frozen=True)
class Fault:
    """One `[[fault]]`: what goes wrong with the requests whose URL fits."""

    url: str
    """`*` stands for anything."""
    times: int | None = None
    """Only the first so many requests of the pattern; all of them where None."""
    times_each: int | None = None
    """Only the first so many requests of each URL: with these, requests side by side cannot change who is met."""
    seed: int = 0
    """What is left to chance (where a body is corrupted, which digest is wrong) follows from it."""
    status: int | None = None
    """Answer with this status, and nothing else."""
    retry_after: int | None = None
    """Seconds, sent along with `status`."""
    delay: float = 0
    """Seconds before the answer starts."""
    drip: int | None = None
    """Bytes of the body a second."""
    cut: int | None = None
    """Hang up after so many bytes of the body, where it has as many."""
    truncate: int | None = None
    """End the body after so many bytes, and say that this is its length."""
    corrupt: int = 0
    """So many bytes of the body are other ones."""
    wrong_hash: bool = False
    """The page tells digests that its files do not have."""
    missing_metadata: bool = False
    """The `.metadata` of the file is not there, whatever the page says (PEP 658)."""
    expired_certificate: bool = False
    """The host's certificate ran out."""
    redirect_loop: bool = False
    """The answer sends the client to the same address again."""
    unresolvable: bool = False
    """The host's name does not resolve."""
    refused: bool = False
    """The host refuses connections."""
    timeout: bool = False
    """The host never answers a connection."""

    @property
    def outage(self) -> str:
        """Return which of OUTAGES it is; empty where the host can be reached."""
        return next((name for name in OUTAGES if getattr(self, name)), "")

    @property
    def scheme(self) -> str:
        """Return the scheme of the pattern."""
        return self.url.partition("://")[0]

    @property
    def host(self) -> str:
        """Return the host of the pattern, which is all that matters to faults of a connection."""
        authority = self.url.partition("://")[2].partition("/")[0]
        host = (
            authority.partition("]")[0].removeprefix("[") if authority.startswith("[") else authority.partition(":")[0]
        )
        return host.lower()
