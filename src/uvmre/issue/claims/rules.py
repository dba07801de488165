"""The rules that derive claims from a post: a table, the likeliest first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import elsewhere, errors, expected, file_diffs, outputs, path_states, silence, state_checks
from uvmre.issue.claims.facts import Facts
from uvmre.issue.claims.second_run import repeated_run


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


def claims(facts: Facts) -> list[Claim]:
    """Return the possible claims of a post, the likeliest first."""
    if all(each.works is True for each in facts.commands):
        # What works is on another release: the posted commands are the failing ones.
        facts = replace(facts, commands=[replace(each, works=None) for each in facts.commands])
    found = [replace(claim, rule=rule.id) for rule in RULES for claim in rule.find(facts)]
    found += [replace(claim, rule="error-elsewhere") for claim in elsewhere.same_errors(facts, found)]
    return list(
        {
            (each.kind, each.command, each.output, each.contains, each.test, each.absent, each.file): each
            for each in found
        }.values()
    )
