"""The progress of `uvmre matrix` and `uvmre bisect`."""

import shlex
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from uvmre.cli import console, progress
from uvmre.cli.progress import LineProgress, LiveProgress, QuietProgress
from uvmre.core.text.visible import visible

if TYPE_CHECKING:
    from rich.table import Table

    from uvmre.core.search.matrix import Cell

LATEST = 8
"""Finished cells on view; fewer of a matrix, which has all of them folded above."""
LATEST_OF_MATRIX = 2


def show_progress(title: str) -> AbstractContextManager[LineProgress | QuietProgress | LiveProgress]:
    """Show the progress of cells as fits stderr and `--verbose`."""
    return progress.show_progress(title, LiveCells)


def blocked_host_warnings(hosts: tuple[str, ...]) -> list[str]:
    """Return a warning about requests that the gateway blocked: a script may have taken that for an answer."""
    if not hosts:
        return []
    options = " ".join(f"--allow-host {shlex.quote(host)}" for host in hosts)
    return [f"blocked requests to {', '.join(hosts)}; `{options} --again` allows them"]


class LiveCells(LiveProgress):
    """The cells that run and those that finished, redrawn while the work goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, float] = {}
        self._finished: list[tuple[str, Cell, bool]] = []
        self._total = 0

    def cells(self, total: int) -> None:
        """Show how many cells there are."""
        with self._lock:
            self._total = total

    def begun(self, cell: str) -> None:
        """Show a cell that runs."""
        with self._lock:
            self._started[cell] = time.monotonic()

    def ended(self, name: str, cell: "Cell", *, kept: bool) -> None:
        """Show the outcome of a cell."""
        with self._lock:
            self._started.pop(name, None)
            self._finished.append((name, cell, kept))

    def table(self) -> "Table":
        """Return the current table."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(overflow="ellipsis")
        with self._lock:
            for note in self.notes:
                table.add_row(Text(visible(note)))
            kept = sum(each[2] for each in self._finished)
            of = f" of {self._total}" if self._total else ""
            table.add_row(f"{len(self._finished)}{of} done" + (f", {kept} of them cached" if kept else ""))
            if self._total and self._finished:
                from uvmre.core.search.matrix import fold_partial, render_rows

                table.add_row(render_rows(fold_partial(cell for _, cell, _ in self._finished)))
            for name, cell, _ in self._finished[-(LATEST_OF_MATRIX if self._total else LATEST) :]:
                color = console.COLORS.get(cell.word, "yellow")
                reason = visible(f"  {cell.reason}")
                table.add_row(Text.assemble(f"  {visible(name)}  ", (cell.word, color), reason, overflow="ellipsis"))
            for name, started in self._started.items():
                table.add_row(Text(f"  {visible(name)}  … {time.monotonic() - started:.1f} s", "dim"))
            for name in self._unfinished:
                table.add_row(Text(f"  {self._downloads[name]}", "dim"))
        return table
