"""Claims of a command that is run twice."""

import re

from uvmre.core.outcome.error_chain import innermost_cause, mask_local_details
from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import outputs
from uvmre.issue.claims.errors import failure
from uvmre.issue.claims.facts import Facts

REPEATS = re.compile(
    r"(?i)\b(?:(?:the )?(?:second|2nd|next|subsequent|following) (?:time|run|call|invocation|sync"
    r"|lock)s?|re-?run(?:ning|s)?\b|run(?:ning)? (?:it |this |the command |`[^`]+` )?again"
    r"|(?:on|every|each) subsequent|again\b|repeatedly|every time)"
)
NEXT_TIME = re.compile(
    r"(?i)\bnext time\b|\bsecond (?:time|run)\b|\b2nd (?:time|run)\b|\bsubsequent (?:runs?|calls?|invocations?)\b"
    r"|\bif (?:you|I|we) (?:re-?run|run (?:it |this )?again)"
)
RESULT = re.compile(r"[+~-] |Installed|Audited")
FIXES = re.compile(r"(?i)works (?:fine )?(?:when|if|after)|fixes|is fine|goes away|succeeds|resolves")


def repeated_run(facts: Facts) -> list[Claim]:
    """Return the claim of the second of two runs of the same command."""
    for i, each in enumerate(facts.commands):
        first = next((j for j in range(i) if facts.commands[j].run == each.run), None)
        if first is None or not REPEATS.search(facts.context.get(i, "")) or not each.output:
            continue
        before, now = innermost_cause(facts.commands[first].output), innermost_cause(each.output)
        if now is None and before is not None:
            lines = [line for line in outputs.nonempty_lines(each.output) if RESULT.match(line)]
            lines = lines or outputs.stable_lines(each.output)
            texts = tuple(mask_local_details(re.sub(r" in [\d.]+m?s$", "", line)) for line in lines)
            if texts:
                why = "the second run succeeds, the first does not"
                return [Claim("output", i, each.line + 1, texts, expected=before.texts, unconfirmed=True, why=why)]
        if now is not None:
            return [failure(each, i, now)]
    return []


def fails_on_repeat(facts: Facts, claim: Claim) -> str:
    """Return the sentence that says that only a second run fails; empty if there is none."""
    if claim.command < 0 or sum(each.run == facts.commands[claim.command].run for each in facts.commands) > 1:
        return ""
    for sentence, _ in [*facts.sentences, (facts.context.get(claim.command, ""), 0)]:
        if NEXT_TIME.search(sentence) and not FIXES.search(sentence):
            return " ".join(sentence.split())[:120]
    return ""
