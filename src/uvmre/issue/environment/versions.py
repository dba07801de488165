"""Parse the release, the Python version and the platform of a post, and the releases that work."""

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from uvmre.core.search.release import parse_version
from uvmre.core.triage.parsed_issue import NOT_RELEASED, Located
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.blocks import Block

NUMBER = r"v?(?P<version>\d++\.\d++(?:\.\d++)?+(?:(?:a|b|rc)\d++)?+)(?![\w.]{0,60}\.\d)(?!\.?\d)"
UV_VERSION = re.compile(
    rf"(?:\buvx?`?(?:[ \t]+(?:version|release|v\.))?[ \t]*(?::[ \t]*)?(?:(?:==|=|@|>=|~=|:)[ \t]*)?`?\(?"
    rf"|uv-tool-uvx |astral-sh/uv:){NUMBER}(?=[^\w%]|$)",
    re.IGNORECASE,
)
ANY = re.compile(rf"(?<![\w.=<>~/-]){NUMBER}(?![-\w%+])")
EXACT = re.compile(r"(?<![\w.])v?(\d++\.\d++\.\d++(?:(?:a|b|rc)\d++)?+)(?![\w.]*\d)")
IMAGE = re.compile(r"astral-sh/uv:(?P<version>\d+\.\d+(?:\.\d+)?)")
PINS = (
    IMAGE,
    re.compile(
        r"astral-sh/setup-uv@[^\n]{0,80}\n(?:[^\n]{0,200}\n){0,6}?[^\S\n]{1,20}version: {0,4}[\"']?v?"
        r"(?P<version>\d+\.\d+\.\d+)"
    ),
    re.compile(r"\bUV_VERSION[:=] {0,4}[\"']?v?(?P<version>\d+\.\d+\.\d+)"),
)
"""Releases that an image, a workflow or a variable names."""
HEADING = re.compile(r"\b(?:uv )?versions?\b|^environment\b|^version info", re.IGNORECASE)
PYTHON_HEADING = re.compile(r"\bpython\b", re.IGNORECASE)
PLATFORM_HEADING = re.compile(r"\b(?:platform|operating system|os)\b", re.IGNORECASE)
PYTHON = re.compile(
    r"(?i)(?<!-)\b(?:c?python|py)(?:[- ]?version)?\s*(?:[:=`]+\s*)?[\"']?v?(?P<version>3\.\d{1,2}(?:\.\d+)?)\b"
)
PLAIN_PYTHON = re.compile(r"(?<![\w.])(?P<version>3\.\d{1,2}(?:\.\d+)?)(?![\w.]*\d)")
REQUESTED = re.compile(
    r"(?:--python|-p|uv python pin|uv venv --python"
    r"|uvx? .{0,300}?-p)[ =]+(?:c?python-?)?@?(?P<version>3\.\d{1,2}(?:\.\d+)?)\b"
)
IMAGE_PYTHON = re.compile(r"astral-sh/uv:(?:[\w.]{1,20}-)?python(?P<version>3\.\d{1,2})\b")
USED = re.compile(r"Using (?:CPython|Python) (?P<version>3\.\d{1,2}(?:\.\d+)?)")
SYSTEM = re.compile(
    r"\b(?P<system>windows(?: \d+| server \d+)?|win(?:10|11|32|64)|mac ?os(?: x)?|darwin|os x|ubuntu"
    r"|debian|fedora|arch linux"
    r"|alpine|linux|wsl2?|freebsd|nixos|rhel|centos|manjaro)\b[^\n,;|]{0,40}",
    re.IGNORECASE,
)
NOTHING = re.compile(r"_?(?:no response|n/?a|none|all|any)_?\.?", re.IGNORECASE)
WORKS = (
    r"(?:work(?:s|ed|ing)?\b(?! around)|fine\b|\bok(?:ay)?\b|as expected|correct(?:ly)?\b|respected"
    r"|succeed(?:s|ed)|success"
    r"|no (?:issue|problem|error)|passes|passed|good\b|not (?:affected|reproduc\w+|happen\w*|present"
    r"|occur\w*)|doesn't (?:happen|occur|have))"
)
FAILS = (
    r"(?:not work|n't work|broken?\b|breaks?\b|fail(?:s|ed|ing|ure)?\b|error|regress\w*|bug|crash\w*"
    r"|does(?:n't| not)\b|panics?|issue|no longer"
    r"|stopped|wrong|hang)"
)
DOWNGRADE = re.compile(
    rf"(?i)(?:downgrad\w{{1,20}}|revert\w{{0,20}}|roll\w{{0,20}} back|pin(?:ned|ning)|going back|switch\w{{0,20}} back"
    rf"|last (?:good|working)|previous\w{{0,20}}|old(?:er)?)\b[^.;\n]{{0,60}}?{NUMBER}"
)
SINCE = re.compile(
    rf"(?i)(?:\bsince|starting (?:with|from|in)|after|after (?:upgrading|updating"
    rf"|switching)[^.;\n]{{0,30}}?to|up(?:graded|dated|grading|dating) (?:uv )?to|beginning with"
    rf"|introduced in|regression (?:in|from|since)|broken? (?:in|by|since|from)|as of)\s+(?:the \s*)?(?:(?:uv"
    rf"|version|release)\s*)?`?(?:uv )?{NUMBER}"
)
PRINTED = re.compile(rf"^(?:.*?\bDEBUG )?uv(?:-tool-uvx)? {NUMBER}(?: \(.{{0,200}}\)|\+\d.*)?\s*$", re.MULTILINE)
CLAUSE = re.compile(
    r"(?i)[;\n]|,\s+(?=(?:but|whereas|while|however|and|broken|breaks|fails|works|not)\b)|\b(?:but"
    r"|whereas|however)\b|(?<=\))\s"
)
CUE = re.compile(r"(?i)\buv\b|version|\b(?:checked|tested|tried|using|seen|on)\b")


