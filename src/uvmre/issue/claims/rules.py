"""The rules that derive claims from a post: a table, the likeliest first."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import elsewhere, errors, expected, file_diffs, outputs, path_states, silence, state_checks
from uvmre.issue.claims.facts import Facts
from uvmre.issue.claims.second_run import repeated_run

REMARK = re.compile(r"\s{1,20}(?:[👈👆⬅←]|<-{1,20}|<={2,20}|<{2,20}(?=\s|\Z)).{0,200}\Z")
"""What an author writes behind a line of output, with an arrow to it."""


@dataclass(frozen=True)
class ClaimRule:
    """A rule that finds claims of one kind."""

    id: str
    find: Callable[[Facts], Sequence[Claim]]


RULES = (
    ClaimRule("repeated-run", repeated_run),
    ClaimRule("failing-output", errors.failures),
    ClaimRule("loose-error", elsewhere.loose_errors),
    ClaimRule("warning", errors.relevant_warnings),
    ClaimRule("no-output", state_checks.empty_output),
    ClaimRule("differing-output", outputs.differing_output),
    ClaimRule("resulting-file", file_diffs.file_claims),
    ClaimRule("quoted-error", errors.quoted_errors),
    ClaimRule("retold-error", errors.retold_errors),
    ClaimRule("state", state_checks.state_claims),
    ClaimRule("missing-output", expected.missing_output),
    ClaimRule("missing-content", expected.missing_content),
    ClaimRule("path-state", path_states.path_states),
    ClaimRule("shown-output", outputs.shown_output),
    ClaimRule("quoted-output", outputs.quoted_output),
    ClaimRule("silence", silence.silence),
)
ELSEWHERE = "error-elsewhere"
"""The id of the rule that looks for the errors of other claims in other commands."""


def claims(facts: Facts, no_rules: Collection[str] = ()) -> list[Claim]:
    """Return the possible claims of a post, the likeliest first, without those of the rules with some ids."""
    if all(each.works is True for each in facts.commands):
        # What works is on another release: the posted commands are the failing ones.
        facts = replace(facts, commands=[replace(each, works=None) for each in facts.commands])
    found = [
        replace(claim, rule=rule.id, output=tuple(REMARK.sub("", text) for text in claim.output))
        for rule in RULES
        if rule.id not in no_rules
        for claim in rule.find(facts)
    ]
    if ELSEWHERE not in no_rules:
        found += [replace(claim, rule=ELSEWHERE) for claim in elsewhere.same_errors(facts, found)]
    key = attrgetter("kind", "command", "output", "contains", "test", "absent", "file", "exists")
    return list({key(each): each for each in found}.values())
