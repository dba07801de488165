"""The interface of a backend: its request, its result and its methods."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from uvmre.core.mre.model import Control, Mre
from uvmre.core.outcome.observation import FileState, StepResult
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import Interpreter

LOCAL = "local"
"""The backend of one's own MREs."""
SANDBOX = "sandbox"
"""The backend of everybody else's."""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What all variants of a run share."""

    base: Mre
    """The MRE as reported."""
    uv: str
    binary: Path
    interpreter: Interpreter | None
    """None where the steps use the interpreter on their PATH."""
    python: str
    """The version requested instead of the MRE's; empty where none was."""
    certificate: bytes
    """The certificate of the gateway's CA."""
    live: bool
    """Whether requests bypass the gateway where possible."""
    stop: threading.Event
    """Ends the run early."""


@dataclass(frozen=True, kw_only=True)
class StepRequest:
    """One variant to run under one release."""

    context: RunContext
    dirs: RunDirs
    control: Control | None
    """The control that makes the variant; None for the MRE itself."""
    mre: Mre
    """The variant."""
    gateway: str
    """The URL of the variant's listener."""
    connect: Callable[[], AbstractContextManager[int]]
    """Opens a socket that takes the listening socket of another network, for this listener."""
    free_port: Callable[[], int]
    """Returns a local port that is free."""
    network: list[int] | None = None
    """Where services run beside the steps: the open namespace that all share, once the first command has made it."""
    on_step_start: Callable[[str], None]
    """Called with the title of each step when it starts."""
    on_step_end: Callable[[StepResult], None]
    """Called with each step's result."""
    count_requests: Callable[[], int]
    """Returns how many requests the listener has had so far."""


@dataclass(frozen=True)
class RunFacts:
    """What a backend reports of a run besides its steps."""

    backend: str
    """Its name and version, for reports."""
    uv: str
    python: str
    """Empty where unknown."""
    files: tuple[FileState, ...] = ()
    """The files of the symptom."""
    obstacle: str = ""
    """Why the steps could not be run."""
    stand_ins: tuple[str, ...] = ()
    """Images that are stand-ins for those named."""
    artifacts: tuple[tuple[str, str], ...] = ()
    """More evidence, by file name."""


class Backend(Protocol):
    """Runs the steps of a variant, one after the other."""

    @property
    def name(self) -> str:
        """Return its name on the command line."""

    @property
    def uses_host(self) -> bool:
        """Return whether steps run the interpreter and the programs of this machine."""

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""

    def describe(self) -> str:
        """Return its name, with its version where that matters."""

    def run(self, request: StepRequest) -> RunFacts:
        """Run a variant until a set-up step fails, a step exceeds a limit, or `stop` is set."""

    def clean_up(self, root: Path) -> None:
        """End the processes that steps below `root` left running."""