@dataclass(frozen=True)
class PostedEnvironment:
    """The environment that a post describes."""

    uv: Located | None = None
    good: Located | None = None
    python: Located | None = None
    platform: Located | None = None
    doubts: tuple[Located, ...] = ()
    """Releases of the post that did not exist at its date, each as a sentence."""


def parse_environment(
    title: str,
    found: Sequence[Block],
    releases: Sequence[tuple[str, datetime.date]] = (),
    created: datetime.date | None = None,
) -> PostedEnvironment:
    """Parse the versions and the platform of a post.

    Args:
        title: the title of the post.
        found: the blocks of the post.
        releases: the releases of uv with their dates; with them, releases after the post are ignored.
        created: the date of the post.
    """
    created = created.date() if isinstance(created, datetime.datetime) else created
    known = {
        version: day
        for version, day in releases
        if (not created or day <= created + datetime.timedelta(days=1))
        and parse_version(version) >= parse_version("0.1.0")
    }
    good = _good(title, found, known)
    doubts: list[Located] = []
    named = {
        match["version"] for text in (title, *(each.text for each in found)) for match in UV_VERSION.finditer(text)
    }
    named |= {each.text for each in _from_form(found)}
    uv = None
    for candidate in _candidates(title, found):
        exact = candidate.text if candidate.text.count(".") > 1 else ""
        version = _release_of(candidate.text, known) if known else exact
        if version and (not good or version != good.text or candidate.line == 0):
            uv = Located(version, candidate.line)
            break
        is_new = candidate.text not in {each.text.split()[1] for each in doubts}
        if not version and known and candidate.text in named and is_new:
            doubts.append(Located(f"uv {candidate.text} {NOT_RELEASED}", candidate.line))
    if uv is None and known and created:
        earlier = [version for version, day in known.items() if day < created and not _is_prerelease(version)]
        later = [version for version in known if not _is_prerelease(version)]
        if earlier or later:
            uv = Located(max(earlier or later[:1], key=parse_version), 0)
    if good and uv and good.text == uv.text:
        good = None
    return PostedEnvironment(uv, good, _python(found), _platform(found), tuple(doubts))


def _is_prerelease(version: str) -> bool:
    return parse_version(version).is_prerelease


def _release_of(text: str, known: dict[str, datetime.date]) -> str:
    """Return the release of a version: itself, or the latest of its series; empty if there is none."""
    if text in known:
        return text
    if text.count(".") == 1:
        series = [version for version in known if version.startswith(f"{text}.") and not _is_prerelease(version)]
        return max(series, key=parse_version) if series else ""
    return ""


def _candidates(title: str, found: Sequence[Block]) -> Iterator[Located]:
    """Yield the candidates for the report's release, the likeliest first."""
    yield from _from_form(found)
    # The latest of several still has the bug; the caller excludes the working one.
    yield from sorted(_failing(found), key=lambda candidate: parse_version(candidate.text), reverse=True)
    for match in (*SINCE.finditer(title), *UV_VERSION.finditer(title)):
        yield Located(match["version"], 1)
    images = [_at(block, match) for block in found for pin in PINS for match in pin.finditer(block.text)]
    yield from reversed(images)
    yield from _any_mention(found)


def _from_form(found: Sequence[Block]) -> Iterator[Located]:
    """Yield the version in the issue form."""
    for block in found:
        if HEADING.search(block.heading) and not PYTHON_HEADING.search(block.heading):
            match = UV_VERSION.search(block.text) or ANY.search(block.text)
            if match and not re.match(r"(?i)\s*python", block.text):
                yield _at(block, match)


