"""Whether a sentence says that something works, fails, or how it should be."""

import pytest

from uvmre.core.triage.parsed_issue import Located
from uvmre.issue.environment import sentiment
from uvmre.issue.environment.versions import PostedEnvironment
from uvmre.issue.markdown.blocks import Block

ENVIRONMENT = PostedEnvironment(uv=Located("0.5.2", 3), good=Located("0.5.1", 3))


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("This works.", True),
        ("This fails.", False),
        ("It does not work.", False),
        ("It runs without any errors.", True),
        ("But as expected, it is fine.", True),
        ("But it is broken.", False),
        ("The file is here.", None),
    ],
)
def test_says_works(text: str, works: bool | None) -> None:
    assert sentiment.says_works(text) is works
    assert sentiment.says_fails(text) is (works is False)


@pytest.mark.parametrize(
    ("title", "heading", "asks"),
    [
        ("How to ignore a conflict", "", True),
        ("It does not resolve", "Question", True),
        ("Can I leave a dependency out?", "", True),
        ("How it fails on Linux", "Summary", False),
        ("It does not resolve", "My question", False),
    ],
)
def test_a_post_that_asks_how_something_is_done(title: str, heading: str, asks: bool) -> None:
    block = Block("prose", "It fails.", 3, headings=(heading,) if heading else ())
    assert sentiment.is_question(title, [block]) is asks


@pytest.mark.parametrize(("text", "proposal"), [("Could we add an option?", True), ("It prints nothing.", False)])
def test_is_proposal(text: str, proposal: bool) -> None:
    assert sentiment.is_proposal(text) is proposal


@pytest.mark.parametrize(
    ("before", "heading", "works"),
    [
        ("With uv 0.5.1:", "", True),
        ("It fails with uv 0.5.2:", "", False),
        ("With uv 0.4.9:", "", True),
        ("With uv 0.6.0:", "", None),
        ("", "Expected behavior", True),
        ("", "Actual behavior", False),
        ("", "Details", None),
    ],
)
def test_block_works(before: str, heading: str, works: bool | None) -> None:
    block = Block("code", "a", 1, headings=(heading,) if heading else (), before=before)
    assert sentiment.block_works(block, ENVIRONMENT) is works


def test_clause_with() -> None:
    assert sentiment.clause_with("`a` works, but `b` fails", "b") == "but `b` fails"


def test_printed_release() -> None:
    assert sentiment.printed_release("uv 0.5.1 (a 2024-01-01)\n") == "0.5.1"
    assert sentiment.printed_release("a\n") == ""
