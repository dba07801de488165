"""All that is said about one issue, and as JSON has it (docs/schemas/triage.json)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from uvmre.core.case import Case, Trial
from uvmre.core.draft import Draft
from uvmre.core.manifest import dump
from uvmre.core.mre import Mre
from uvmre.core.redact import hidden, redact, secrets
from uvmre.core.triage import decide, questions
from uvmre.core.verdict import Verdict

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
NOTHING = Case(Draft(""), None)


@dataclass(frozen=True)
class Answer:
    """What is said about one issue."""

    issue: str
    """How it was asked for."""
    verdict: Verdict
    case: Case = NOTHING
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
    def main(self) -> Trial | None:
        """Return the run that is told: in which it shows, else the first."""
        return self.case.shown or next(iter(self.case.trials), None)

    @property
    def mre(self) -> Mre | None:
        """Return the MRE as it was run, or would be."""
        return self.main.wish.mre if self.main else self.case.mre

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels that uv's tracker has for it."""
        return LABELS[self.verdict.word]

    @property
    def boundary(self) -> Mapping[str, str | None] | None:
        """Return the first bad and the first good release, as far as they were seen; None without a search."""
        history = self.case.history
        if history is None or history.unsound:
            return None
        return {"first_bad": history.first_bad or None, "first_good": self.case.first_good or None}

    @property
    def sentences(self) -> list[str]:
        """Return what the search over releases found, as sentences."""
        return self.case.history.sentences() if self.case.history else []

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Return the values that are masked in all that is said."""
        return secrets(self.mre) if self.mre else frozenset()

    def redacted(self, said: T) -> T:
        """Return what is said about this issue without its secrets."""
        return hidden(said, self.secrets)


def answer(issue: str, case: Case, *, uv: str, folder: str) -> Answer:
    """Decide, and put together all that is said."""
    found = decide(case)
    found = replace(found, reason=redact(found.reason, secrets(case.mre) if case.mre else ()))
    return Answer(issue, replace(found, reason=" ".join(found.reason.split())), case, uv, folder)


def to_data(told: Answer) -> dict[str, Any]:
    """Return the answer as JSON has it."""
    main, draft = told.main, told.case.draft
    python = main.result.python if main else draft.python.text if draft.python else ""
    data = {
        "schema": SCHEMA,
        "issue": told.issue,
        "title": draft.title,
        "verdict": told.verdict.word,
        "reason": told.verdict.reason,
        "exit": told.exit_code,
        "uv": main.result.uv if main else told.uv,
        "python": python,
        "boundary": told.boundary,
        "sentences": told.sentences,
        "gaps": [f"line {gap.line}: {gap.what}" for gap in draft.gaps],
        "questions": list(questions(told.case)) if told.exit is None else [],
        "explanations": explanations(told.case),
        "stood_in": [*draft.stood_in, *told.case.lacks],
        "labels": list(told.labels),
        "steps": [
            {"run": step.run, "role": step.role, "exit": step.exit, "stdout": step.stdout, "stderr": step.stderr}
            for step in (main.result.base.observation.steps if main else ())
        ],
        "runs": [
            {
                "why": trial.kind,
                "what": trial.wish.name,
                "uv": trial.result.uv,
                "outcome": trial.outcome.word,
                "verdict": trial.verdict.word,
                "reason": trial.verdict.reason,
            }
            for trial in told.case.trials
        ],
        "mre": _mre(told.mre) if told.mre else None,
        "folder": told.folder,
    }
    return told.redacted(data)


def explanations(case: Case) -> list[dict[str, Any]]:
    """Return the known mistakes, each with whether it was mended in a run in which the symptom was gone."""
    variants = case.shown.result.variants if case.shown else ()
    gone = {variant.name for variant in variants if variant.outcome.word == "absent"}
    return [{"rule": m.rule, "where": m.where, "why": m.why, "mended": m.control in gone} for m in case.mistakes]


def _mre(mre: Mre) -> dict[str, Any]:
    files = {file.path: file.content.decode(errors="replace") for file in mre.files}
    return {"files": files, "manifest": dump(mre)}
