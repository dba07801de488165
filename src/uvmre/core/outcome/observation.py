"""What one run of one variant under one release left behind: facts, no opinion."""

from dataclasses import dataclass

from uvmre.core.mre.model import Role
from uvmre.core.network.request import Request


@dataclass(frozen=True)
class StepResult:
    """One step as it ran."""

    title: str
    run: str
    role: Role
    exit: int
    """As a shell tells it: 128 + n for a process that signal n ended."""
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False
    truncated: bool = False
    """Whether output was left out of the middle to hold the cap."""


@dataclass(frozen=True)
class Observation:
    """Everything one variant left behind; a step that was never reached is not in `steps`."""

    variant: str
    uv: str
    python: str
    """The interpreter's full version."""
    backend: str
    platform: str
    steps: tuple[StepResult, ...]
    requests: tuple[Request, ...] = ()
    files: tuple[tuple[str, str | None], ...] = ()
    """Path and content of each file that the symptom looks at; None where there is no such file."""
    obstacle: str = ""
    """Why the steps could not be run at all, where they could not."""
    stand_ins: tuple[str, ...] = ()
    """The container images that were not what their names say: made on this machine instead."""
    artifacts: tuple[tuple[str, str], ...] = ()
    """More that is kept as files of the evidence, by name: what was built, and what the builder said."""

    @property
    def seconds(self) -> float:
        """Return the time that the steps took by themselves."""
        return sum(step.seconds for step in self.steps)

    @property
    def unanswered(self) -> tuple[Request, ...]:
        """Return the requests whose last try nobody answered: refused by the gateway, or the network was not there.

        Clients also open connections that they then do not need; so a TLS that was broken off counts only where the
        host answered nothing else.
        """
        last = {(request.method, request.host, request.path): request for request in self.requests}
        answered = {r.host for r in last.values() if r.answered_by in ("upstream", "stand-in", "fault")}
        return tuple(
            r
            for r in last.values()
            if r.answered_by in ("refused", "unreachable")
            or (r.answered_by == "rejected-ca" and r.host not in answered)
        )
