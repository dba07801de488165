"""What is known of an issue by now, and what has to be run next."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.result import Result
from uvmre.core.outcome.symptom import Outcome
from uvmre.core.outcome.verdict import Verdict
from uvmre.core.search.bisect_result import History
from uvmre.core.triage.evidence import Evidence, evidence_of
from uvmre.core.triage.parsed_issue import Gap, ParsedIssue

Kind = Literal["reported", "day", "today", "history", "good", "latest", "varied"]
"""Why something is run: on the reported release; on the last one of the post's day, where the post names none; with
PyPI as it is now; to search the boundaries; where the bug is fixed; on the newest; with one thing done another way."""


UNKNOWN_SYMPTOM = Gap(
    0,
    "The post does not say what is seen when it goes wrong",
    True,
    "What does uv print when it goes wrong (the whole output), and what should it do instead?",
)


@dataclass(frozen=True)
class Mistake:
    """A known mistake that the MRE has."""

    rule: str
    where: str
    why: str
    control: str = ""
    """The variant in which it is fixed; empty where nobody can fix it but the reporter."""
    question: str = ""


@dataclass(frozen=True)
class PlannedRun:
    """What to run next."""

    kind: Kind
    mre: Mre
    uv: str = ""
    """The release, where that is settled; what `day` and `latest` mean has to be looked up."""
    name: str = ""
    """Of what is done another way."""


@dataclass(frozen=True)
class TriageRun:
    """One run, judged with the MRE's own controls."""

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
        """Tell whether the symptom shows, with every control as it must be."""
        return self.verdict.word in ("reproducible", "explained")


@dataclass(frozen=True)
class TriageState:
    """All that is known of an issue by now."""

    parsed: ParsedIssue
    mre: Mre | None
    uv_stated: bool = True
    """Whether the post says which release it is about."""
    search: bool = False
    """Whether the boundaries are asked for."""
    missing: tuple[str, ...] = ()
    """What of the report's surroundings is not to be had here."""
    mistakes: tuple[Mistake, ...] = ()
    runs: tuple[TriageRun, ...] = ()
    history: History | None = None
    stop_reason: str = ""
    """Why no more was run, where more was wanted."""

    def run_of(self, kind: Kind) -> TriageRun | None:
        """Return the last run that was made for this reason."""
        return next((run for run in reversed(self.runs) if run.kind == kind), None)

    @cached_property
    def reproducing_run(self) -> TriageRun | None:
        """Return the run in which the reported symptom shows; none today where it was absent on the post's day."""
        tried = [run for run in self.runs if run.kind in ("reported", "day", "today")]
        found = next((run for run in tried if run.shows), None)
        if found and found.kind == "today" and any(run.outcome.word == "absent" for run in tried):
            return None
        return found

    @cached_property
    def evidence(self) -> Evidence:
        """Return what it is worth that it shows."""
        if self.reproducing_run is None:
            return Evidence(False, "it does not show")
        found = evidence_of(
            self.reproducing_run.planned.mre, self.parsed.claim, self.reproducing_run.result.base.observation
        )
        if found.strong and self.parsed.stand_ins:
            why = f"something stands in for what cannot be had ({self.parsed.stand_ins[0]})"
            return Evidence(False, why, specific=True)
        if found.strong and self.missing:
            return Evidence(False, self.missing[0], specific=True)
        return found

    @property
    def blocking_gaps(self) -> tuple[Gap, ...]:
        """Return the gaps without which nothing can be said."""
        gaps = tuple(gap for gap in self.parsed.gaps if gap.blocking)
        return gaps if gaps or self.parsed.claim.kind != "none" else (UNKNOWN_SYMPTOM,)

    @property
    def first_good(self) -> str:
        """Return the first release that was seen not to show it any more."""
        if self.history is None or self.history.unsound:
            return ""
        edge = self.history.boundaries.first_good
        known = edge is not None and edge.word in ("exact", "between") and edge.good is not None
        return self.history.releases[edge.good].version if edge and edge.good is not None and known else ""
