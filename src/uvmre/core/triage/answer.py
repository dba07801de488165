"""All that is said about one issue, and as JSON has it (docs/schemas/triage.json)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import Mre
from uvmre.core.outcome.verdict import Verdict
from uvmre.core.secrets.redact import redact, redact_deep, secrets
from uvmre.core.triage.decide import decide, questions
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.core.triage.state import TriageRun, TriageState

T = TypeVar("T")
SCHEMA = 1
OUR_BUG = 3
LABELS = {
    "reproducible": ("bug",),
    "not_reproducible": ("needs-mre",),
    "needs_more_information": ("needs-mre",),
    "explained": ("question",),
    "inconclusive": (),
}
EMPTY_STATE = TriageState(ParsedIssue(""), None)


@dataclass(frozen=True)
class TriageAnswer:
    """What is said about one issue."""

    issue: str
    """How it was asked for."""
    verdict: Verdict
    state: TriageState = EMPTY_STATE
    uv: str = ""
    """The release that the report is about; empty where nobody could tell."""
    folder: str = ""
    """Where the MRE is; empty where there is none."""
    exit: int | None = None
    """What it ends with, where that is not the verdict's own: it could not be read, or uvmre failed."""

    @property
    def exit_code(self) -> int:
        """Return what `uvmre triage` exits with for this one."""
        return self.verdict.exit_code if self.exit is None else self.exit

    @property
    def main_run(self) -> TriageRun | None:
        """Return the run that is told: in which it shows, else the first."""
        return self.state.reproducing_run or next(iter(self.state.runs), None)

    @property
    def mre(self) -> Mre | None:
        """Return the MRE as it was run, or would be."""
        return self.main_run.planned.mre if self.main_run else self.state.mre

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels that uv's tracker has for it."""
        return LABELS[self.verdict.word]

    @property
    def boundary(self) -> Mapping[str, str | None] | None:
        """Return the first bad and the first good release, as far as they were seen; None without a search."""
        history = self.state.history
        if history is None or history.unsound:
            return None
        return {"first_bad": history.first_bad or None, "first_good": self.state.first_good or None}

    @property
    def sentences(self) -> list[str]:
        """Return what the search over releases found, as sentences."""
        return self.state.history.sentences() if self.state.history else []

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Return the values that are masked in all that is said."""
        return secrets(self.mre) if self.mre else frozenset()

    def redacted(self, said: T) -> T:
        """Return what is said about this issue without its secrets."""
        return redact_deep(said, self.secrets)


def build_answer(issue: str, state: TriageState, *, uv: str, folder: str) -> TriageAnswer:
    """Decide, and put together all that is said."""
    found = decide(state)
    found = replace(found, reason=redact(found.reason, secrets(state.mre) if state.mre else ()))
    return TriageAnswer(issue, replace(found, reason=" ".join(found.reason.split())), state, uv, folder)


def to_data(told: TriageAnswer) -> dict[str, Any]:
    """Return the answer as JSON has it."""
    main, parsed = told.main_run, told.state.parsed
    python = main.result.python if main else parsed.python.text if parsed.python else ""
    data = {
        "schema": SCHEMA,
        "issue": told.issue,
        "title": parsed.title,
        "verdict": told.verdict.word,
        "reason": told.verdict.reason,
        "exit": told.exit_code,
        "uv": main.result.uv if main else told.uv,
        "python": python,
        "boundary": told.boundary,
        "sentences": told.sentences,
        "gaps": [f"line {gap.line}: {gap.description}" for gap in parsed.gaps],
        "questions": list(questions(told.state)) if told.exit is None else [],
        "explanations": explanations(told.state),
        "stand_ins": [*parsed.stand_ins, *told.state.missing],
        "labels": list(told.labels),
        "steps": [
            {"run": step.run, "role": step.role, "exit": step.exit, "stdout": step.stdout, "stderr": step.stderr}
            for step in (main.result.base.observation.steps if main else ())
        ],
        "runs": [
            {
                "why": run.kind,
                "what": run.planned.name,
                "uv": run.result.uv,
                "outcome": run.outcome.word,
                "verdict": run.verdict.word,
                "reason": run.verdict.reason,
            }
            for run in told.state.runs
        ],
        "mre": _mre_data(told.mre) if told.mre else None,
        "folder": told.folder,
    }
    return told.redacted(data)


def explanations(state: TriageState) -> list[dict[str, Any]]:
    """Return the known mistakes, each with whether it was fixed in a run in which the symptom was gone."""
    variants = state.reproducing_run.result.variants if state.reproducing_run else ()
    gone = {variant.name for variant in variants if variant.outcome.word == "absent"}
    return [{"rule": m.rule, "where": m.where, "why": m.why, "fixed": m.control in gone} for m in state.mistakes]


def _mre_data(mre: Mre) -> dict[str, Any]:
    files = {file.path: file.content.decode(errors="replace") for file in mre.files}
    return {"files": files, "manifest": dump(mre)}
