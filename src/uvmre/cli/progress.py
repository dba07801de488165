"""Progress on stderr: a live table on a terminal, a line a minute elsewhere, a line for each event with `--verbose`."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli import console
from uvmre.core.progress import Progress
from uvmre.core.text.visible import visible

if TYPE_CHECKING:
    from rich.table import Table

    from uvmre.core.outcome.matching import Outcome
    from uvmre.core.outcome.observation import StepResult
    from uvmre.core.search.matrix import Cell

MEGABYTE = 1_000_000
LONG = 1.0
"""Seconds after which a piece of work is worth a line."""
INTERVAL = 60.0
"""Seconds between two lines of a quiet command."""
VERBOSE = "uvmre.verbose"


def verbose_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--verbose`, which `show_progress` reads from the context of the command."""

    def store(context: click.Context, _option: click.Parameter, value: bool) -> None:
        context.meta[VERBOSE] = value

    option = click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=store, help="Print a line for each event."
    )
    return option(command)


@contextlib.contextmanager
def show_progress(
    title: str = "", live: "type[LiveProgress] | None" = None
) -> Iterator["LineProgress | QuietProgress | LiveProgress"]:
    """Show progress as fits stderr and `--verbose`; `title` is the first line of a quiet command."""
    context = click.get_current_context(silent=True)
    if context and context.meta.get(VERBOSE):
        yield LineProgress()
        return
    if not console.is_terminal(err=True):
        with QuietProgress(title) as quiet:
            yield quiet
        return
    from rich.console import Console
    from rich.live import Live

    view = (live or LiveProgress)()
    try:
        with Live(console=Console(stderr=True), get_renderable=view.table, refresh_per_second=10, transient=True):
            yield view
    finally:
        for sentence in view.notes:
            console.print_warning(sentence)


class LineProgress(Progress):
    """A line for each event."""

    def __init__(self) -> None:
        self._printed: set[str] = set()
        self._started: dict[str, float] = {}

    def downloading(self, release: str, done: int, total: int) -> None:
        """Print when a download starts, and when it ends."""
        self.detail(f"uv {release}: downloaded" if total and done >= total else f"uv {release}: downloading from PyPI")

    def working(self, what: str, done: int, total: int) -> None:
        """Print a piece of work once, if it takes long."""
        started = self._started.setdefault(what, time.monotonic())
        if what not in self._printed and time.monotonic() - started > LONG:
            self._printed.add(what)
            console.print_message(f"{what}: {_megabytes(done, total)}")

    def detail(self, sentence: str) -> None:
        """Print a sentence once."""
        if sentence not in self._printed:
            self._printed.add(sentence)
            console.print_message(sentence)

    def note(self, sentence: str) -> None:
        """Print a warning."""
        console.print_warning(sentence)

    def judged(self, variant: str, outcome: "Outcome") -> None:
        """Print the outcome of a variant."""
        console.print_message(f"{variant}: {outcome.word} ({outcome.reason})")

    def ended(self, name: str, cell: "Cell", *, kept: bool) -> None:
        """Print the outcome of a cell."""
        console.print_message(f"{name}: {cell.word} ({cell.reason})" + (", cached" if kept else ""))

    def tried(self, size: int, first: int, calls: int, smaller: bool, left: float) -> None:
        """Print the state after a try."""
        console.print_message(
            f"try {calls}: {size} of {first} bytes{', smaller' if smaller else ''}{_seconds_left(left)}"
        )


