"""All regular expressions of the package, with how each is used, and texts that are hostile to each."""

import ast
import importlib
import pkgutil
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _parser as parser
from types import ModuleType
from typing import Any

import uvmre

METHODS = frozenset({"search", "match", "fullmatch", "finditer", "findall", "split", "sub", "subn"})
FROM_THE_START = frozenset({"match", "fullmatch"})
HANDED_ON = frozenset({"at_line"})
"""Functions of ours that take a pattern and search for it."""
UNKNOWN = "placeholder"


@dataclass(frozen=True)
class Use:
    """A regular expression, where it stands, and how it is used: one with a name may be searched for by anybody."""

    where: str
    pattern: str | bytes
    flags: int
    method: str

    def __str__(self) -> str:
        return self.where


class Names(dict[str, Any]):
    """The names of a module; any that only a function knows is a word that a pattern may well be made of."""

    def __missing__(self, name: str) -> str:
        if name in __builtins__:  # type: ignore[operator]
            raise KeyError(name)
        return UNKNOWN


@cache
def uses() -> tuple[Use, ...]:
    """Return every regular expression of the package: module-level, in tables, and written where it is used."""
    names = [
        each.name for each in pkgutil.walk_packages(uvmre.__path__, "uvmre.") if not each.name.endswith("__main__")
    ]
    modules = [importlib.import_module(name) for name in names]
    trees = {module: ast.parse(Path(str(module.__file__)).read_text()) for module in modules}
    methods: dict[re.Pattern[Any], set[str]] = defaultdict(set)
    for module, tree in trees.items():
        for pattern, method in _called(tree, module):
            methods[pattern].add(method)
    found: dict[tuple[str | bytes, int, str], Use] = {}
    for module, tree in trees.items():
        short = module.__name__.removeprefix("uvmre.")
        of_tables = [
            Use(f"{short}.{name}", pattern.pattern, pattern.flags, method)
            for name, value in vars(module).items()
            for pattern in _compiled(value, set())
            for method in {"finditer", *methods[pattern]} & {"finditer", *FROM_THE_START}
        ]
        tabled = {(use.pattern, use.flags) for use in of_tables}
        inline = [use for use in _inline(tree, module, short) if (use.pattern, use.flags) not in tabled]
        for use in (*of_tables, *inline):
            found.setdefault((use.pattern, use.flags, use.method), use)
    return tuple(found.values())


def _called(tree: ast.Module, module: ModuleType) -> Iterator[tuple[re.Pattern[Any], str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            value = node.value
            if isinstance(value, ast.Name):
                pattern = vars(module).get(value.id)
            elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
                pattern = getattr(vars(module).get(value.value.id), value.attr, None)
            else:
                pattern = None
            if isinstance(pattern, re.Pattern):
                yield pattern, node.attr


def _compiled(value: object, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping):
        for each in (*value, *value.values()):
            yield from _compiled(each, seen)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for each in value:
            yield from _compiled(each, seen)
    elif type(value).__module__.startswith("uvmre"):
        yield from _compiled(vars(value) if hasattr(value, "__dict__") else (), seen)


def _inline(tree: ast.Module, module: ModuleType, short: str) -> Iterator[Use]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        called = node.func.attr
        of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and called in {*METHODS, "compile"}
        if not of_re and called not in HANDED_ON:
            continue
        position = {"sub": 4, "subn": 4, "split": 3, "compile": 1}.get(called, 2)
        given = [each.value for each in node.keywords if each.arg == "flags"] or node.args[position : position + 1]
        flags = int(_value(given[0], vars(module))) if given else 0
        pattern = _value(node.args[0], vars(module))
        if pattern != UNKNOWN:
            yield Use(
                f"{short}:{node.lineno}",
                pattern,
                re.compile(pattern, flags).flags,
                called if called in FROM_THE_START else "finditer",
            )


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "pattern", "eval"), {}, Names(names))


