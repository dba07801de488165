"""Parsing Markdown into blocks: lines, headings, and the paragraphs around code."""

import pytest

from uvmre.issue.markdown.blocks import inline_code, parse_blocks, sentences


def code(text: str) -> list[tuple[str, int, str]]:
    return [(block.text, block.line, block.tag) for block in parse_blocks(text.split("\n")) if block.kind == "code"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\n```toml\nx = 1\n```", ("x = 1\n", 3, "toml")),
        ("~~~\nx\n~~~", ("x\n", 2, "")),
        ("a\n\n    x\n", ("x\n", 3, "")),
        ("1. a\n\n   ```sh\n   x\n   ```", ("x\n", 4, "sh")),
        ("````\n```\nx\n```\n````", ("```\nx\n```\n", 2, "")),
        ("<pre>\nx\n</pre>", ("x\n", 2, "")),
        ("<details>\n<summary>Log</summary>\n\n```\nx\n```\n</details>", ("x\n", 5, "")),
        ("<details>\n<summary>Log</summary>\n```console\nx\n```\n</details>", ("x\n", 4, "console")),
        ("> ```\n> x\n> ```", ("x\n", 2, "")),
        ("```\nnever ended", ("never ended", 2, "")),
    ],
)
def test_code_blocks_and_their_lines(text: str, found: tuple[str, int, str]) -> None:
    assert code(text) == [found]


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("### `a.toml`\n```\nx\n```", "`a.toml`"),
        ("**Steps**\n\n```\nx\n```", "Steps"),
        ("a\n===\n```\nx\n```", "a"),
        ("<details><summary>b.py</summary>\n\n```\nx\n```\n\n</details>", "b.py"),
        ("# a\n## b\n# c\n```\nx\n```", "c"),
        ("x", ""),
    ],
)
def test_headings(text: str, heading: str) -> None:
    assert parse_blocks(text.split("\n"))[-1].heading == heading


def test_a_closed_summary_is_no_heading() -> None:
    text = "<details><summary>b.py</summary>\n\nx\n\n</details>\n\n```\ny\n```"
    assert parse_blocks(text.split("\n"))[-1].heading == ""


def test_paragraphs_around_code() -> None:
    block = parse_blocks(["Here:", "```", "x", "```", "There."])[1]
    assert (block.before, block.after) == ("Here:", "There.")


def test_html_comments_are_ignored() -> None:
    assert [block.text for block in parse_blocks(["<!--", "uv 0.1.1", "-->", "", "mine"])] == ["mine"]


def test_sentences_do_not_split_code() -> None:
    assert sentences("Run `uv add a. B`. It fails.\nThen\nnot") == ["Run `uv add a. B`.", "It fails.", "Then\nnot"]


def test_inline_code() -> None:
    assert [text for text, _ in inline_code("run `uv sync` then `uv run x`")] == ["uv sync", "uv run x"]
