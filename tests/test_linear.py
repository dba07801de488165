"""No text makes a regular expression, or a reader of strangers' texts, slower than its length."""

import re
import signal
import time
from collections.abc import Callable
from types import FrameType

import pytest

from patterns import Use, hostile, uses

SHORT, GROWN = 2000, (8000, 32000)
QUICK = 0.3e-6 * SHORT
"""Nothing that takes less for a short text is looked at any further."""
LINEAR, LIMIT = 7.5, 2.0
"""Fourfold the text, so many times the work at most: it would be 4, or 16. And the seconds after which it is not."""
PARTS = 12


class TooLong(Exception):
    """What was measured takes longer than any linear time."""


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Return the least CPU time of some tries: other work on the machine does not count."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, late)
    try:
        took = []
        for _ in range(times):
            signal.setitimer(signal.ITIMER_PROF, LIMIT)
            begun = time.thread_time()
            work()
            took.append(time.thread_time() - begun)
            signal.setitimer(signal.ITIMER_PROF, 0)
        return min(took)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def grows(work: Callable[[int], Callable[[], object]]) -> str:
    """Say how the time grows where it grows faster than the length does, three times in a row."""
    try:
        said = ""
        for _ in range(3):
            took = [seconds(work(length), 3) for length in (SHORT, *GROWN)]
            if not all(after > LINEAR * before for before, after in zip(took, took[1:], strict=False)):
                return ""
            said = ", ".join(f"{each:.4f} s" for each in took)
    except TooLong:
        return f"more than {LIMIT} s"
    return said


def too_slow(use: Use) -> str:
    """Say with which text a pattern is slow."""
    compiled = re.compile(use.pattern, use.flags)

    def work(text: str) -> Callable[[], object]:
        given = text if isinstance(use.pattern, str) else text.encode("latin-1", "replace")
        if use.method == "finditer":
            return lambda: sum(1 for _ in compiled.finditer(given))
        return lambda: getattr(compiled, use.method)(given)

    for each in hostile(use.pattern, use.flags):
        try:
            quick = not each.again and seconds(work(each.text(SHORT))) < QUICK
        except TooLong:
            quick = False
        if not quick and (said := grows(lambda length, each=each: work(each.text(length)))):  # type: ignore[misc]
            return f"{use.where} is not linear on {each}: {said}\n{use.pattern!r}"
    return ""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_pattern_takes_time_in_proportion_to_the_text(part: int) -> None:
    slow = [said for use in uses()[part::PARTS] if (said := too_slow(use))]
    assert not slow, "\n".join(slow)
