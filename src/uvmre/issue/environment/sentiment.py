"""Whether a sentence says that something works, that it fails, or how it should be."""

import re
from collections.abc import Sequence

from uvmre.core.search.release import parse_version
from uvmre.issue.environment.versions import EXACT, FAILS, WORKS, PostedEnvironment
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.blocks import Block

FAILING = re.compile(
    rf"(?i){FAILS}|\bactual\b|\bbut\b|\bunexpected(?:ly)?\b|\bincorrect\w*|\binstead of\b|\bunable\b"
    rf"|\bcannot\b|\bcan't\b|\bmissing\b|\bbad\b|\bproblem\b"
)
WORKING = re.compile(
    rf"(?i){WORKS}|\bexpect(?:ed|ation)?\b|\bshould\b|\bdesired\b|\bworkaround\b|\bfixes it\b|\bgood\b|\bsolve[sd]?\b"
)
NO_FAILURE = re.compile(
    r"(?i)\b(?:no|without(?: any)?|w/o(?: any)?|not an?) (?:issue|problem|error|failure|warning)s?\b"
    r"|\bno longer (?:fails|broken|occurs)\b|error[- ]free"
)
PROPOSAL = re.compile(
    r"(?i)\b(?:should|would (?:be|like|love|expect|have)|could (?:we|you|uv)|can we|wish"
    r"|want(?:ed)? (?:uv|a|an)|feature|propose|suggest(?:ion)?|instead of"
    r"|alternative|workaround|work around|docs?|documentation|as (?:in|with)|similar to|like `"
    r"|equivalent|maybe|perhaps|it would|please (?:add|support))\b"
)
QUESTION = re.compile(
    r"(?i)\A(?:\[?question\b|how (?:do|does|to|can|should) |is it possible|(?:can|should) (?:i|we|one) )"
)
FORM = ("Question",)
"""The first heading that uv's form for questions writes."""
RELEASE = re.compile(r"^(?:.*\bDEBUG )?uv(?:-tool-uvx)? (?P<version>\d+\.\d+\.\d+)\b", re.MULTILINE)


def is_question(title: str, found: Sequence[Block]) -> bool:
    """Tell whether a post asks how something is done: an error that it shows may well be right."""
    return bool(QUESTION.match(title)) or any(block.headings[:1] == FORM for block in found)


def says_works(text: str) -> bool | None:
    """Return whether a sentence says that it works or fails; None if it says neither."""
    text = NO_FAILURE.sub("fine", text)
    fails = FAILING.search(text)
    if fails and not (
        fails[0].lower() == "but" and not FAILING.search(text[fails.end() :]) and WORKING.search(text[fails.end() :])
    ):
        return False
    return True if WORKING.search(text) else None


def says_fails(text: str) -> bool:
    """Tell whether a sentence says that something fails."""
    return says_works(text) is False


def is_proposal(text: str) -> bool:
    """Tell whether a sentence says how something should be."""
    return bool(PROPOSAL.search(text))


def block_works(block: Block, environment: PostedEnvironment) -> bool | None:
    """Return whether a block works, according to the text before it, its heading, or the release; None if unknown."""
    lead = (blocks.sentences(block.before) or [""])[-1]
    if environment.good and environment.good.text in lead and not (environment.uv and environment.uv.text in lead):
        return True
    if environment.uv and environment.uv.text in lead and says_fails(lead):
        return False
    if (
        environment.uv
        and environment.uv.line
        and environment.uv.text not in lead
        and (other := EXACT.search(lead))
        and re.search(r"(?i)\buv\b|version", lead)
    ):
        return True if parse_version(other[1]) < parse_version(environment.uv.text) else None
    works = says_works(lead)
    if works is None and block.heading:
        heading = block.heading.lower()
        if re.search(r"\bexpected\b|\bworks\b|\bworkaround\b|\bbefore\b", heading) and "actual" not in heading:
            return True
        if re.search(r"\bactual\b|\bbug\b|\berror\b|\bcurrent\b|\bobserved\b", heading):
            return False
    return works


def clause_with(sentence: str, code: str) -> str:
    """Return the clause of a sentence that contains a piece of code."""
    clauses = re.split(r"[;]|,\s+(?=but|whereas|while|however)|\s(?=but\s|whereas\s|however\s)", sentence)
    return next((clause for clause in clauses if code in clause), sentence)


def printed_release(output: str) -> str:
    """Return the version of uv that an output prints; empty if it prints none."""
    found = RELEASE.search(output)
    return found["version"] if found else ""
