"""Passes over TOML files: tables, then keys, then elements, level by level."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from uvmre.core.search.shrink import ShrinkPass, ShrinkUnit
from uvmre.core.shrink.edits import Subject
from uvmre.core.shrink.files import Likely, is_toml
from uvmre.core.shrink.toml_tree import TomlNode, parse_tree
from uvmre.core.text.toml_checks import Path

MOST_LEVELS = 10
REQUIRED = {("project", "name"), ("project", "version")}
"""Keys without which uv reads no project."""

Protected = Callable[[str, Path], bool]
"""Whether a node of a file must stay, by the path of the file and of the node."""


def toml_passes(likely: Likely, protected: Protected) -> Iterator[ShrinkPass[Subject]]:
    """Yield a pass for each level."""
    for level in range(1, MOST_LEVELS + 1):
        yield ShrinkPass("TOML", partial(_units, level, likely, protected), _without)


def _units(level: int, likely: Likely, protected: Protected, subject: Subject) -> list[ShrinkUnit]:
    found = []
    single = sum(map(is_toml, subject)) == len(subject) == 1
    for path, content in sorted(subject.items()):
        tree = parse_tree(content) if is_toml(path) else None
        for number, node in enumerate(tree.nodes if tree else ()):
            if node.level == level and not protected(path, node.path):
                owner = (path, node.parent.start) if node.parent else path if single else None
                needed = node.path in REQUIRED or likely(_name(node))
                found.append(ShrinkUnit((path, number), f"{path}: {_title(node)}", needed, owner))
    return found


def _name(node: TomlNode) -> str:
    return str(node.path[-1]) if node.kind == "pair" else node.value or ""


def _title(node: TomlNode) -> str:
    return node.value or ".".join(map(str, node.path)) if node.kind == "element" else ".".join(map(str, node.path))


def _without(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject | None:
    grouped: dict[str, list[int]] = {}
    for unit in units:
        grouped.setdefault(unit.key[0], []).append(unit.key[1])
    found = dict(subject)
    for path, numbers in grouped.items():
        tree = parse_tree(subject[path])
        assert tree
        found[path] = tree.render(numbers)
        if parse_tree(found[path]) is None:
            return None
    return found
