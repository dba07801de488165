"""Triage an issue: read its text, make an MRE of it, run that as often as needed, and judge it."""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Control, Mre, slug
from uvmre.core.outcome.result import digest
from uvmre.core.outcome.vacuous import vacuous_controls
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact
from uvmre.core.triage.answer import TriageAnswer, build_answer
from uvmre.core.triage.decide import choose, decide
from uvmre.core.triage.evidence import FIRM_RULES, Strength
from uvmre.core.triage.hypothesis import RULES, Hypothesis
from uvmre.core.triage.next_run import first_run, next_run
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.core.triage.state import Mistake, PlannedRun, TriageRun, TriageState
from uvmre.errors import CannotTell, Interrupted, UvmreError
from uvmre.flows import housekeeping
from uvmre.flows.bisect import BisectRequest, bisect
from uvmre.flows.new import ISSUE
from uvmre.flows.options import RunOptions
from uvmre.flows.other_readers import PROGRAM_SOURCE, IssueFacts, OtherReader, ReaderProgram, read_folder
from uvmre.flows.probe.target import of_mre
from uvmre.flows.run import run
from uvmre.flows.understand import IssueMre, understand
from uvmre.folder.write import recover, write_mre
from uvmre.folder.written import is_unchanged
from uvmre.issue.propose import propose
from uvmre.lint.find import find_mistakes
from uvmre.lint.finding import Finding
from uvmre.releases import cache_users, catalogue
from uvmre.report.comment import comment

FOLDER = "triage"
"""The cache's folder of issues' MREs, with their recordings and evidence."""
SECONDS = 230.0
"""The time after which no further run of one issue starts."""
RESERVE = 50.0
"""The part of it that is left for the runs after a search."""
PROPOSAL_SECONDS = 60.0
"""The time after which no further hypothesis is tried."""
MOST_RUNS = 40
"""The runs after which no further hypothesis is tried; a search counts as one."""
STEP_SECONDS = 80
PRUNE_INTERVAL = 20.0
"""Seconds between two prunings of the cache: each issue may add 100 MB."""
DAY_SECONDS = 86_400.0
UNDECIDED = ("needs_more_information", "inconclusive")


@dataclass(frozen=True, kw_only=True)
class TriageOptions:
    """How an issue is triaged."""

    run: RunOptions
    search: bool = False
    """Whether to search the boundaries."""
    today: bool = False
    """Whether to use PyPI as it is today rather than as of the post."""
    comments: bool = False
    mre: Path | None = None
    """The folder of an MRE that somebody made of the issue; the rules' own are not tried then."""
    reader: ReaderProgram | None = None
    """A program that proposes MREs where the rules reach no verdict."""


def triage(issue: str, text: str, options: TriageOptions, progress: Progress | None = None) -> TriageAnswer:
    """Return whether an issue's bug shows, and on request since which release.

    Args:
        issue: its name.
        text: its text, in Markdown.
        options: how it is triaged.
        progress: a progress callback.

    Raises:
        UvmreError: if something needed for the verdict is not available here.
        Interrupted: on ^C; finished runs are stored.
    """
    progress, cache = progress or Progress(), options.run.cache
    options = replace(options, run=replace(options.run, origin=ISSUE))
    read = understand_with(options, text)
    facts = IssueFacts(read, text, comments=options.comments, today=options.today)
    given = read_folder(facts, options.mre, progress) if options.mre else None
    first = given[0].mre if given else read.mre
    folder = _folder(read, first, cache)
    cache_users.hold(cache, f"{FOLDER}/{folder.name}")
    with contextlib.suppress(OSError):  # it may not exist yet
        os.utime(folder)
    recover(folder)
    if first and not is_unchanged(folder):
        with contextlib.suppress(FileNotFoundError):
            aside = folder.rename(folder.with_name(f"{folder.name}.aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"))
            progress.note(f"the MRE of an earlier triage was changed, and is now in `{aside}`")
        write_mre(first, folder, force=True, origin=ISSUE)
    triager = _Triager(read, text, options, folder, progress)
    try:
        triager.run(given)
        if options.reader and not given and not triager.failed and _is_undecided(triager.attempts):
            triager.run_reader(OtherReader(options.reader, facts, issue, cache, progress))
    finally:
        # The next issue may need other releases; together they may exceed the cache's limit.
        cache_users.release_all(cache)
        housekeeping.prune_later(cache, progress, every=PRUNE_INTERVAL)
    attempts = triager.attempts or [triager.state_of(None)]
    state = choose(attempts)
    if state.mre and state.runs:
        _keep(state, folder)
    triaged = build_answer(issue, text, state, attempts, uv=read.uv, folder=str(folder) if state.mre else "")
    # The reporter cannot fix what is missing here; a verdict reached before stands.
    if triaged.verdict.word in UNDECIDED and (failed := triager.failed or _no_network(state, options.run)):
        raise failed
    return triaged


