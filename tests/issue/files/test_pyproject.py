"""Completing a pyproject.toml that is posted in part."""

import tomllib

import pytest

from uvmre.issue.files.pyproject import ELIDED, complete, minimal


@pytest.mark.parametrize(
    ("text", "needs_project", "completed", "additions"),
    [
        ("[project]\nname = 'a'\nversion = '1'\n", True, "[project]\nname = 'a'\nversion = '1'\n", ""),
        ("[project]\nname = 'a'\ndynamic = ['version']\n", True, "[project]\nname = 'a'\ndynamic = ['version']\n", ""),
        ("[project]\nname = 'a'", True, "[project]\nversion = \"0.1.0\"\nname = 'a'\n", "version"),
        ("[tool.uv]\npackage = false\n", False, "[tool.uv]\npackage = false\n", ""),
        ("[tool.uv.workspace]\nmembers = []\n", True, "[tool.uv.workspace]\nmembers = []\n", ""),
        ("not = [toml", True, "not = [toml", ""),
    ],
)
def test_complete(text: str, needs_project: bool, completed: str, additions: str) -> None:
    assert complete(text, needs_project=needs_project) == (completed, additions)


def test_a_project_is_added_if_a_command_requires_one() -> None:
    text, additions = complete("[tool.uv]\npackage = false\n", needs_project=True, python="3.11.4")
    data = tomllib.loads(text)
    assert (data["project"]["requires-python"], data["tool"]["uv"]["package"]) == (">=3.11", False)
    assert additions == "a [project]"


def test_an_elided_part_is_mentioned() -> None:
    assert complete("[project]\nname = 'a'\nversion = '1'\n...\n", needs_project=True)[1] == ELIDED


def test_minimal() -> None:
    data = tomllib.loads(minimal("a", "3.12", version="2", build=True, dependencies=("b==1", "c")))
    assert data["project"]["dependencies"] == ["b==1", "c"]
    assert data["build-system"]["build-backend"] == "hatchling.build"
    assert tomllib.loads(minimal("a"))["project"]["dependencies"] == []
