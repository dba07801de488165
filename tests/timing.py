"""How the time that something takes grows with the length of a text: by CPU time, so that a busy machine does not count."""

import gc
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

LINEAR, LIMIT = 7.5, 2.0
"""Fourfold the text, so many times the work at most: it would be 4, or 16. And the seconds after which it is not."""


class TooLong(Exception):
    """What was measured takes longer than any linear time."""


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """Return the least CPU time of some tries: other work on the machine does not count."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TooLong

    # A collection of all that the other tests have left takes longer than most of what is measured.
    gc.disable()
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
        gc.enable()


def grows(work: Callable[[int], Callable[[], object]], lengths: Sequence[int]) -> str:
    """Say how the time grows where it grows faster than the length does, three times in a row."""
    took: list[float] = []
    try:
        for _ in range(3):
            took = [seconds(work(lengths[0]), 2)]
            for length in lengths[1:]:
                took.append(seconds(work(length), 2))
                if took[-1] < LINEAR * took[-2]:
                    return ""
    except TooLong:
        return f"more than {LIMIT} s"
    return ", ".join(f"{each:.4f} s" for each in took)
