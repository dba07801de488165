"""What sentences add to the commands of a post."""

import pytest

from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.issue.read import read_issue

BLOCK = "\n```console\n$ uv sync\nerror: It is wrong in here\n```\n"


def parse(text: str, title: str = "It goes wrong") -> ParsedIssue:
    return read_issue(f"# {title}\n\n{text}\n\nThis is uv 0.5.20.")


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        (f"Make a project with `uv init a`, go there, and:\n{BLOCK}", ["uv init a", "cd a", "uv sync"]),
        ("```\n$ uv init a\n$ uv sync\n```", ["uv init a", "cd a", "uv sync"]),
        ("```\n$ uv init a\n$ uv sync --directory a\n```", ["uv init a", "uv sync --directory a"]),
        ("```\n$ uv init\n$ uv init a\n$ uv sync\n```", ["uv init", "uv init a", "uv sync"]),
        (f"{BLOCK}\n`pyproject.toml` is what `uv init --lib` writes.", ["uv init --lib", "uv sync"]),
        (f"{BLOCK}\nBut `uv init` fails for another reason.", ["uv sync"]),
        (f"{BLOCK}\n`uv init` should do that.", ["uv sync"]),
        (f'```toml\n[project]\nname = "a"\n```\nNot what `uv init` writes.\n{BLOCK}', ["uv sync"]),
    ],
)
def test_the_project_of_init(text: str, commands: list[str]) -> None:
    assert [each.run for each in parse(text).commands] == commands


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("Setting `UV_NO_CACHE` to `1` makes `uv sync` fail.", {"UV_NO_CACHE": "1"}),
        ("With `UV_NO_CACHE=true`, `uv sync` fails.", {"UV_NO_CACHE": "true"}),
        ("Set the environment variable UV_NO_CACHE=1 and run `uv sync`.", {"UV_NO_CACHE": "1"}),
        ("With `UV_NO_CACHE=1`, `uv sync` works.", {}),
        ("`uv sync` fails without `UV_NO_CACHE=1`.", {}),
        ("It would be nice if setting `UV_NO_CACHE` to `1` made `uv sync` fail.", {}),
        ("I set `UV_NO_CACHE=1`:\n```\n$ UV_NO_CACHE=0 uv sync\n```", {}),
    ],
)
def test_variables_in_sentences(text: str, variables: dict[str, str]) -> None:
    assert dict(parse(text).variables) == variables


def test_a_variable_beside_commands_must_be_in_the_title() -> None:
    text = f"I have set `UV_NO_CACHE=1`.\n{BLOCK}"
    assert parse(text).variables == ()
    assert parse(text, "UV_NO_CACHE is not read").variables == (("UV_NO_CACHE", "1"),)
