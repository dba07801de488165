"""Triage an issue: its text is read, made an MRE, run as often as it takes, and judged."""

import contextlib
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Control, Mre, slug
from uvmre.core.network.request import Network
from uvmre.core.outcome.result import digest
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact
from uvmre.core.triage.answer import TriageAnswer, build_answer
from uvmre.core.triage.next_run import next_run
from uvmre.core.triage.state import Mistake, PlannedRun, TriageRun, TriageState
from uvmre.errors import CannotTell, Interrupted, UvmreError
from uvmre.flows import housekeeping
from uvmre.flows.bisect import BisectRequest, bisect
from uvmre.flows.probe.pool import RunOptions
from uvmre.flows.probe.target import of_mre
from uvmre.flows.run import run
from uvmre.flows.understand import IssueMre, understand
from uvmre.folder.write import write_mre
from uvmre.releases import cache_users, catalogue
from uvmre.report.comment import comment
from uvmre.run.backends import DEFAULT_BACKEND

FOLDER = "triage"
"""Where the MREs of issues are in the cache, with their tapes and evidence."""
SECONDS = 230.0
"""After which nothing more is started for one issue."""
RESERVE = 50.0
"""Of those, kept for what is run after a search."""
STEP_SECONDS = 80
OFTEN = 20.0
"""Seconds after which the cache may be pruned again between two issues: each may bring 100 MB."""
A_DAY = 86_400.0
UNDECIDED = ("needs_more_information", "inconclusive")


@dataclass(frozen=True)
class TriageOptions:
    """What is asked of every issue."""

    cache: Path
    search: bool = False
    """Whether to search the boundaries."""
    today: bool = False
    """Whether PyPI is as it is now, instead of as it was on the post's day."""
    comments: bool = False
    network: Network = "auto"
    backend: str = DEFAULT_BACKEND
    allow_hosts: tuple[str, ...] = ()
    jobs: int = 0

    @property
    def offline(self) -> bool:
        """Tell whether nothing may be asked of the network."""
        return self.network == "replay"


def triage(issue: str, text: str, how: TriageOptions, progress: Progress | None = None) -> TriageAnswer:
    """Say of an issue whether its bug shows, and since when.

    Args:
        issue: how it was asked for.
        text: what it says, in Markdown.
        how: what is asked of it.
        progress: is told how it goes.

    Raises:
        UvmreError: when something that it takes could not be had here, and it cannot be told without.
        Interrupted: on ^C; what was finished is kept.
    """
    progress = progress or Progress()
    read = understand(text, how.cache, comments=how.comments, today=how.today, offline=how.offline)
    state = TriageState(read.parsed, read.mre, read.uv_stated, how.search, read.missing, _mistakes(read))
    folder = _folder(read, how.cache)
    cache_users.hold(how.cache, f"{FOLDER}/{folder.name}")
    with contextlib.suppress(OSError):  # what is not there yet
        os.utime(folder)
    if read.mre and not (folder / MANIFEST).is_file():
        write_mre(read.mre, folder, force=True)
    fixed = tuple(found.fixed for found in read.findings if found.fixed)
    runner = _Runner(folder, how, fixed, progress, time.monotonic())
    failed: UvmreError | None = None
    try:
        while not state.stop_reason and (planned := next_run(state)):
            try:
                state = runner.add(state, planned)
            except Interrupted:
                raise
            except UvmreError as error:
                failed, state = error, replace(state, stop_reason=error.summary)
    finally:
        # The next of many issues needs other releases; together they may be more than the cache is to hold.
        cache_users.release_all(how.cache)
        housekeeping.prune_later(how.cache, progress, every=OFTEN)
    told = build_answer(issue, state, uv=read.uv, folder=str(folder) if read.mre else "")
    # What could not be had here is not for the reporter to fix; what was seen before that stands.
    if told.verdict.word in UNDECIDED and (failed := failed or _no_network(state, how)):
        raise failed
    return told


def _no_network(state: TriageState, how: TriageOptions) -> UvmreError | None:
    """Return the error that the network was not there, where a run came to nothing by that."""
    hint = catalogue.HINT_OFFLINE if how.offline else catalogue.HINT_ONLINE
    for past in state.runs:
        observation = past.result.base.observation
        silent = [request for request in observation.unanswered if request.answered_by == "unreachable"]
        if silent and past.outcome.word == "broken":
            return CannotTell(f"It could not be run: {past.outcome.reason}.", hint)
    return None


