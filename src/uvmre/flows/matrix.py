"""Run a question on releases × interpreters × variants, side by side."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from uvmre.core.mre.model import BASE
from uvmre.core.progress import Progress
from uvmre.core.search.matrix import Cell
from uvmre.core.search.release import Release
from uvmre.errors import CannotTell, Interrupted, UsageError
from uvmre.flows.probe.pool import ProbePool, RunOptions, at_once
from uvmre.flows.probe.target import ProbeTarget
from uvmre.flows.probe.uv_choice import choose
from uvmre.flows.thread_pool import Pool
from uvmre.outcomes.store import StoredOutcome
from uvmre.run import interpreters
from uvmre.run.interpreters import Interpreter

AHEAD = 3
"""How many releases more than run are fetched."""
FOUND_ON_PATH = "PATH"
"""What stands for the interpreter where a script takes what it finds."""


@dataclass(frozen=True)
class FilledCell:
    """One cell, and what it took."""

    cell: Cell
    seconds: float
    kept: bool
    """Whether it was there from before."""


@dataclass(frozen=True)
class FilledMatrix:
    """All cells: by release the oldest first, by interpreter and variant as they were named."""

    target: ProbeTarget
    releases: tuple[Release, ...]
    filled: tuple[FilledCell, ...]
    refused: tuple[str, ...]
    """Hosts that were asked for and not let through."""

    @property
    def cells(self) -> list[Cell]:
        """Return the cells alone."""
        return [each.cell for each in self.filled]


@dataclass(frozen=True)
class _EmptyCell:
    """Where a cell is."""

    release: str
    python: str
    """As it is called in the table."""
    interpreter: Interpreter | None
    missing: str
    """Why there is no interpreter, where there is none."""
    variant: str

    def cell(self, kept: StoredOutcome) -> Cell:
        return Cell(self.release, self.python, self.variant, kept.word, kept.reason)


@dataclass
class _Tally:
    filled: dict[_EmptyCell, FilledCell] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)


def matrix(
    target: ProbeTarget,
    selector: str,
    pythons: Sequence[str],
    options: RunOptions,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> FilledMatrix:
    """Fill a table: what cannot be had (an interpreter, a release) is missing in it, with its reason.

    Args:
        target: what is asked of a release, with its variants.
        selector: which releases; the reported and the latest one where it is empty.
        pythons: versions of interpreters; the MRE's own where there are none.
        options: how it is run.
        jobs: how many cells run side by side; what suits the cores where it is 0.
        progress: is told how it goes.

    Raises:
        UsageError: when the selector is none, or there is no release that it means, or no uv at a path.
        CannotTell: when PyPI has to be asked which releases there are, and does not answer.
        Interrupted: on ^C; what was finished is kept.
    """
    progress = progress or Progress()
    selector = selector or ",".join(dict.fromkeys([target.reported, "latest"] if target.reported else ()))
    if not selector:
        raise UsageError("A script does not say on which releases it is to run.", "Name them: `--uv 0.5.20..0.5.22`.")
    chosen = choose(selector, options.cache, reported=target.reported, offline=options.offline)
    if chosen.found.note:
        progress.note(chosen.found.note)
    places = list(_places(target, chosen.releases, pythons))
    tally = _Tally()
    progress.cells(len(places))
    with ProbePool(target, options, chosen, progress) as cells:
        _fill(places, cells, at_once(jobs), progress, tally)
    return FilledMatrix(target, chosen.releases, tuple(tally.filled[dirs] for dirs in places), tuple(tally.refused))


def _places(target: ProbeTarget, releases: Sequence[Release], pythons: Sequence[str]) -> Iterator[_EmptyCell]:
    rows = list(_interpreters(target, pythons))
    for release in releases:
        for name, interpreter, missing in rows:
            for variant in target.variants:
                yield _EmptyCell(release.version, name, interpreter, missing, variant)


def _interpreters(target: ProbeTarget, pythons: Sequence[str]) -> Iterator[tuple[str, Interpreter | None, str]]:
    if target.words and not pythons:
        yield FOUND_ON_PATH, None, ""
        return
    for wanted in dict.fromkeys(pythons or [target.python]):
        interpreter = interpreters.find_interpreter(wanted)
        if interpreter:
            yield wanted or interpreter.minor, interpreter, ""
        else:
            yield wanted, None, f"no Python {wanted} on this machine"


def _fill(places: Sequence[_EmptyCell], cells: ProbePool, jobs: int, progress: Progress, tally: _Tally) -> None:
    # On each release the MRE itself comes after its controls, whose outcomes it needs.
    order = list(dict.fromkeys(dirs.release for dirs in places))
    waiting = list(_not_there(places, cells, progress, tally))
    waiting.sort(key=lambda dirs: (order.index(dirs.release), dirs.variant == BASE))
    running: dict[Future[None], _EmptyCell] = {}
    try:
        with Pool(jobs, "cell", cells.stop) as pool:
            while waiting or running:
                while waiting and len(running) < jobs:
                    dirs = waiting.pop(0)
                    progress.begun(_name(dirs))
                    running[pool.submit(_run, dirs, cells, progress, tally)] = dirs
                cells.soon(list(dict.fromkeys(dirs.release for dirs in waiting))[:AHEAD])
                for future in pool.first(running):
                    running.pop(future)
                    future.result()
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted; every step was ended.",
            f"{len(tally.filled)} of {len(places)} cells are kept: the same command goes on from there.",
        ) from None


def _not_there(
    places: Sequence[_EmptyCell], cells: ProbePool, progress: Progress, tally: _Tally
) -> Iterator[_EmptyCell]:
    """Fill what needs no run, and yield the rest."""
    for dirs in places:
        if dirs.missing:
            cell = Cell(dirs.release, dirs.python, dirs.variant, "missing", dirs.missing)
            tally.filled[dirs] = FilledCell(cell, 0.0, kept=False)
        elif kept := cells.kept(dirs.release, dirs.interpreter, dirs.variant):
            # Where one of several shows it, the others only tell that it is flaky.
            said = next((each for each in kept if each.word == "shows"), kept[-1])
            tally.filled[dirs] = FilledCell(dirs.cell(said), said.seconds, kept=True)
        else:
            yield dirs
            continue
        progress.ended(_name(dirs), tally.filled[dirs].cell, kept=not dirs.missing)


def _run(dirs: _EmptyCell, cells: ProbePool, progress: Progress, tally: _Tally) -> None:
    try:
        ran = cells.run(dirs.release, dirs.interpreter, dirs.variant)
    except CannotTell as error:
        if cells.stop.is_set():
            return
        cell = Cell(dirs.release, dirs.python, dirs.variant, "missing", error.summary)
        tally.filled[dirs] = FilledCell(cell, 0.0, kept=False)
    else:
        if cells.stop.is_set():
            return
        tally.filled[dirs] = FilledCell(dirs.cell(ran.kept), ran.kept.seconds, kept=False)
        tally.refused.update(dict.fromkeys(ran.refused))
    progress.ended(_name(dirs), tally.filled[dirs].cell, kept=False)


def _name(dirs: _EmptyCell) -> str:
    parts = [f"uv {dirs.release}", f"Python {dirs.python}" if dirs.python != FOUND_ON_PATH else "", dirs.variant]
    return ", ".join(part for part in parts if part)
