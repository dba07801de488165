"""Find since when a bug shows, and since when it does not any more."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from uvmre.core.progress import Progress
from uvmre.core.search.bisect import SPOT_CHECKS, Runs, Search
from uvmre.core.search.bisect_result import History, Probe
from uvmre.core.search.matrix import Cell
from uvmre.core.search.release import Release, parse_version
from uvmre.core.search.selector import select
from uvmre.errors import CannotTell, Interrupted, UsageError
from uvmre.flows.probe.pool import ProbePool, ProbeResult, RunOptions, at_once
from uvmre.flows.probe.target import ProbeTarget
from uvmre.flows.probe.uv_choice import ChosenReleases, choose
from uvmre.flows.thread_pool import Pool
from uvmre.outcomes.store import StoredOutcome
from uvmre.releases import catalogue
from uvmre.run.interpreters import Interpreter, require_interpreter

TELLING = ("shows", "absent")
CLOSELY = 10
FIRST = "0.1.0"
"""The release with which uv was announced; 0.0.5, of the same evening, is asked only where the range names it."""


@dataclass(frozen=True)
class BisectRequest:
    """Where to search."""

    reported: str = ""
    """Where it shows; the MRE's own release where nothing is said."""
    good: str = ""
    """An older one where it does not."""
    among: str = ""
    """Those that may be asked; all where nothing is said."""
    repeat: int = 1
    seconds: float = math.inf
    """After which no more is asked, and what is known by then has to do."""
    closely: int = CLOSELY
    """Where no more than so many are between the reported one and the first good one, all of them are asked: what was
    fixed may have been taken back, and come again."""


@dataclass(frozen=True)
class ReleaseRow:
    """The releases, oldest first, and the part of them in which is searched."""

    releases: tuple[Release, ...]
    reported: int
    lowest: int
    highest: int
    chosen: ChosenReleases
    """All of what was named."""


@dataclass(frozen=True)
class BisectReport:
    """What a search came to, and what it took."""

    target: ProbeTarget
    history: History
    python: str
    ran: int
    """How many runs it took."""
    kept: int
    """How many it did not, for they were kept from before."""
    refused: tuple[str, ...]
    """Hosts that were asked for and not let through."""


@dataclass
class _BisectTally:
    """What has come in by now."""

    probes: dict[int, Probe] = field(default_factory=dict)
    ran: int = 0
    kept: int = 0
    refused: dict[str, None] = field(default_factory=dict)


def bisect(
    target: ProbeTarget,
    wanted: BisectRequest,
    options: RunOptions,
    *,
    python: str = "",
    jobs: int = 0,
    progress: Progress | None = None,
) -> BisectReport:
    """Search both boundaries of a bug, from the release it was reported for, and return what was found.

    Args:
        target: what is asked of a release; of its variants the first.
        wanted: where to search.
        options: how it is run.
        python: an interpreter's version instead of the MRE's; with a script none is put on its PATH without it.
        jobs: how many releases are asked side by side; what suits the cores where it is 0.
        progress: is told how it goes.

    Raises:
        UsageError: when the releases that are named make no search, or there is none of them.
        CannotTell: when the network or the interpreter is not to be had, or the script ends as none may.
        Interrupted: on ^C; what was finished is kept.
    """
    progress = progress or Progress()
    row = row_of(target, wanted, options.cache, offline=options.offline)
    if row.chosen.found.note:
        progress.note(row.chosen.found.note)
    target = replace(target, reported=row.releases[row.reported].version)
    interpreter = None if target.words and not python else require_interpreter(python or target.python)
    search = Search(len(row.releases), row.reported, row.lowest, row.highest, repeat=wanted.repeat)
    tally = _BisectTally()
    progress.cells(0)
    with ProbePool(target, options, row.chosen, progress) as cells:
        drive = _Drive(search, row, wanted, cells, interpreter, next(iter(target.variants)), progress, tally)
        drive.to_its_end(at_once(jobs))
    version = row.releases[row.lowest].version
    history = History(
        releases=row.releases,
        reported=row.reported,
        lowest=row.lowest,
        highest=row.highest,
        good=version if wanted.good else "",
        boundaries=search.result(),
        probes=tally.probes,
        path=search.explain(),
    )
    used = interpreter.version if interpreter else ""
    return BisectReport(target, history, used, tally.ran, tally.kept, tuple(tally.refused))


def row_of(target: ProbeTarget, wanted: BisectRequest, cache: Path, *, offline: bool = False) -> ReleaseRow:
    """Return the releases that are searched.

    Raises:
        UsageError: when what was named contradicts itself, or there is no such release.
        CannotTell: when PyPI has to be asked, and does not answer.
    """
    named = wanted.reported or target.reported
    if not named:
        raise UsageError("A script does not say on which release the bug shows.", "Name it: `--uv 0.5.21`.")
    shows = choose(named, cache, reported=target.reported or named, offline=offline)
    reported = shows.releases[-1]
    ends = [reported]
    if wanted.good:
        ends.append(catalogue.choose(wanted.good, cache, reported=wanted.good, offline=offline)[0][-1])
        if not ends[1] < reported:
            raise UsageError(
                f"--good {ends[1].version} is not older than {reported.version}, on which the bug shows: "
                "it names a release from before the bug came.",
                "Name an older one; since when it is fixed is searched for by itself, up to the end of `--range`.",
            )
    announced = [
        each for each in select("all", shows.found.releases) if parse_version(each.version) >= parse_version(FIRST)
    ]
    range_ = choose(wanted.among, cache, reported=reported.version, offline=offline) if wanted.among else shows
    among = range_.releases if wanted.among else announced
    every, within = _united(announced, [*among, *ends]), _united(among, ends[1:] if wanted.among else ends)
    if reported not in within:
        raise UsageError(
            f"uv {reported.version}, on which the bug shows, is not in the range {wanted.among}.",
            "Widen the range, or name a release in it with `--uv`.",
        )
    if wanted.good:
        within = tuple(release for release in within if not release < ends[1])
    lowest, highest = (every.index(end) for end in (within[0], within[-1]))
    # The same release has the same place in every search, and so is asked again where that costs nothing.
    row = every if highest - lowest + 1 == len(within) else within
    chosen = ChosenReleases(row, shows.found, {**shows.local_builds, **range_.local_builds})
    return ReleaseRow(row, row.index(reported), row.index(within[0]), row.index(within[-1]), chosen)


