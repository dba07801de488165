"""What a backend is: what it is given, what it does, and what it knows afterwards."""

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
    """Which of its variants; None for itself."""
    mre: Mre
    """The variant."""
    uv: str
    binary: Path
    interpreter: Interpreter | None
    """None where the steps take what they find."""
    python: str
    """The version that was asked for instead of the MRE's; empty where none was."""
    gateway: str
    """The address of the gateway's door."""
    certificate: bytes
    """Of the gateway's authority."""
    live: bool
    """Whether what can go without the gateway does."""
    stop: threading.Event
    """Ends it early."""
    on_step_start: Callable[[str], None]
    """Is told the title of a step when it begins."""
    on_step_end: Callable[[StepResult], None]
    """Is told every step when it has ended."""


@dataclass(frozen=True)
class RunFacts:
    """What a backend knows of a run beside its steps."""

    backend: str
    """What ran it, in words."""
    uv: str
    """The release that ran."""
    python: str
    """The interpreter's version; empty where it is not known."""
    files: tuple[tuple[str, str | None], ...] = ()
    """Path and content of each file that the symptom looks at."""
    obstacle: str = ""
    """Why the steps could not be run, where they could not."""
    stand_ins: tuple[str, ...] = ()
    """The images that were not what their names say."""
    artifacts: tuple[tuple[str, str], ...] = ()
    """More for the evidence, by file name."""


class Backend(Protocol):
    """Runs the steps of a variant, one after the other, in its place."""

    @property
    def name(self) -> str:
        """Return what it is called on the command line."""

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""

    def describe(self) -> str:
        """Return what runs the steps, with its version where that may matter."""

    def run(self, request: StepRequest) -> RunFacts:
        """Run a variant, up to a set-up step that fails or a step whose time is up; a set `stop` ends it early."""

    def clean_up(self, root: Path) -> None:
        """End what the steps of places below `root` left running."""
