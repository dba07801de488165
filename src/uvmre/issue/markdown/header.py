"""Parse the head of an issue's text: title, date and URL of the opening post, without comments."""

import contextlib
import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

LONGEST_TEXT = 131_072
"""The number of characters that are read: twice GitHub's limit."""
MOST_LINES = 8_000
LONGEST_LINE = 4_000
"""The number of characters of a line that are read: longer lines are generated."""
HEAD = re.compile(
    r"\A<!-- *(?:(?P<repo>[\w.-]+/[\w.-]+)#(?P<number>\d+) +)?"
    r"created +(?P<date>\d{4}-\d\d-\d\d(?:T[\d:.]{1,20}Z)?)[^\n]*-->"
)
FRONT = re.compile(r"\A(?P<key>[a-z_]+): *+(?P<value>[^\n]*)")
REPLY = re.compile(
    r"_(?:Comment by|Label|Closed|Reopened|Assigned|Unassigned|Renamed|Referenced|Added|Removed|Locked)\b"
)
COMMENT = re.compile(r"_Comment by\b")
OPENED = re.compile(r"_(?:Issue opened by .*|@[\w-]+)_")


@dataclass(frozen=True)
class OpeningPost:
    """The opening post. Its lines keep their numbers in the text."""

    title: str
    lines: tuple[str, ...]
    created: datetime.date | None = None
    """Its day, or its time where that is known."""
    issue: str = ""
    cut: int = 0
    """The first line (from 1) that is truncated; 0 for none."""


def opening_post(text: str, *, comments: bool = False) -> OpeningPost:
    """Return the opening post of an issue's text, with or without the comments."""
    cut = len(text) > LONGEST_TEXT
    whole = text[:LONGEST_TEXT].removeprefix("\ufeff").replace("\0", "\ufffd").replace("\r\n", "\n")
    lines = whole.replace("\r", "\n").split("\n")
    cut = cut or len(lines) > MOST_LINES
    del lines[MOST_LINES:]
    last = len(lines) if cut else 0
    for i, line in enumerate(lines):
        if len(line) > LONGEST_LINE:
            lines[i] = line[:LONGEST_LINE]
            last = min(last, i + 1) if last else i + 1
    metadata = _front_matter(lines)
    title = _title(lines) or metadata.get("title", "")
    for i, line in enumerate(lines[:30]):
        if found := HEAD.fullmatch(line.strip()):
            metadata.setdefault("created_at", found["date"])
            if found["repo"]:
                metadata.setdefault("url", f"https://github.com/{found['repo']}/issues/{found['number']}")
            lines[i] = ""
        elif OPENED.fullmatch(line.strip()):
            lines[i] = ""
            if i and not lines[i - 1].strip() and i > 1 and lines[i - 2].strip() == "---":
                lines[i - 2] = ""
    if not comments:
        lines = _without_replies(lines)
    return OpeningPost(
        _clean_title(title), tuple(lines), _date(metadata.get("created_at", "")), metadata.get("url", ""), last
    )


def _front_matter(lines: list[str]) -> dict[str, str]:
    """Return the front matter, and blank its lines."""
    if not lines or lines[0].strip() != "---":
        return {}
    end = next((i for i, line in enumerate(lines[1:60], 1) if line.strip() == "---"), 0)
    found = [FRONT.fullmatch(line.strip()) for line in lines[1:end]]
    if not end or not any(found):
        return {}
    lines[: end + 1] = [""] * (end + 1)
    return {each["key"]: each["value"].strip() for each in found if each}


def _title(lines: list[str]) -> str:
    """Return the title: the first heading, if nothing but the head is above it. Blank its line."""
    for i, line in enumerate(lines[:60]):
        if line.startswith("# "):
            lines[i] = ""
            return line[2:].strip()
        if line.strip():
            return ""
    return ""


def _clean_title(title: str) -> str:
    title = title.strip()
    quoted = len(title) > 1 and title[0] == title[-1] == '"'
    return " ".join((title[1:-1].replace('\\"', '"') if quoted else title).split())[:300]


def replies(text: str) -> list[OpeningPost]:
    """Return the comments below a post, each with the title of the post and the lines at their places."""
    post = opening_post(text, comments=True)
    starts = [*_starts(post.lines), len(post.lines)]
    found = []
    for start, end in pairwise(starts):
        head = next((i for i in range(start + 1, end) if post.lines[i].strip()), end - 1)
        if COMMENT.match(post.lines[head]):
            found.append(replace(post, lines=(*[""] * (head + 1), *post.lines[head + 1 : end]), cut=0))
    return found


def _without_replies(lines: list[str]) -> list[str]:
    return lines[: next(_starts(lines), len(lines))]


def _starts(lines: Sequence[str]) -> Iterator[int]:
    """Yield the lines at which something below the post begins: a comment, or an event."""
    for i, line in enumerate(lines):
        following = next((text for text in lines[i + 1 : i + 4] if text.strip()), "")
        if line.strip() == "---" and REPLY.match(following):
            yield i


def _date(text: str) -> datetime.date | None:
    """Return the time of a text, its day if it has no time with an offset; None if it is neither."""
    with contextlib.suppress(ValueError):
        if (moment := datetime.datetime.fromisoformat(text)).tzinfo:
            return moment
    with contextlib.suppress(ValueError):
        return datetime.date.fromisoformat(text[:10])
    return None
