"""Parsing never fails, whatever the text, and reports what is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.mre import manifest
from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_issue

PIECES = st.sampled_from(
    [
        "# ", "```", "```toml\n", "```console\n", "~~~", "$ uv sync\n", "❯ uv add ", "uv lock", "error: ", "  × ", "  ╰─▶ ", "Caused by: ",
        "[project]\n", "name = 'a'\n", "members = ['", "requires-python = '", "<details><summary>", "</details>", "<pre>", "> ", "- ", "1. ",
        "`", "``", "[", "]", "(", "<", ">", "\\", "|", "&&", ";", "'", '"', "$(", "<<EOF\n", "EOF\n", "\n", "\n\n", "\t", "\r\n", "\0", "…", "...",
        "├── a\n", "uv 0.5.1", "### Version\n", "works in 0.5.1", "broken", "`uv lock` fails", "pyproject.toml", "../", "/home/a/b", "C:\\a",
        "FROM a\n", "RUN uv sync\n", "COPY ", "thread 'main' panicked at a:\n", "Traceback (most recent call last)\n", "KeyError: 'a'\n",
        "\u200f\u05e9", "\U0001f600", "\ud800", "https://[a", "https://a.b/c", "git+https://a", "---\n", "<!-- ", " -->", "export A=", "cd ",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=60).map("".join))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_parsing_never_fails_and_the_mre_can_be_written(text: str) -> None:
    parsed = read_issue(text)
    assert parsed.commands or any(gap.blocking for gap in parsed.gaps)
    if parsed.commands:
        mre = to_mre(parsed)
        assert sum(step.role == "observe" for step in mre.steps) == 1
        manifest.dump(mre)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\0" * 1000,
        "a" * 1_000_000,
        "`" * 100_000,
        "> " * 50_000,
        "[" * 100_000,
        "```\n" * 20_000,
        "$ uv sync\n" * 20_000,
    ],
)
def test_what_no_person_wrote_is_read_too(text: str) -> None:
    assert read_issue(text).claim.command < len(read_issue(text).commands)


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_reading_says_the_same_each_time(text: str) -> None:
    assert read_issue(text) == read_issue(text)
