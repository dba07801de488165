"""Classifying the blocks of a post."""

import pytest

from uvmre.issue.markdown.blocks import parse_blocks
from uvmre.issue.timeline.classify import classify


@pytest.mark.parametrize(
    ("text", "role", "path"),
    [
        ("```\n$ uv sync\n```", "commands", ""),
        ("```bash\n#!/bin/sh\nuv sync\n```", "script", ""),
        ("`a.sh`:\n```bash\nuv sync\n```", "script", "a.sh"),
        ("`a.sh`:\n```sh\nuv sync\nexit 3\n```", "script", "a.sh"),
        ("`.env`:\n```bash\nA=1\n```", "file", ".env"),
        ("```toml\n[project]\nname = 'a'\n```", "file", "pyproject.toml"),
        ("`a.py`:\n```python\nimport b\n```", "file", "a.py"),
        ("```python\nimport b\n```", "file", ""),
        ("```\nerror: a\n```", "output", ""),
        ("The output:\n```\na==1\n```", "output", ""),
        ("```\na/\n├── b.py\n└── c.py\n```", "tree", ""),
        ("```dockerfile\nFROM a\nRUN uv sync\n```", "dockerfile", "Dockerfile"),
        ("```sh\n > [2/3] RUN uv sync:\n#4 0.1 error: a\n```", "output", ""),
        ("```yaml\n- run: uv sync\n```", "workflow", ""),
        ("```\nanything else\n```", "other", ""),
        ("Some prose.", "prose", ""),
        ("error: a text without a fence", "output", ""),
    ],
)
def test_role(text: str, role: str, path: str) -> None:
    block = classify(parse_blocks(text.split("\n")))[-1]
    assert (block.role, block.path) == (role, path)


@pytest.mark.parametrize(
    ("text", "entries", "mentions"),
    [
        ("uv sync\nuv lock", ["uv sync", "uv lock"], []),
        ("Run: `uv sync`", ["uv sync"], []),
        ("I run `uv sync` here.", [], ["uv sync"]),
        ("I run `cat a.in | uv pip compile -` here.", [], ["cat a.in | uv pip compile -"]),
        ("uv version 0.5.1", [], []),
        ("uv is a tool to install packages.", [], []),
    ],
)
def test_commands_in_prose(text: str, entries: list[str], mentions: list[str]) -> None:
    (block,) = classify(parse_blocks(text.split("\n")))
    assert [each.run for each in block.entries] == entries
    assert [each.run for each in block.mentions] == mentions