def as_comment(told: TriageAnswer) -> str:
    """Return an answer as a comment that can be pasted below its issue."""
    return comment(told)


def _mistakes(read: IssueMre) -> tuple[Mistake, ...]:
    return tuple(
        Mistake(found.rule, found.where, found.why, found.fixed.name if found.fixed else "", found.question)
        for found in read.findings
    )


def _folder(read: IssueMre, cache: Path) -> Path:
    name = digest(read.mre)[:12] if read.mre else "none"
    return cache / FOLDER / f"{slug(redact(read.parsed.title))}-{name}"


@dataclass(frozen=True)
class _Runner:
    """Runs what is wished for, while there is time."""

    folder: Path
    how: TriageOptions
    fixed: tuple[Control, ...]
    progress: Progress
    started: float

    def add(self, state: TriageState, planned: PlannedRun) -> TriageState:
        """Run it, and return the case with what came out."""
        left = SECONDS - (time.monotonic() - self.started)
        if left <= 0:
            return replace(state, stop_reason=f"not all could be run in {SECONDS:.0f} s")
        if planned.kind == "history":
            return self._searched(state, planned, left)
        return replace(state, runs=(*state.runs, self._trial(state, planned, left)))

    def _trial(self, state: TriageState, planned: PlannedRun, left: float) -> TriageRun:
        uv = self._release(planned)
        mre = _hurried(replace(planned.mre, environment=replace(planned.mre.environment, uv=uv)), left)
        # Beside the MRE itself, so that it takes no time of its own.
        extra = (
            self.fixed if planned.kind in ("reported", "day", "today") and planned.mre.controls == _own(state) else ()
        )
        result = run(
            self._place(planned),
            cache=self.how.cache,
            uv=uv,
            backend=self.how.backend,
            network=self.how.network,
            allow_hosts=self.how.allow_hosts,
            mre=replace(mre, controls=(*mre.controls, *extra)),
            progress=self.progress,
        )
        outcomes = {variant.name: variant.outcome for variant in result.variants}
        # What works for the reporter may fail here for reasons of its own; only one that shows it too speaks against.
        telling = tuple(control for control in mre.controls if outcomes[control.name].word in ("shows", "absent"))
        mre = replace(mre, controls=telling)
        return TriageRun(replace(planned, mre=mre), result, verdict(mre, outcomes))

    def _place(self, planned: PlannedRun) -> Path:
        """Return where a run's tape is: PyPI as it is today is not on one of long ago."""
        now = datetime.now(UTC)
        if planned.kind != "today" or now.timestamp() - (self.folder / MANIFEST).stat().st_mtime < A_DAY:
            return self.folder
        return self.folder / f"today-{now:%Y-%m-%d}"

    def _release(self, planned: PlannedRun) -> str:
        """Return the release that is meant."""
        named = planned.uv or planned.mre.environment.uv
        if named == "latest" or named.startswith("@"):
            return catalogue.choose(named, self.how.cache, offline=self.how.offline)[0][-1].version
        return named

    def _searched(self, state: TriageState, planned: PlannedRun, left: float) -> TriageState:
        mre = _hurried(planned.mre, 2 * STEP_SECONDS)
        mre = replace(mre, environment=replace(mre.environment, uv=planned.uv))
        # The folder gets the MRE that is searched, so that `uvmre bisect` finds the same boundaries in it.
        if (self.folder / MANIFEST).read_text(encoding="utf-8") != dump(mre):
            write_mre(mre, self.folder, force=True)
        target = of_mre(self.folder, mre=mre)
        options = RunOptions(self.how.cache, self.how.backend, self.how.network, self.how.allow_hosts)
        wanted = BisectRequest(reported=planned.uv, seconds=max(left - RESERVE, left / 2))
        found = bisect(target, wanted, options, jobs=self.how.jobs, progress=self.progress)
        cut = "" if found.history.boundaries.done else f"the search did not end in {SECONDS:.0f} s"
        return replace(state, history=found.history, stop_reason=cut)


def _own(state: TriageState) -> tuple[Control, ...]:
    return state.mre.controls if state.mre else ()


def _hurried(mre: Mre, left: float) -> Mre:
    """Give no step more time than there is."""
    most = int(max(10, min(STEP_SECONDS, left / 2)))
    return replace(mre, steps=tuple(replace(step, timeout=min(step.timeout, most)) for step in mre.steps))
