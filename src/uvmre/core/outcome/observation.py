"""What a run of a variant with a release produced: facts, no judgement."""

from __future__ import annotations

from dataclasses import dataclass

from uvmre.core.mre.model import Role
from uvmre.core.network.request import DISCONNECTED, Request

SILENT_RELEASES = ("0.1.1", "0.1.18")
"""The releases of uv that reject the gateway's CA without a TLS alert."""


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
    requests: int = 0
    """How many of the observation's requests are its own, which follow those of the steps before it."""
    idle_seconds: float = 0.0
    """If it timed out, the seconds since its last output or request."""


@dataclass(frozen=True)
class FileState:
    """A path of the symptom after the steps."""

    path: str
    exists: bool
    content: str | None = None
    """None where it is no file, or a link to outside of the run's folder."""
    target: str = ""
    """That of a symbolic link."""
    unchanged: bool = False
    """Whether the content is that of before the first observe step, where the symptom asks for it."""


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
    files: tuple[FileState, ...] = ()
    """The files of the symptom."""
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

    def requests_of(self, step: StepResult) -> tuple[Request, ...]:
        """Return the requests of a step; what comes after the last step is the last step's."""
        at = self.steps.index(step)
        first = sum(each.requests for each in self.steps[:at])
        return self.requests[first:] if step is self.steps[-1] else self.requests[first : first + step.requests]

    @property
    def unanswered(self) -> tuple[Request, ...]:
        """Return the requests without a response to their last try: refused by the gateway, or without a network.

        Clients also open connections that they then do not use, so a rejected CA only counts where the host sent no
        response at all, and they abandon requests, so a pending one only counts where the step was ended.
        """
        last = {(request.method, request.host, request.path): request for request in self.requests}
        answered = {r.host for r in last.values() if r.answered_by in ("upstream", "stand-in", "fault")}
        return tuple(
            r
            for r in last.values()
            if r.answered_by in ("refused", "unreachable")
            or (r.answered_by == "rejected-ca" and r.host not in answered and not self._was_ended(r))
            or (r.answered_by == "pending" and self.steps and self.steps[-1].timed_out)
        )

    def _was_ended(self, request: Request) -> bool:
        """Tell whether a client disconnected because the program that started it had failed, as uv ends its git."""
        return request.reason == DISCONNECTED and self.uv not in SILENT_RELEASES
