"""Bring text to a plain form in which layout does not count, so that one symptom matches many releases.

uv draws one error in boxes wrapped at the terminal's width, as `Caused by:` lines or, in its newest releases, as
unwrapped `cause:` lines. All come to the same here, and so does a report's text that was wrapped yet another way.
What tells one error from another stays: every word, name, path, exit code and number, but for how long a thing took.
"""

import re
from bisect import bisect_right

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
BOXES = re.compile(r"^(?: {2}(?:x|\|->|`->) |[\s│┃|├╰└╭╮╯┌─━▶►×✖✗·])[\s│┃|├╰└╭╮╯┌─━▶►×✖✗·]*", re.MULTILINE)
"""In a terminal that is not of UTF-8 they are drawn with `x`, `|->` and `` `-> ``, two columns in."""
LINK_WORDS = re.compile(r"\b(?:error|caused by|cause|hint|help|warning): ?")
"""The words that say which link of the chain it is; which of them stands there changed between releases."""
QUOTES = re.compile("[`'\"‘’“”]")
UNDERLINES = re.compile(r"(?<!\S)~*\^[~^]*(?: |$)")
"""The line under a faulty place; how long it is drawn changed between releases."""
DURATIONS = re.compile(r"(?<= package|packages| audited| checked) in (?:\d+m )?\d+(?:\.\d+)?(?:ns|[µμ]s|ms|s)(?!\w)")
"""How long uv took for packages; any other time (a limit that was run into) is part of what is said."""
TRAILING_STOPS = re.compile(r"(?<![.:])[.:]+(?= |$)")
"""What ends a link of the chain or a hint; newer releases leave it off."""
SEPARATING_SPACE = re.compile(r" (?:(?<=\d )(?=\d)|(?<=\w )(?=[-_+] ?\w))")
"""The little white space that keeps two numbers, or a word and a list's next item, from growing together."""
TEMPORARY = re.compile(r"(?<=/tmp/)(?:tmp|uvmre_)[a-z0-9_]{8}(?=/)|(?<=/\.tmp)[a-z0-9]{6}(?=/)")
"""The folder names that Python, uvmre and uv make up anew on each run."""
UNRESOLVED = re.compile(
    r"temporaryfailureinnameresolution|nodenamenorservnameprovided,ornotknown|noaddressassociatedwithhostname"
    r"|nosuchhostisknown\.?(?=\(oserror11001\))"
)
"""How resolvers say that a name is not known: which of them does depends on the system, and not on uv."""
CUT_BEFORE = re.compile(r"(?:\d\.?\d|\w[-_]\w)$")
CUT_AFTER = re.compile(r"(?<=\d)(?:\d|\.(?:\d|\*|post\d|dev\d)|(?:a|b|rc)\d|\+\w)|(?<=\w)[-_]\w")
"""Where a match would end (and above: begin) within a version, a number or a name: `flask==1` is not in
`flask==1.5`, nor `foo` in `foo-bar`."""
WILDCARD = re.compile(r"…|\.\.\.")
WILDCARD_LIMIT = 1000
"""How many plain characters a `…` may stand for: a sentence or two, not a whole log."""


def readable(text: str) -> str:
    """Return the text as a terminal would leave it: no escape codes, and of an overwritten line the last state."""
    lines = ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def normalize(text: str) -> str:
    """Return only what is said: no boxes, link words, quotes or white space, all in lower case.

    White space goes altogether because a wrap may fall anywhere, inside a hyphenated word too. What is plain stays as
    it is, however often it is brought here.
    """
    result = _normalize_once(text)
    while (repeated := _normalize_once(result)) != result:
        result = repeated
    return result


def _normalize_once(text: str) -> str:
    result = QUOTES.sub("", BOXES.sub("", readable(text))).replace("\\", "/")
    result = LINK_WORDS.sub("", f" {' '.join(result.casefold().split())}")
    if "^" in result:
        result = UNDERLINES.sub("", result)
    result = TRAILING_STOPS.sub("", DURATIONS.sub(" in", result))
    result = TEMPORARY.sub("~", SEPARATING_SPACE.sub("\n", result).replace(" ", "").replace("\n", " "))
    return UNRESOLVED.sub("nameorservicenotknown", result)


def find_pattern(pattern: str, text: str, start: int = 0) -> int | None:
    """Return where in plain text the first match of a pattern ends, from `start` on; None where there is none.

    Args:
        pattern: as a person writes it; `…` or `...` stands for anything, up to REACH characters, the rest of a name
            or a number too. Without it, these count whole.
        text: already plain.
        start: where in it to begin.
    """
    found = find_pattern_ends(pattern, text, start)
    return found[0] if found else None


def find_pattern_ends(pattern: str, text: str, start: int = 0) -> list[int]:
    """Return where in plain text each match of a pattern ends, in their order; `find` says what it takes."""
    ends: list[int] | None = None
    raw = WILDCARD.split(pattern)
    for number, written in enumerate(raw):
        block = normalize(written)
        if not block:
            continue
        starts = _occurrences(block, text, start)
        if number == 0 or not written[0].isalnum():
            starts = [at for at in starts if not CUT_BEFORE.search(text[max(at - 2, 0) : at + 1])]
        if number == len(raw) - 1 or not written[-1].isalnum():
            starts = [at for at in starts if not CUT_AFTER.match(text, at + len(block))]
        if ends is not None:
            starts = [at for at in starts if (i := bisect_right(ends, at)) and at - ends[i - 1] <= WILDCARD_LIMIT]
        if not starts:
            return []
        ends = [at + len(block) for at in starts]
    return [start] if ends is None else ends


def _occurrences(block: str, text: str, start: int) -> list[int]:
    found = []
    while (start := text.find(block, start)) >= 0:
        found.append(start)
        start += 1
    return found
