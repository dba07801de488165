"""Guessing the name of a posted file."""

import pytest

from uvmre.issue.markdown.blocks import parse_blocks
from uvmre.issue.timeline.classify import classify

TOML = "[project]\nname = 'a'\n"
PYTHON = "import a\n"


def named(text: str) -> list[str]:
    return [block.path for block in classify(parse_blocks(text.split("\n"))) if block.path]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"### b/pyproject.toml\n```toml\n{TOML}```", "b/pyproject.toml"),
        (f"`b/pyproject.toml`:\n```toml\n{TOML}```", "b/pyproject.toml"),
        (f"In `b/pyproject.toml` I have:\n```\n{TOML}```", "b/pyproject.toml"),
        (f"with this pyproject.toml\n```\n{TOML}```", "pyproject.toml"),
        (f"**b/pyproject.toml**\n```\n{TOML}```", "b/pyproject.toml"),
        (f"```toml\n# b/pyproject.toml\n{TOML}```", "b/pyproject.toml"),
        (f"```toml title=b/pyproject.toml\n{TOML}```", "b/pyproject.toml"),
        (f"```b/pyproject.toml\n{TOML}```", "b/pyproject.toml"),
        (f"<details><summary>b/pyproject.toml</summary>\n\n```\n{TOML}```\n</details>", "b/pyproject.toml"),
        (f"```python\n{TOML}```", "pyproject.toml"),
        (f"My basic TOML:\n```toml\n{TOML}```", "pyproject.toml"),
        ("```toml\n[tool.uv.workspace]\nmembers = ['a']\n```", "pyproject.toml"),
        ("Save this as file `thing`:\n```python\n# /// script\n# dependencies = []\n# ///\n```", "thing"),
        (f"The `main.py` is simple:\n```python\n{PYTHON}```", "main.py"),
        (f"```python\n# Contents of a/b.py\n{PYTHON}```", "a/b.py"),
        ("`x.in`:\n```\nfoo\nbar>=1\n```", "x.in"),
        ("1. Create `requirements.txt`:\n\n```\nfoo==1\n```", "requirements.txt"),
        ("```toml\nversion = 1\n\n[[package]]\nname = 'a'\n```", "uv.lock"),
        ("```\nFROM a\nRUN uv sync\n```", "Dockerfile"),
        ("repro.sh:\n```bash\nuv sync\nuv lock\n```", "repro.sh"),
    ],
)
def test_file_names(text: str, path: str) -> None:
    assert named(text) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "Running on `pyproject.toml` gives this error:\n```\nerror: Failed to parse `pyproject.toml`\n```",
        "the output is:\n```\nfoo==1\nbar==2\n```",
        "```\n├── a.py\n└── b.py\n```",
        "```yaml\na: b\n```",
        "`../../etc/passwd.toml`:\n```\nhello\n```",
    ],
)
def test_a_mentioned_name_is_not_the_name_of_the_block(text: str) -> None:
    assert named(text) == []
