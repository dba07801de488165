"""What the reporter says goes wrong: an error, a text, a file, or that nothing is said."""

from dataclasses import replace

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import file_diffs, outputs, silence, state_checks
from uvmre.issue.claims.errors import failures, quoted_errors, relevant_warnings
from uvmre.issue.claims.facts import Facts
from uvmre.issue.claims.second_run import repeated_run


def claims(facts: Facts) -> list[Claim]:
    """Return what the post may claim, the likeliest first."""
    if all(each.works is True for each in facts.commands):
        # All that is said to work is another release: what the post has is what goes wrong.
        facts = replace(facts, commands=[replace(each, works=None) for each in facts.commands])
    found = [
        *failures(facts),
        *relevant_warnings(facts),
        *outputs.differing_output(facts),
        *file_diffs.file_claims(facts.files, facts.results, facts.expected, len(facts.commands)),
    ]
    found += [
        *quoted_errors(facts),
        *state_checks.state_claims(facts),
        *outputs.shown_output(facts),
        *outputs.quoted_output(facts),
        *silence.silence(facts),
    ]
    if silence.SAYS_SILENT.search(facts.title) and not found:
        found = [*silence.silence(facts), *found]
    repeated = repeated_run(facts)
    if repeated is not None:
        found.insert(0, repeated)
    return list({(each.kind, each.command, each.output, each.contains, each.test): each for each in found}.values())
