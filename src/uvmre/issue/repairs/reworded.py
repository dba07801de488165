"""The repair of a claim: the posted error, with other values or in other words, as another build of uv prints it."""

import difflib
import re
from dataclasses import replace

from uvmre.core.outcome.error_chain import innermost_cause, mask_local_details
from uvmre.core.text.normalize import WILDCARD, find_pattern, normalize
from uvmre.core.triage.evidence import is_distinctive
from uvmre.core.triage.hypothesis import Hypothesis, Repair
from uvmre.issue.repairs.rule import Failure

ALIKE = 0.6
"""The share of common words from which an error is the posted one."""
QUOTED = re.compile(r"`([^`]{1,200})`")
WILD = "…"
REWORDED = "reworded"
"""The id of this repair."""


def reword(failure: Failure) -> Hypothesis | None:
    """Return the hypothesis with what the posted and the printed error have in common; None if that is too little."""
    hypothesis, claim = failure.hypothesis, failure.hypothesis.parsed.claim
    printed = innermost_cause(failure.step.stderr.strip() or failure.step.stdout)
    if claim.kind != "failure" or not claim.output or printed is None or failure.step.role != "observe":
        return None
    text = common_text(claim.output[-1], mask_local_details(printed.links[-1]))
    if not text or text == claim.output[-1]:
        return None
    claim = replace(claim, output=(text,), unconfirmed=True)
    symptom = replace(hypothesis.mre.symptom, output=(text,))
    done = Repair(REWORDED, "neutral", printed.links[-1], f"looked for “{text}”")
    return replace(
        hypothesis,
        parsed=replace(hypothesis.parsed, claim=claim),
        mre=replace(hypothesis.mre, symptom=symptom),
        repairs=(*hypothesis.repairs, done),
    )


def common_text(posted: str, printed: str) -> str:
    """Return the words that two errors share, with `…` between them; empty if they are different errors.

    They are alike if they start alike, share most of their words, and quote the same names.
    """
    one, other = posted.split(), printed.split()
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    matches = [match for match in matcher.get_matching_blocks() if match.size]
    if not matches or matches[0].a or matches[0].b or matcher.ratio() < ALIKE:
        return ""
    if {*QUOTED.findall(posted)} != {*QUOTED.findall(printed)} and not WILDCARD.search(posted):
        return ""
    text = f" {WILD} ".join(" ".join(one[match.a : match.a + match.size]) for match in matches)
    last = matches[-1]
    if last.a + last.size < len(one) or last.b + last.size < len(other):
        text = f"{text} {WILD}"
    # Two values beside each other may be one to the matcher, as `3.12` and `a1`.
    found = all(find_pattern(text, normalize(each)) is not None for each in (posted, printed))
    return text if found and is_distinctive(text) else ""
