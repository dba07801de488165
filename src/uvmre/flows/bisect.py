"""Find the first bad and the first fixed release of uv."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.mre.model import BASE
from uvmre.core.outcome.matching import is_lack
from uvmre.core.outcome.result import digest, unpack
from uvmre.core.progress import Progress
from uvmre.core.search import bisect_data
from uvmre.core.search.bisect import SPOT_CHECKS, Runs, Search
from uvmre.core.search.bisect_result import History, Probe
from uvmre.core.search.boundary import sides
from uvmre.core.search.matrix import Cell
from uvmre.core.search.release import Release, parse_version
from uvmre.core.search.selector import select
from uvmre.core.secrets.redact import redact_deep
from uvmre.errors import CannotTell, Interrupted, UsageError, naming_path
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.pool import ProbePool, ProbeResult
from uvmre.flows.probe.target import ProbeTarget
from uvmre.flows.probe.uv_choice import ChosenReleases, choose
from uvmre.flows.thread_pool import Pool
from uvmre.folder import evidence
from uvmre.outcomes.store import StoredOutcome
from uvmre.releases import catalogue
from uvmre.run.interpreters import Interpreter, require_interpreter

CONCLUSIVE = ("shows", "absent")
GAP = 10
GALLOP = (1, 2, 3, 5, 10)
"""Distances from the reported release that are probed first, up to the first without the bug: most fixes come soon."""
SLOWER = 10
"""A release that takes so many times as long as the reported one is skipped …"""
LEAST_SECONDS = 20.0
"""… if that is more than this."""
FIRST = "0.1.0"
"""The release with which uv was announced; 0.0.5, of the same evening, is run only if the range names it."""


@dataclass(frozen=True)
class BisectRequest:
    """Where to search."""

    reported: str = ""
    """A release where the bug shows; the MRE's own by default."""
    good: str = ""
    """An older release where it does not."""
    among: str = ""
    """A selector that limits the search."""
    repeat: int = 1
    """The number of runs of each release."""
    seconds: float = math.inf
    """The time after which no further run starts."""
    gap: int = GAP
    """Run all releases between the reported and the first fixed one if there are at most this many: a fix may have been
    reverted and redone."""
    keep: bool = False
    """Whether the evidence of the releases beside the boundaries stays in the folder of the MRE."""


@dataclass(frozen=True)
class ReleaseRow:
    """The releases, oldest first, and the part of them that is searched."""

    releases: tuple[Release, ...]
    reported: int
    lowest: int
    highest: int
    chosen: ChosenReleases
    """All releases that were named."""


@dataclass(frozen=True)
class BisectReport:
    """The result of a search, and its cost."""

    target: ProbeTarget
    history: History
    python: str
    ran: int
    """The number of runs."""
    kept: int
    """The number of outcomes stored before."""
    refused: tuple[str, ...]
    """Hosts that were requested and are not allowed."""
    evidence: str = ""
    """The folder with what the releases beside the boundaries left; empty if it was not kept."""


def bisect(
    target: ProbeTarget, request: BisectRequest, options: RunOptions, *, progress: Progress | None = None
) -> BisectReport:
    """Search both boundaries of a bug, starting at the reported release.

    Args:
        target: what is run on a release: the first of its variants.
        request: where to search.
        options: how it is run; a script gets an interpreter on its PATH only if `python` is set.
        progress: a progress callback.

    Raises:
        UsageError: if the named releases contradict each other, or do not exist.
        CannotTell: if the network or the interpreter is not available, or the script ends in an invalid way.
        Interrupted: on ^C; finished runs are stored.
    """
    progress = progress or Progress()
    row = release_row(target, request, options)
    if row.chosen.catalogue.note:
        progress.note(row.chosen.catalogue.note)
    target = replace(target, reported=row.releases[row.reported].version)
    interpreter = None if target.script and not options.python else require_interpreter(options.python or target.python)
    search = Search(len(row.releases), row.reported, row.lowest, row.highest, repeat=request.repeat)
    progress.cells(0)
    with ProbePool(target, options, row.chosen, progress) as cells:
        driver = _Driver(search, row, request, cells, interpreter, next(iter(target.variants)), progress)
        driver.finish(cells.jobs)
    history = History(
        releases=row.releases,
        reported=row.reported,
        lowest=row.lowest,
        highest=row.highest,
        good=row.releases[row.lowest].version if request.good else "",
        boundaries=search.result(),
        probes=driver.probes,
        path=search.explain(),
        symptom=None if target.script else next(iter(target.variants.values())).symptom,
    )
    version = interpreter.version if interpreter else ""
    kept = ""
    if request.keep and target.bundled:
        kept = _keep_evidence(target.bundled.parents[1], history)
        if BASE in target.variants:
            _keep_search(target.bundled.parents[1], target, history)
    return BisectReport(target, history, version, driver.ran, driver.kept, tuple(driver.refused), kept)


