"""Claims that uv prints nothing, or succeeds."""

import re

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims.facts import Facts, source

SAYS_SILENT = re.compile(
    r"(?i)\b(?:silent(?:ly)?|without (?:any )?(?:error|warning|message|feedback|output|notice)s?"
    r"|no (?:error|warning|message|output|indication|feedback)s?\b"
    r"|(?:does(?:n't| not)|did(?:n't| not)|never) (?:warn|error|fail|complain|raise|report|show any"
    r"|say|print|detect)|should (?:\w+ )?(?:fail|error|warn|raise|be an error|complain|reject|refuse)"
    r"|(?:are|is|was|were)(?:n't| not) (?:detected|reported|rejected|caught)|nothing happens|exit(?:s"
    r"|ed)? (?:with )?(?:code |status )?(?:0|zero|success\w*)|ignor(?:es|ed|ing))\b"
)


PROPOSAL = re.compile(r"(?i)\b(?:can we|feature|would be (?:nice|great))\b")


def silence(facts: Facts) -> list[Claim]:
    """Return the claim of a sentence that says that uv prints nothing, or succeeds."""
    uv = [
        i
        for i, each in enumerate(facts.commands)
        if re.match(r"(?:\w+=\S* )*uvx?\s", each.run) and each.works is not True
    ]
    for sentence, line in facts.statements if uv else ():
        if SAYS_SILENT.search(sentence) and not PROPOSAL.search(sentence):
            i = facts.command_in(sentence, uv, uv[-1])
            about = (facts.title, " ".join(sentence.split()))
            return [Claim("silence", i, line, about=about, unconfirmed=True, why=source(sentence))]
    return []
