"""Stripping shell prompts."""

import pytest

from uvmre.issue.commands.prompts import command_of, is_empty_prompt


@pytest.mark.parametrize(
    "line",
    [
        "$ uv sync",
        "  $ uv sync",
        "❯ uv sync",
        "> uv sync",
        ">> uv sync",
        ">>> uv sync",
        "% uv sync",
        "# uv sync",
        "(venv) $ uv sync",
        "(.venv) > uv sync",
        "me@box:/work# uv sync",
        "me@box:~/a/b$ uv sync",
        "[me@box b]$ uv sync",
        "me@box b % uv sync",
        "(api) me@box api % uv sync",
        "a/b ❯ uv sync",
        "~/a ❯❯❯ uv sync",
        "➜ uv sync",
        "➜  b git:(main) ✗ uv sync",
        "➜  ~ uv sync",
        "[~/b] -> % uv sync",
        "-> % uv sync",
        "λ uv sync",
        "bash-5.1$ uv sync",
        "/app # uv sync",
        "PS C:\\a b> uv sync",
        "PS> uv sync",
        "C:\\a>uv sync",
        "N:\\X> uv sync",
        "(v) PS C:\\a> uv sync",
        "box:~ uv sync",
        "12:30:01 $ uv sync",
        "!uv sync",
        ":) uv sync",
    ],
)
def test_a_prompt_is_stripped(line: str) -> None:
    found = command_of(line)
    assert found is not None
    assert found[1] == "uv sync"


@pytest.mark.parametrize(
    "line",
    [
        "uv sync",
        "# then run it",
        "> a quotation",
        "Resolved 3 packages",
        "  × No solution found",
        "100% done",
        "error: $ is not allowed",
        "# uv is fast",
        "│ > x",
        "",
    ],
)
def test_lines_without_prompt(line: str) -> None:
    assert command_of(line) is None


@pytest.mark.parametrize(
    ("line", "empty"), [("[~/a]", True), ("$", True), ("(v) me@box $ ", True), ("done", False), ("", False)]
)
def test_an_empty_prompt(line: str, empty: bool) -> None:
    assert is_empty_prompt(line) is empty


@pytest.mark.parametrize(
    ("line", "command"),
    [("me@box:~/a$ ack b .venv", "ack b .venv"), ("$ ack b .venv", "ack b .venv"), ("a b $ ack is a tool", None)],
)
def test_a_prompt_with_a_user_precedes_any_command(line: str, command: str | None) -> None:
    found = command_of(line)
    assert (found and found[1]) == command
