"""Names and texts use the field's words: those of uv, pip, pytest, git bisect and VCR, and one word for each thing."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from uvmre.cli.main import cli

ROOT = Path(__file__).parents[1]
SRC = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "templates").rglob("*")]
SCHEMAS = sorted((ROOT / "docs" / "schemas").glob("*.json"))

TEXT = re.compile(
    r"""\b(?:
    tapes?|heard|calendar|universes?|made-up|personalit(?:y|ies)|lifeline|distrust(?:s|ed)?|mend(?:s|ed|ing)?|
    nobody|anybody|no\ more|whom|a\ gap\ that\ decides|since\ when|is\ told|are\ told|was\ told|were\ told|the\ house
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
"""What no help, message, page, schema or comment says."""
NAMES = {
    "told", "said", "asked", "seen", "meant", "wanted", "heard", "tape", "tapes", "taped", "universe", "personality", "calendar",
    "door", "doors", "lifeline", "world", "dress", "dressed", "distrusted", "mended", "mend", "papers", "shelf", "looks", "middles",
    "wish", "wishes", "mood", "drawn", "lacking", "implied", "standin", "manner", "trial", "trials", "story", "act", "acts", "piece", "pieces",
    "draft", "vary", "nobody", "somebody",
}  # fmt: skip
"""What no function, parameter, field, constant or local variable is called, nor a part of its name."""
CLASSES = {
    "Tape", "Universe", "Personality", "Made", "Door", "Opened", "World", "Wish", "Trial", "Case", "Proof", "Draft", "Named", "Said", "Story",
    "Act", "Piece", "Manner", "How", "Asked", "Shared", "Place", "Job", "Seen", "Side", "Head", "Kept", "Listed", "Found", "Met", "Row",
}  # fmt: skip
MODULES = {
    "tape", "universe", "personality", "door", "ahead", "world", "words", "copying", "follow", "one_file", "context", "build_edits", "roots",
    "shelf", "reach", "side", "vary", "proof", "weak", "draft", "story", "pieces", "mood", "drawn", "lacking", "implied", "seen", "standin", "plain",
    "utils", "helpers", "common",
}  # fmt: skip
VAGUE = {"read", "find", "ask", "run", "take", "of"}
"""What a function is called only in a module whose own name says what."""
NAMED_BY_MODULE = {"run": {"run"}, "process": {"run"}}


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the names that a module gives: of functions, parameters, fields and variables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


@pytest.mark.parametrize("path", SRC, ids=lambda path: str(path.relative_to(ROOT / "src" / "uvmre")))
def test_a_module_uses_the_vocabulary(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert path.stem not in MODULES
    assert not [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name in CLASSES]
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert functions & VAGUE <= NAMED_BY_MODULE.get(path.stem, set())
    assert not [f"{name}:{line}" for name, line in names(tree) if set(name.lower().strip("_").split("_")) & NAMES]
    assert not [f"{number}: {line.strip()}" for number, line in enumerate(text.splitlines(), 1) if TEXT.search(line)]


@pytest.mark.parametrize("path", [p for p in PAGES if p.is_file()], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_uses_the_vocabulary(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert not [f"{number}: {line}" for number, line in enumerate(lines, 1) if TEXT.search(line)]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_a_schema_uses_the_vocabulary(path: Path) -> None:
    def keys(data: Any) -> Iterator[str]:
        if isinstance(data, dict):
            for key, value in data.items():
                yield key
                yield from keys(value)
        elif isinstance(data, list):
            for value in data:
                yield from keys(value)
        elif isinstance(data, str):
            yield data

    found = set(keys(json.loads(path.read_text())))
    assert not [key for key in found if set(re.split(r"[_-]", key.lower())) & NAMES or TEXT.search(key)]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_the_name_of_a_test_uses_the_vocabulary(path: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if f.name.startswith("test_") and set(f.name.split("_")) & NAMES - {"looks"}]


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and those below it, with the words that call them."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize(("words", "command"), [pytest.param(*pair, id=pair[0]) for pair in commands(cli, "uvmre")])
def test_help_uses_the_vocabulary(words: str, command: click.Command) -> None:
    shown = command.get_help(click.Context(command, info_name=words))
    assert not TEXT.search(shown), shown


def test_a_word_of_the_past_is_found() -> None:
    """The patterns match what they are for, in any case and as a part of a name."""
    assert TEXT.search("It is heard from the Tape.")
    assert set("_told_of".strip("_").split("_")) & NAMES
    assert not TEXT.search("amended, recommended, tapestry")
