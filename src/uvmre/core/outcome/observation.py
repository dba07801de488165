"""What a run of a variant with a release produced: facts, no judgement."""

from dataclasses import dataclass

from uvmre.core.mre.model import Role
from uvmre.core.network.request import Request


@dataclass(frozen=True)
class StepResult:
    """The result of a step."""

    title: str
    run: str
    role: Role
    exit: int
    """As in a shell: 128 + n if signal n killed the process."""
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False
    truncated: bool = False
    """Whether the middle of the output was cut to its limit."""
    limit: str = ""
    """The limit that ended it, as `4 GB of memory`."""


@dataclass(frozen=True)
class Observation:
    """The observation of a variant; a step that was not reached is not in `steps`."""

    variant: str
    uv: str
    python: str
    """The interpreter's full version."""
    backend: str
    platform: str
    steps: tuple[StepResult, ...]
    requests: tuple[Request, ...] = ()
    files: tuple[tuple[str, str | None], ...] = ()
    """Path and content of each file of the symptom; None if there is no such file."""
    obstacle: str = ""
    """Why the steps could not run, if they could not."""
    stand_ins: tuple[str, ...] = ()
    """The container images that are stand-ins made on this machine."""
    artifacts: tuple[tuple[str, str], ...] = ()
    """More files of the evidence, by name: what was built, and the build log."""

    @property
    def seconds(self) -> float:
        """Return the duration of all steps."""
        return sum(step.seconds for step in self.steps)

    @property
    def unanswered(self) -> tuple[Request, ...]:
        """Return the requests without a response to their last try: refused by the gateway, or without a network.

        Clients also open connections that they then do not use, so a rejected CA only counts where the host sent no
        response at all.
        """
        last = {(request.method, request.host, request.path): request for request in self.requests}
        answered = {r.host for r in last.values() if r.answered_by in ("upstream", "stand-in", "fault")}
        return tuple(
            r
            for r in last.values()
            if r.answered_by in ("refused", "unreachable")
            or (r.answered_by == "rejected-ca" and r.host not in answered)
        )
