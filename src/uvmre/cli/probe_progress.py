"""What `uvmre matrix` and `uvmre bisect` share: their options, and how it goes, on stderr."""

import contextlib
import functools
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli import console
from uvmre.cli.options import allow_host_option, backend_option, jobs_option, network_options
from uvmre.cli.progress import LineProgress, LiveProgress
from uvmre.core.search.matrix import Cell, fold_partial, render_rows
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from uvmre.core.network.request import Network
    from uvmre.flows.probe.pool import RunOptions
    from uvmre.flows.probe.target import ProbeTarget

LATEST = 8
"""How many cells that are done stay on view; of a table fewer, which has all of them folded above."""
LATEST_OF_TABLE = 2
COMMAND = (
    "A script instead of an MRE: exit 0 where the bug shows, 1 where not, 125 cannot tell. What follows is its own."
)


@dataclass(frozen=True)
class CellRequest:
    """What is asked, and how it is run, as the command line says it."""

    script: str
    words: tuple[str, ...]
    jobs: int
    backend: str
    network: "Network | None"
    allow_hosts: tuple[str, ...]
    again: bool
    as_json: bool

    @property
    def options(self) -> "RunOptions":
        """Return how cells are run."""
        from uvmre.flows.probe.pool import RunOptions

        return RunOptions(console.cache(), self.backend, self.network or "auto", self.allow_hosts, self.again)

    def target(self, variants: tuple[str, ...] = (), *, every: bool = False) -> "ProbeTarget":
        """Return what is asked of a release: a script where there is one, else the MRE of a folder."""
        from uvmre.flows.probe.target import of_mre, of_script

        if self.script:
            if variants or every:
                raise UsageError("A script has no variants.", "Leave out `--variant` and `--all-variants`.")
            return of_script((self.script, *self.words), console.cache())
        if len(self.words) > 1:
            raise UsageError(f"One MRE at a time, and there are {len(self.words)}.", "Name one folder, or a script.")
        return of_mre(Path(self.words[0] if self.words else "."), variants, every=every)


def cell_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that say what is asked, and how it is run; the command gets them as one."""

    @functools.wraps(command)
    def collected(**given: Any) -> int:
        asked = CellRequest(**{each.name: given.pop(each.name) for each in fields(CellRequest)})
        return command(asked, **given)

    whole: Callable[..., int] = collected
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
        click.option("--again", is_flag=True, help="Run also what is kept from before."),
        allow_host_option,
        network_options,
        backend_option,
        jobs_option,
        click.option("--command", "script", default="", metavar="SCRIPT", help=COMMAND),
        click.argument("words", nargs=-1, metavar="[MRE | ARGUMENTS]..."),
    ):
        whole = option(whole)
    return whole


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
