"""What the reporter says goes wrong: an error, a text, a file, or that nothing is said."""

from dataclasses import replace

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import file_diffs, outputs, silence, state_checks
from uvmre.issue.claims.errors import failures, quoted_errors, relevant_warnings
from uvmre.issue.claims.facts import Facts
from uvmre.issue.claims.second_run import repeated_run


def claims(seen: Facts) -> list[Claim]:
    """Return what the post may claim, the likeliest first."""
    if all(each.works is True for each in seen.commands):
        # All that is said to work is another release: what the post has is what goes wrong.
        seen = replace(seen, commands=[replace(each, works=None) for each in seen.commands])
    found = [
        *failures(seen),
        *relevant_warnings(seen),
        *outputs.differing_output(seen),
        *file_diffs.file_claims(seen.files, seen.results, seen.expected, len(seen.commands)),
    ]
    found += [
        *quoted_errors(seen),
        *state_checks.state_claims(seen),
        *outputs.shown_output(seen),
        *outputs.quoted_output(seen),
        *silence.silence(seen),
    ]
    if silence.SAYS_SILENT.search(seen.title) and not found:
        found = [*silence.silence(seen), *found]
    again = repeated_run(seen)
    if again is not None:
        found.insert(0, again)
    return list({(each.kind, each.command, each.output, each.contains, each.test): each for each in found}.values())