class _Triager:
    """Tries the hypotheses of an issue, one after the other, until one is proven or none is left."""

    def __init__(self, read: IssueMre, text: str, options: TriageOptions, folder: Path, progress: Progress) -> None:
        self._read, self._text, self._options = read, text, options
        self._runner = _Runner(folder, options.run, progress, time.monotonic())
        self.attempts: list[TriageState] = []
        self.failed: UvmreError | None = None

    def run(self, given: tuple[Hypothesis, str] | None) -> None:
        """Run each once on the reported release; then look closer at those that show, the best evidence first."""
        if given:
            self.attempts.append(replace(self.state_of(given[0]), stop_reason=given[1]))
            self._explore(0)
            return
        while self._may_go_on and (hypothesis := propose(self._read.hypotheses, self.attempts)):
            self._start(hypothesis)
            if hypothesis.parsed.claim.rule in FIRM_RULES and self._is_proven(len(self.attempts) - 1):
                return
        shown = [number for number, each in enumerate(self.attempts) if each.reproducing_run]
        for number in sorted(shown, key=lambda number: list(Strength).index(self.attempts[number].evidence.strength)):
            if self._is_proven(number):
                return
        if self.attempts and not shown:
            self._explore(0)

    def _is_proven(self, number: int) -> bool:
        """Run an attempt that shows as often as its verdict needs; return whether that proves it."""
        if self.attempts[number].reproducing_run is None:
            return False
        self._explore(number)
        return decide(self.attempts[number]).word in ("reproducible", "explained")

    @property
    def _may_go_on(self) -> bool:
        return self.failed is None and self._runner.seconds < PROPOSAL_SECONDS and self._runner.count < MOST_RUNS

    def run_reader(self, reader: OtherReader) -> None:
        """Try what a program proposes; the time that it takes is not that of the runs."""
        self.attempts = self.attempts or [self.state_of(None)]
        while self._runner.count < MOST_RUNS:
            before = reader.seconds
            hypothesis = reader.propose(self.attempts)
            self._runner.started += reader.seconds - before
            if hypothesis is None:
                return
            self._start(hypothesis)
            if self.attempts[-1].reproducing_run:
                self._explore(-1)
            if decide(self.attempts[-1]).word in ("reproducible", "explained"):
                return

    def _start(self, hypothesis: Hypothesis) -> None:
        """Run a hypothesis on the reported release."""
        state = self.state_of(hypothesis)
        while self.failed is None and not state.stop_reason and (planned := first_run(state)):
            state = self._add(state, planned)
        self.attempts.append(state)

    def state_of(self, hypothesis: Hypothesis | None) -> TriageState:
        """Return what is known of a hypothesis before it runs."""
        read = self._read
        if hypothesis is None:
            return TriageState(read.parsed, read.mre, read.uv_stated, self._options.search, read.missing)
        findings = self._findings(hypothesis.mre, hypothesis.parsed, hypothesis.source)
        return TriageState(
            hypothesis.parsed,
            hypothesis.mre,
            read.uv_stated,
            self._options.search,
            read.missing,
            tuple(map(_mistake, findings)),
            hypothesis.repairs,
            hypothesis.source,
            read.neighbours,
        )

    def _explore(self, number: int) -> None:
        """Run one attempt as often as its verdict needs."""
        state = self.attempts[number]
        while self.failed is None and not state.stop_reason and (planned := next_run(state)):
            state = self._add(state, planned)
        self.attempts[number] = state

    def _add(self, state: TriageState, planned: PlannedRun) -> TriageState:
        """Execute a planned run and add it to an attempt."""
        findings = self._findings(state.mre, state.parsed, state.source) if state.mre else ()
        if state.mre and not (self._runner.folder / MANIFEST).exists():  # the rules made none
            write_mre(state.mre, self._runner.folder, force=True, origin=ISSUE)
        fixed = tuple(finding.fixed for finding in findings if finding.fixed)
        try:
            return self._runner.add(state, planned, fixed)
        except Interrupted:
            raise
        except UvmreError as error:
            self.failed = None if state.source == PROGRAM_SOURCE else error
            return replace(state, stop_reason=error.summary)

    def _findings(self, mre: Mre, parsed: ParsedIssue, source: str) -> Sequence[Finding]:
        """Return the known mistakes of an MRE; of another reader's, only those that the report itself has."""
        reported = {finding.rule for finding in self._read.findings}
        found = find_mistakes(mre, parsed, self._text)
        return tuple(each for each in found if source == RULES or each.rule in reported)


def _is_undecided(attempts: Sequence[TriageState]) -> bool:
    return not attempts or decide(choose(attempts)).word in UNDECIDED


def _keep(state: TriageState, folder: Path) -> None:
    """Write the MRE of the answer into the folder, where a search has not written it already."""
    if state.mre and state.history is None and (folder / MANIFEST).read_text(encoding="utf-8") != dump(state.mre):
        write_mre(state.mre, folder, force=True, origin=ISSUE)