def _keep_evidence(folder: Path, history: History) -> str:
    """Write what the releases beside the boundaries left as the evidence of a run, and return its folder."""
    edges = ((history.boundaries.first_bad, False), (history.boundaries.first_good, True))
    found = [sides(history, edge, first_good=good) for edge, good in edges if edge and not history.unsound]
    indexes = sorted({index for pair in found if pair for index in pair})
    observed = {history.releases[i].version: kept for i in indexes if (kept := unpack(history.probes[i].observed))}
    if not observed:
        return ""
    with naming_path(folder):
        run = evidence.begin_run(
            folder, "..".join(dict.fromkeys([next(iter(observed)), next(reversed(observed))])), datetime.now(UTC)
        )
        for version, observation in observed.items():
            evidence.write_observation(run, replace(observation, variant=f"uv {version}"))
        evidence.finish_run(run, None)
    return str(run)


def _keep_search(folder: Path, target: ProbeTarget, history: History) -> None:
    """Write the result of a search for the reports on the same MRE."""
    releases = [release.version for release in history.releases]
    data = {"digest": digest(target.base), "releases": releases, **bisect_data.to_data(history)}
    with naming_path(folder):
        evidence.write_search(folder, redact_deep(data, target.secrets))


def release_row(target: ProbeTarget, request: BisectRequest, options: RunOptions) -> ReleaseRow:
    """Return the releases that are searched.

    Raises:
        UsageError: if the named releases contradict each other, or do not exist.
        CannotTell: if the list of releases is not available.
    """
    cache, offline = options.cache, options.offline
    shows = request.reported or target.reported
    if not shows:
        raise UsageError("a script needs a release on which the bug shows", "name it with `--uv`, as in `--uv 0.5.21`")
    newest = choose(shows, cache, reported=target.reported or shows, offline=offline)
    reported = newest.releases[-1]
    ends = [reported]
    if request.good:
        ends.append(catalogue.choose(request.good, cache, reported=request.good, offline=offline)[0][-1])
        if not ends[1] < reported:
            raise UsageError(
                f"`--good {ends[1].version}` is not older than uv {reported.version}, on which the bug shows",
                "name an older release; the first fixed release is searched up to the end of `--range`",
            )
    announced = [
        each for each in select("all", newest.catalogue.releases) if parse_version(each.version) >= parse_version(FIRST)
    ]
    among, local_builds = announced, newest.local_builds
    if request.among:
        limits = choose(request.among, cache, reported=reported.version, offline=offline)
        among, local_builds = list(limits.releases), {**local_builds, **limits.local_builds}
    every, within = _union(announced, [*among, *ends]), _union(among, ends[1:] if request.among else ends)
    if reported not in within:
        raise UsageError(
            f"uv {reported.version}, on which the bug shows, is not in the range {request.among}",
            "widen the range, or name a release in it with `--uv`",
        )
    if request.good:
        within = tuple(release for release in within if not release < ends[1])
    lowest, highest = (every.index(end) for end in (within[0], within[-1]))
    # A release has the same place in every search, which then repeats the same probes and finds them stored.
    row = every if highest - lowest + 1 == len(within) else within
    chosen = ChosenReleases(row, newest.catalogue, local_builds)
    return ReleaseRow(row, row.index(reported), row.index(within[0]), row.index(within[-1]), chosen)


def _union(releases: Sequence[Release], more: Sequence[Release]) -> tuple[Release, ...]:
    return tuple(sorted({*releases, *more}))


