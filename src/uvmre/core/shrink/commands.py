"""Passes over shell commands and Dockerfiles: lines, statements, words, instructions."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from uvmre.core.mre.model import MANIFEST
from uvmre.core.search.shrink import ShrinkPass, ShrinkUnit
from uvmre.core.shell.uv_calls import ASSIGNMENT, HEREDOC, OPTIONS_WITH_VALUE, SUBCOMMANDS
from uvmre.core.shrink.edits import Edit, Subject, decode, edit_files
from uvmre.core.shrink.files import edit_pass, is_dockerfile, is_shell
from uvmre.core.shrink.toml_tree import encode_string, parse_tree
from uvmre.core.text.toml_checks import Path
from uvmre.errors import UvmreError

TOKEN = re.compile(
    r"(?P<space>(?:[ \t]|\\\n)+)|(?P<separator>&&|\|\||;|\n)|(?P<pipe>\||&(?!>)|[(){}])"
    r"|(?P<redirect>(?:\d*(?:>>?|<)|&>)(?:&\d|[ \t]*[^\s;&|<>()]+)?)"
    r"|(?P<word>(?:[^\s;&|<>()'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+)",
    re.DOTALL,
)
LINE = re.compile(r"(?:[^\n]*\\\n)*[^\n]*\n?")
BLOCK = re.compile(r"[(){}]|\b(?:if|for|while|case|function)\b")
RUN = re.compile(r"(?is)\s*RUN\s+(?:--\S+\s+)*(?=[^\s\[])")
END = re.compile(r"\A(?:\\\n|\s)+|(?:&&|\|\||;)\s*\Z")
"""What a command neither starts nor ends with."""
PREFIXES = ("env", "exec", "time", "command")
Span = tuple[int, int]


class ShellText(NamedTuple):
    """A shell text in a file."""

    path: str
    start: int
    end: int
    text: str
    quoted: bool
    """Whether it is a string of TOML."""


Finder = Callable[[str], list[Span]]
"""Returns what can go from a shell text."""


def command_passes() -> Iterator[ShrinkPass[Subject]]:
    """Yield the passes over commands, coarse ones first."""
    yield edit_pass("instructions", _instructions)
    for name, find in (("lines of steps", _lines), ("statements", _statements), ("words", _words)):
        yield ShrinkPass(name, partial(_units, find), _without)


def _is_run(path: Path) -> bool:
    return path[-1] == "run" or (path[0] == "control" and path[2:3] == ("replace",) and len(path) == 4)


def commands(subject: Subject) -> Iterator[ShellText]:
    """Yield the commands of steps, of services, of a Dockerfile's RUNs, and of shell scripts."""
    for path, content in sorted(subject.items()):
        tree = parse_tree(content) if path == MANIFEST else None
        for node in tree.nodes if tree else ():
            if node.value is not None and _is_run(node.path):
                yield ShellText(path, node.value_start, node.value_end, node.value, quoted=True)
        if is_dockerfile(path):
            for start, end in instruction_ranges(content):
                text = content[start:end].decode()
                if match := RUN.match(text):
                    first = start + len(match[0].encode())
                    yield ShellText(path, first, end, text[match.end() :], quoted=False)
        elif is_shell(path, content) and (script := decode(content)):
            yield ShellText(path, 0, len(content), script, quoted=False)


def instruction_ranges(content: bytes) -> list[Span]:
    """Return where the instructions of a Dockerfile are; none if it cannot be parsed."""
    from uvmre.core.dockerfile.parser import instructions

    text = decode(content)
    try:
        found = instructions(text) if text else ()
    except UvmreError:
        return []
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return [(starts[each.first - 1], starts[min(each.last, len(starts) - 1)]) for each in found]


def _instructions(subject: Subject) -> Iterator[tuple[str, Edit, str]]:
    for path, content in sorted(subject.items()):
        for start, end in instruction_ranges(content) if is_dockerfile(path) else ():
            yield path, (start, end, b""), f"{path}: {content[start:end].decode().strip()[:60]}"


def _units(find: Finder, subject: Subject) -> list[ShrinkUnit]:
    return [
        ShrinkUnit((command, span), f"{command.path}: {command.text[slice(*span)].strip()[:60]}")
        for command in commands(subject)
        for span in find(command.text)
    ]


def _without(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject | None:
    grouped: dict[ShellText, list[Span]] = {}
    for unit in units:
        grouped.setdefault(unit.key[0], []).append(unit.key[1])
    edits: list[tuple[str, Edit]] = []
    for command, spans in grouped.items():
        text, at = "", 0
        for start, end in sorted(spans):
            text += command.text[at:start] if start > at else ""
            at = max(at, end)
        text = END.sub("", text + command.text[at:]).strip()
        if not text:
            return None
        new = encode_string(text) if command.quoted else f"{text}\n".encode()
        edits.append((command.path, (command.start, command.end, new)))
    return edit_files(subject, edits)


def _lines(text: str) -> list[Span]:
    found = [match.span() for match in LINE.finditer(text) if match[0].strip()]
    return found if len(found) > 1 else []


def _statements(text: str) -> list[Span]:
    """Return the parts between `&&`, `||` and `;`, each with what follows it."""
    if HEREDOC.search(text) or BLOCK.search(text):
        return []
    ends = [match.end() for match in TOKEN.finditer(text) if match["separator"] in ("&&", "||", ";")]
    return list(zip([0, *ends], [*ends, len(text)], strict=True)) if ends else []


def _words(text: str) -> list[Span]:
    """Return the assignments, options with their values, arguments and redirections of each command."""
    if HEREDOC.search(text):
        return []
    found: list[Span] = []
    words: list[re.Match[str]] = []
    for match in TOKEN.finditer(text):
        if match["separator"] or match["pipe"]:
            found += _arguments(words)
            words = []
        elif match["redirect"]:
            found.append(match.span())
        elif match["word"]:
            words.append(match)
    return sorted(_with_space(text, span) for span in [*found, *_arguments(words)])


def _with_space(text: str, span: Span) -> Span:
    start = len(text[: span[0]].rstrip(" \t"))
    if text[start : span[0]]:
        return start, span[1]
    return span[0], span[1] + len(text[span[1] :]) - len(text[span[1] :].lstrip(" \t"))


def _arguments(words: Sequence[re.Match[str]]) -> list[Span]:
    left, found = list(words), []
    while left and (ASSIGNMENT.match(left[0][0]) or left[0][0] in PREFIXES):
        found.append(left.pop(0).span())
    if not left:
        return []  # a lone assignment is the command
    is_uv = left.pop(0)[0].rpartition("/")[2] == "uv"
    verbs = 1 if is_uv else 0
    while left:
        word = left.pop(0)
        if word[0].startswith("-"):
            valued = is_uv and word[0] in OPTIONS_WITH_VALUE and left
            found.append((word.start(), left.pop(0).end() if valued else word.end()))
        elif verbs:
            verbs += word[0] in SUBCOMMANDS
            verbs -= 1
        else:
            found.append(word.span())
    return found
