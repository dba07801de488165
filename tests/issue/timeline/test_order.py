"""Files and commands in the order in which they can be run."""

import pytest

from uvmre.issue.environment.versions import PostedEnvironment
from uvmre.issue.markdown.blocks import parse_blocks
from uvmre.issue.timeline.classify import classify
from uvmre.issue.timeline.events import build_timeline
from uvmre.issue.timeline.order import MOST_COMMANDS, OrderedEvents, order_events

PROJECT = "[project]\nname = 'a'\n"


def ordered(text: str) -> OrderedEvents:
    return order_events(build_timeline(classify(parse_blocks(text.split("\n"))), PostedEnvironment()))


@pytest.mark.parametrize(
    ("text", "files", "results", "expected"),
    [
        (f"```toml\n{PROJECT}```\n```\n$ uv lock\n```", [("pyproject.toml", 0)], [], []),
        (
            f"```toml\n{PROJECT}```\n```\n$ uv add b\n```\nThe result:\n```toml\n{PROJECT}# b\n```",
            [("pyproject.toml", 0)],
            [("pyproject.toml", 1)],
            [],
        ),
        (
            f"```toml\n{PROJECT}```\n```\n$ uv add b\n```\nI expected:\n```toml\n{PROJECT}# b\n```",
            [("pyproject.toml", 0)],
            [],
            [("pyproject.toml", 1)],
        ),
        (
            f"```toml\n{PROJECT}```\n```\n$ uv lock\n```\nThen I edited it:\n```toml\n{PROJECT}# b\n```",
            [("pyproject.toml", 0), ("pyproject.toml", 1)],
            [],
            [],
        ),
        (
            f"```\n$ uv add b\n```\nI get this:\n```toml\n{PROJECT}# b\n```\nI expect:\n```toml\n{PROJECT}# c\n```\n"
            f"or maybe:\n```toml\n{PROJECT}# d\n```",
            [],
            [("pyproject.toml", 1)],
            [("pyproject.toml", 1), ("pyproject.toml", 1)],
        ),
        (f"```\n$ uv add b\n```\nI have this:\n```toml\n{PROJECT}# b\n```", [("pyproject.toml", 0)], [], []),
        (f"```\n$ uv tree\n```\nI get it with:\n```toml\n{PROJECT}# b\n```", [("pyproject.toml", 0)], [], []),
        ("```\n$ cat a.in\nb\n$ uv pip compile a.in\n```", [("a.in", 0)], [], []),
        ("```\n$ cat a.in\nb\n$ uv lock\n$ cat a.in\nc\n$ uv sync\n```", [("a.in", 0), ("a.in", 1)], [], []),
        ("```\n$ cat a.in\nb\n$ echo c >> a.in\n$ cat a.in\nb\nc\n```", [("a.in", 0)], [], []),
        ("```\n$ uv init\n$ cat main.py\nprint()\n```", [], [], []),
        ("```\n$ uv run b.py\n```\n```python\nimport c\n```", [("b.py", 0)], [], []),
    ],
)
def test_files(
    text: str, files: list[tuple[str, int]], results: list[tuple[str, int]], expected: list[tuple[str, int]]
) -> None:
    found = ordered(text)
    assert [(file.path, file.before) for file in found.files] == files
    assert [(file.path, file.before) for file in found.results] == results
    assert [(file.path, file.before) for file in found.expected] == expected


def test_a_member_of_the_workspace_has_its_directory() -> None:
    root = f"{PROJECT}[tool.uv.workspace]\nmembers = ['libs/*']\n"
    found = ordered(f"```toml\n{root}```\n```toml\n[project]\nname = 'b'\n```\n```\n$ uv lock\n```")
    assert [file.path for file in found.files] == ["pyproject.toml", "libs/b/pyproject.toml"]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("```\n$ mkdir a\n$ cd a\n$ uv init\n```", ["mkdir a", "cd a", "uv init"]),
        ("```\n$ cd projects\n$ uv init\n```", ["uv init"]),
        ("```\n$ pip install a\n$ uv sync\n```", ["uv sync"]),
        ("```\n$ echo $A\n1\n$ uv sync\n```", ["uv sync"]),
    ],
)
def test_commands(text: str, runs: list[str]) -> None:
    assert [command.run for command in ordered(text).commands] == runs


def test_unavailable_programs_are_gaps() -> None:
    gaps = ordered("```\n$ apt install gcc\n$ kubectl get a\n$ uv sync\n```").gaps
    assert [(gap.line, gap.blocking) for gap in gaps] == [(2, False), (3, True)]


def test_the_number_of_commands_is_limited() -> None:
    block = "```\n" + "$ uv sync\n" * 100 + "```\n\n"
    found = ordered(block * 3)
    assert len(found.commands) == MOST_COMMANDS + 1
    assert found.gaps[-1].blocking