def _failing(found: Sequence[Block]) -> Iterator[Located]:
    """Yield releases that fail, and releases that a transcript prints."""
    for block in found:
        if block.kind != "code":
            yield from _failing_in(block)
            continue
        for match in PRINTED.finditer(block.text):
            yield _at(block, match)


def _any_mention(found: Sequence[Block]) -> Iterator[Located]:
    """Yield every release of a post."""
    for block in found:
        # Of a range, and of an upgrade, the latest counts.
        mentions = sorted(UV_VERSION.finditer(block.text), key=lambda m: parse_version(m["version"]), reverse=True)
        for match in mentions:
            if not match[0].lower().startswith("uv>="):
                yield _at(block, match)
    for block in found:
        if block.kind != "code" and CUE.search(block.text):
            for exact in EXACT.finditer(block.text):
                if not re.search(r"(?i)python[` ]*$|[=<>~]$", block.text[: exact.start()]):
                    yield Located(exact[1], _line(block, exact.start()))


def _failing_in(block: Block) -> Iterator[Located]:
    """Yield releases that fail, according to a paragraph."""
    for sentence in _clauses(block.text):
        if match := SINCE.search(sentence):
            yield Located(match["version"], _line(block, block.text.find(sentence)))
            continue
        fails = re.search(FAILS, sentence, re.IGNORECASE) and not re.search(r"(?i)\bworks?\b|\bworked\b", sentence)
        exact = list(EXACT.finditer(sentence))
        if fails and exact and not re.search(r"(?i)python", sentence[: exact[0].start()][-12:]):
            yield Located(exact[-1][1], _line(block, block.text.find(sentence)))


def _clauses(text: str) -> list[str]:
    """Return the clauses of a text."""
    clauses = (clause for sentence in blocks.sentences(text) for clause in CLAUSE.split(sentence))
    return [clause for clause in clauses if clause.strip()]


def _good(title: str, found: Sequence[Block], known: dict[str, datetime.date]) -> Located | None:
    """Return the latest release that works, according to the post."""
    good: list[Located] = []
    for block in [Block("prose", title, 1), *found]:
        if block.kind == "code":
            continue
        for clause in _clauses(block.text):
            exact = EXACT.findall(clause)
            works = re.search(WORKS, clause, re.IGNORECASE) and not re.search(
                rf"(?i){FAILS}|\bstill\b|should|would",
                re.sub(r"(?i)no (?:issue|problem|error)s?|not (?:affected|present)", "", clause),
            )
            downgrade = DOWNGRADE.search(clause)
            if (works or downgrade) and exact and not re.search(r"(?i)python ?`?3", clause):
                version = downgrade["version"] if downgrade and not works else exact[0]
                good.append(Located(version, _line(block, block.text.find(clause))))
    good = [candidate for candidate in good if not known or candidate.text in known]
    return max(good, key=lambda candidate: parse_version(candidate.text), default=None)


def _python(found: Sequence[Block]) -> Located | None:
    for block in found:
        is_form = PYTHON_HEADING.search(block.heading) and "version" in block.heading.lower()
        match = PYTHON.search(block.text) or PLAIN_PYTHON.search(block.text)
        if is_form and match and not NOTHING.fullmatch(block.text.strip()):
            return _at(block, match)
    for pattern in (USED, IMAGE_PYTHON, PYTHON):
        for block in found:
            if match := pattern.search(block.text):
                return _at(block, match)
    return None


def requested_pythons(commands: Iterable[str]) -> list[str]:
    """Return the Python versions that the commands request, in order."""
    matches = (match for run in commands if "pip compile" not in run for match in REQUESTED.finditer(run))
    return list(dict.fromkeys(".".join(match["version"].split(".")[:2]) for match in matches))


def _platform(found: Sequence[Block]) -> Located | None:
    for block in found:
        if PLATFORM_HEADING.search(block.heading) and not NOTHING.fullmatch(block.text.strip()):
            return Located(" ".join(block.text.split())[:120], block.line)
    for block in found:
        if HEADING.search(block.heading) and (match := SYSTEM.search(block.text)):
            return Located(match[0].strip(), _line(block, match.start()))
    for block in found:
        if match := re.search(rf"(?i)\b(?:on|using|under|platform:|os:)\s+(?:my )?{SYSTEM.pattern}", block.text):
            return Located(match["system"], _line(block, match.start()))
    return None


def _at(block: Block, match: re.Match[str]) -> Located:
    return Located(match["version"], _line(block, match.start()))


def _line(block: Block, offset: int) -> int:
    return block.line + block.text.count("\n", 0, max(offset, 0))
