"""The progress of `uvmre matrix` and `uvmre bisect`, on stderr."""

import contextlib
import shlex
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from uvmre.cli import console
from uvmre.cli.progress import LineProgress, LiveProgress
from uvmre.core.search.matrix import Cell, fold_partial, render_rows

if TYPE_CHECKING:
    from rich.table import Table


LATEST = 8
"""How many cells that are done stay on view; of a table fewer, which has all of them folded above."""
LATEST_OF_TABLE = 2


@contextlib.contextmanager
def show_progress() -> Iterator["CellLines | LiveCells"]:
    """Show progress as suits where stderr goes."""
    if not console.is_terminal(err=True):
        yield CellLines()
        return
    from rich.console import Console
    from rich.live import Live

    drawn = LiveCells()
    with Live(console=Console(stderr=True), get_renderable=drawn.table, refresh_per_second=10, transient=True):
        yield drawn


def tell_refused(hosts: tuple[str, ...]) -> None:
    """Say which hosts were asked for and not let through: a script may have taken that for an answer."""
    if hosts:
        options = " ".join(f"--allow-host {shlex.quote(host)}" for host in hosts)
        console.print_message(f"not let through: {', '.join(hosts)}; `{options}` does, with `--again`")


class CellLines(LineProgress):
    """One line for each cell."""

    def note(self, sentence: str) -> None:
        """Say it."""
        console.print_message(sentence)

    def ended(self, name: str, cell: Cell, *, kept: bool) -> None:
        """Say how a cell came out."""
        console.print_message(_line(name, cell, kept))


class LiveCells(LiveProgress):
    """What runs, what is done, and how much is left."""

    def __init__(self) -> None:
        super().__init__()
        self._notes: list[str] = []
        self._begun: dict[str, float] = {}
        self._done: list[tuple[str, Cell, bool]] = []
        self._total = 0

    def note(self, sentence: str) -> None:
        """Show it to the end."""
        with self._lock:
            self._notes.append(sentence)

    def cells(self, total: int) -> None:
        """Show how many there are."""
        with self._lock:
            self._total = total

    def begun(self, cell: str) -> None:
        """Show that it runs."""
        with self._lock:
            self._begun[cell] = time.monotonic()

    def ended(self, name: str, cell: Cell, *, kept: bool) -> None:
        """Show how it came out."""
        with self._lock:
            self._begun.pop(name, None)
            self._done.append((name, cell, kept))

    def table(self) -> "Table":
        """Draw the state of now."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_column(overflow="ellipsis")
        with self._lock:
            for note in self._notes:
                table.add_row(note)
            kept = sum(each[2] for each in self._done)
            of = f" of {self._total}" if self._total else ""
            table.add_row(f"{len(self._done)}{of} done" + (f", {kept} of them from before" if kept else ""))
            if self._total and self._done:
                table.add_row(render_rows(fold_partial(cell for _, cell, _ in self._done)))
            for name, cell, _ in self._done[-(LATEST_OF_TABLE if self._total else LATEST) :]:
                color = console.COLORS.get(cell.word, "yellow")
                table.add_row(Text.assemble(f"  {name}  ", (cell.word, color), f"  {cell.reason}", overflow="ellipsis"))
            for name, since in self._begun.items():
                table.add_row(Text(f"  {name}  … {time.monotonic() - since:.1f} s", "dim"))
            for name in self._unfinished:
                table.add_row(Text(f"  {self._downloads[name]}", "dim"))
        return table


def _line(name: str, cell: Cell, kept: bool) -> str:
    return f"{name}: {cell.word} ({cell.reason})" + (", from before" if kept else "")
