"""Find the lines of keys in a TOML text, which tomllib does not report."""

from collections.abc import Iterable, Iterator, Mapping

import tree_sitter
import tree_sitter_toml

from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.text.toml_checks import Mistake, Path


def key_lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every key and table of a valid TOML text, by its path."""
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language())).parse(text.encode())
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    for node in tree.root_node.named_children:
        table: Path = ()
        if node.type in ("table", "table_array_element"):
            table = resolve_header(key_parts(node.named_children[0]), counts)
            if node.type == "table_array_element":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, node.start_point.row + 1)
        pairs = [node] if node.type == "pair" else [child for child in node.named_children if child.type == "pair"]
        for path, line in _pairs(pairs, table):
            for depth in range(len(table) + 1, len(path) + 1):
                found.setdefault(path[:depth], line)
    return found


def _pairs(pairs: list[tree_sitter.Node], table: Path) -> Iterator[tuple[Path, int]]:
    for pair in pairs:
        key, value = pair.named_children[0], pair.named_children[-1]
        path = (*table, *key_parts(key))
        yield path, pair.start_point.row + 1
        if value.type == "inline_table":
            yield from _pairs([child for child in value.named_children if child.type == "pair"], path)
        if value.type == "array":
            items = [child for child in value.named_children if child.type != "comment"]
            for i, item in enumerate(items):
                yield (*path, i), item.start_point.row + 1
                yield from _pairs([child for child in item.named_children if child.type == "pair"], (*path, i))


def key_parts(node: tree_sitter.Node) -> tuple[str, ...]:
    """Return the parts of a key."""
    if node.type == "dotted_key":
        return tuple(key for child in node.named_children for key in key_parts(child))
    return tuple(parse_toml(f"{(node.text or b'').decode()} = 0"))


def resolve_header(keys: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """Return the path of a header; an array of tables stands for its last element (TOML 1.0)."""
    path: Path = ()
    for i, key in enumerate(keys):
        path = (*path, key)
        if i < len(keys) - 1 and path in counts:
            path = (*path, counts[path])
    return path


def format_mistakes(text: str, found: Iterable[Mistake]) -> list[str]:
    """Return mistakes of a TOML text as lines, in the order of the text."""
    positions = key_lines(text)
    numbered = sorted((_line(positions, path), f"{_dotted(path)} {mistake}".strip()) for path, mistake in found)
    return [f"line {line}: {mistake}" for line, mistake in numbered]


def _line(positions: Mapping[Path, int], path: Path) -> int:
    """Return the line of a path, or of the nearest table around it."""
    while path and path not in positions:
        path = path[:-1]
    return positions.get(path, 1)


def _dotted(path: Path) -> str:
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
