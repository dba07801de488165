"""Claims of the resulting content of a file: the lines that a command changes, with their context."""

import difflib
import re
from dataclasses import replace

from uvmre.core.triage.evidence import is_distinctive
from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims.facts import Facts
from uvmre.issue.markdown import blocks

PROJECT_METADATA = re.compile(
    r"^\s*(?:name|version|description|authors?|readme|requires-python|license|keywords|maintainers)\s*="
)
"""Metadata that a reporter changes before posting; it is not a result."""
LOCK_DETAIL = re.compile(r"^\s*(?:source|sdist|wheels|hash|size|url|upload-time|revision)\b|^\s*\{ url|sha256:")


def file_claims(facts: Facts) -> list[Claim]:
    """Return the claims of the posted results, the last one first."""
    posted, expected, commands = facts.files, facts.expected, len(facts.commands)
    found = []
    for result in reversed(facts.results):
        before = [file for file in posted if file.path == result.path and file.before <= result.before]
        target = next((file for file in expected if file.path == result.path), None)
        base = target or (before[-1] if before else None)
        hunks = tuple(changes(base.text, result.text) if base else _quoted(facts, result.text))
        hunks = hunks or (() if base else tuple(_short_content(result.text)))
        if hunks and commands:
            # Above the result there may be no command, where the post only names one in its title, or none.
            at, why = min(result.before or commands, commands) - 1, f"the post shows the resulting {result.path}"
            expected_hunks = tuple(changes(result.text, target.text)) if target else ()
            claim = Claim("file", at, result.line, file=result.path, contains=hunks, expected=expected_hunks, why=why)
            found.append(replace(claim, unconfirmed=True))
    return [each for each in found if each.command >= 0]


def changes(before: str, after: str) -> list[str]:
    """Return the changed parts of a text, each with the lines around it."""
    old, new = _lines(before), _lines(after)
    hunks = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal" or all(PROJECT_METADATA.match(line) for line in [*old[i1:i2], *new[j1:j2]]):
            continue
        first, last = max(j1 - 1, 0), min(j2 + 1, len(new))
        block = [line for line in new[first:last] if not PROJECT_METADATA.match(line)]
        if block:
            hunks.append("\n".join(block))
    return hunks[:6]


def _quoted(facts: Facts, text: str) -> list[str]:
    """Return what sentences quote of a resulting file."""
    normal = " ".join(text.split())
    codes = [code for sentence, _ in facts.sentences for code, _ in blocks.inline_code(sentence)]
    return [code for code in dict.fromkeys(codes) if code in normal and " " in code and is_distinctive(code)][:1]


def _short_content(text: str) -> list[str]:
    lines = [line for line in _lines(text) if not PROJECT_METADATA.match(line) and not LOCK_DETAIL.match(line)]
    return ["\n".join(lines)] if 0 < len(lines) <= 12 else []


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text[:40_000].split("\n") if line.strip() and line.strip() not in ("...", "…")]
