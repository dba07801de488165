"""Claims that something is missing: the output, or a file, lacks what the post says it should have."""

import re
from collections.abc import Iterator, Sequence

from uvmre.core.outcome.error_chain import innermost_cause, mask_local_details
from uvmre.core.triage.evidence import INSTALLED, is_distinctive
from uvmre.core.triage.parsed_issue import Claim
from uvmre.core.triage.proposal import ORDINARY
from uvmre.issue.claims.errors import NO_ERROR
from uvmre.issue.claims.facts import Facts, source
from uvmre.issue.claims.file_diffs import changes
from uvmre.issue.claims.outputs import nonempty_lines, stable_lines
from uvmre.issue.commands import recognize
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.blocks import Block

PROPOSAL = re.compile(
    r"(?i)\b(?:can we|could (?:we|uv)|feature|enhancement|would be (?:nice|great|good|helpful|useful)|it'd be"
    r"|support(?: for)?|allow|add an?|please add|wish(?:list)?|sugges\w+|propos\w+|request|option to|ability to)\b"
)
"""Titles that ask for something new: that a later release has it proves no bug."""
INTRODUCES = re.compile(
    r"(?i)(?<!as )(?<!not )\bexpect(?:ed|ation|ing|s)?\b|\bshould (?:be|print|contain|have|look|show|output|say"
    r"|read|give|return|include|produce|list)\b|\b(?:instead of|rather than)\W{0,3}\Z"
    r"|\b(?:desired|correct) (?:output|result)"
)
DENIES = re.compile(
    r"(?i)\b(?:not|n't|never|no longer|unexpected\w*|but (?:I )?(?:get|got|see)|instead,? (?:I )?(?:get|got|see|it))\b"
)
SHOULD_PRINT = re.compile(
    r"(?i)\b(?:should|expect(?:ed|ing)?|supposed to)\b(?! not)[^.;,`]{0,40}\b(?:be|print(?:s|ed)?|contain(?:s|ed)?"
    r"|show(?:s|n)?|output|say|see|read|give|return|include|produce|list|warn(?:ing)?|error|fail|raise|report|message)\b"
    r"[^`\"“.;]{0,25}\Z"
)
INSTEAD = re.compile(r"(?i)\b(?:instead of|rather than) (?:the (?:expected|correct) )?\W{0,2}\Z")
GOT = re.compile(r"(?i)\b(?:get|got|see|saw|prints?|shows?|outputs?|returns?|gives?|produces?|writes?)\b")
PROMPT = re.compile(r"^(?:RUN|FROM|COPY|ENV) |^[^\S\n]{0,20}(?:[$>❯➜%]|\w{1,40}@\w{1,40}\S{0,80}[$#]) \S", re.MULTILINE)
MOST_LINES, MOST_UNSEEN = 6, 3
"""The lines of an expected output, where the actual one is posted and where it is not."""


def expected_blocks(found: Sequence[Block]) -> list[tuple[str, int]]:
    """Return the outputs that a post introduces as expected, each with its line."""
    kept = []
    for block in found:
        lead = (blocks.sentences(block.before) or [block.heading if block.first_under_heading else ""])[-1]
        if block.kind != "code" or _has_command(block.text) or block.tag in ("toml", "python", "py", "json", "yaml"):
            continue
        if INTRODUCES.search(lead) and not DENIES.search(lead):
            kept.append((block.text, block.line))
    return kept


def _has_command(text: str) -> bool:
    return bool(PROMPT.search(text)) or any(recognize.is_command(line.strip()) for line in text.splitlines())


def missing_output(facts: Facts) -> list[Claim]:
    """Return the claims that a command does not print what is expected, although it succeeds."""
    uv = [
        i
        for i, each in enumerate(facts.commands)
        if each.works is not True and re.search(r"\buvx?\s", each.run) and not innermost_cause(each.output)
    ]
    if not uv or PROPOSAL.search(facts.title):
        return []
    found = []
    for i, texts, line, why in _expected_texts(facts, uv):
        printed = nonempty_lines(facts.commands[i].output)
        missing = [text for text in texts if text not in printed]
        most = MOST_LINES if printed else MOST_UNSEEN
        kept = tuple(masked for text in missing if _is_telling(masked := mask_local_details(text)))
        if kept and len(missing) <= most:
            found.append(Claim("output", i, line, absent=kept, expected=kept, unconfirmed=True, why=why))
    return found


def _expected_texts(facts: Facts, uv: Sequence[int]) -> Iterator[tuple[int, list[str], int, str]]:
    """Yield the lines that a command should print, each with the command, its line and its source."""
    for i in uv:
        for other in facts.commands:
            if other.works is True and other.run == facts.commands[i].run and other.output and facts.commands[i].output:
                yield i, stable_lines(other.output), facts.commands[i].line, "what works prints more lines"
    for text, line in facts.expected_outputs:
        above = [i for i in uv if facts.commands[i].line < line]
        yield (above or uv)[-1], stable_lines(text), line, "a block that the post introduces as expected"
    for sentence, line in facts.statements:
        for code, at in blocks.quotations(sentence):
            before = sentence[:at]
            instead = INSTEAD.search(before) and GOT.search(before)
            if (SHOULD_PRINT.search(before) or instead) and not NO_ERROR.match(code):
                yield facts.command_in(sentence, uv, uv[-1]), [code], line, source(sentence)


def _is_telling(text: str) -> bool:
    """Tell whether a text is more than what uv prints when all is well."""
    return is_distinctive(ORDINARY.sub("", text)) and not INSTALLED.match(text)


def missing_content(facts: Facts) -> list[Claim]:
    """Return the claims that a file lacks what is expected, where the post does not show what it has instead."""
    shown = {file.path for file in facts.results}
    found = []
    for file in () if PROPOSAL.search(facts.title) else facts.expected:
        before = [each for each in facts.files if each.path == file.path and each.before <= file.before]
        at = min(file.before, len(facts.commands)) - 1
        if file.path in shown or at < 0:
            continue
        hunks = changes(before[-1].text if before else "", file.text)
        kept = tuple(text for text in hunks if is_distinctive(text))
        if kept and len(kept) <= MOST_UNSEEN:
            why = f"the post shows the expected {file.path}"
            claim = Claim("file", at, file.line, file=file.path, absent=kept, expected=kept, unconfirmed=True, why=why)
            found.append(claim)
    return found
