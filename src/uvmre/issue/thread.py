"""Parse the comments below a post: reporters and maintainers post the example there, and what became of the bug."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.core.triage.parsed_issue import Located, ParsedIssue
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.header import opening_post, replies
from uvmre.issue.read import Releases, read_hypotheses, readings_of

MOST_REPLIES = 20
MOST_READINGS = 6
"""Those of all comments together."""
REMARK = re.compile(
    r"(?i)\b(?:fixed|resolved|released|shipped) (?:in|by|with|as of) (?:uv |version |release )?`?v?\d+\.\d+\.\d+"
    r"|\b(?:can(?:no|')t|could ?n[o']t|could not|unable to|not able to) reproduce\b"
)
"""What a comment says about the outcome: shown beside the verdict, and no evidence."""


def read_thread(text: str, releases: Releases = (), no_rules: Collection[str] = ()) -> tuple[ParsedIssue, ...]:
    """Parse an issue's post, and those comments that show the same error with commands of their own.

    Args:
        text: the post in Markdown, with its comments below it.
        releases: the releases of uv with their dates.
        no_rules: the ids of the claim rules that are left out.
    """
    first, *others = read_hypotheses(text, releases, no_rules)
    posted = normalize("\n".join(opening_post(text).lines))
    found, remarks = [], list[Located]()
    for reply in replies(text)[:MOST_REPLIES]:
        remarks += _remarks(reply.lines)
        for reading in readings_of(reply, releases, no_rules):
            if reading.commands and _is_same(reading, first, posted):
                stated = reading.uv if reading.uv and reading.uv.line else first.uv
                found.append(replace(reading, uv=stated, good=first.good, platform=reading.platform or first.platform))
    return (replace(first, remarks=tuple(remarks)), *others, *found[:MOST_READINGS])


def _is_same(reading: ParsedIssue, first: ParsedIssue, posted: str) -> bool:
    """Tell whether a comment is about the bug of the post: it shows a text of it, or the post shows no symptom."""
    if reading.claim.kind == "none":
        return False
    return first.claim.kind == "none" or any(find_pattern(text, posted) is not None for text in reading.claim.output)


def _remarks(lines: tuple[str, ...]) -> Iterator[Located]:
    for block in blocks.parse_blocks(lines):
        for sentence in blocks.sentences(block.text) if block.kind != "code" else ():
            if REMARK.search(sentence):
                yield Located(" ".join(sentence.split())[:200], block.line)
