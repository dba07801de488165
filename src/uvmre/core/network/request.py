"""A request of a step, what answers it, and the hosts that are open to every step."""

import functools
import re
from dataclasses import dataclass, field
from typing import Literal

Network = Literal["auto", "live", "replay"]
"""What answers a run: the recording and then the network; the network only; the recording only."""

AnsweredBy = Literal["upstream", "stand-in", "refused", "unreachable", "rejected-ca", "fault", "pending"]
"""`stand-in`: the gateway itself; `refused`: the host is not allowed; `rejected-ca`: the client rejected the gateway's
CA during the TLS handshake; `fault`: a fault of the MRE; `pending`: not answered when the steps ended."""

DISCONNECTED = "the client only disconnected during the TLS handshake, as uv 0.1.1 and 0.1.18 reject the gateway's CA"
"""The reason of a `rejected-ca` that may also be a client that was ended."""
TEST_INDEX = "pypi-proxy.fly.dev"
"""The public test index of uv's own tests."""
PYPI_HOSTS = ("pypi.org", "files.pythonhosted.org")
OPEN_HOSTS = (*PYPI_HOSTS, TEST_INDEX)
"""The hosts that every MRE can reach."""


@dataclass(frozen=True)
class Request:
    """One request of a step, as the gateway observed it."""

    method: str
    host: str
    path: str
    """With its query; empty for a refused tunnel."""
    status: int
    credentials: bool
    """Whether an Authorization header was sent; its value is never kept."""
    answered_by: AnsweredBy
    seconds: float
    reason: str = ""
    """Why there is no response, or a note on the response."""
    replayed: bool = False
    """Whether the response, or its source, comes from the recording."""
    started: float = field(default=0.0, compare=False)
    """When it came, in seconds since the listener was opened."""

    def is_to(self, url: str) -> bool:
        """Tell whether it is to a URL in which `*` matches anything."""
        return any(url_pattern(url).match(f"{scheme}://{self.host}{self.path}") for scheme in ("https", "http"))

    @property
    def line(self) -> str:
        """Return the request as one line of a log."""
        credentials = "with credentials" if self.credentials else "no credentials"
        by = f"{self.answered_by}{' (replayed)' * self.replayed}"
        what = f"{self.method} {self.host}{self.path} {self.status} {credentials} {by}"
        return f"{what} {self.seconds * 1000:.0f} ms {self.reason}".rstrip()


@functools.cache
def url_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern in which only `*` is special; its host is in lower case."""
    scheme, slashes, rest = text.rpartition("://")
    host, slash, path = rest.partition("/")
    return re.compile(
        ".*".join(map(re.escape, f"{scheme}{slashes}{host.lower()}{slash}{path}".split("*"))) + r"\Z", re.S
    )
