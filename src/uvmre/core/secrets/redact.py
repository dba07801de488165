"""Redact secrets in output: known values, and whatever a rule recognizes."""

import dataclasses
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from uvmre.core.mre.model import Mre, read_env_file
from uvmre.core.outcome.observation import Observation
from uvmre.core.secrets import rules
from uvmre.core.secrets.rules import PRINTS_PASSWORD, Span
from uvmre.core.secrets.values import (
    GENERIC,
    LEAST,
    MASK,
    is_placeholder,
    is_random,
    is_token,
    names_secret,
    names_user,
)

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

T = TypeVar("T")
SETTINGS = (".pypirc", "pip.conf", "pip.ini", ".npmrc", ".netrc", ".cfg", ".ini", ".conf")
"""Suffixes of files with unquoted `name = value` lines."""
ENV = ".env"
BREAK = re.compile(r"\n[ \t│|]*+")
"""A line break, with the border of a box."""
SURROGATES = re.compile("[\ud800-\udfff]")
LEAST_CERTAIN = 8
"""Shorter values are not masked across line breaks, nor elsewhere if only an output has them."""


def secrets(mre: Mre) -> frozenset[str]:
    """Return the secret values of an MRE, which are masked wherever they occur."""
    mappings = [mre.variables, *(control.variables for control in mre.controls)]
    texts = {file.path: file.content.decode(errors="replace") for file in mre.files}
    control_files = [(path, text) for control in mre.controls for path, text in control.files.items()]
    runs = [step.run for step in (*mre.steps, *(step for control in mre.controls for step in control.steps))]
    found = {secret for index in mre.indexes for secret in (index.password, index.publish_token)}
    for path, text in [*texts.items(), *control_files]:
        if path.endswith(ENV):
            mappings.append(read_env_file(text))
        elif path.endswith(SETTINGS):
            mappings.append(_settings(text))
    found |= {value for each in mappings for name, value in each.items() if _holds_secret(name, value)}
    found |= {index.username for index in mre.indexes if is_token(index.username)}
    # One text is faster than many small ones.
    whole = "\n\n".join(
        [
            *texts.values(),
            *(text for _, text in control_files),
            *runs,
            mre.title,
            *(value for each in mappings for value in each.values()),
        ]
    )
    found |= {whole[start:end] for start, end in find_secrets(whole)}
    return frozenset(value for value in found if _is_known(value))


def _holds_secret(name: str, value: str) -> bool:
    return names_secret(name) or (names_user(name) and is_token(value))


def _settings(text: str) -> dict[str, str]:
    pairs = (line.partition("=" if "=" in line else ":") for line in text.split("\n"))
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}


def _is_known(value: str) -> bool:
    """Tell whether a value is masked wherever it occurs: common words are not."""
    return not is_placeholder(value) and value.lower() not in GENERIC and not (value.isalpha() and len(value) <= LEAST)


def redact(text: str, values: Iterable[str] = ()) -> str:
    """Return a text with some values, and everything that a rule recognizes, masked."""
    spans = find_secrets(text, values)
    if not spans:
        return text
    parts, end = [], 0
    for start, stop in spans:
        parts += [text[end:start], MASK]
        end = stop
    return "".join([*parts, text[end:]])


def redact_bytes(content: bytes, values: Collection[str] = ()) -> bytes:
    """Return the content of a file with secrets masked; in what is not text, only the values can be found."""
    try:
        return redact(content.decode(), values).encode()
    except UnicodeDecodeError:
        for value in sorted(values, key=len, reverse=True):
            content = content.replace(value.encode(), MASK.encode())
        return content


