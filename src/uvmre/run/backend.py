"""What a backend is: a module with these names."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from uvmre.core.mre import Mre, Step
from uvmre.core.observation import StepResult
from uvmre.run import local
from uvmre.run.environment import Place


class Backend(Protocol):
    """Runs the steps of a variant, one after the other, in its place."""

    NAME: str

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""

    def run_step(self, place: Place, mre: Mre, step: Step, gateway: str, stop: threading.Event) -> StepResult:
        """Run one step; a set `stop` ends it early."""

    def tidy(self, root: Path) -> None:
        """End what the steps of places below `root` left running."""


BACKENDS: Mapping[str, Backend] = {local.NAME: local}
