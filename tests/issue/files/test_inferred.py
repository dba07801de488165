"""Files that must exist although the post does not show them."""

import pytest

from uvmre.core.triage.parsed_issue import PostedFile
from uvmre.issue.files.inferred import infer_files

PROJECT = "[project]\nname = 'a-b'\nversion = '1'\n"


def inferred_paths(text: str, *trees: str, from_dockerfile: bool = False) -> list[str]:
    root = PostedFile("pyproject.toml", text, 1, "")
    return [file.path for file in infer_files([root], trees, from_dockerfile=from_dockerfile)]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (PROJECT, []),
        (f"{PROJECT}readme = 'README.md'\nlicense = {{file = 'LICENSE'}}\n", ["README.md", "LICENSE"]),
        (f"{PROJECT}license-files = ['A', '*.txt', '../B']\n", ["A"]),
        (f"{PROJECT}[build-system]\nrequires = []\n", ["src/a_b/__init__.py"]),
        (f"{PROJECT}[build-system]\nbuild-backend = 'maturin'\n", []),
        (f"{PROJECT}[build-system]\n[tool.uv]\npackage = false\n", []),
        (f"{PROJECT}[tool.uv.sources]\nc = {{path = 'c'}}\n", ["c/pyproject.toml", "c/src/c/__init__.py"]),
        (f"{PROJECT}[tool.uv.sources]\nc = {{path = '../c'}}\nd = {{path = 'd.whl'}}\n", []),
        (f"{PROJECT}[tool.uv.workspace]\nmembers = ['c']\n", ["c/pyproject.toml", "c/src/c/__init__.py"]),
    ],
)
def test_files_of_a_project(text: str, paths: list[str]) -> None:
    assert inferred_paths(text) == paths


def test_members_of_a_pattern_are_those_in_the_tree() -> None:
    text = f"{PROJECT}[tool.uv.workspace]\nmembers = ['libs/*']\n"
    tree = "libs/\n├── c/\n│   └── pyproject.toml\n└── d/\n    └── e.py\nREADME.md\n"
    assert inferred_paths(text, tree) == ["README.md", "libs/c/pyproject.toml", "libs/c/src/c/__init__.py"]


def test_a_dockerfile_has_no_inferred_members() -> None:
    assert inferred_paths(f"{PROJECT}[tool.uv.workspace]\nmembers = ['c']\n", from_dockerfile=True) == []
