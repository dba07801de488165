"""The rules that derive claims from a post."""

from dataclasses import replace

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import errors, file_diffs, outputs, silence, state_checks
from uvmre.issue.claims.facts import Facts
from uvmre.issue.claims.second_run import repeated_run


def claims(facts: Facts) -> list[Claim]:
    """Return the possible claims of a post, the likeliest first."""
    if all(each.works is True for each in facts.commands):
        # What works is on another release: the posted commands are the failing ones.
        facts = replace(facts, commands=[replace(each, works=None) for each in facts.commands])
    repeated = repeated_run(facts)
    found = [
        *([repeated] if repeated else []),
        *errors.failures(facts),
        *errors.relevant_warnings(facts),
        *outputs.differing_output(facts),
        *file_diffs.file_claims(facts.files, facts.results, facts.expected, len(facts.commands)),
        *errors.quoted_errors(facts),
        *state_checks.state_claims(facts),
        *outputs.shown_output(facts),
        *outputs.quoted_output(facts),
        *silence.silence(facts),
    ]
    return list({(each.kind, each.command, each.output, each.contains, each.test): each for each in found}.values())
