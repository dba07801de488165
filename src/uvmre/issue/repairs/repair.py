"""Repair the MRE of an attempt, as the output of its first run says."""

import re
from collections.abc import Collection
from dataclasses import replace

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.error_chain import mask_local_details
from uvmre.core.outcome.observation import Observation
from uvmre.core.text.normalize import BOXES, find_pattern, normalize, readable
from uvmre.core.triage.hypothesis import Hypothesis, Repair
from uvmre.core.triage.parsed_issue import Claim
from uvmre.core.triage.state import TriageState
from uvmre.issue.repairs import content, environment, project, remote, steps
from uvmre.issue.repairs.reworded import REWORDED, reword
from uvmre.issue.repairs.rule import LEAST, Failure, RepairRule

_TABLES = (steps, environment, content, project, remote)
RULES = tuple(each for table in _TABLES for each in vars(table).values() if isinstance(each, RepairRule))
"""Of those that apply, the first counts."""
MOST_REPAIRS = 4
"""Of one hypothesis."""
ABOUT_CLAIM = (steps.quoted_error, steps.earlier_run)
"""The rules for a step that shows what the report is about."""
CALLS_MISSING = re.compile(
    r"(?i)\bnot (?:found|exist)|n't exist|missing|no such|unable to|cannot|can't|could not|\bno [`\w]|failed to"
)
MADE = {"uv venv": ".venv", "uv lock": "uv.lock"}
"""What commands make that they do not name."""


def repair(attempt: TriageState, no_rules: Collection[str] = ()) -> Hypothesis | None:
    """Return the hypothesis of an attempt with one more repair; None if no rule applies to its first run."""
    if attempt.mre is None or not attempt.runs or len(attempt.repairs) >= MOST_REPAIRS:
        return None
    hypothesis = Hypothesis(attempt.parsed, attempt.mre, attempt.repairs, attempt.source, attempt.number)
    failure = failure_of(hypothesis, attempt.runs[0].result.base.observation)
    if failure is None:
        return None
    return repair_failure(failure, no_rules) or (None if REWORDED in no_rules else reword(failure))


def failure_of(hypothesis: Hypothesis, observation: Observation) -> Failure | None:
    """Return the step that ended a run; None if none failed."""
    at = len(observation.steps) - 1
    if at < 0 or at >= len(hypothesis.mre.steps) or not observation.steps[at].exit:
        return None
    step = observation.steps[at]
    output = BOXES.sub("", readable(f"{step.stderr}\n{step.stdout}"))
    return Failure(hypothesis, step, at, " ".join(output.split()))


def repair_failure(failure: Failure, no_rules: Collection[str] = ()) -> Hypothesis | None:
    """Return the hypothesis with the first repair that applies to a failed step and leaves what the report is about."""
    hypothesis = failure.hypothesis
    for each in (each for each in RULES if each.id not in no_rules):
        found = each.trigger.search(failure.output)
        claimed = found and (failure.shows_claim or _is_claimed(hypothesis.parsed.claim, found[0]))
        if not found or (claimed and each not in ABOUT_CLAIM) or not (change := each.apply(failure, found)):
            continue
        changed = replace(hypothesis, mre=change[0]) if isinstance(change[0], Mre) else change[0]
        if changed.mre != hypothesis.mre and keeps_report(hypothesis, changed.mre):
            done = Repair(each.id, each.kind, found[0].strip(), change[1])
            return replace(changed, repairs=(*hypothesis.repairs, done))
    return None


def _is_claimed(claim: Claim, text: str) -> bool:
    """Tell whether a text is in a claim: what the report is about is no obstacle to it."""
    claimed, found = normalize(" ".join(claim.output)), normalize(text)
    is_quoted = any(find_pattern(each, found) is not None for each in claim.output if len(each) >= LEAST)
    patterns = (text, mask_local_details(text))
    return bool(found) and (is_quoted or any(find_pattern(each, claimed) is not None for each in patterns))


def keeps_report(hypothesis: Hypothesis, changed: Mre) -> bool:
    """Tell whether a changed MRE has every posted file as it was, and makes nothing that the claim is about."""
    posted = {file.path for file in hypothesis.parsed.files if not file.inferred}
    if any(hypothesis.mre.file(path) != changed.file(path) for path in posted):
        return False
    return not any(_is_about(hypothesis.parsed.claim, path) for path in _made(hypothesis.mre, changed))


def _made(mre: Mre, changed: Mre) -> set[str]:
    """Return the files and folders that a changed MRE has and the other one has not."""

    def paths(each: Mre) -> set[str]:
        names = {file.path for file in each.files}
        return names | {path[:at] for path in names for at, letter in enumerate(path) if letter == "/"}

    found = paths(changed) - paths(mre)
    for step in {*changed.steps} - {*mre.steps}:
        line = step.name.split("\n")[0]
        if line in MADE:
            found.add(MADE[line])
        elif line.startswith(("uv venv ", "mkdir -p ", "make ")):
            found.add(line.split()[-1].strip("'"))
    return found


def _is_about(claim: Claim, path: str) -> bool:
    """Tell whether a claim calls a path missing, or is about its existence or content."""
    name = re.compile(rf"(?<![\w-]){re.escape(path)}(?![\w-])")
    # What uv itself makes has the content that uv gives it.
    checked = claim.test if claim.contains and path in MADE.values() else f"{claim.test} {claim.file}"
    is_checked = bool(name.search(checked))
    return is_checked or any(name.search(each) and CALLS_MISSING.search(each) for each in claim.output)
