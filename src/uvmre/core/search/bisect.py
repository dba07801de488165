"""Search both boundaries of a bug in an ordered list of releases, starting from the reported one.

Indexes are those of the whole list, oldest first. Round ones are preferred, so that a search within other bounds
probes mostly the same releases.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from uvmre.core.search.bisect_half import MOST_UNSUPPORTED, Answer, Edge, Half, midpoints, share

SPOT_CHECKS = 4
"""Releases away from the boundaries that are probed in the end, because a bug may come back."""
NEAR_FIX = 8
NEAR_FIX_CHECKS = 2
"""The number of spot checks among the N releases before the first good one, where reverted fixes are."""


@dataclass(frozen=True)
class Runs:
    """Conclusive runs with a release, and those in which the symptom shows."""

    bad: int
    total: int


@dataclass(frozen=True)
class Boundaries:
    """The result of a search."""

    reported: Answer | None
    """The answer of the reported release; unless it is bad, nothing is searched."""
    first_bad: Edge | None
    """If it is exact, its `bad` is the first bad release."""
    first_good: Edge | None
    """If it is exact, its `good` is the first good release."""
    returns: tuple[int, ...]
    """Bad releases beyond a good one."""
    probes: int
    done: bool

    @property
    def holds(self) -> bool:
        """Tell whether the reported release is bad."""
        return self.reported == "bad"

    @property
    def one_step(self) -> bool:
        """Tell whether the bad releases are contiguous, as far as is known."""
        return not self.returns


@dataclass(frozen=True)
class Span:
    """The releases between which a boundary is."""

    bad: int
    good: int | None


SearchPart = Literal["reported", "first_bad", "first_good"]


@dataclass(frozen=True)
class SearchStep:
    """An answer, and its effect on the boundary."""

    number: int
    index: int
    answer: Answer
    half: SearchPart
    before: Span
    after: Span


def confidence(rate: float, runs: int) -> float:
    """Return the confidence after N good runs that a release is good, given the rate of bad ones."""
    return 1 - (1 - rate) ** runs


class Search:
    """A running search; answers may be recorded in any order, also unplanned ones."""

    def __init__(self, n: int, reported: int, lowest: int = 0, highest: int | None = None, *, repeat: int = 1) -> None:
        self.reported, self.lowest, self.highest = reported, lowest, n - 1 if highest is None else highest
        self.repeat = repeat
        if not 0 <= self.lowest <= reported <= self.highest < n or repeat < 1:
            raise ValueError(f"invalid search: {self.lowest} ≤ {reported} ≤ {self.highest} < {n}, {repeat} times")
        self._runs: dict[int, Runs] = {}
        self._answers: dict[int, Answer] = {}
        self._running: set[int] = set()
        self.spot_checks: set[int] = set()
        self._path: list[SearchStep] = []
        self._jobs = 1

    @property
    def spot_checking(self) -> bool:
        """Tell whether only spot checks are left, whose order does not matter."""
        return self._settled(self._answers)

    def next_indexes(self, jobs: int) -> tuple[int, ...]:
        """Return up to N indexes to probe in parallel; none if it is done or waits for an answer.

        They count as running until their answer is recorded.
        """
        self._jobs = jobs
        indexes = self._plan(self._answers, self._running, jobs)
        if self.spot_checking:
            self.spot_checks.update(indexes)
        self._running.update(indexes)
        return indexes

    def record(self, index: int, answer: Answer | Runs) -> None:
        """Record an answer. Runs add up: one bad makes a release bad, `repeat` without a bad one make it good."""
        if not self.lowest <= index <= self.highest:
            raise ValueError(f"{index} is not within {self.lowest} … {self.highest}")
        runs = self._runs.get(index, Runs(0, 0))
        if answer not in ("skip", "lacks"):
            assert not isinstance(answer, str) or answer in ("bad", "good")
            more = answer if isinstance(answer, Runs) else Runs(1, 1) if answer == "bad" else Runs(0, self.repeat)
            runs = self._runs[index] = Runs(runs.bad + more.bad, runs.total + more.total)
        word: Answer = "bad" if runs.bad else "good" if runs.total >= self.repeat else "skip"
        if word == "skip" and answer not in ("skip", "lacks"):
            return  # more runs follow
        if word == "skip" and answer == "lacks" and index < self.reported:
            word = "lacks"
        self._running.discard(index)
        if word != self._answers.get(index):
            before = self._span(index)
            self._answers[index] = word
            half: SearchPart = (
                "reported" if index == self.reported else "first_bad" if index < self.reported else "first_good"
            )
            self._path.append(SearchStep(len(self._path) + 1, index, word, half, before, self._span(index)))

    def likely_next(self, k: int) -> tuple[int, ...]:
        """Return up to `k` indexes that may be probed after the running ones, the likeliest first."""
        if not self._running:
            return self._plan(self._answers, (), k)
        asks = Counter(index for config in self._outcomes() for index in self._plan(config, (), self._jobs))
        return tuple(index for index, _ in asks.most_common(k))

    def explain(self) -> tuple[SearchStep, ...]:
        """Return every answer in the order of recording."""
        return tuple(self._path)

    def result(self) -> Boundaries:
        """Return the boundaries known so far."""
        reported = self._answers.get(self.reported)
        # Nothing planned and nothing running is the end.
        done = reported is not None and not self._plan(self._answers, (), 1) and not self.spot_checks & self._running
        if reported != "bad":
            return Boundaries(reported, None, None, (), len(self._answers), done)
        down, up = self._halves(self._answers, ())
        returns = sorted(down.returns + up.returns)
        return Boundaries(reported, self._edge(down), self._edge(up), tuple(returns), len(self._answers), done)

    def _edge(self, half: Half) -> Edge:
        bad = [runs for runs in self._runs.values() if runs.bad]
        rate = sum(runs.bad for runs in bad) / sum(runs.total for runs in bad)
        sure = 1.0 if half.far is None else confidence(rate, self._runs[half.far].total)
        return half.edge(sure)

    def _span(self, index: int) -> Span:
        half = self._halves(self._answers, ())[index > self.reported]
        return Span(half.near, half.far)

    def _halves(self, answers: Mapping[int, Answer], running: Collection[int]) -> tuple[Half, Half]:
        # Older releases than one that lacks a command lack it too, unless one of them was conclusive.
        known = min((i for i, answer in answers.items() if answer in ("bad", "good")), default=self.reported)
        unsupported = [i for i, answer in answers.items() if answer == "lacks" and i < known]
        end = max(unsupported, default=self.lowest)
        down = {i: answer for i, answer in answers.items() if end <= i <= self.reported}
        up = {i: answer for i, answer in answers.items() if i >= self.reported}
        indexes = frozenset(running)
        below = Half(self.reported, end, down, frozenset(i for i in indexes if i > end), len(unsupported))
        return below, Half(self.reported, self.highest, up, indexes)

    def _settled(self, answers: Mapping[int, Answer]) -> bool:
        return answers.get(self.reported) == "bad" and all(half.settled for half in self._halves(answers, ()))

    def _plan(self, answers: Mapping[int, Answer], running: Collection[int], jobs: int) -> tuple[int, ...]:
        """Choose the next probes: the three ends, then both boundaries, then spot checks."""
        if answers.get(self.reported, "bad") != "bad":
            return ()
        ends = dict.fromkeys((self.reported, self.lowest, self.highest))
        first = [end for end in ends if end not in answers and end not in running][:jobs]
        if self.reported not in answers:
            return tuple(first)
        if self._settled(answers):
            return self._elsewhere(answers, running, jobs)
        jobs -= len(first)
        down, up = self._halves(answers, running)
        below = down.next_probes(share([down.width, up.width], jobs)[0])
        # One half may use what the other does not.
        above = up.next_probes(jobs - len(below))
        return (*first, *down.next_probes(jobs - len(above)), *above)

    def _elsewhere(self, answers: Mapping[int, Answer], running: Collection[int], jobs: int) -> tuple[int, ...]:
        down, up = self._halves(answers, ())
        jobs = min(jobs, SPOT_CHECKS - len(self.spot_checks))
        before = range(up.far - 1, max(self.reported, up.far - NEAR_FIX), -1) if up.far is not None else range(0)
        near = [i for i in before if i not in answers and i not in running]
        near = near[: max(0, min(jobs, NEAR_FIX_CHECKS - len(self.spot_checks & set(before))))]
        beside = down.end - 1  # a release that lacks the command alone is no boundary
        if down.far is None and 0 < down.unsupported < MOST_UNSUPPORTED and jobs > 0 and beside >= self.lowest:
            near = [i for i in (beside,) if i not in answers and i not in running] + near[: jobs - 1]
        parts = [(down.near, up.near)]
        if down.far is not None and not down.unsupported:
            parts.append((self.lowest, down.far))
        if up.far is not None:
            parts.append((up.far, self.highest))
        marks = sorted({*answers, *running, *near})
        gaps = [gap for low, high in parts for gap in pairwise(i for i in marks if low <= i <= high)]
        return (*near, *midpoints(gaps, jobs - len(near)))

    def _outcomes(self) -> Iterator[dict[int, Answer]]:
        """Yield the possible answers of the running probes, if the history is one step and all are conclusive."""
        below = sorted((i for i in self._running if i < self.reported), reverse=True)
        above = sorted(i for i in self._running if i > self.reported)
        for down, up in product(range(len(below) + 1), range(len(above) + 1)):
            bad = {self.reported, *below[:down], *above[:up]}
            yield {**self._answers, **{i: "bad" if i in bad else "good" for i in self._running}}
