"""The answer to one issue, and its JSON form (docs/schemas/triage.json)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import Mre
from uvmre.core.outcome.verdict import Verdict
from uvmre.core.secrets.redact import certain_secrets, redact, redact_deep, secrets
from uvmre.core.triage import explain
from uvmre.core.triage.decide import decide, questions
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.core.triage.state import TriageRun, TriageState

T = TypeVar("T")
SCHEMA = 1
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
    """The answer to one issue."""

    issue: str
    """The argument that names it."""
    verdict: Verdict
    state: TriageState = EMPTY_STATE
    """The reading of the issue that answers it."""
    attempts: tuple[TriageState, ...] = ()
    """All readings that were tried."""
    uv: str = ""
    """The release that the report is about; empty if it is unknown."""
    folder: str = ""
    """Where the MRE is; empty if there is none."""
    exit: int | None = None
    """The exit code if it is not the verdict's: the issue could not be read, or uvmre failed."""

    posted_secrets: frozenset[str] = frozenset()
    small: str = ""
    """Where the smaller MRE is; empty if none was searched."""

    @property
    def exit_code(self) -> int:
        """Return the exit code of `uvmre triage` for this issue."""
        return self.verdict.exit_code if self.exit is None else self.exit

    @property
    def main_run(self) -> TriageRun | None:
        """Return the run to report: the one that shows the symptom, or the first."""
        return self.state.reproducing_run or next(iter(self.state.runs), None)

    @property
    def mre(self) -> Mre | None:
        """Return the MRE as it was run, or would be run."""
        return self.main_run.planned.mre if self.main_run else self.state.mre

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the matching labels of uv's tracker."""
        return LABELS[self.verdict.word]

    @property
    def boundary(self) -> Mapping[str, str | None] | None:
        """Return the first bad and the first good release that the search found; None without a search."""
        history = self.state.history
        if history is None or history.unsound:
            return None
        return {"first_bad": history.first_bad or None, "first_good": self.state.first_good or None}

    @property
    def sentences(self) -> list[str]:
        """Return the results of the search over releases, as sentences."""
        return self.state.history.sentences() if self.state.history else []

    @property
    def remarks(self) -> list[str]:
        """Return what comments say of the outcome, as sentences; no evidence."""
        found = next((each.parsed.remarks for each in (self.state, *self.attempts) if each.parsed.remarks), ())
        return [f"a comment says (line {each.line}): {each.text}" for each in found]

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Return the values to mask."""
        return self.posted_secrets.union(secrets(self.mre) if self.mre else ())

    def redacted(self, data: T) -> T:
        """Return data of this issue without its secrets."""
        return redact_deep(data, self.secrets)


def build_answer(
    issue: str, text: str, state: TriageState, attempts: Sequence[TriageState] = (), *, uv: str, folder: str
) -> TriageAnswer:
    """Decide on an issue with a text, and return the answer."""
    secret = certain_secrets(text)
    answer = TriageAnswer(issue, decide(state), state, tuple(attempts), uv, folder, posted_secrets=secret)
    reason = " ".join(redact(answer.verdict.reason, answer.secrets).split())
    return replace(answer, verdict=replace(answer.verdict, reason=reason))


def to_data(answer: TriageAnswer) -> dict[str, Any]:
    """Return the answer as JSON data."""
    main, parsed = answer.main_run, answer.state.parsed
    python = main.result.python if main else parsed.python.text if parsed.python else ""
    data = {
        "schema": SCHEMA,
        "issue": answer.issue,
        "title": parsed.title,
        "verdict": answer.verdict.word,
        "reason": answer.verdict.reason,
        "exit": answer.exit_code,
        "uv": main.result.uv if main else answer.uv,
        "python": python,
        "boundary": answer.boundary,
        "sentences": answer.sentences,
        "gaps": [f"line {gap.line}: {gap.description}" for gap in parsed.gaps],
        "questions": list(questions(answer.state)) if answer.exit is None else [],
        "remarks": answer.remarks,
        "explanations": explanations(answer.state),
        "stand_ins": [*parsed.stand_ins, *answer.state.missing],
        "labels": list(answer.labels),
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
            for run in answer.state.runs
        ],
        "hypotheses": explain.as_data(answer.attempts),
        "mre": _mre_data(answer.mre) if answer.mre else None,
        "folder": answer.folder,
        "small": answer.small,
    }
    return answer.redacted(data)


def explanations(state: TriageState) -> list[dict[str, Any]]:
    """Return the known mistakes, each with whether the symptom is gone with it fixed."""
    variants = state.reproducing_run.result.variants if state.reproducing_run else ()
    gone = {variant.name for variant in variants if variant.outcome.word == "absent"}
    return [{"rule": m.rule, "where": m.where, "why": m.why, "fixed": m.control in gone} for m in state.mistakes]


def _mre_data(mre: Mre) -> dict[str, Any]:
    files = {file.path: file.content.decode(errors="replace") for file in mre.files}
    return {"files": files, "manifest": dump(mre)}
