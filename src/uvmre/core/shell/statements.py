"""The statements of a shell command."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter
import tree_sitter_bash

LONGEST = 8_000
"""Longer commands are not parsed."""
PLACEHOLDER = re.compile(r"<(?!<)([A-Za-z][\w -]{1,40})>(?!>)")


@dataclass(frozen=True)
class Statement:
    """One statement of a shell text: a command, a pipeline, a loop."""

    text: str
    argv: tuple[str, ...]
    """The first simple command in it without quotes, assignments and redirections."""
    assignments: tuple[tuple[str, str], ...] = ()
    """Variables of that command, or of the shell if there is no command."""
    simple: bool = True
    """Whether it is a command or pipeline, not a loop, function or condition."""
    line: int = 0
    """Its line in the text, from 0."""

    @property
    def program(self) -> str:
        """Return the name of the program."""
        return self.argv[0].replace("\\", "/").rpartition("/")[2].removesuffix(".exe") if self.argv else ""


@functools.cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


@functools.lru_cache(maxsize=4096)
def statements(text: str) -> tuple[Statement, ...]:
    """Return the statements of a text, or nothing if it is not shell.

    `a && b`, `a; b` and lines are separate statements; `a || b` is one.
    """
    if len(text) > LONGEST:
        return ()
    tree = _parser().parse(with_placeholders(text).encode(errors="replace"))
    if tree.root_node.has_error:
        return ()
    return tuple(_statements(tree.root_node))


def with_placeholders(text: str) -> str:
    """Return a command with placeholders that are not redirections: `<name>` becomes `[name]`."""
    return PLACEHOLDER.sub(lambda found: f"[{found[1]}]", text)


def _statements(node: tree_sitter.Node) -> Iterator[Statement]:
    for child in node.children:
        if child.type == "list" and not _has_or(child):
            yield from _statements(child)
        elif child.is_named and child.type != "comment":
            yield _statement(child)


def _has_or(node: tree_sitter.Node) -> bool:
    return any(child.type == "||" or (child.type == "list" and _has_or(child)) for child in node.children)


def _statement(node: tree_sitter.Node) -> Statement:
    command = _first(node)
    words: list[str] = []
    assignments: list[tuple[str, str]] = []
    for child in command.children if command else ():
        if child.type == "command_name":
            words.append(_word(child.children[0] if child.children else child))
        elif child.type == "variable_assignment":
            assignments.append(_assignment(child))
        elif child.is_named and not child.type.endswith("redirect"):
            words.append(_word(child))
        elif child.type in ("export", "declare", "unset", "local", "readonly", "[", "[["):
            words.append(child.type)
    if command and command.type == "variable_assignment":
        assignments.append(_assignment(command))
    simple = node.type in SIMPLE
    return Statement(_text(node), tuple(words), tuple(assignments), simple, node.start_point.row)


SINGLE = {"command", "declaration_command", "variable_assignment", "unset_command", "test_command"}
SIMPLE = SINGLE | {"pipeline", "redirected_statement", "negated_command", "list", "variable_assignments"}


def _first(node: tree_sitter.Node) -> tree_sitter.Node | None:
    while node.type not in SINGLE:
        inner = [child for child in node.children if child.is_named and child.type != "comment"]
        if not inner or node.type in ("for_statement", "while_statement", "if_statement", "function_definition"):
            return None
        node = inner[0]
    return node


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _word(node: tree_sitter.Node) -> str:
    text = _text(node)
    if node.type in ("string", "raw_string") and len(text) > 1:
        return text[1:-1]
    return re.sub(r"([\"'])(.*?)\1", r"\2", text)


def _assignment(node: tree_sitter.Node) -> tuple[str, str]:
    name, _, _ = _text(node).partition("=")
    value = [child for child in node.children[2:] if child.is_named]
    return name, _word(value[0]) if value else ""
