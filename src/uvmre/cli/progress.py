"""How a run goes, on stderr: a live table at a terminal, a line for each thing done elsewhere."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from uvmre.cli import console
from uvmre.core.outcome.observation import StepResult
from uvmre.core.outcome.symptom import Outcome
from uvmre.core.progress import Progress

if TYPE_CHECKING:
    from rich.table import Table

MEGABYTE = 1_000_000
LONG = 1.0
"""Seconds after which who waits wants to know what for."""


@contextlib.contextmanager
def show_progress() -> Iterator["LineProgress | LiveProgress"]:
    """Show progress as suits where stderr goes."""
    if not console.terminal(err=True):
        yield LineProgress()
        return
    from rich.console import Console
    from rich.live import Live

    drawn = LiveProgress()
    live = Live(console=Console(stderr=True), get_renderable=drawn.table, refresh_per_second=10, transient=True)
    try:
        with live:
            yield drawn
    finally:
        for sentence in drawn.notes:
            console.say(sentence)


class LineProgress(Progress):
    """One line for each thing done."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._since: dict[str, float] = {}

    def downloading(self, release: str, done: int, total: int) -> None:
        """Say once that a release comes, and once that it is there."""
        state = f"uv {release}: fetched" if total and done >= total else f"uv {release}: fetching from PyPI"
        if state not in self._told:
            self._told.add(state)
            console.say(state)

    def working(self, what: str, done: int, total: int) -> None:
        """Say once what takes its time, where it does."""
        since = self._since.setdefault(what, time.monotonic())
        if what not in self._told and time.monotonic() - since > LONG:
            self._told.add(what)
            console.say(f"{what}: {done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB")

    def note(self, sentence: str) -> None:
        """Say it."""
        console.say(sentence)

    def judged(self, variant: str, outcome: Outcome) -> None:
        """Say how a variant came out."""
        console.say(f"{variant}: {outcome.word} ({outcome.reason})")


class LiveProgress(Progress):
    """A table that changes as the run does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._downloads: dict[str, str] = {}
        self._coming: set[str] = set()
        self._rows: dict[str, list[str]] = {}
        self._running: dict[str, tuple[str, float]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self.notes: list[str] = []
        """Said when nothing is drawn any more."""

    def downloading(self, release: str, done: int, total: int) -> None:
        """Show how much of a release has come."""
        with self._lock:
            of = f" of {total / MEGABYTE:.1f}" if total else ""
            # One line for each that comes: many may come at once. The last one stays until something else is shown.
            self._downloads = {name: line for name, line in self._downloads.items() if name in self._coming}
            self._downloads[release] = f"uv {release}: {done / MEGABYTE:.1f}{of} MB"
            if total and done >= total:
                self._coming.discard(release)
            else:
                self._coming.add(release)

    def working(self, what: str, done: int, total: int) -> None:
        """Show how much of a long piece of work is done."""
        with self._lock:
            self._downloads = {what: f"{what}: {done / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB"}

    def note(self, sentence: str) -> None:
        """Keep it for the end."""
        self.notes.append(sentence)

    def variants(self, names: list[str]) -> None:
        """Show a row for each."""
        with self._lock:
            self._rows = {name: [] for name in names}

    def step(self, variant: str, title: str) -> None:
        """Show the step that runs."""
        with self._lock:
            self._running[variant] = (title, time.monotonic())

    def stepped(self, variant: str, step: StepResult) -> None:
        """Show how a step ended."""
        with self._lock:
            self._running.pop(variant, None)
            self._rows[variant].append(f"{step.title} ({step.exit}, {step.seconds:.1f} s)")

    def judged(self, variant: str, outcome: Outcome) -> None:
        """Show how a variant came out."""
        with self._lock:
            self._outcomes[variant] = outcome

    def table(self) -> "Table":
        """Draw the state of now."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2), expand=True)
        for ratio in (None, None, 1):  # the steps have what the names leave
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio)
        with self._lock:
            for line in self._downloads.values() if not self._rows else ():
                table.add_row(line)
            for name, steps in self._rows.items():
                outcome = self._outcomes.get(name)
                word = Text(outcome.word, console.COLORS[outcome.word]) if outcome else Text("…", "dim")
                now = []
                if name in self._running:
                    title, since = self._running[name]
                    now = [f"{title} … {time.monotonic() - since:.1f} s"]
                table.add_row(f"  {name}", word, Text("  ".join([*steps, *now])))
        return table
