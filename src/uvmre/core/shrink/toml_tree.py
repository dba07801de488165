"""A TOML text as a tree of nodes that can be left out: tables, keys, elements of arrays, comments."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import tree_sitter
import tree_sitter_toml

from uvmre.core.shrink.edits import Edit, apply
from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.text.toml_checks import Path
from uvmre.core.text.toml_positions import key_parts, resolve_header

NodeKind = Literal["table", "pair", "element"]


@dataclass
class TomlNode:
    """A part of the text that can be left out with all below it."""

    kind: NodeKind
    path: Path
    start: int
    end: int
    level: int
    """1 for tables and for keys outside of them."""
    children: list["TomlNode"] = field(default_factory=list)
    parent: "TomlNode | None" = field(default=None, repr=False)
    comma: int = -1
    """The position of the comma after it, in an array or inline table."""
    value: str | None = None
    """The value, if it is a string."""
    value_start: int = 0
    value_end: int = 0

    def walk(self) -> Iterator["TomlNode"]:
        """Yield it and all nodes below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class TomlTree:
    """The nodes of a text."""

    content: bytes
    nodes: tuple[TomlNode, ...]
    """All, in the order of the text."""
    comments: tuple[tuple[int, int], ...]
    blank_lines: tuple[tuple[int, int], ...]

    def render(self, removed: Iterable[int]) -> bytes:
        """Return the text without nodes, by their numbers, with commas where TOML needs them."""
        roots = [self.nodes[number] for number in removed]
        gone = {id(node) for root in roots for node in root.walk()}
        edits: list[Edit] = [(node.start, node.end, b"") for root in roots for node in _own_ranges(root)]
        for node in self.nodes:
            if id(node) not in gone:
                edits += _last_comma(node, gone)
        return apply(self.content, edits)


def _own_ranges(root: TomlNode) -> Iterator[TomlNode]:
    """Yield the node, and the tables below it, which may stand elsewhere."""
    yield root
    yield from (node for node in root.walk() if node.kind == "table" and node is not root)


def _last_comma(node: TomlNode, gone: set[int]) -> Iterator[Edit]:
    """Yield the edit that removes a comma after the last element that is left, if the last one had none."""
    items = [child for child in node.children if child.kind != "table"] if node.kind != "table" else []
    left = [child for child in items if id(child) not in gone]
    if left and items[-1].comma < 0 <= left[-1].comma:
        yield left[-1].comma, left[-1].comma + 1, b""


@functools.lru_cache(maxsize=256)
def parse_tree(content: bytes) -> TomlTree | None:
    """Return the tree of a TOML text; None if it is not valid."""
    try:
        parse_toml(content.decode())
    except ValueError:
        return None
    root = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language())).parse(content).root_node
    if root.has_error:
        return None
    nodes: list[TomlNode] = []
    comments: list[tuple[int, int]] = []
    strings: list[tuple[int, int]] = []
    counts: dict[Path, int] = {}
    elements: dict[Path, TomlNode] = {}
    for child in root.named_children:
        if child.type == "pair":
            nodes.append(_pair(child, (), 1, content))
        elif child.type in ("table", "table_array_element"):
            node = _table(child, counts, content)
            parent = _owner(node.path, elements)
            if child.type == "table_array_element":
                elements[node.path[:-1]] = node
            if parent:
                for each in node.walk():
                    each.level += parent.level
                parent.children.append(node)
            else:
                nodes.append(node)
    _collect(root, comments, strings, content)
    for node in nodes:
        _set_parents(node)
    every = sorted((each for node in nodes for each in node.walk()), key=lambda node: (node.start, -node.end))
    return TomlTree(content, tuple(every), tuple(comments), tuple(_blank_lines(content, strings)))


def _set_parents(node: TomlNode) -> None:
    for child in node.children:
        child.parent = node
        _set_parents(child)


def _table(node: tree_sitter.Node, counts: dict[Path, int], content: bytes) -> TomlNode:
    path = resolve_header(key_parts(node.named_children[0]), counts)
    if node.type == "table_array_element":
        counts[path] = counts.get(path, -1) + 1
        path = (*path, counts[path])
    found = TomlNode("table", path, _line_start(content, node.start_byte), node.end_byte, 1)
    found.children = [_pair(child, path, 2, content) for child in node.named_children if child.type == "pair"]
    return found


def _owner(path: Path, elements: dict[Path, TomlNode]) -> TomlNode | None:
    """Return the element of an array of tables that a table belongs to."""
    for length in range(len(path) - 1, 0, -1):
        found = elements.get(path[: length - 1])
        if found and found.path == path[:length]:
            return found
    return None


def _pair(node: tree_sitter.Node, table: Path, level: int, content: bytes) -> TomlNode:
    start, end = _line_start(content, node.start_byte), node.end_byte
    newline = content.find(b"\n", end)
    found = TomlNode("pair", (*table, *key_parts(node.named_children[0])), start, end, level)
    found.end = len(content) if newline < 0 else newline + 1
    _fill(found, node.named_children[-1], content)
    return found


def _fill(owner: TomlNode, value: tree_sitter.Node, content: bytes) -> None:
    """Add the value of a node: a string, or the elements of an array or inline table."""
    owner.value_start, owner.value_end = value.start_byte, value.end_byte
    if value.type == "string":
        owner.value = str(parse_toml(f"x = {(value.text or b'').decode()}")["x"])
    if value.type not in ("array", "inline_table"):
        return
    segment = value.start_byte + 1
    index = 0
    for child in value.children[1:-1]:
        if child.type == ",":
            last = owner.children[-1]
            last.comma = child.start_byte
            last.end = segment = child.end_byte
        elif child.type == "pair":
            path = (*owner.path, *key_parts(child.named_children[0]))
            owner.children.append(TomlNode("pair", path, segment, child.end_byte, owner.level + 1))
            _fill(owner.children[-1], child.named_children[-1], content)
        elif child.is_named and child.type != "comment":
            owner.children.append(TomlNode("element", (*owner.path, index), segment, child.end_byte, owner.level + 1))
            _fill(owner.children[-1], child, content)
            index += 1


def _line_start(content: bytes, at: int) -> int:
    start = content.rfind(b"\n", 0, at) + 1
    return at if content[start:at].strip() else start


def _collect(
    node: tree_sitter.Node, comments: list[tuple[int, int]], strings: list[tuple[int, int]], content: bytes
) -> None:
    if node.type == "comment":
        comments.append(comment_range(content, node.start_byte, node.end_byte))
    elif node.type == "string":
        strings.append((node.start_byte, node.end_byte))
    for child in node.children:
        _collect(child, comments, strings, content)


def comment_range(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Return what goes with a comment: its line if it stands alone, else the white space before it."""
    first = content.rfind(b"\n", 0, start) + 1
    if content[first:start].strip():
        return len(content[:start].rstrip(b" \t")), end
    newline = content.find(b"\n", end)
    return first, len(content) if newline < 0 else newline + 1


def _blank_lines(content: bytes, strings: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = 0
    for line in content.splitlines(keepends=True):
        if not line.strip() and not any(start <= at < end for start, end in strings):
            yield at, at + len(line)
        at += len(line)


def encode_string(value: str) -> bytes:
    """Return a string as TOML."""
    import tomli_w

    multiline = "\n" in value and "\r" not in value
    data: dict[str, Any] = {"x": value}
    return tomli_w.dumps(data, multiline_strings=multiline).removeprefix("x = ").removesuffix("\n").encode()