def find_secrets(text: str, values: Iterable[str] = ()) -> list[Span]:
    """Return the spans of secrets in a text, in order, without overlaps."""
    values = frozenset(values)
    text = SURROGATES.sub("\ufffd", text)  # in names that are not UTF-8; the automaton takes UTF-8 alone
    known = _automaton(values)
    found = [(start, end) for _, start, end in known.find_matches_as_indexes(text)] if known else []
    if (long := _long_values(values)) and "\n" in text:
        found += _wrapped(text, long, sum(end - start >= LEAST_CERTAIN for start, end in found))
    lowered = text.lower() if text.isascii() else _lowered(text)
    places = _literals().find_matches_as_indexes(lowered)
    found += rules.spans(text, ((lowered[start:end], start) for _, start, end in places))
    merged: list[Span] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _wrapped(text: str, known: "AhoCorasick", whole: int) -> Iterator[Span]:
    """Yield the spans of values that are wrapped over lines, as in the boxes around an error."""
    matches = known.find_matches_as_indexes(BREAK.sub("", text))
    if len(matches) <= whole:  # none is wrapped
        return
    ends, starts, removed = [], [0], 0
    for gap in BREAK.finditer(text):
        ends.append(gap.start() - removed)
        removed += gap.end() - gap.start()
        starts.append(removed)
    for _, start, end in matches:
        first, last = bisect_right(ends, start), bisect_left(ends, end)
        for line in range(first, last + 1):
            begin = max(start, ends[line - 1] if line else 0)
            stop = min(end, ends[line]) if line < len(ends) else end
            if begin < stop and first != last:
                yield begin + starts[line], stop + starts[line]


def secret_lines(text: str, values: Iterable[str] = ()) -> list[int]:
    """Return the lines, from 1, in which secrets start."""
    found, line, position = [], 1, 0
    for start, _ in find_secrets(text, values):
        line, position = line + text.count("\n", position, start), start
        found.append(line)
    return sorted(set(found))


def _lowered(text: str) -> str:
    """Return a text of the same length with ASCII letters in lower case."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


@lru_cache(8)
def _long_values(values: frozenset[str]) -> "AhoCorasick | None":
    """Return a matcher of the values that may be wrapped."""
    long = frozenset(value for value in values if len(value) >= LEAST_CERTAIN and not any(map(str.isspace, value)))
    return _build_automaton(long)


@lru_cache(8)
def _automaton(values: frozenset[str]) -> "AhoCorasick | None":
    return _build_automaton(values)


def _build_automaton(values: Iterable[str]) -> "AhoCorasick | None":
    from ahocorasick_rs import AhoCorasick, MatchKind

    patterns = sorted(value for value in values if value)
    return AhoCorasick(patterns, matchkind=MatchKind.LeftmostLongest) if patterns else None


@lru_cache(1)
def _literals() -> "AhoCorasick":
    return cast("AhoCorasick", _automaton(frozenset(rules.BY_LITERAL)))


def redact_deep(value: T, values: Collection[str] = ()) -> T:
    """Return a value with secrets masked in all its texts: of mappings, sequences, dataclasses."""
    return cast("T", _redact(value, frozenset(values)))


def _redact(value: Any, values: frozenset[str]) -> Any:
    if isinstance(value, str):
        return redact(value, values)
    if isinstance(value, bytes):
        try:
            return redact(value.decode(), values).encode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, tuple | list):
        return type(value)(_redact(item, values) for item in value)
    if isinstance(value, Mapping):
        return {redact(name, values): _entry(name, item, values) for name, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        masked = {name: _redact(item, values) for name, item in fields.items()}
        return value if masked == fields else dataclasses.replace(value, **masked)
    return value


def _entry(name: str, value: Any, values: frozenset[str]) -> Any:
    """Mask the value of a secret's name."""
    secret = isinstance(value, str) and _holds_secret(name, value) and not is_placeholder(value)
    return MASK if secret else _redact(value, values)


def certain_secrets(text: str) -> frozenset[str]:
    """Return the secrets of a text that may repeat elsewhere, without what tells them there."""
    found = {text[start:end] for start, end in find_secrets(text)}
    return frozenset(each for each in found if len(each) >= LEAST_CERTAIN and is_random(each) and _is_known(each))


def observed_secrets(observation: Observation, values: Collection[str]) -> frozenset[str]:
    """Return the values with the secrets that only the outputs have."""
    steps = observation.steps
    texts = (certain_secrets(text) for step in steps for text in (step.stdout, step.stderr))
    printed = {line for step in steps if PRINTS_PASSWORD in step.run for line in step.stdout.split("\n")}
    words = {line for line in printed if line and not any(map(str.isspace, line))}
    return frozenset(values).union(*texts, filter(_is_known, words))
