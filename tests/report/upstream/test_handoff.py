"""The README of uv's reproduction workflow: its sections, and the MRE in it."""

import time
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from tests.report.sample import MRE, SEARCH, hostile, sample
from uvmre.core.outcome.verdict import Verdict
from uvmre.report.bundle import Bundle
from uvmre.report.file_blocks import read_blocks
from uvmre.report.upstream.handoff import reference, write_handoff


def headings(text: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        f"{token.markup} {tokens[place + 1].content}"
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


@pytest.mark.parametrize("bundle", [sample(search=SEARCH), hostile()], ids=["ordinary", "hostile"])
def test_it_has_the_sections_once_and_the_mre(bundle: Bundle) -> None:
    text = write_handoff(bundle)
    assert headings(text) == ["# Issue context", "## Summary", "## Classification", "## Reproduction", "## Related"]
    assert tuple(read_blocks(text, "README.md")) == bundle.files


def test_it_says_what_was_observed() -> None:
    text = write_handoff(sample(search=SEARCH))
    for line in (
        "Issue: astral-sh/uv#1",
        "Classification: bug",
        "Observed: `reproducible`. The symptom shows.",
        "| with a password | absent | absent | With it, it works. |",
        "Run on uv 0.5.21, Python 3.11.7, Linux 6.1 x86\\_64.",
        "- first bad: uv 0.5.21",
        "Variables: `UV_LINK_MODE=copy`.",
        "$ uv sync --extra 'a b'",
        "exit code 2, 0.2 s",
        "- astral-sh/uv#1 is the report.",
    ):
        assert line.replace("\\_", "_") in text.replace("\\_", "_"), line


@pytest.mark.parametrize(("word", "kind"), [("explained", "question"), ("inconclusive", "undecided")])
def test_what_is_not_known_is_not_classified(word: str, kind: str) -> None:
    bundle = sample()
    assert bundle.result
    judged = replace(bundle.result, verdict=Verdict(word, "Why."))  # type: ignore[arg-type]
    assert f"Classification: {kind}\n" in write_handoff(replace(bundle, result=judged))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/astral-sh/uv/issues/12", "astral-sh/uv#12"),
        ("https://github.com/a/b/pull/3", "a/b#3"),
        ("https://example.org/1", ""),
        ("", ""),
    ],
)
def test_a_reference_is_in_the_form_of_the_maintainers(url: str, expected: str) -> None:
    assert reference(url) == expected


def test_without_a_report_none_is_named() -> None:
    text = write_handoff(sample(replace(MRE, issue="")))
    assert "Issue: none\n" in text
    assert text.endswith("## Related\n\nNone are known.\n")


def test_a_long_output_is_cut_and_quick() -> None:
    bundle = sample(output="line\n" * 4_000_000)
    started = time.process_time()
    text = write_handoff(bundle)
    assert time.process_time() - started < 1
    assert len(text) < 60_000