def _united(releases: Sequence[Release], more: Sequence[Release]) -> tuple[Release, ...]:
    return tuple(sorted({*releases, *more}))


@dataclass(frozen=True)
class _Drive:
    """Asks what a search wants to know: the store first, then the releases, several at once."""

    search: Search
    row: ReleaseRow
    wanted: BisectRequest
    cells: ProbePool
    interpreter: Interpreter | None
    variant: str
    progress: Progress
    tally: _BisectTally

    def to_its_end(self, jobs: int) -> None:
        """Ask round by round: what is asked then hangs on the answers alone, and so is kept for the next time."""
        try:
            with Pool(max(jobs, SPOT_CHECKS), "cell", self.cells.stop) as pool:
                ends = time.monotonic() + self.wanted.seconds
                while self._may_go_on(ends) and (
                    asked := self.search.next_indexes(self._at_once(jobs)) or self._closer()
                ):
                    running = [
                        (index, pool.submit(self._run, index, n)) for index in asked if (n := self._recall(index))
                    ]
                    self.cells.soon(self._version(index) for index in self.search.likely_next(jobs) if running)
                    for index, future in running:
                        self._take(index, pool.result(future))
        except KeyboardInterrupt:
            raise Interrupted(
                "Interrupted; every step was ended.",
                "The runs that were finished are kept: the same command goes on from there.",
            ) from None

    def _at_once(self, jobs: int) -> int:
        """Return how many to ask now: the looks in the end together, for they are few and wait for nothing."""
        return max(jobs, SPOT_CHECKS) if jobs > 1 and self.search.spot_checking else jobs

    def _recall(self, index: int) -> int:
        """Tell the search what is kept of a release, and return how many runs are missing."""
        kept = self.cells.kept(self._version(index), self.interpreter, self.variant)
        missing = 0 if kept and _silent(kept) else max(0, self.wanted.repeat - len(kept))
        self.tally.kept += len(kept)
        if kept:
            self._tell(index, kept, all_kept=not missing)
        if missing:
            self.progress.begun(f"uv {self._version(index)}")
        return missing

    def _may_go_on(self, ends: float) -> bool:
        return time.monotonic() < ends and not self._broken_promise()

    def _closer(self) -> tuple[int, ...]:
        """Return those between the reported one and the first good one that were not asked, if they are few."""
        edge = self.search.result().first_good
        if edge is None or edge.good is None or edge.good - self.row.reported - 1 > self.wanted.closely:
            return ()
        between = range(self.row.reported + 1, edge.good)
        return tuple(index for index in between if index not in self.tally.probes)

    def _broken_promise(self) -> bool:
        """Tell whether what was said to be good is not: then there is nothing to search for below."""
        lowest = self.tally.probes.get(self.row.lowest)
        return bool(self.wanted.good and lowest and lowest.bad)

    def _run(self, index: int, times: int) -> list[ProbeResult]:
        version = self._version(index)
        ran: list[ProbeResult] = []
        while len(ran) < times and not self.cells.stop.is_set():
            try:
                ran.append(self.cells.run(version, self.interpreter, self.variant))
            except CannotTell as error:
                if version in self.row.chosen.found.wheels:
                    raise
                return [ProbeResult(StoredOutcome("broken", error.summary, 0.0))]
            if ran[-1].complaint or _silent([ran[-1].kept]):
                break
        return ran

    def _take(self, index: int, ran: list[ProbeResult]) -> None:
        for each in ran:
            if each.complaint:
                raise CannotTell(each.complaint, "Let the script catch that, and end with 0, 1 or 125.")
            self.tally.refused.update(dict.fromkeys(each.refused))
        self.tally.ran += len(ran)
        self._tell(index, [each.kept for each in ran], all_kept=False)

    def _tell(self, index: int, kept: Sequence[StoredOutcome], *, all_kept: bool) -> None:
        """Tell the search of runs, and add them up."""
        before = self.tally.probes.get(index)
        bad = sum(each.word == "shows" for each in kept) + (before.bad if before else 0)
        total = sum(each.word in TELLING for each in kept) + (before.total if before else 0)
        said = next((each for each in kept if each.word == "shows"), kept[-1])
        if before and before.bad and said.word != "shows":
            said = StoredOutcome(before.word, before.reason, 0.0)
        seconds = sum(each.seconds for each in kept) + (before.seconds if before else 0.0)
        self.tally.probes[index] = Probe(said.word, said.reason, bad, total, seconds, all_kept)
        cell = Cell(self._version(index), "", self.variant, said.word, said.reason)
        self.progress.ended(f"uv {self._version(index)}", cell, kept=all_kept)
        if total:
            told = Runs(sum(each.word == "shows" for each in kept), sum(each.word in TELLING for each in kept))
            self.search.record(index, told)
        if not total or (total < self.wanted.repeat and _silent(kept)):
            self.search.record(index, "skip")

    def _version(self, index: int) -> str:
        return self.row.releases[index].version


def _silent(kept: Sequence[StoredOutcome]) -> bool:
    return kept[-1].word not in TELLING
