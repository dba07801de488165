"""The built-in reader: which hypothesis of an issue is tried next."""

from collections.abc import Collection, Sequence

from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.state import TriageState
from uvmre.issue.repairs.repair import repair


def propose(
    hypotheses: Sequence[Hypothesis], attempts: Sequence[TriageState], no_rules: Collection[str] = ()
) -> Hypothesis | None:
    """Return the next hypothesis: the last one repaired, where its run says how, else the next of the post.

    Args:
        hypotheses: those of the post, the likeliest first.
        attempts: what was tried so far, with its runs.
        no_rules: the ids of the repair rules that are left out.
    """
    tried = [attempt.mre for attempt in attempts]
    if attempts and (not attempts[-1].reproducing_run or _is_any_failure(attempts[-1])):
        repaired = repair(attempts[-1], no_rules)
        if repaired and repaired.mre not in tried:
            return repaired
    return next((each for each in hypotheses if each.mre not in tried), None)


def _is_any_failure(attempt: TriageState) -> bool:
    """Tell whether a claim is that a command fails, without saying how: an obstacle shows it too."""
    return attempt.parsed.claim.kind == "failure" and not attempt.parsed.claim.output
