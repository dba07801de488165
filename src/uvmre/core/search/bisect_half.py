"""One half of a bisection: the answers from the reported release to one end, and the next probes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from math import comb
from typing import Literal

Answer = Literal["bad", "good", "skip", "lacks"]
"""The symptom shows; it is absent; the release is inconclusive; it lacks a command, so that older ones lack it too."""

PAST_SKIPPED = 4
"""Probes, at growing distance, past an inconclusive release next to the last conclusive one."""
MOST_SKIPPED = 16
"""Inconclusive releases that are probed between a good and a bad one; then only the ends of their block."""


MOST_UNSUPPORTED = 4
"""Releases without the command that are probed at most."""


Ending = Literal["exact", "between", "beyond", "silent", "introduced", "open"]
"""How the bad releases end: next to a good one; at inconclusive ones before a good one; not within the range; at
inconclusive ones up to the end of the range; next to one that lacks the command; the search is not done."""


@dataclass(frozen=True)
class Edge:
    """The boundary of the bad releases in one half."""

    word: Ending
    bad: int
    """The outermost contiguous bad release."""
    good: int | None
    """The nearest good release beyond it."""
    skipped: tuple[int, ...]
    """Inconclusive releases between the bad one and the good one or the end of the range."""
    untested: int
    """Releases there that were not probed."""
    confidence: float
    """That the good release is good, given the rate of the bad ones."""


@dataclass(frozen=True)
class Half:
    """The answers from the reported release to one end."""

    reported: int
    end: int
    answers: Mapping[int, Answer]
    running: frozenset[int]
    unsupported: int = 0
    """Probed releases that lack the command; if there are any, the end is the newest of them."""

    def _away(self, index: int) -> int:
        return abs(index - self.reported)

    @cached_property
    def far(self) -> int | None:
        """Return the nearest good release."""
        return min((i for i, answer in self.answers.items() if answer == "good"), key=self._away, default=None)

    @cached_property
    def near(self) -> int:
        """Return the outermost bad release before a good one."""
        limit = self._away(self.end) + 1 if self.far is None else self._away(self.far)
        bad = (i for i, answer in self.answers.items() if answer == "bad" and self._away(i) < limit)
        return max(bad, key=self._away, default=self.reported)

    @property
    def returns(self) -> list[int]:
        """Return the bad releases beyond a good one."""
        return [i for i, answer in self.answers.items() if answer == "bad" and self._away(i) > self._away(self.near)]

    @property
    def width(self) -> int:
        """Return the number of releases at which the boundary may be."""
        return abs((self.end if self.far is None else self.far) - self.near)

    @property
    def settled(self) -> bool:
        """Tell whether nothing more would be probed if nothing were running."""
        return self.end in self.answers and not replace(self, running=frozenset()).next_probes(1)

    @property
    def _beyond(self) -> list[int]:
        """The releases past the bad one, up to the good one or including the end."""
        stop = self._away(self.end) + 1 if self.far is None else self._away(self.far)
        way = 1 if self.end > self.reported else -1
        return [self.reported + way * steps for steps in range(self._away(self.near) + 1, stop)]

    def edge(self, sure: float) -> Edge:
        """Return the boundary, with the confidence that the good release is good."""
        skipped = [i for i in self._beyond if i in self.answers]
        untested = len(self._beyond) - len(skipped)
        word: tuple[Ending, Ending] = ("beyond", "silent") if self.far is None else ("exact", "between")
        if self.unsupported and self.far is None and skipped == [self.end]:
            word = ("introduced", "introduced")
        return Edge(
            word[bool(skipped)] if self.settled else "open", self.near, self.far, tuple(sorted(skipped)), untested, sure
        )

    def next_probes(self, jobs: int) -> list[int]:
        """Return up to N releases to probe, once the end has an answer."""
        if self.end not in self.answers:
            return []
        if self.far is None and self.unsupported:
            return self._above_unsupported() if jobs else []
        if self.far is None:
            return self._inwards(jobs)
        return self._between(min(self.near, self.far), max(self.near, self.far), jobs)

    def _above_unsupported(self) -> list[int]:
        """Return the next release to probe above those that lack the command, of which few more may be probed.

        It is the egg drop: with n probes of which k lack the command, the sum of n over 1 … k releases can be told
        apart. One at a time, as two at once could both lack it.
        """
        width = self.near - self.end - 1
        if width < 1 or any(self.end < i < self.near for i in self.running):
            return []
        left = max(1, MOST_UNSUPPORTED - self.unsupported)
        probes = next(n for n in itertools.count(1) if _tellable(n, left) >= width)
        planned = self.near - min(width, _tellable(probes - 1, left - 1) + 1)
        free = (i for i in _outwards(planned, self.end, self.near) if i not in self.answers)
        return list(islice(free, 1))

    def _inwards(self, jobs: int) -> list[int]:
        """Go inwards from an inconclusive end with growing steps, then back to the first conclusive release."""
        way = 1 if self.end < self.reported else -1
        room = abs(self.end - self.near)
        tries = [self.end + way * (2**j - 1) for j in range(room.bit_length())]
        if unanswered := [i for i in tries if i not in self.answers]:
            return [i for i in unanswered if i not in self.running][:jobs]
        skip = next((i for i in self._beyond if i in self.answers), self.near)
        if found := self._fill(min(self.near, skip), max(self.near, skip), jobs):
            return found
        # An inconclusive release is often alone, so probe past it before giving up.
        beyond_skips = [skip - way * 2**j for j in range(PAST_SKIPPED) if 2**j <= abs(self.end - skip)]
        return [i for i in beyond_skips if i not in self.answers and i not in self.running][:jobs]

    def _between(self, low: int, high: int, jobs: int) -> list[int]:
        """Halve around inconclusive releases; then find the ends of a block of those, and probe inside."""
        skips = [i for i in range(low + 1, high) if i in self.answers]
        if len(skips) < MOST_SKIPPED and (found := self._fill(low, high, jobs)):
            return found
        if not skips:
            return []
        if found := [*self._fill(low, skips[0], jobs), *self._fill(skips[-1], high, jobs)][:jobs]:
            return found
        probed = [i for i in range(low + 1, high) if i in self.answers or i in self.running]
        return midpoints(list(pairwise(probed)), min(jobs, MOST_SKIPPED - len(probed)))

    def _fill(self, low: int, high: int, jobs: int) -> list[int]:
        """Split the gap evenly, as if the running probes had answers."""
        marks = [low, *(i for i in range(low + 1, high) if i in self.running), high]
        gaps = list(pairwise(marks))
        found: list[int] = []
        for (start, stop), count in zip(gaps, share([b - a - 1 for a, b in gaps], jobs), strict=True):
            for planned in _split(start, stop, count):
                free = (i for i in _outwards(planned, start, stop) if i not in self.answers and i not in found)
                found += islice(free, 1)
        return found


def _tellable(probes: int, unsupported: int) -> int:
    """Return among how many releases a boundary is found with so many probes, of which some lack the command."""
    return sum(comb(probes, k) for k in range(1, unsupported + 1))


def share(widths: Sequence[int], jobs: int) -> list[int]:
    """Distribute jobs to the widest gaps."""
    counts = [0] * len(widths)
    for _ in range(jobs):
        widest = max(range(len(widths)), key=lambda i: widths[i] / (counts[i] + 1))
        counts[widest] += 1
    return counts


def _split(low: int, high: int, count: int) -> list[int]:
    """Place N indexes between two, so that the worst case takes the fewest rounds."""
    count = min(count, high - low - 1)
    if count < 1:
        return []
    block = 1
    while block * (count + 1) < high - low:
        block *= count + 1
    places, last = [], low
    for left in range(count, 0, -1):
        last = _roundest(range(max(last + 1, high - left * block), min(last + block, high - left) + 1))
        places.append(last)
    return places


def _roundest(indexes: range) -> int:
    """Return the index that the highest power of two divides, which is unique among neighbours."""
    return max(indexes, key=lambda i: (i == 0, i & -i))


def _outwards(planned: int, low: int, high: int) -> Iterator[int]:
    """Yield the planned index, then neighbours at growing distance."""
    yield planned
    for away in (2**j for j in range((high - low).bit_length())):
        yield from (i for i in (planned + away, planned - away) if low < i < high)


def midpoints(gaps: list[tuple[int, int]], count: int) -> list[int]:
    """Place N indexes near the middle of the widest gaps."""
    gaps, found = list(gaps), []
    for _ in range(count):
        low, high = max(gaps, key=lambda gap: gap[1] - gap[0], default=(0, 0))
        if high - low < 2:
            break
        margin = max(1, (high - low) // 4)
        found.append(_roundest(range(low + margin, high - margin + 1)))
        gaps.remove((low, high))
        gaps += [(low, found[-1]), (found[-1], high)]
    return found
