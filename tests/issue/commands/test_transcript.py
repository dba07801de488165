"""Parsing code blocks into commands with their output."""

import pytest

from uvmre.issue.commands.transcript import entries, is_script
from uvmre.issue.markdown.blocks import Block


def read(text: str, tag: str = "") -> list[tuple[str, str]]:
    return [(entry.run, entry.output) for entry in entries(Block("code", text, 1, tag))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$ uv sync\nerror: a\n$ uv lock", [("uv sync", "error: a"), ("uv lock", "")]),
        ("uv sync\nerror: a", [("uv sync", "error: a")]),
        ("uv init a\ncd a\n\nuv add b", [("uv init a", ""), ("cd a", ""), ("uv add b", "")]),
        ("# first\nuv sync\n# uv lock later\nuv run a.py", [("uv sync", ""), ("uv run a.py", "")]),
        ("# uv sync\nResolved 1 package", [("uv sync", "Resolved 1 package")]),
        ("$ uv add \\\n>   a \\\n    b\nAdded", [("uv add \\\n  a \\\n    b", "Added")]),
        ("$ cat > a.txt <<EOF\nx\nEOF\n$ uv sync", [("cat > a.txt <<EOF\nx\nEOF", ""), ("uv sync", "")]),
        ("$ uv add a  # why\nAdded", [("uv add a", "Added")]),
        ('$ python -c "\nprint(1)\n"\n1', [('python -c "\nprint(1)\n"', "1")]),
        ("$ uv add 'a", [("uv add 'a", "")]),
        (
            "uv tool list\nthing v1.2.3\n    thing\nruff v0.1.0",
            [("uv tool list", "thing v1.2.3\n    thing\nruff v0.1.0")],
        ),
        ("UV_X=1 uv sync\nexport A=b", [("UV_X=1 uv sync", ""), ("export A=b", "")]),
        ("uv run a.py\n#    one\n#    two", [("uv run a.py", "one\ntwo")]),
        ("[~/a]\n-> % uv sync\n[~/a]\n-> % uv lock", [("uv sync", ""), ("uv lock", "")]),
        ("$ docker run -it a\n# uv sync\nerror: b", [("docker run -it a", ""), ("uv sync", "error: b")]),
        ("uv 0.5.1 (abc 2025-01-01)", []),
        ("error: a", []),
        ("[project]\nname = 'a'", []),
    ],
)
def test_commands_and_their_output(text: str, found: list[tuple[str, str]]) -> None:
    assert read(text) == found


def test_a_block_of_another_language_has_no_commands() -> None:
    assert read("uv = 1\n", "toml") == []
    assert read("$ uv sync", "toml") == [("uv sync", "")]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("#!/bin/bash\nuv sync\nuv lock", True),
        ("set -e\nuv sync", True),
        ("for a in 1 2; do uv sync; done\nuv lock", True),
        ("uv sync\nuv lock", False),
        ("$ set -e\n$ uv sync", False),
    ],
)
def test_is_script(text: str, script: bool) -> None:
    block = Block("code", text, 1)
    assert is_script(block, entries(block)) is script
