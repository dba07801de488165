"""Run a question on releases × interpreters × variants, side by side."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from uvmre.core.matrix import Cell
from uvmre.core.mre import BASE
from uvmre.core.progress import Progress
from uvmre.core.release import Release
from uvmre.errors import CannotTell, Interrupted, UsageError
from uvmre.flows.cells import Cells, Manner, at_once
from uvmre.flows.heads import choose
from uvmre.flows.pool import Pool
from uvmre.flows.question import Question
from uvmre.run import interpreters
from uvmre.run.interpreters import Interpreter
from uvmre.triage.store import Kept

AHEAD = 3
"""How many releases more than run are fetched."""
FOUND_ON_PATH = "PATH"
"""What stands for the interpreter where a script takes what it finds."""


@dataclass(frozen=True)
class Filled:
    """One cell, and what it took."""

    cell: Cell
    seconds: float
    kept: bool
    """Whether it was there from before."""


@dataclass(frozen=True)
class Table:
    """All cells: by release the oldest first, by interpreter and variant as they were named."""

    question: Question
    releases: tuple[Release, ...]
    filled: tuple[Filled, ...]
    refused: tuple[str, ...]
    """Hosts that were asked for and not let through."""

    @property
    def cells(self) -> list[Cell]:
        """Return the cells alone."""
        return [each.cell for each in self.filled]


@dataclass(frozen=True)
class _Place:
    """Where a cell is."""

    release: str
    python: str
    """As it is called in the table."""
    interpreter: Interpreter | None
    missing: str
    """Why there is no interpreter, where there is none."""
    variant: str

    def cell(self, kept: Kept) -> Cell:
        return Cell(self.release, self.python, self.variant, kept.word, kept.reason)


@dataclass
class _Tally:
    filled: dict[_Place, Filled] = field(default_factory=dict)
    refused: dict[str, None] = field(default_factory=dict)


def matrix(
    question: Question,
    selector: str,
    pythons: Sequence[str],
    manner: Manner,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> Table:
    """Fill a table: what cannot be had (an interpreter, a release) is missing in it, with its reason.

    Args:
        question: what is asked of a release, with its variants.
        selector: which releases; the reported and the latest one where it is empty.
        pythons: versions of interpreters; the MRE's own where there are none.
        manner: how it is run.
        jobs: how many cells run side by side; what suits the cores where it is 0.
        progress: is told how it goes.

    Raises:
        UsageError: when the selector is none, or there is no release that it means, or no uv at a path.
        CannotTell: when PyPI has to be asked which releases there are, and does not answer.
        Interrupted: on ^C; what was finished is kept.
    """
    progress = progress or Progress()
    selector = selector or ",".join(dict.fromkeys([question.reported, "latest"] if question.reported else ()))
    if not selector:
        raise UsageError("A script does not say on which releases it is to run.", "Name them: `--uv 0.5.20..0.5.22`.")
    chosen = choose(selector, manner.cache, reported=question.reported, offline=manner.offline)
    if chosen.found.note:
        progress.note(chosen.found.note)
    places = list(_places(question, chosen.releases, pythons))
    tally = _Tally()
    progress.cells(len(places))
    with Cells(question, manner, chosen, progress) as cells:
        _fill(places, cells, at_once(jobs), progress, tally)
    return Table(question, chosen.releases, tuple(tally.filled[place] for place in places), tuple(tally.refused))


def _places(question: Question, releases: Sequence[Release], pythons: Sequence[str]) -> Iterator[_Place]:
    rows = list(_interpreters(question, pythons))
    for release in releases:
        for name, interpreter, missing in rows:
            for variant in question.variants:
                yield _Place(release.version, name, interpreter, missing, variant)


def _interpreters(question: Question, pythons: Sequence[str]) -> Iterator[tuple[str, Interpreter | None, str]]:
    if question.words and not pythons:
        yield FOUND_ON_PATH, None, ""
        return
    for wanted in dict.fromkeys(pythons or [question.python]):
        interpreter = interpreters.find(wanted)
        if interpreter:
            yield wanted or interpreter.minor, interpreter, ""
        else:
            yield wanted, None, f"no Python {wanted} on this machine"


def _fill(places: Sequence[_Place], cells: Cells, jobs: int, progress: Progress, tally: _Tally) -> None:
    # On each release the MRE itself comes after its controls, whose outcomes it needs.
    order = list(dict.fromkeys(place.release for place in places))
    waiting = list(_not_there(places, cells, progress, tally))
    waiting.sort(key=lambda place: (order.index(place.release), place.variant == BASE))
    running: dict[Future[None], _Place] = {}
    try:
        with Pool(jobs, "cell", cells.stop) as pool:
            while waiting or running:
                while waiting and len(running) < jobs:
                    place = waiting.pop(0)
                    progress.begun(_name(place))
                    running[pool.submit(_run, place, cells, progress, tally)] = place
                cells.soon(list(dict.fromkeys(place.release for place in waiting))[:AHEAD])
                for future in pool.first(running):
                    running.pop(future)
                    future.result()
    except KeyboardInterrupt:
        raise Interrupted(
            "Interrupted; every step was ended.",
            f"{len(tally.filled)} of {len(places)} cells are kept: the same command goes on from there.",
        ) from None


def _not_there(places: Sequence[_Place], cells: Cells, progress: Progress, tally: _Tally) -> Iterator[_Place]:
    """Fill what needs no run, and yield the rest."""
    for place in places:
        if place.missing:
            cell = Cell(place.release, place.python, place.variant, "missing", place.missing)
            tally.filled[place] = Filled(cell, 0.0, kept=False)
        elif kept := cells.kept(place.release, place.interpreter, place.variant):
            # Where one of several shows it, the others only tell that it is flaky.
            said = next((each for each in kept if each.word == "shows"), kept[-1])
            tally.filled[place] = Filled(place.cell(said), said.seconds, kept=True)
        else:
            yield place
            continue
        progress.ended(_name(place), tally.filled[place].cell, kept=not place.missing)


def _run(place: _Place, cells: Cells, progress: Progress, tally: _Tally) -> None:
    try:
        ran = cells.run(place.release, place.interpreter, place.variant)
    except CannotTell as error:
        if cells.stop.is_set():
            return
        cell = Cell(place.release, place.python, place.variant, "missing", error.message.rstrip("."))
        tally.filled[place] = Filled(cell, 0.0, kept=False)
    else:
        if cells.stop.is_set():
            return
        tally.filled[place] = Filled(place.cell(ran.kept), ran.kept.seconds, kept=False)
        tally.refused.update(dict.fromkeys(ran.refused))
    progress.ended(_name(place), tally.filled[place].cell, kept=False)


def _name(place: _Place) -> str:
    parts = [f"uv {place.release}", f"Python {place.python}" if place.python != FOUND_ON_PATH else "", place.variant]
    return ", ".join(part for part in parts if part)
