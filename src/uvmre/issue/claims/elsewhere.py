"""Claims of an error whose command is uncertain: the same error, of each command that may have printed it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from uvmre.core.outcome.error_chain import innermost_cause, warnings
from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims.errors import failure
from uvmre.issue.claims.facts import Facts

CALLS_UV = re.compile(r"\buvx?\s")
MOST_ERRORS = 2


def loose_errors(facts: Facts) -> list[Claim]:
    """Return the claims of errors and warnings below no command, for the last one without one, or an inferred one."""
    last = next(_candidates(facts), -1)
    found = []
    for text, line in facts.loose if last >= 0 else ():
        if cause := innermost_cause(text):
            claim = failure(replace(facts.all_commands[last], line=line - 1), last, cause)
            found.append(replace(claim, why=f"output below no command: “{cause.links[-1][:160]}”"))
        else:
            for warning in warnings(text):
                why = f"a warning below no command: “{warning[:160]}”"
                found.append(Claim("output", last, line, (warning,), why=why))
    return found


def same_errors(facts: Facts, found: Sequence[Claim]) -> Iterator[Claim]:
    """Yield the claims of the first errors again, for every other command that may have printed them."""
    errors = {claim.output: claim for claim in reversed(found) if claim.kind == "failure" and claim.output}
    for claim in list(reversed(errors.values()))[:MOST_ERRORS]:
        for i in _candidates(facts):
            if i != claim.command:
                why = f"{claim.why}; here of `{facts.all_commands[i].run.splitlines()[0][:80]}`"
                yield replace(claim, command=i, why=why, unconfirmed=True)


def _candidates(facts: Facts) -> Iterator[int]:
    """Yield the commands that have no error of their own, the last one first, then the inferred ones."""
    for i in reversed(range(len(facts.commands))):
        each = facts.commands[i]
        if CALLS_UV.search(each.run) and each.works is not True and not innermost_cause(each.output):
            yield i
    yield from range(len(facts.commands), len(facts.all_commands))
