"""Parsing the head of an issue's text, and the end of the opening post."""

import datetime

import pytest

from uvmre.issue.markdown.header import LONGEST_LINE, LONGEST_TEXT, opening_post

ARCHIVED = """---
number: 12
title: "Sync forgets"
created_at: 2025-02-03T10:00:00Z
url: https://github.com/some/where/issues/12
---

# Sync forgets

---

_Issue opened by @someone on 2025-02-03 10:00_

It does.

---

_Comment by @other on 2025-02-04 09:00_

Does it?
"""

TIME = datetime.datetime(2025, 2, 3, 10, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("text", "title", "created", "issue"),
    [
        (
            "# Sync forgets\n<!-- some/where#12 created 2025-02-03T10:00:00Z -->\n_@someone_\n\nIt does.",
            "Sync forgets",
            TIME,
            "https://github.com/some/where/issues/12",
        ),
        ('# "`uv sync` forgets"\n\nIt does.', "`uv sync` forgets", None, ""),
        (ARCHIVED, "Sync forgets", TIME, "https://github.com/some/where/issues/12"),
        ("# It fails\n<!-- created 2025-02-03T10:00:00Z -->\nIt does.", "It fails", TIME, ""),
        ("# It fails\n<!-- created 2025-02-03 -->\nIt does.", "It fails", datetime.date(2025, 2, 3), ""),
        ("# It fails\n<!-- created 2025-02-31 -->\nIt does.", "It fails", None, ""),
        ("It does.", "", None, ""),
        ("---\nno front matter\n\nIt does.", "", None, ""),
    ],
)
def test_head(text: str, title: str, created: datetime.date | None, issue: str) -> None:
    post = opening_post(text)
    assert (post.title, post.created, post.issue) == (title, created, issue)
    assert "It does." in post.lines


def test_comments_are_optional() -> None:
    assert "Does it?" not in opening_post(ARCHIVED).lines
    assert "Does it?" in opening_post(ARCHIVED, comments=True).lines


def test_lines_keep_their_numbers() -> None:
    assert opening_post(ARCHIVED).lines[13] == "It does."


def test_long_texts_are_truncated() -> None:
    assert opening_post("# a\n" + "x" * (LONGEST_LINE + 1)).cut == 2
    assert sum(map(len, opening_post("y\n" * LONGEST_TEXT).lines)) <= LONGEST_TEXT
    assert opening_post("# a\nshort").cut == 0
