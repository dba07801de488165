"""Try the hypotheses of an issue, one after the other, until one is proven or none is left."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.triage.decide import decide
from uvmre.core.triage.evidence import FIRM_RULES, Strength
from uvmre.core.triage.hypothesis import RULES, Hypothesis
from uvmre.core.triage.next_run import first_run, next_run
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.core.triage.state import Mistake, PlannedRun, TriageState
from uvmre.errors import Interrupted, UvmreError
from uvmre.flows.new import ISSUE
from uvmre.flows.other_readers import PROGRAM_SOURCE, OtherReader
from uvmre.flows.planned_runs import PlannedRuns
from uvmre.flows.understand import IssueMre
from uvmre.folder.write import write_mre
from uvmre.issue.propose import propose
from uvmre.lint.find import find_mistakes
from uvmre.lint.finding import Finding

PROPOSAL_SECONDS = 60.0
"""The time after which no further hypothesis is tried."""
MOST_RUNS = 40
"""The runs after which no further hypothesis is tried; a search counts as one."""


class Attempts:
    """What was tried of an issue, and what is tried next.

    Args:
        read: the issue.
        text: its text, in Markdown.
        planned_runs: executes them.
        search: whether to search the boundaries.
        no_rules: the ids of the repair rules that are left out.
    """

    def __init__(
        self, read: IssueMre, text: str, planned_runs: PlannedRuns, *, search: bool, no_rules: Collection[str]
    ) -> None:
        self._read, self._text, self._search, self._no_rules = read, text, search, no_rules
        self._runs = planned_runs
        self.attempts: list[TriageState] = []
        self.failed: UvmreError | None = None

    def run(self, given: tuple[Hypothesis, str] | None) -> None:
        """Run each once on the reported release; then look closer at those that show, the best evidence first."""
        if given:
            self.attempts.append(replace(self.state_of(given[0]), stop_reason=given[1]))
            self._explore(0)
            return
        while self._may_go_on and (hypothesis := propose(self._read.hypotheses, self.attempts, self._no_rules)):
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
        return self.failed is None and self._runs.seconds < PROPOSAL_SECONDS and self._runs.count < MOST_RUNS

    def run_reader(self, reader: OtherReader) -> None:
        """Try what a program proposes; the time that it takes is not that of the runs."""
        self.attempts = self.attempts or [self.state_of(None)]
        while self._runs.count < MOST_RUNS:
            before = reader.seconds
            hypothesis = reader.propose(self.attempts)
            self._runs.started += reader.seconds - before
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
            return TriageState(read.parsed, read.mre, read.uv_stated, self._search, read.missing)
        findings = self._findings(hypothesis.mre, hypothesis.parsed, hypothesis.source)
        return TriageState(
            hypothesis.parsed,
            hypothesis.mre,
            read.uv_stated,
            self._search,
            read.missing,
            tuple(map(_mistake, findings)),
            hypothesis.repairs,
            hypothesis.source,
            read.neighbours,
            number=hypothesis.number,
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
        if state.mre and not (self._runs.folder / MANIFEST).exists():  # the rules made none
            write_mre(state.mre, self._runs.folder, force=True, origin=ISSUE)
        fixed = tuple(finding.fixed for finding in findings if finding.fixed)
        try:
            return self._runs.add(state, planned, fixed)
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


def _mistake(finding: Finding) -> Mistake:
    control = finding.fixed.name if finding.fixed else ""
    return Mistake(finding.rule, finding.where, finding.why, control, finding.question)
