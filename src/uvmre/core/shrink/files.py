"""Passes over files of any kind: comments, members, folders, whole contents, lines."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from uvmre.core.mre.model import MANIFEST
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.search.shrink import ShrinkPass, ShrinkUnit
from uvmre.core.shrink.edits import Edit, Subject, decode, edit_files
from uvmre.core.shrink.requirements import is_requirements, requirement_name
from uvmre.core.shrink.toml_tree import TomlNode, comment_range, parse_tree

MOST_DEPTH = 5
"""Folders in folders that have a pass of their own; what is deeper goes with them."""
HASH_LINE = re.compile(rb"(?m)^[ \t]*#(?!!)[^\n]*")
TRAILING = re.compile(rb"(?<=\s)#[^\n]*")
PROJECT = "pyproject.toml"

Likely = Callable[[str], bool]
"""Whether a text names something that is probably needed."""


def is_toml(path: str) -> bool:
    """Tell whether a file is TOML by its name."""
    return path.endswith((".toml", ".lock"))


def is_dockerfile(path: str) -> bool:
    """Tell whether a file is a Dockerfile by its name."""
    name = path.rpartition("/")[2]
    return name.startswith(("Dockerfile", "Containerfile")) or name.endswith((".Dockerfile", ".dockerfile"))


def is_shell(path: str, content: bytes) -> bool:
    """Tell whether a file is a shell script."""
    return path.endswith((".sh", ".bash")) or bool(re.match(rb"#![^\n]*\b(?:ba|da)?sh\b", content))


def edit_pass(
    name: str, find: Callable[[Subject], Iterable[tuple[str, Edit, str]]], *, easy: bool = False
) -> ShrinkPass[Subject]:
    """Return a pass whose units are edits of files that do not depend on each other, each with its title."""

    def units(subject: Subject) -> list[ShrinkUnit]:
        return [ShrinkUnit((path, edit), title) for path, edit, title in find(subject)]

    return ShrinkPass(name, units, lambda subject, gone: edit_files(subject, [unit.key for unit in gone]), easy)


def comments(subject: Subject) -> Iterator[tuple[str, Edit, str]]:
    """Yield the comments and blank lines of TOML, requirements, Dockerfiles and shell scripts."""
    for path, content in sorted(subject.items()):
        if path == MANIFEST:  # it is written anew, always in the same form
            continue
        title = f"{path}: comment"
        if is_toml(path) and path != MANIFEST:
            tree = parse_tree(content)
            ranges = [*tree.comments, *tree.blank_lines] if tree else []
            yield from ((path, (start, end, b""), title) for start, end in sorted(ranges))
        elif is_dockerfile(path) or is_shell(path, content) or is_requirements(path, content):
            found = [*HASH_LINE.finditer(content)]
            found += TRAILING.finditer(content) if is_requirements(path, content) else []
            ranges = sorted({comment_range(content, each.start(), each.end()) for each in found})
            yield from ((path, (start, end, b""), title) for start, end in ranges)


def member_pass(likely: Likely) -> ShrinkPass[Subject]:
    """Return the pass over the projects in folders: each with what names it elsewhere."""
    return ShrinkPass("members", partial(_members, likely), _without_members)


def _members(likely: Likely, subject: Subject) -> list[ShrinkUnit]:
    found = []
    for path in sorted(subject):
        folder, _, name = path.rpartition("/")
        tree = parse_tree(subject[path]) if folder and name == PROJECT else None
        if tree:
            named = next((node.value for node in tree.nodes if node.path == ("project", "name")), None) or ""
            found.append(ShrinkUnit((folder, named), f"{folder}/", likely=likely(named)))
    return found


def _without_members(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject:
    folders = [unit.key[0] for unit in units]
    names = {normalize_name(unit.key[1]) for unit in units if unit.key[1]}
    kept = {path: each for path, each in subject.items() if not any(path.startswith(f"{f}/") for f in folders)}
    for path, content in kept.items():
        if not is_toml(path) or path.endswith(".lock") or not (tree := parse_tree(content)):
            continue
        mentions = [n for n, node in enumerate(tree.nodes) if _mentions(node, names, folders)]
        if mentions:
            kept[path] = tree.render(mentions)
    return kept


def _mentions(node: TomlNode, names: set[str], folders: Sequence[str]) -> bool:
    """Tell whether a node is a requirement, a source or the path of a project."""
    if node.kind == "element" and node.value is not None:
        return node.value.strip("./") in folders or normalize_name(requirement_name(node.value)) in names
    return node.kind == "pair" and node.path[-2:-1] == ("sources",) and normalize_name(str(node.path[-1])) in names


def folder_passes(likely: Likely) -> Iterator[ShrinkPass[Subject]]:
    """Yield passes over files and folders, those on top first."""
    for depth in range(1, MOST_DEPTH + 1):
        yield ShrinkPass("files", partial(_entries, depth, likely), _without_entries)


def _entries(depth: int, likely: Likely, subject: Subject) -> list[ShrinkUnit]:
    found: dict[str, None] = {}
    for path in sorted(subject):
        parts = path.split("/")
        if len(parts) >= depth:
            found["/".join(parts[:depth]) + "/" * (len(parts) > depth)] = None
    return [
        ShrinkUnit(entry, entry, likely(entry), entry.strip("/").rpartition("/")[0] or ".")
        for entry in found
        if entry != MANIFEST
    ]


def _without_entries(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject:
    gone = {unit.key for unit in units}
    folders = tuple(each for each in gone if each.endswith("/"))
    return {path: each for path, each in subject.items() if path not in gone and not path.startswith(folders)}


def is_free_text(path: str, content: bytes) -> bool:
    """Tell whether no other pass knows the structure of a file."""
    known = (
        (is_toml(path) and parse_tree(content)) or (is_dockerfile(path) and content) or is_requirements(path, content)
    )
    return not known


def contents(subject: Subject) -> Iterator[tuple[str, Edit, str]]:
    """Yield the whole content of each file whose structure is not known."""
    for path, content in sorted(subject.items()):
        if content and is_free_text(path, content):
            yield path, (0, len(content), b""), f"{path}: its content"


def lines(subject: Subject) -> Iterator[tuple[str, Edit, str]]:
    """Yield the lines of files whose structure is not known, and of requirements."""
    for path, content in sorted(subject.items()):
        if decode(content) is None or not (is_free_text(path, content) or is_requirements(path, content)):
            continue
        joined = rb"(?:[^\n]*\\\n)*[^\n]*\n?" if is_requirements(path, content) else rb"[^\n]*\n?"
        for number, match in enumerate(re.finditer(joined, content), 1):
            if match[0]:
                yield path, (*match.span(), b""), f"{path}: line {number}"
