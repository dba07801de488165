"""Normalize text so that layout does not matter and one symptom matches many releases.

uv prints an error in wrapped boxes, as `Caused by:` lines or, in newer releases, as unwrapped `cause:` lines. All of
them normalize to the same text. Words, names, paths, exit codes and numbers stay; durations do not.
"""

import re
from bisect import bisect_right

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
BOXES = re.compile(r"^(?: {2}(?:x|\|->|`->) |[\s│┃|├╰└╭╮╯┌─━▶►×✖✗·])[\s│┃|├╰└╭╮╯┌─━▶►×✖✗·]*", re.MULTILINE)
"""Without UTF-8 they are drawn with `x`, `|->` and `` `-> ``, indented by two columns."""
LINK_WORDS = re.compile(r"\b(?:error|caused by|cause|hint|help|warning): ?")
"""The labels of the links of an error chain, which differ between releases."""
QUOTES = re.compile("[`'\"‘’“”]")
UNDERLINES = re.compile(r"(?<!\S)~*\^[~^]*(?: |$)")
"""The underline of a span, whose length differs between releases."""
DURATIONS = re.compile(r"(?<= package|packages| audited| checked) in (?:\d+m )?\d+(?:\.\d+)?(?:ns|[µμ]s|ms|s)(?!\w)")
"""How long uv took for packages; any other duration, such as a limit, is kept."""
TRAILING_STOPS = re.compile(r"(?<![.:])[.:]+(?= |$)")
"""The punctuation that ends a link or a hint; newer releases omit it."""
SEPARATING_SPACE = re.compile(r" (?:(?<=\d )(?=\d)|(?<=\w )(?=[-_+] ?\w))")
"""The white space that separates two numbers, or a word from the next list item."""
TEMPORARY = re.compile(r"(?<=/tmp/)(?:tmp|uvmre_\d+_)[a-z0-9_]{8}(?=/)|(?<=/\.tmp)[a-z0-9]{6}(?=/)")
"""Random folder names of Python, uvmre and uv."""
UNRESOLVED = re.compile(
    r"temporaryfailureinnameresolution|nodenamenorservnameprovided,ornotknown|noaddressassociatedwithhostname"
    r"|nosuchhostisknown\.?(?=\(oserror11001\))"
)
"""The messages of resolvers for an unknown host, which depend on the system."""
CUT_BEFORE = re.compile(r"(?:\d\.?\d|\w[-_]\w)$")
CUT_AFTER = re.compile(r"(?<=\d)(?:\d|\.(?:\d|\*|post\d|dev\d)|(?:a|b|rc)\d|\+\w)|(?<=\w)[-_]\w")
"""Where a match would start or end inside a version, number or name: `foo` does not match `foo-bar`."""
WILDCARD = re.compile(r"…|\.\.\.")
WILDCARD_LIMIT = 1000
"""Normalized characters that `…` matches at most."""


def readable(text: str) -> str:
    """Return the text as a terminal shows it: without escape codes and overwritten text."""
    # Most outputs have none of either, and may be long.
    text = (ANSI.sub("", text) if "\x1b" in text else text).replace("\r\n", "\n")
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def normalize(text: str) -> str:
    """Return the text in lower case, without boxes, labels, quotes and white space; idempotent.

    White space is removed because a line may wrap anywhere, inside a hyphenated word too.
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
    """Return the end of the first match of a pattern in normalized text, or None.

    Args:
        pattern: `…` or `...` matches up to WILDCARD_LIMIT characters, also the rest of a name or number, which
            otherwise match only as a whole.
        text: normalized text.
        start: the offset at which the search starts.
    """
    found = find_pattern_spans(pattern, text, start)
    return found[0][1] if found else None


def find_pattern_spans(pattern: str, text: str, start: int = 0, *, whole: bool = True) -> list[tuple[int, int]]:
    """Return all matches of a pattern as `find_pattern` does; without `whole`, also inside words."""
    spans: list[tuple[int, int]] | None = None
    raw = WILDCARD.split(pattern)
    for number, written in enumerate(raw):
        block = normalize(written)
        if not block:
            continue
        starts = _occurrences(block, text, start)
        if whole and (number == 0 or not written[0].isalnum()):
            starts = [at for at in starts if not CUT_BEFORE.search(text[max(at - 2, 0) : at + 1])]
        if whole and (number == len(raw) - 1 or not written[-1].isalnum()):
            starts = [at for at in starts if not CUT_AFTER.match(text, at + len(block))]
        if spans is None:
            spans = [(at, at + len(block)) for at in starts]
        else:
            ends = [end for _, end in spans]
            spans = [
                (spans[i - 1][0], at + len(block))
                for at in starts
                if (i := bisect_right(ends, at)) and at - ends[i - 1] <= WILDCARD_LIMIT
            ]
        if not spans:
            return []
    return [(start, start)] if spans is None else spans


def cut_word(pattern: str, output: str) -> str:
    """Return the word of an output inside which a pattern starts or ends that it only has so; else empty."""
    if not find_pattern_spans(pattern, normalize(output), whole=False):
        return ""
    first, *others = pattern.split()
    for word in readable(output).split():
        text = normalize(word)
        for outer in (first, *others[-1:]):
            if find_pattern_spans(outer, text, whole=False) and not find_pattern_spans(outer, text):
                return word.strip("`'\"“”‘’,;:()[]")
    return ""


def _occurrences(block: str, text: str, start: int) -> list[int]:
    found = []
    while (start := text.find(block, start)) >= 0:
        found.append(start)
        start += 1
    return found
