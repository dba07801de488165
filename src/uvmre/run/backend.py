"""The interface of a backend: its request, its result and its methods."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from uvmre.core.mre.model import Control, Mre
from uvmre.core.outcome.observation import StepResult
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import Interpreter


@dataclass(frozen=True)
class StepRequest:
    """One variant to run under one release."""

    dirs: RunDirs
    base: Mre
    """The MRE as reported."""
    control: Control | None
    """The control that makes the variant; None for the MRE itself."""
    mre: Mre
    """The variant."""
    uv: str
    binary: Path
    interpreter: Interpreter | None
    """None where the steps use what PATH has."""
    python: str
    """The version requested instead of the MRE's; empty for the MRE's."""
    gateway: str
    """The gateway's URL."""
    certificate: bytes
    """The gateway's CA."""
    live: bool
    """Run without the gateway where possible."""
    stop: threading.Event
    """Ends the run early."""
    on_step_start: Callable[[str], None]
    """Called with the title of each step."""
    on_step_end: Callable[[StepResult], None]


@dataclass(frozen=True)
class RunFacts:
    """What a backend reports of a run besides its steps."""

    backend: str
    """Its name and version, for reports."""
    uv: str
    python: str
    """Empty where unknown."""
    files: tuple[tuple[str, str | None], ...] = ()
    """Path and content of each file in the symptom."""
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

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""

    def describe(self) -> str:
        """Return its name, with its version where that matters."""

    def run(self, request: StepRequest) -> RunFacts:
        """Run a variant until a set-up step fails, a step times out, or `stop` is set."""

    def clean_up(self, root: Path) -> None:
        """End the processes that steps below `root` left running."""
