"""Parsing directory trees, and dependency trees of `uv tree`."""

import pytest

from uvmre.issue.files.trees import dependencies_of, tree_paths, version_of

DEPENDENCIES = "root v0.1.0\n├── a v1.0\n│   └── b v2.0\n└── c v3.0 (extra: d)\n"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a/\n├── b.py\n└── c/\n    └── d.py\n", ["b.py", "c/", "c/d.py"]),
        (".\n├── b.py\n└── c\n    └── d.py\n", ["b.py", "c/", "c/d.py"]),
        ("|-- b.py\n`-- c.py  # the main file\n", ["b.py", "c.py"]),
        ("- a/\n  - b.py\n- c.py\n", ["a/", "a/b.py", "c.py"]),
        ("├── ../b.py\n└── c.py\n", ["c.py"]),
    ],
)
def test_paths_of_a_directory_tree(text: str, paths: list[str]) -> None:
    assert tree_paths(text) == paths


def test_dependencies_of_a_project() -> None:
    assert dependencies_of("root", DEPENDENCIES) == ("a==1.0",)
    assert dependencies_of("a", DEPENDENCIES) == ("b==2.0",)
    assert dependencies_of("x", DEPENDENCIES) == ()


def test_version_of_a_project() -> None:
    assert (version_of("b", DEPENDENCIES), version_of("x", DEPENDENCIES)) == ("2.0", "")