def understand_with(options: TriageOptions, text: str) -> IssueMre:
    """Read an issue's text as the options say; nothing is run."""
    run = options.run
    return understand(text, run.cache, comments=options.comments, today=options.today, offline=run.offline)


def _no_network(state: TriageState, options: RunOptions) -> UvmreError | None:
    """Return an error if a run failed for lack of network."""
    for past in state.runs:
        unanswered = past.result.base.observation.unanswered
        if past.outcome.word == "broken" and any(request.answered_by == "unreachable" for request in unanswered):
            hint = catalogue.HINT_OFFLINE if options.offline else catalogue.HINT_ONLINE
            return CannotTell("failed to run the MRE", hint, cause=past.outcome.reason)
    return None


def as_comment(triaged: TriageAnswer) -> str:
    """Return an answer as a comment to paste below its issue."""
    return comment(triaged)


def _mistake(finding: Finding) -> Mistake:
    control = finding.fixed.name if finding.fixed else ""
    return Mistake(finding.rule, finding.where, finding.why, control, finding.question)


def _folder(read: IssueMre, mre: Mre | None, cache: Path) -> Path:
    name = digest(mre)[:12] if mre else "none"
    return cache / FOLDER / f"{slug(redact(read.parsed.title))}-{name}"


@dataclass
class _Runner:
    """Executes planned runs until the time is up."""

    folder: Path
    options: RunOptions
    progress: Progress
    started: float
    count: int = 0

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def add(self, state: TriageState, planned: PlannedRun, fixed: tuple[Control, ...]) -> TriageState:
        """Execute a planned run, beside the variants in which a known mistake is fixed, and add it to the state."""
        left = SECONDS - self.seconds
        self.count += 1
        if left <= 0:
            return replace(state, stop_reason=f"not all could be run in {SECONDS:.0f} s")
        if planned.kind == "history":
            return self._search(state, planned, left)
        return replace(state, runs=(*state.runs, self._run(state, planned, left, fixed)))

    def _run(self, state: TriageState, planned: PlannedRun, left: float, fixed: tuple[Control, ...]) -> TriageRun:
        uv = self._release(planned)
        mre = _limit_steps(replace(planned.mre, environment=replace(planned.mre.environment, uv=uv)), left)
        # Fixed variants run beside the MRE itself, so that they take no extra time.
        first = planned.kind in ("reported", "day", "today") and state.mre and mre.controls == state.mre.controls
        with_fixed = replace(mre, controls=(*mre.controls, *(fixed if first else ())))
        result = run(self._recording_folder(planned), self.options, uv=uv, mre=with_fixed, progress=self.progress)
        outcomes = {variant.name: variant.outcome for variant in result.variants}
        # A control that works for the reporter may fail here for other reasons; only a conclusive one counts.
        conclusive = mre.controls
        if state.source == RULES:
            conclusive = tuple(each for each in mre.controls if outcomes[each.name].word in ("shows", "absent"))
        mre = replace(mre, controls=conclusive)
        vacuous = vacuous_controls(mre, [(each.name, each.observation, each.outcome) for each in result.variants])
        return TriageRun(replace(planned, mre=mre), result, verdict(mre, outcomes, vacuous))

    def _recording_folder(self, planned: PlannedRun) -> Path:
        """Return the folder of a run's recording: an old one lacks PyPI as it is today."""
        now = datetime.now(UTC)
        if planned.kind != "today" or now.timestamp() - (self.folder / MANIFEST).stat().st_mtime < DAY_SECONDS:
            return self.folder
        return self.folder / f"today-{now:%Y-%m-%d}"

    def _release(self, planned: PlannedRun) -> str:
        uv = planned.uv or planned.mre.environment.uv
        return catalogue.resolve(uv, self.options.cache, offline=self.options.offline)[0]

    def _search(self, state: TriageState, planned: PlannedRun, left: float) -> TriageState:
        mre = _limit_steps(planned.mre, 2 * STEP_SECONDS)
        mre = replace(mre, environment=replace(mre.environment, uv=planned.uv))
        # The folder gets the MRE that is searched, so that `uvmre bisect` finds the same boundaries in it.
        if (self.folder / MANIFEST).read_text(encoding="utf-8") != dump(mre):
            write_mre(mre, self.folder, force=True, origin=ISSUE)
        request = BisectRequest(reported=planned.uv, seconds=max(left - RESERVE, left / 2))
        report = bisect(of_mre(self.folder, mre=mre), request, self.options, progress=self.progress)
        cut = "" if report.history.boundaries.done else f"the search did not end in {SECONDS:.0f} s"
        return replace(state, history=report.history, stop_reason=cut)


def _limit_steps(mre: Mre, left: float) -> Mre:
    """Limit the time of each step to what is left."""
    most = int(max(10, min(STEP_SECONDS, left / 2)))
    return replace(mre, steps=tuple(replace(step, timeout=min(step.timeout, most)) for step in mre.steps))
