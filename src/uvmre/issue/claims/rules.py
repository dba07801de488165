"""What the reporter says goes wrong: an error, a text, a file, or that nothing is said."""

from dataclasses import replace

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims import file_diffs, outputs, silence, state_checks
from uvmre.issue.claims.errors import _failures, _quoted, _warnings
from uvmre.issue.claims.facts import Facts
from uvmre.issue.claims.second_run import _again


def claims(seen: Facts) -> list[Claim]:
    """Return what the post may claim, the likeliest first."""
    if all(each.works is True for each in seen.commands):
        # All that is said to work is another release: what the post has is what goes wrong.
        seen = replace(seen, commands=[replace(each, works=None) for each in seen.commands])
    found = [
        *_failures(seen),
        *_warnings(seen),
        *outputs.differing(seen),
        *file_diffs.files(seen.files, seen.results, seen.wanted, len(seen.commands)),
    ]
    found += [
        *_quoted(seen),
        *state_checks.unsaid(seen),
        *outputs.outputs(seen),
        *outputs.printed(seen),
        *silence.silence(seen),
    ]
    if silence.SILENT.search(seen.title) and not found:
        found = [*silence.silence(seen), *found]
    again = _again(seen)
    if again is not None:
        found.insert(0, again)
    return list({(each.kind, each.command, each.output, each.contains, each.test): each for each in found}.values())
