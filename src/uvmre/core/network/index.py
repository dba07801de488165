"""The indexes and network faults of an MRE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from uvmre.core.network.registries import RegistryProfile
    from uvmre.core.network.synthetic import SyntheticPackage

PUBLIC_TEST_INDEX = "pypi-proxy"
"""The default registry profile: the public test index."""
Synthetic = Literal["override", "merge", "replace"]
"""They hide the projects of PyPI of the same names, are merged with them, or replace PyPI."""


@dataclass(frozen=True)
class Index:
    """One `[[index]]`, served by the gateway under its own URL."""

    url: str
    """The URL of its simple index."""
    registry: str = PUBLIC_TEST_INDEX
    """The registry profile."""
    username: str = ""
    """The username that it asks for; some registries accept one only, which is the default if there is a password."""
    password: str = ""
    """Without a password, the index is public."""
    synthetic: Synthetic = "override"
    """Whether its packages "override" those of PyPI, "merge" with or "replace" them."""
    publish_url: str = ""
    """Where `uv publish` uploads to it, as "https://upload.pypi.org/legacy/"; each variant has its own uploads only."""
    publish_token: str = ""
    """The token for uploads by the user `__token__`, as at PyPI; without it they need its username and password."""
    trusted_publisher: str = ""
    """The repository on GitHub or GitLab that may upload by trusted publishing, as "org/repo"."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every response, as `{ "cache-control" = "no-store" }`; an empty value removes one."""
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
        """Return the registry profile."""
        from uvmre.core.network.registries import PROFILES

        return PROFILES[self.registry]


@dataclass(frozen=True)
class StaticAnswer:
    """One `[[answer]]`: a response of its own to the requests that match; the first that matches is sent."""

    url: str
    """`*` matches anything. A request to its host that matches no answer is refused, unless the host is allowed too."""
    method: str = ""
    """Only to requests of this method."""
    credentials: str = ""
    """Only to requests with these credentials, as "user:password"; "any" for all of them, "none" for none."""
    header: str = ""
    """Only to requests with this header, as "accept: *json*"."""
    times: int | None = None
    """Only to the first N requests that match."""
    status: int = 200
    """The status; of a redirect, 302 by default."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the response."""
    redirect: str = ""
    """The URL of a redirect."""
    body: str = ""
    """The body, as text."""
    file: str = ""
    """A file of the MRE that is the body."""

    @property
    def host(self) -> str:
        """Return the host of the pattern."""
        return Fault(self.url).host

    @property
    def response_status(self) -> int:
        """Return the status that is sent."""
        return 302 if self.redirect and self.status == 200 else self.status


@dataclass(frozen=True)
class GitCommit:
    """One commit of a repository."""

    folder: str
    """The folder of the MRE with all its files."""
    branch: str = "main"
    """The branch that it is on; the first commit of another branch comes after the one before it."""
    tag: str = ""
    """A tag of the commit."""
    message: str = "Update"
    """Its message."""
    submodules: Mapping[str, str] = field(default_factory=dict)
    """The URLs of repositories of the MRE, by their paths."""


@dataclass(frozen=True)
class GitRepository:
    """One `[[git]]`: a repository that the gateway serves at its real address, also for ssh."""

    url: str
    """As "https://github.com/org/repo"."""
    username: str = ""
    """The username that it asks for."""
    password: str = ""
    """Without a password, the repository is public."""
    commits: tuple[GitCommit, ...] = ()
    """Oldest first."""


def repository_address(url: object) -> str:
    """Return host and path of a repository, without what may differ in its URL."""
    parts = urlsplit(str(url))
    return f"{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/').removesuffix('.git')}".lower()


OUTAGES = ("unresolvable", "refused", "timeout")
"""The faults that make a host unreachable."""


@dataclass(frozen=True)
class Fault:
    """One `[[fault]]`: what goes wrong with requests that match a URL."""

    url: str
    """`*` matches anything."""
    times: int | None = None
    """Only the first N requests that match; None for all."""
    times_each: int | None = None
    """Only the first N requests of each URL, independent of the order of parallel requests."""
    seed: int = 0
    """Seeds random choices: where a body is corrupted, which digest is wrong."""
    status: int | None = None
    """Respond with this status and no body."""
    retry_after: int | None = None
    """Seconds, sent with `status`."""
    delay: float = 0
    """Seconds before the response starts."""
    drip: int | None = None
    """Bytes of the body per second."""
    cut: int | None = None
    """Close the connection after N bytes of the body."""
    truncate: int | None = None
    """End the body after N bytes, with a matching length header."""
    corrupt: int = 0
    """Change N bytes of the body."""
    wrong_hash: bool = False
    """The page has wrong digests."""
    missing_metadata: bool = False
    """The file's `.metadata` is missing, although the page announces it (PEP 658)."""
    expired_certificate: bool = False
    """The host's certificate has expired."""
    untrusted_issuer: bool = False
    """The host's certificate is from an authority that no client trusts."""
    redirect_loop: bool = False
    """The response redirects to the same URL."""
    unresolvable: bool = False
    """The host's name does not resolve."""
    refused: bool = False
    """The host refuses connections."""
    timeout: bool = False
    """The host never responds."""

    @property
    def outage(self) -> str:
        """Return which of OUTAGES it is; empty if the host can be reached."""
        return next((name for name in OUTAGES if getattr(self, name)), "")

    @property
    def scheme(self) -> str:
        """Return the scheme of the pattern."""
        return self.url.partition("://")[0]

    @property
    def host(self) -> str:
        """Return the host of the pattern, which is all that matters to faults of a connection."""
        authority = self.url.partition("://")[2].partition("/")[0]
        ipv6 = authority.startswith("[")
        return (authority[1:].partition("]") if ipv6 else authority.partition(":"))[0].lower()
