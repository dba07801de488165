"""What is known of an issue so far, and the runs of its MRE."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.result import Result
from uvmre.core.outcome.verdict import Verdict
from uvmre.core.search.bisect_result import History
from uvmre.core.triage.evidence import Evidence, Strength, evidence_of
from uvmre.core.triage.hypothesis import RULES, Repair
from uvmre.core.triage.parsed_issue import Gap, ParsedIssue

Kind = Literal["reported", "day", "today", "history", "good", "latest", "neighbour", "again", "varied"]
"""Why the MRE is run: on the reported release; on the first release after the report, if the report names none; with
today's PyPI; to search for the boundaries; on the first good release; on the latest; on a release soon after the
reported one; on the reported one once more; with one variation."""

COMPARED: tuple[Kind, ...] = ("good", "neighbour", "latest")
"""The runs of other releases that may lack the bug, the most telling first."""

UNKNOWN_SYMPTOM = Gap(
    0,
    "the report does not say how the failure shows",
    True,
    "What does uv print when it fails (the complete output), and what is expected instead?",
)


@dataclass(frozen=True)
class Mistake:
    """A known mistake that the MRE has."""

    rule: str
    where: str
    why: str
    control: str = ""
    """The variant in which it is fixed; empty if only the reporter can fix it."""
    question: str = ""


@dataclass(frozen=True)
class PlannedRun:
    """A run of the MRE that is still to be done."""

    kind: Kind
    mre: Mre
    uv: str = ""
    """The release, or a selector (`latest`, `@DATE`) that has to be resolved."""
    name: str = ""
    """The name of the variation."""


@dataclass(frozen=True)
class TriageRun:
    """A run of the MRE, judged with its own controls."""

    planned: PlannedRun
    result: Result
    verdict: Verdict

    @property
    def kind(self) -> Kind:
        """Return why it was run."""
        return self.planned.kind

    @property
    def outcome(self) -> Outcome:
        """Return the outcome of the MRE itself."""
        return self.result.base.outcome

    @property
    def shows(self) -> bool:
        """Tell whether the symptom shows and every control is as expected."""
        return self.verdict.word in ("reproducible", "explained")


@dataclass(frozen=True)
class TriageState:
    """One reading of an issue, and everything known of it so far."""

    parsed: ParsedIssue
    mre: Mre | None
    uv_stated: bool = True
    """Whether the report names a release."""
    search: bool = False
    """Whether to search for the boundaries."""
    missing: tuple[str, ...] = ()
    """Conditions of the report that are not available here."""
    mistakes: tuple[Mistake, ...] = ()
    repairs: tuple[Repair, ...] = ()
    """What was changed because of the runs of earlier readings."""
    source: str = RULES
    """The reader that proposed it."""
    neighbours: tuple[str, ...] = ()
    """Releases after the reported one, to compare with it."""
    runs: tuple[TriageRun, ...] = ()
    history: History | None = None
    stop_reason: str = ""
    """Why the runs stopped early; empty if they did not."""
    number: int = 0
    """Which of the rules' readings it is, from 1, or a repair of; 0 of another reader."""

    def run_of(self, kind: Kind) -> TriageRun | None:
        """Return the last run of this kind."""
        return next((run for run in reversed(self.runs) if run.kind == kind), None)

    @cached_property
    def reproducing_run(self) -> TriageRun | None:
        """Return the run that shows the reported symptom; not today's if it was absent on the report's date."""
        tried = [run for run in self.runs if run.kind in ("reported", "day", "today")]
        found = next((run for run in tried if run.shows), None)
        if found and found.kind == "today" and any(run.outcome.word == "absent" for run in tried):
            return None
        return found

    @property
    def differing_run(self) -> TriageRun | None:
        """Return the run of another release that may be without the bug."""
        others = (run for run in self.runs if run.kind in COMPARED)
        words = ("absent",) if self.parsed.claim.two_sided else ("absent", "different")
        return next((run for run in others if run.outcome.word in words), None)

    @cached_property
    def evidence(self) -> Evidence:
        """Return how strong the evidence of the reproducing run is."""
        if self.reproducing_run is None:
            return Evidence(Strength.WEAK, "the symptom does not show")
        run = self.reproducing_run
        found = evidence_of(run.planned.mre, self.parsed.claim, run.result.base.observation)
        if found.strength is Strength.STRONG and (why := self._assumption()):
            return Evidence(Strength.DISTINCTIVE, why)
        return found

    def _assumption(self) -> str:
        """Return what the MRE has that the report has not, or the reverse; empty if nothing."""
        if self.parsed.stand_ins:
            return f"the run uses a stand-in ({self.parsed.stand_ins[0]})"
        added = next((each.description for each in self.repairs if each.kind != "neutral"), "")
        gap = next((gap.description for gap in self.blocking_gaps), "")
        return next(filter(None, [added, *self.missing, gap]), "")

    @property
    def blocking_gaps(self) -> tuple[Gap, ...]:
        """Return the gaps that prevent a verdict."""
        gaps = tuple(gap for gap in self.parsed.gaps if gap.blocking)
        return gaps if gaps or self.parsed.claim.kind != "none" else (UNKNOWN_SYMPTOM,)

    @property
    def first_good(self) -> str:
        """Return the first fixed release that the search found; empty if it found none."""
        if self.history is None or self.history.unsound:
            return ""
        edge = self.history.boundaries.first_good
        known = edge is not None and edge.word in ("exact", "between") and edge.good is not None
        return self.history.releases[edge.good].version if edge and edge.good is not None and known else ""