@dataclass(frozen=True)
class Hostile:
    """A text of any length that a pattern may take long to refuse: repetitions of what it nearly takes."""

    before: str
    repeated: str
    after: str
    again: bool = False
    """Whether a loop may run over places where the pattern begins anew: each of them may then run to the end."""

    def text(self, length: int) -> str:
        """Return the text with at least that many characters."""
        return self.before + self.repeated * (length // len(self.repeated) + 1) + self.after


def hostile(pattern: str | bytes, flags: int) -> list[Hostile]:
    """Return what is hostile to a pattern: its loops, what leads to them, its samples and its letters, over and over."""
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    tree = parser.parse(text, flags & ~re.UNICODE)
    letters = sorted(_letters(tree) | set(' \n\t-./=a0"`~'))
    chance = random.Random(repr(text))
    found = dict.fromkeys(Hostile("", letter, "\0") for letter in letters)
    for _ in range(2):
        for before, loop, again in _loops(list(tree), "", letters, chance):
            if again:
                found[Hostile("", before, "\0", again)] = None
                found[Hostile("", before + " ", "\0", again)] = None
            odd = chance.choice(letters)
            for each in (before, loop, before + loop, before + loop * 2, before + "\n", before + loop + odd):
                found[Hostile("", each, "\0")] = None
            for end in ("\0", "\n\0"):
                found[Hostile(before, loop, end)] = None
        sample = _sample(tree, letters, chance)
        for each in (sample, sample[:-1], sample + "\n", sample[:-1] + " "):
            found[Hostile("", each, "\0")] = None
    found.update(dict.fromkeys(Hostile("", one + other, "\0") for one in " a" for other in chance.sample(letters, 10)))
    return [each for each in found if each.repeated]


def _letters(tree: Iterable[Any]) -> set[str]:
    found = set()
    for name, value in tree:
        if name in (parser.LITERAL, parser.NOT_LITERAL):
            found.add(chr(value))
        elif name is parser.RANGE:
            found |= {chr(value[0]), chr(value[1])}
        for inner in _inner(value):
            found |= _letters(inner)
    return found


def _inner(value: Any) -> Iterator[Iterable[Any]]:
    """Return the parts of a node that are trees themselves."""
    if isinstance(value, parser.SubPattern) or (isinstance(value, list) and value and isinstance(value[0], tuple)):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _inner(each)


def _loops(
    nodes: Sequence[Any], before: str, letters: list[str], chance: random.Random
) -> Iterator[tuple[str, str, bool]]:
    """Return what leads to each loop, what goes round in it, and whether the loop takes what leads to it."""
    for name, value in nodes:
        if name in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
            if value[1] is parser.MAXREPEAT or value[1] > 20:
                kind, what = value[2][0]
                again = bool(before) and kind in (parser.IN, parser.ANY, parser.NOT_LITERAL)
                again = again and all(_takes(kind, what, each) for each in before)
                yield before, _sample(value[2], letters, chance) * max(value[0], 1), again
            yield from _loops(list(value[2]), before, letters, chance)
        elif name is parser.BRANCH:
            for branch in value[1]:
                yield from _loops(list(branch), before, letters, chance)
        elif name in (parser.SUBPATTERN, parser.ATOMIC_GROUP):
            yield from _loops(list(value[-1] if name is parser.SUBPATTERN else value), before, letters, chance)
        elif name in (parser.ASSERT, parser.ASSERT_NOT):
            yield from _loops(list(value[1]), before, letters, chance)
        before += _sample([(name, value)], letters, chance)


def _sample(nodes: Iterable[Any], letters: list[str], chance: random.Random) -> str:
    """Return a short text that nodes take, or nearly do."""
    out = ""
    for name, value in nodes:
        if name is parser.LITERAL:
            out += chr(value)
        elif name in (parser.IN, parser.ANY, parser.NOT_LITERAL):
            out += chance.choice([each for each in letters if _takes(name, value, each)] or ["\u2603"])
        elif name in (parser.MAX_REPEAT, parser.MIN_REPEAT, parser.POSSESSIVE_REPEAT):
            out += "".join(
                _sample(value[2], letters, chance) for _ in range(max(value[0], min(value[1], chance.choice((0, 1)))))
            )
        elif name is parser.BRANCH:
            out += _sample(chance.choice(value[1]), letters, chance)
        elif name is parser.SUBPATTERN:
            out += _sample(value[-1], letters, chance)
        elif name is parser.ATOMIC_GROUP:
            out += _sample(value, letters, chance)
    return out


CATEGORIES = {
    parser.CATEGORY_SPACE: str.isspace,
    parser.CATEGORY_DIGIT: str.isdigit,
    parser.CATEGORY_WORD: lambda each: each.isalnum() or each == "_",
    parser.CATEGORY_NOT_SPACE: lambda each: not each.isspace(),
    parser.CATEGORY_NOT_DIGIT: lambda each: not each.isdigit(),
    parser.CATEGORY_NOT_WORD: lambda each: not (each.isalnum() or each == "_"),
}


def _takes(name: Any, value: Any, letter: str) -> bool:
    if name is parser.ANY:
        return letter != "\n"
    if name is parser.NOT_LITERAL:
        return ord(letter) != value
    negated = value[0][0] is parser.NEGATE
    inside = any(
        (kind is parser.LITERAL and what == ord(letter))
        or (kind is parser.RANGE and what[0] <= ord(letter) <= what[1])
        or (kind is parser.CATEGORY and CATEGORIES[what](letter))
        for kind, what in value
    )
    return inside is not negated