class QuietProgress(Progress):
    """A line at the start, and one a minute."""

    def __init__(self, title: str, interval: float = INTERVAL) -> None:
        self._title, self._interval = title, interval
        self._started = time.monotonic()
        self._finished = threading.Event()
        self._done = self._total = 0
        self._current = ""

    def __enter__(self) -> "QuietProgress":
        if self._title:
            console.print_message(self._title)
        threading.Thread(target=self._report, name="progress", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finished.set()

    def _report(self) -> None:
        while not self._finished.wait(self._interval):
            console.print_message(self.summary())

    def summary(self) -> str:
        """Return the state of the work in one line."""
        total = f" of {self._total}" if self._total else ""
        current = f", {self._current}" if self._current else ""
        return f"{time.monotonic() - self._started:.0f} s: {self._done}{total} done{current}"

    def downloading(self, release: str, done: int, total: int) -> None:
        """Remember the download."""
        self.working(f"downloading uv {release}", done, total)

    def working(self, what: str, done: int, total: int) -> None:
        """Remember how much of a piece of work is done."""
        self._current = f"{what}: {_megabytes(done, total)}"

    def detail(self, sentence: str) -> None:
        """Remember what takes its time."""
        self._current = sentence

    def note(self, sentence: str) -> None:
        """Print a warning."""
        console.print_warning(sentence)

    def variants(self, names: list[str]) -> None:
        """Remember how many variants there are."""
        self._total = len(names)

    def step(self, variant: str, title: str) -> None:
        """Remember the step that runs."""
        self._current = f"running `{title}` in {variant}"

    def judged(self, variant: str, outcome: "Outcome") -> None:
        """Count a variant."""
        self._done += 1
        self._current = f"{variant}: {outcome.word}"

    def cells(self, total: int) -> None:
        """Remember how many cells there are."""
        self._total = total

    def begun(self, cell: str) -> None:
        """Remember the cell that runs."""
        self._current = f"running {cell}"

    def ended(self, name: str, cell: "Cell", *, kept: bool) -> None:
        """Count a cell."""
        self._done += 1
        self._current = f"{name}: {cell.word}" + (", cached" if kept else "")

    def tried(self, size: int, first: int, calls: int, smaller: bool, left: float) -> None:
        """Remember the state after a try."""
        self._done = calls
        self._current = f"{size} of {first} bytes{', smaller' if smaller else ''}{_seconds_left(left)}"


class LiveProgress(Progress):
    """A table that is redrawn while the work goes on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._downloads: dict[str, str] = {}
        self._unfinished: set[str] = set()
        self._rows: dict[str, list[str]] = {}
        self._running: dict[str, tuple[str, float]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self.notes: list[str] = []
        """Warnings, printed below the last table."""

    def downloading(self, release: str, done: int, total: int) -> None:
        """Show the size of what was downloaded."""
        with self._lock:
            # Downloads run in parallel, a line each; the last one stays until something else is shown.
            self._downloads = {name: line for name, line in self._downloads.items() if name in self._unfinished}
            self._downloads[release] = f"uv {release}: {_megabytes(done, total)}"
            if total and done >= total:
                self._unfinished.discard(release)
            else:
                self._unfinished.add(release)

    def working(self, what: str, done: int, total: int) -> None:
        """Show how much of a piece of work is done."""
        self.detail(f"{what}: {_megabytes(done, total)}")

    def detail(self, sentence: str) -> None:
        """Show what takes its time."""
        with self._lock:
            self._downloads = {"": sentence}

    def note(self, sentence: str) -> None:
        """Keep a warning for the end."""
        self.notes.append(sentence)

    def variants(self, names: list[str]) -> None:
        """Show a row for each variant."""
        with self._lock:
            self._rows = {name: [] for name in names}

    def step(self, variant: str, title: str) -> None:
        """Show the step that runs."""
        with self._lock:
            self._running[variant] = (title, time.monotonic())

    def stepped(self, variant: str, step: "StepResult") -> None:
        """Show the exit code and the time of a step."""
        with self._lock:
            self._running.pop(variant, None)
            self._rows[variant].append(f"{step.title} ({step.exit}, {step.seconds:.1f} s)")

    def judged(self, variant: str, outcome: "Outcome") -> None:
        """Show the outcome of a variant."""
        with self._lock:
            self._outcomes[variant] = outcome

    def table(self) -> "Table":
        """Return the current table."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2), expand=True)
        for ratio in (None, None, 1):  # the steps get the width that the names leave
            table.add_column(no_wrap=True, overflow="ellipsis", ratio=ratio)
        with self._lock:
            for line in self._downloads.values() if not self._rows else ():
                table.add_row(Text(visible(line)))
            for name, steps in self._rows.items():
                outcome = self._outcomes.get(name)
                word = Text(outcome.word, console.COLORS[outcome.word]) if outcome else Text("…", "dim")
                running = []
                if name in self._running:
                    title, started = self._running[name]
                    running = [f"{title} … {time.monotonic() - started:.1f} s"]
                table.add_row(Text(visible(f"  {name}")), word, Text(visible("  ".join([*steps, *running]))))
        return table


def _seconds_left(left: float) -> str:
    return f", {left:.0f} s left" if math.isfinite(left) else ""


def _megabytes(done: int, total: int) -> str:
    return f"{done / MEGABYTE:.1f}{f' of {total / MEGABYTE:.1f}' if total else ''} MB"
