"""Run an MRE or a script on releases × interpreters × variants."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Literal

from uvmre.core.mre.model import BASE
from uvmre.core.outcome.matching import Word
from uvmre.core.progress import Progress
from uvmre.core.search.matrix import Cell
from uvmre.core.search.release import Release
from uvmre.core.secrets.redact import redact
from uvmre.errors import CannotTell, Interrupted, UsageError
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.pool import ProbePool
from uvmre.flows.probe.target import ProbeTarget
from uvmre.flows.probe.uv_choice import choose
from uvmre.flows.thread_pool import Pool
from uvmre.releases import catalogue
from uvmre.run import interpreters
from uvmre.run.interpreters import Interpreter

AHEAD = 3
"""The number of waiting releases that are downloaded early."""
FOUND_ON_PATH = "PATH"
"""Stands for the interpreter that a script finds by itself."""


@dataclass(frozen=True)
class FilledCell:
    """A cell with its outcome."""

    cell: Cell
    seconds: float
    kept: bool
    """Whether the outcome was stored before."""


@dataclass(frozen=True)
class FilledMatrix:
    """All cells: releases from oldest to newest, interpreters and variants in the requested order."""

    target: ProbeTarget
    releases: tuple[Release, ...]
    filled: tuple[FilledCell, ...]
    refused: tuple[str, ...]
    """Hosts that were requested and are not allowed."""

    @property
    def cells(self) -> list[Cell]:
        """Return the cells alone."""
        return [each.cell for each in self.filled]


@dataclass(frozen=True)
class _EmptyCell:
    release: str
    python: str
    """Its name in the table."""
    interpreter: Interpreter | None
    missing: str
    """Why there is no interpreter, if there is none."""
    variant: str

    def cell(self, word: Word | Literal["missing"], reason: str) -> Cell:
        return Cell(self.release, self.python, self.variant, word, reason)

    def __str__(self) -> str:
        python = "" if self.python == FOUND_ON_PATH else f"Python {self.python}"
        return ", ".join(part for part in (f"uv {self.release}", python, self.variant) if part)


def matrix(
    target: ProbeTarget,
    selector: str,
    pythons: Sequence[str],
    options: RunOptions,
    *,
    progress: Progress | None = None,
) -> FilledMatrix:
    """Fill a matrix; a cell whose interpreter or release is not available is `missing`, with the reason.

    Args:
        target: what is run on a release, with its variants.
        selector: the releases; the reported and the latest one if empty.
        pythons: versions of interpreters; the MRE's own if empty.
        options: how it is run.
        progress: a progress callback.

    Raises:
        UsageError: if the selector is invalid, or selects nothing.
        CannotTell: if the list of releases is not available.
        Interrupted: on ^C; finished runs are stored.
    """
    progress = progress or Progress()
    if target.reported:
        target = replace(target, reported=catalogue.resolve(target.reported, options.cache, offline=options.offline)[0])
    selector = selector or ",".join(dict.fromkeys([target.reported, "latest"] if target.reported else ()))
    if not selector:
        raise UsageError("a script needs the releases to run on", "name them with `--uv`, as in `--uv 0.5.20..0.5.22`")
    chosen = choose(selector, options.cache, reported=target.reported, offline=options.offline)
    if chosen.catalogue.note:
        progress.note(chosen.catalogue.note)
    rows = list(_interpreters(target, pythons))
    cells = [
        _EmptyCell(release.version, python, interpreter, missing, variant)
        for release in chosen.releases
        for python, interpreter, missing in rows
        for variant in target.variants
    ]
    progress.cells(len(cells))
    with ProbePool(target, options, chosen, progress) as pool:
        filler = _Filler(pool, progress, target.secrets)
        filler.fill(cells, pool.jobs)
    return FilledMatrix(target, chosen.releases, tuple(filler.filled[cell] for cell in cells), tuple(filler.refused))


def _interpreters(target: ProbeTarget, pythons: Sequence[str]) -> Iterator[tuple[str, Interpreter | None, str]]:
    if target.script and not pythons:
        yield FOUND_ON_PATH, None, ""
        return
    for version in dict.fromkeys(pythons or [target.python]):
        interpreter = interpreters.find_interpreter(version)
        if interpreter:
            yield version or interpreter.minor, interpreter, ""
        else:
            yield version, None, f"no Python {version} on this machine"


@dataclass(frozen=True)
class _Filler:
    pool: ProbePool
    progress: Progress
    secrets: frozenset[str]
    filled: dict[_EmptyCell, FilledCell] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)

    def fill(self, cells: Sequence[_EmptyCell], jobs: int) -> None:
        waiting = [cell for cell in cells if not self._fill_without_run(cell)]
        # On each release the MRE itself comes after its controls, whose outcomes it needs.
        order = list(dict.fromkeys(cell.release for cell in cells))
        waiting.sort(key=lambda cell: (order.index(cell.release), cell.variant == BASE))
        running: set[Future[None]] = set()
        try:
            with Pool(jobs, "cell", self.pool.stop) as threads:
                while waiting or running:
                    while waiting and len(running) < jobs:
                        cell = waiting.pop(0)
                        self.progress.begun(redact(str(cell), self.secrets))
                        running.add(threads.submit(self._run, cell))
                    self.pool.prefetch(list(dict.fromkeys(cell.release for cell in waiting))[:AHEAD])
                    for future in threads.first(running):
                        running.remove(future)
                        future.result()
        except KeyboardInterrupt:
            raise Interrupted(
                "interrupted",
                f"{len(self.filled)} of {len(cells)} cells are stored; run the same command to continue",
            ) from None

    def _fill_without_run(self, empty: _EmptyCell) -> bool:
        """Fill a cell that cannot be run, or was run before."""
        if empty.missing:
            self._record(empty, empty.cell("missing", empty.missing))
        elif stored := self.pool.stored(empty.release, empty.interpreter, empty.variant):
            # If one of several runs shows it, the others only mean that it is flaky.
            shown = next((each for each in stored if each.word == "shows"), stored[-1])
            self._record(empty, empty.cell(shown.word, shown.reason), shown.seconds, kept=True)
        else:
            return False
        return True

    def _run(self, empty: _EmptyCell) -> None:
        seconds, refused = 0.0, tuple[str, ...]()
        try:
            result = self.pool.run(empty.release, empty.interpreter, empty.variant)
        except CannotTell as error:
            cell = empty.cell("missing", error.summary)
        else:
            cell = empty.cell(result.stored.word, result.stored.reason)
            seconds, refused = result.stored.seconds, result.refused
        if not self.pool.stop.is_set():
            self.refused.update(dict.fromkeys(refused))
            self._record(empty, cell, seconds)

    def _record(self, empty: _EmptyCell, cell: Cell, seconds: float = 0.0, *, kept: bool = False) -> None:
        self.filled[empty] = FilledCell(cell, seconds, kept)
        self.progress.ended(redact(str(empty), self.secrets), cell, kept=kept)
