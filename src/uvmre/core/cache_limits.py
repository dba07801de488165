"""How large and how old the cache may become, and what of it goes: least recently used first."""

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
"""The share of the limit down to which an over-full cache is pruned, so that the next run does not fill it again."""
AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([A-Za-z]{0,7})")
BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BYTES |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
HOUR = 60 * 60
SECONDS = {"HOUR": HOUR, "DAY": 24 * HOUR, "WEEK": 7 * 24 * HOUR, "H": HOUR, "D": 24 * HOUR, "W": 7 * 24 * HOUR}
SECONDS |= {f"{name}S": SECONDS[name] for name in ("HOUR", "DAY", "WEEK")}


@dataclass(frozen=True)
class Limits:
    """What the cache may become."""

    size: float
    """Bytes on disk; infinite where there is no limit."""
    age: float
    """Seconds since the last use."""

    @property
    def any(self) -> bool:
        """Tell whether there is a limit at all."""
        return self.size < math.inf or self.age < math.inf


@dataclass(frozen=True)
class Item:
    """Something in the cache that is kept or removed as a whole."""

    path: str
    """Below the cache."""
    kind: str
    used: float
    """When it was last used, in seconds since 1970."""
    size: int
    """Bytes on disk."""
    in_use: bool = False


def limits(variables: Mapping[str, str], size: str = "", age: str = "") -> Limits:
    """Return the limits that options or else environment variables give.

    Raises:
        UsageError: when one cannot be read.
    """
    sources = ((size, "--size"), (variables.get(SIZE, ""), SIZE), (SIZE_DEFAULT, ""))
    text, name = next(each for each in sources if each[0].strip())
    bytes_ = _parse_amount(text, name, BYTES, SIZE_DEFAULT)
    sources = ((age, "--age"), (variables.get(AGE, ""), AGE), (AGE_DEFAULT, ""))
    text, name = next(each for each in sources if each[0].strip())
    return Limits(bytes_, _parse_amount(text, name, SECONDS, AGE_DEFAULT))


def to_remove(items: Iterable[Item], total: int, limits: Limits, now: float) -> list[Item]:
    """Return what goes, in its order; never what is in use.

    Args:
        items: what can go.
        total: bytes on disk of the whole cache, with what cannot go.
        limits: what the cache may become.
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
