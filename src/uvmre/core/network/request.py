"""A request that a step made, and what may answer it."""

from dataclasses import dataclass
from typing import Literal

Network = Literal["auto", "live", "replay"]
"""What answers a run: its tape first, then the network; the network only; the tape only."""

AnsweredBy = Literal["upstream", "stand-in", "refused", "unreachable", "distrusted", "fault"]
"""`distrusted`: the client broke off the TLS, as one does that does not know the gateway's authority; `fault`: the
answer is one that the MRE asks to be wrong."""


@dataclass(frozen=True)
class Request:
    """One request that a step made, as the gateway saw it."""

    method: str
    host: str
    path: str
    """With its query; empty for a tunnel that was refused."""
    status: int
    credentials: bool
    """Whether an Authorization header came along; its value is never kept."""
    answered_by: AnsweredBy
    seconds: float
    reason: str = ""
    """Why nobody answered, where nobody did; or what is to be known of the answer."""
    replayed: bool = False
    """Whether the answer, or what it was made of, came from the tape."""

    @property
    def line(self) -> str:
        """Return it as one line of a log."""
        credentials = "with credentials" if self.credentials else "no credentials"
        by = f"{self.answered_by}{' (taped)' * self.replayed}"
        what = f"{self.method} {self.host}{self.path} {self.status} {credentials} {by}"
        return f"{what} {self.seconds * 1000:.0f} ms {self.reason}".rstrip()