@dataclass
class _Driver:
    """Answers the probes of a search: from the store first, then by parallel runs."""

    search: Search
    row: ReleaseRow
    request: BisectRequest
    cells: ProbePool
    interpreter: Interpreter | None
    variant: str
    progress: Progress
    probes: dict[int, Probe] = field(default_factory=dict)
    ran: int = 0
    kept: int = 0
    refused: dict[str, None] = field(default_factory=dict)

    def finish(self, jobs: int) -> None:
        """Probe in rounds: the probes then depend on the answers alone, and are the same the next time."""
        try:
            with Pool(max(jobs, SPOT_CHECKS), "cell", self.cells.stop) as pool:
                deadline = time.monotonic() + self.request.seconds
                while time.monotonic() < deadline and not self._good_is_bad() and (probes := self._next_probes(jobs)):
                    running = [
                        (index, pool.submit(self._run, index, n))
                        for index in probes
                        if (n := self._missing_runs(index))
                    ]
                    self.cells.prefetch(self._version(index) for index in self.search.likely_next(jobs) if running)
                    for index, future in running:
                        self._collect(index, pool.result(future))
        except KeyboardInterrupt:
            raise Interrupted("interrupted", "finished runs are stored; run the same command to continue") from None

    def _next_probes(self, jobs: int) -> tuple[int, ...]:
        # The reported release comes alone, as its time limits the others. The spot checks at the end run together: they
        # are few, and independent.
        jobs = jobs if self.row.reported in self.probes else 1
        if probes := self._gallop(jobs):
            return probes
        jobs = max(jobs, SPOT_CHECKS) if jobs > 1 and self.search.spot_checking else jobs
        if probes := self.search.next_indexes(jobs):
            return probes
        edge = self.search.result().first_good
        if edge is None or edge.good is None or edge.good - self.row.reported - 1 > self.request.gap:
            return ()
        return tuple(index for index in range(self.row.reported + 1, edge.good) if index not in self.probes)

    def _gallop(self, jobs: int) -> tuple[int, ...]:
        """Return the next releases soon after the reported one, where the bug shows, up to the first without it."""
        reported = self.probes.get(self.row.reported)
        if reported is None or not reported.bad:
            return ()
        indexes = [index for d in GALLOP if (index := self.row.reported + d) <= self.row.highest]
        if any(probe.total and not probe.bad for index in indexes if (probe := self.probes.get(index))):
            return ()
        return tuple(index for index in indexes if index not in self.probes)[:jobs]

    def _missing_runs(self, index: int) -> int:
        """Pass a release's stored outcomes to the search, and return how many runs are missing."""
        stored = self.cells.stored(self._version(index), self.interpreter, self.variant)
        missing = 0 if stored and _inconclusive(stored) else max(0, self.request.repeat - len(stored))
        self.kept += len(stored)
        if stored:
            self._record(index, stored, all_kept=not missing)
        if missing:
            self.progress.begun(f"uv {self._version(index)}")
        return missing

    def _good_is_bad(self) -> bool:
        """Return whether the bug shows on the release named as good, which leaves nothing to search below it."""
        lowest = self.probes.get(self.row.lowest)
        return bool(self.request.good and lowest and lowest.bad)

    def _run(self, index: int, times: int) -> list[ProbeResult]:
        version = self._version(index)
        results: list[ProbeResult] = []
        while len(results) < times and not self.cells.stop.is_set():
            try:
                results.append(self.cells.run(version, self.interpreter, self.variant, self._limit()))
            except CannotTell as error:
                if index == self.row.reported:
                    raise
                return [ProbeResult(StoredOutcome("broken", error.summary, 0.0))]
            if results[-1].complaint or _inconclusive([results[-1].stored]):
                break
        return results

    def _limit(self) -> float:
        """Return the most seconds of a step, from what the reported release took; 0 where that is not known yet."""
        reported = self.probes.get(self.row.reported)
        if reported is None or not reported.total:
            return 0.0
        return max(LEAST_SECONDS, SLOWER * reported.seconds / reported.total)

    def _collect(self, index: int, results: list[ProbeResult]) -> None:
        for result in results:
            if result.complaint:
                raise CannotTell(result.complaint, "make the script exit with 0, 1 or 125")
            self.refused.update(dict.fromkeys(result.refused))
        self.ran += len(results)
        self._record(index, [result.stored for result in results], all_kept=False)

    def _record(self, index: int, outcomes: Sequence[StoredOutcome], *, all_kept: bool) -> None:
        """Pass outcomes to the search, and add them to the release's probe."""
        before = self.probes.get(index) or Probe("broken", "", 0, 0, 0.0, kept=False)
        runs = Runs(sum(each.word == "shows" for each in outcomes), sum(each.word in CONCLUSIVE for each in outcomes))
        shown = next((each for each in outcomes if each.word == "shows"), outcomes[-1])
        decisive = before if before.bad and not runs.bad else shown
        word, reason = decisive.word, decisive.reason
        total, seconds = before.total + runs.total, before.seconds + sum(each.seconds for each in outcomes)
        self.probes[index] = Probe(word, reason, before.bad + runs.bad, total, seconds, all_kept, decisive.observed)
        cell = Cell(self._version(index), "", self.variant, word, reason)
        self.progress.ended(f"uv {self._version(index)}", cell, kept=all_kept)
        if total:
            self.search.record(index, runs)
        if not total or (total < self.request.repeat and _inconclusive(outcomes)):
            lacks = shown.word == "broken" and is_lack(shown.reason)
            self.search.record(index, "lacks" if lacks else "skip")

    def _version(self, index: int) -> str:
        return self.row.releases[index].version


def _inconclusive(outcomes: Sequence[StoredOutcome]) -> bool:
    return outcomes[-1].word not in CONCLUSIVE
