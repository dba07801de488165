"""Limits of the cache's size and age, and what to remove: least recently used first."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from uvmre.errors import UsageError

SIZE = "UVMRE_CACHE_SIZE"
AGE = "UVMRE_CACHE_AGE"
SIZE_DEFAULT = "5 GB"
AGE_DEFAULT = "30 days"
NONE = "none"
PRUNE_TARGET = 0.9
"""A full cache is pruned to this share of its limit."""
AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]{0,7})")
BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BYTES |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
HOUR = 60 * 60
SECONDS = {"HOUR": HOUR, "DAY": 24 * HOUR, "WEEK": 7 * 24 * HOUR, "H": HOUR, "D": 24 * HOUR, "W": 7 * 24 * HOUR}
SECONDS |= {f"{name}S": SECONDS[name] for name in ("HOUR", "DAY", "WEEK")}


@dataclass(frozen=True)
class Limits:
    """Limits of the cache."""

    size: float
    """Bytes on disk; infinite without a limit."""
    age: float
    """Seconds since the last use."""

    @property
    def any(self) -> bool:
        """Tell whether there is a limit."""
        return self.size < math.inf or self.age < math.inf


@dataclass(frozen=True)
class Item:
    """An entry of the cache, which is kept or removed as a whole."""

    path: str
    """Relative to the cache."""
    kind: str
    used: float
    """The time of its last use, in seconds since 1970."""
    size: int
    """Bytes on disk."""
    in_use: bool = False


def limits(variables: Mapping[str, str], size: str = "", age: str = "") -> Limits:
    """Return the limits of options, else of environment variables, else the defaults.

    Raises:
        UsageError: if one is not valid.
    """

    def limit(option: str, value: str, variable: str, units: Mapping[str, int], default: str) -> float:
        sources = ((value, option), (variables.get(variable, ""), variable), (default, ""))
        return _parse_amount(*next(each for each in sources if each[0].strip()), units, default)

    return Limits(limit("--size", size, SIZE, BYTES, SIZE_DEFAULT), limit("--age", age, AGE, SECONDS, AGE_DEFAULT))


def to_remove(items: Iterable[Item], total: int, limits: Limits, now: float) -> list[Item]:
    """Return what to remove, in order; never what is in use.

    Args:
        items: what can be removed.
        total: bytes on disk of the whole cache, including what cannot be removed.
        limits: the limits of the cache.
        now: in seconds since 1970.
    """
    target = limits.size * PRUNE_TARGET if total > limits.size else math.inf
    removed = []
    for item in sorted(items, key=lambda item: (item.used, item.path)):
        if not item.in_use and (now - item.used > limits.age or total > target):
            removed.append(item)
            total -= item.size
    return removed


def _parse_amount(text: str, name: str, units: Mapping[str, int], example: str) -> float:
    text = text.strip()
    if text.lower() == NONE:
        return math.inf
    match = AMOUNT.fullmatch(text)
    if match is None or match[2].upper() not in units:
        hint = f"use a number with a unit, such as `{example}`, or `{NONE}`"
        raise UsageError(f"`{name}` is not valid: `{text}`", hint)
    return float(match[1]) * units[match[2].upper()]
