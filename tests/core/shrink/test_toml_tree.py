"""A TOML text without any of its nodes is valid TOML with exactly the rest of the data."""

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.shrink.toml_tree import encode_string, parse_tree

KEYS = st.sampled_from(["a", "b", "name", "odd key", "x.y", "ü"])
SCALARS = st.one_of(st.integers(), st.booleans(), st.text(max_size=8), st.sampled_from(["# no comment", "[x]", "\n,"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)


def without(data: Any, gone: set[tuple[str | int, ...]], path: tuple[str | int, ...] = ()) -> Any:
    """Return data without the values at some paths, and without the tables and arrays that are then empty."""
    if isinstance(data, dict):
        left = {k: without(v, gone, (*path, k)) for k, v in data.items() if (*path, k) not in gone}
        return {k: v for k, v in left.items() if v not in ({}, [])}
    if isinstance(data, list):
        return [without(v, gone, (*path, n)) for n, v in enumerate(data) if (*path, n) not in gone]
    return data


@given(DOCUMENTS, st.data())
def test_any_nodes_can_be_left_out(document: dict[str, Any], data: st.DataObject) -> None:
    text = tomli_w.dumps(document, multiline_strings=data.draw(st.booleans()))
    tree = parse_tree(text.encode())
    assert tree
    numbers = data.draw(st.sets(st.sampled_from(range(len(tree.nodes)))) if tree.nodes else st.just(set()))
    left = tomllib.loads(tree.render(numbers).decode())
    # A header alone is no value: the tables below it are other nodes.
    gone = {path for number in numbers for path in removed_paths(tree.nodes[number])}
    assert without(left, set()) == without(tomllib.loads(text), gone)


def removed_paths(node: Any) -> list[tuple[str | int, ...]]:
    if node.kind != "table" or isinstance(node.path[-1], int):
        return [node.path]
    return [child.path for child in node.children]


WRITTEN = """\
# top
a = 1 # one
b.c = [ # open
  1, # x
  "q",
  {z = 1, y = [2]},
]

[x] # header
k = \"\"\"m

l\"\"\"
[[x.y]]
d = 1
[x.y.z]
e = ["a", "b"]
[[x.y]]
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("a",), ("a = 1 # one\n", "")),
        (("b", "c", 0), (" # open\n  1,", "")),
        (("b", "c", 2, "z"), ("{z = 1, y", "{ y")),
        (("b", "c", 2, "y"), ("{z = 1, y = [2]}", "{z = 1}")),
        (("x", "y", 0, "z", "e", 1), ('["a", "b"]', '["a"]')),
        (("x", "y", 0), ('[[x.y]]\nd = 1\n[x.y.z]\ne = ["a", "b"]\n', "")),
        (("x", "k"), ('k = """m\n\nl"""\n', "")),
    ],
)
def test_the_rest_is_left_as_it_was_written(path: tuple[str | int, ...], expected: tuple[str, str]) -> None:
    tree = parse_tree(WRITTEN.encode())
    assert tree
    (number,) = [n for n, node in enumerate(tree.nodes) if node.path == path]
    assert tree.render([number]).decode() == WRITTEN.replace(*expected)


def test_comments_and_blank_lines_of_strings_stay() -> None:
    tree = parse_tree(WRITTEN.encode())
    assert tree
    assert [WRITTEN.encode()[start:end] for start, end in tree.comments] == [
        b"# top\n", b" # one", b" # open", b" # x", b" # header",
    ]  # fmt: skip
    assert len(tree.blank_lines) == 1


@pytest.mark.parametrize("text", ["a = ", "[a\n", "a = 1\na = 2\n", "\x00"])
def test_invalid_toml_has_no_tree(text: str) -> None:
    assert parse_tree(text.encode()) is None


@given(st.text(max_size=30))
def test_a_string_is_encoded(value: str) -> None:
    assert tomllib.loads(f"x = {encode_string(value).decode()}")["x"] == value
