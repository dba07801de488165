"""Repair the MRE of an attempt, as the output of its last run says."""

from dataclasses import replace

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.observation import Observation
from uvmre.core.text.normalize import find_pattern, normalize, readable
from uvmre.core.triage.hypothesis import Hypothesis, Repair
from uvmre.core.triage.state import TriageState
from uvmre.issue.repairs import environment
from uvmre.issue.repairs.reworded import reword
from uvmre.issue.repairs.rule import Failure, RepairRule

RULES: tuple[RepairRule, ...] = environment.RULES
MOST_REPAIRS = 4
"""Of one hypothesis."""


def repair(attempt: TriageState) -> Hypothesis | None:
    """Return the hypothesis of an attempt with one more repair; None if no rule applies to its last run."""
    if attempt.mre is None or not attempt.runs or len(attempt.repairs) >= MOST_REPAIRS:
        return None
    hypothesis = Hypothesis(attempt.parsed, attempt.mre, attempt.repairs, attempt.source)
    failure = _failure(hypothesis, attempt.runs[-1].result.base.observation)
    if failure is None:
        return None
    for rule in RULES:
        found = rule.trigger.search(failure.output)
        if found is None or _is_claimed(hypothesis, found[0]):
            continue
        changed = rule.apply(failure, found)
        if changed and changed[0] != hypothesis.mre and _adds_only(hypothesis, changed[0]):
            done = Repair(rule.id, rule.kind, found[0].strip(), changed[1])
            return replace(hypothesis, mre=changed[0], repairs=(*hypothesis.repairs, done))
    return reword(failure)


def _failure(hypothesis: Hypothesis, observation: Observation) -> Failure | None:
    """Return the step that ended a run."""
    at = len(observation.steps) - 1
    if at < 0 or at >= len(hypothesis.mre.steps) or not observation.steps[at].exit or observation.unanswered:
        return None
    step = observation.steps[at]
    output = " ".join(readable(f"{step.stderr}\n{step.stdout}").split())
    return Failure(hypothesis, step, at, output)


def _is_claimed(hypothesis: Hypothesis, text: str) -> bool:
    """Tell whether a text is in the claim: what the report is about is no obstacle to it."""
    claimed = normalize(" ".join(hypothesis.parsed.claim.output))
    return find_pattern(text, claimed) is not None


def _adds_only(hypothesis: Hypothesis, changed: Mre) -> bool:
    """Tell whether a changed MRE still has every posted file as it was, and nothing that the claim calls missing."""
    posted = {file.path for file in hypothesis.parsed.files if not file.inferred}
    kept = all(changed.file(path) == hypothesis.mre.file(path) for path in posted)
    new = {file.path for file in changed.files} - {file.path for file in hypothesis.mre.files}
    claimed = " ".join((*hypothesis.parsed.claim.output, hypothesis.parsed.claim.file))
    return kept and not any(path in claimed for path in new)
