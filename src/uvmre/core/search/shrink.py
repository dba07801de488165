"""Delta debugging as a value: which candidate is next, and what follows from its answer.

A pass finds the units that a subject can lose. The search removes groups of them: all at once, then halves. If a group
cannot go although its first half can, its second half holds something needed, and is split without a call. Only the
answers decide the path, so that it can be replayed, and other workers can run ahead of it.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

S = TypeVar("S")
Interest = Literal["yes", "no", "unknown"]
"""Whether a candidate is still interesting; unknown counts as no."""
COMMON = 4
"""If more than one in so many units is likely to be needed, that is no hint."""
PRIOR_SHARE = 2
"""The needed units that are expected for each owner …"""
PRIOR_WEIGHT = 6
"""… which counts as much as so many units that were tried."""
MOST_FUTURES = 200
"""States that are looked at for one prediction."""


@dataclass(frozen=True)
class ShrinkUnit:
    """Something that a subject can lose."""

    key: Any
    """What the pass knows it by."""
    title: str
    """What it is, for people."""
    likely: bool = False
    """Whether it is probably needed, so that it is tried only when the rest is small."""
    owner: Any = None
    """What is needed and has this unit: probably for one of its units."""


@dataclass(frozen=True)
class ShrinkPass(Generic[S]):
    """A kind of units."""

    name: str
    units: Callable[[S], Sequence[ShrinkUnit]]
    """Those of a subject, in an order in which neighbours belong together."""
    without: Callable[[S, Sequence[ShrinkUnit]], S | None]
    """The subject without some units; None if that would not be valid."""
    easy: bool = False
    """Whether all units can probably go."""


@dataclass(frozen=True)
class UnitGroup:
    """Units to try, by their numbers."""

    units: tuple[int, ...]
    other: tuple[int, ...] = ()
    """The other half of a group that cannot go."""
    failed: bool = False
    """Whether it is known that it cannot go."""
    whole: bool = False
    """Whether it is not split."""


@dataclass(frozen=True)
class ShrinkState(Generic[S]):
    """A moment of the search."""

    passes: tuple[ShrinkPass[S], ...]
    digest: Callable[[S], str]
    subject: S
    """The smallest one so far."""
    answers: Mapping[str, Interest]
    """By the digests of the candidates; none is tried twice."""
    at: int = -1
    """The number of the pass, counted over all cycles."""
    base: S | None = None
    """The subject at the start of the pass."""
    units: tuple[ShrinkUnit, ...] = ()
    gone: tuple[int, ...] = ()
    needed: int = 0
    """How many units cannot go."""
    todo: tuple[UnitGroup, ...] = ()
    idle: int = 0
    """The passes in a row that changed nothing; all of them at the end."""
    next: S | None = None
    """The candidate; None at the end."""
    calls: int = 0
    unknown: int = 0

    @property
    def current(self) -> ShrinkPass[S]:
        """Return the current pass."""
        return self.passes[self.at % len(self.passes)]


def start(subject: S, passes: Sequence[ShrinkPass[S]], digest: Callable[[S], str]) -> ShrinkState[S]:
    """Return the first state for a subject that is interesting."""
    return _settle(ShrinkState(tuple(passes), digest, subject, {digest(subject): "yes"}))


def candidate(state: ShrinkState[S]) -> S | None:
    """Return what must be tried next; None if the search is done."""
    return state.next


def advance(state: ShrinkState[S], answer: Interest) -> ShrinkState[S]:
    """Return the state after the answer for its candidate."""
    assert state.next is not None
    answers = {**state.answers, state.digest(state.next): answer}
    unknown = state.unknown + (answer == "unknown")
    counted = replace(state, answers=answers, calls=state.calls + 1, unknown=unknown)
    return _settle(_apply(counted, state.next, going=answer == "yes"))


def _settle(state: ShrinkState[S]) -> ShrinkState[S]:
    """Go on to the next candidate whose answer is not known."""
    while True:
        if not state.todo:
            if (state.at >= 0 and state.idle == len(state.passes)) or not state.passes:
                return replace(state, next=None)
            state = _next_pass(state)
            continue
        group, rest = state.todo[0], state.todo[1:]
        if group.failed:
            single = group.whole or len(group.units) == 1
            middle = (len(group.units) + 1) // 2
            halves = () if single else (UnitGroup(group.units[:middle], group.units[middle:]),)
            state = replace(state, todo=(*halves, *rest), needed=state.needed + single)
            continue
        removed = sorted((*state.gone, *group.units))
        assert state.base is not None
        found = state.current.without(state.base, [state.units[n] for n in removed])
        known = "no" if found is None else state.answers.get(state.digest(found))
        if known is None:
            return replace(state, next=found)
        state = _apply(state, found, going=known == "yes")


def _apply(state: ShrinkState[S], tried: S | None, *, going: bool) -> ShrinkState[S]:
    """Return the state after the first group was tried."""
    group, rest = state.todo[0], state.todo[1:]
    if going:
        assert tried is not None
        second = (UnitGroup(group.other, failed=True),) if group.other else ()
        changed = state.digest(tried) != state.digest(state.subject)
        gone = (*state.gone, *group.units)
        return replace(state, subject=tried, gone=gone, todo=(*second, *rest), idle=0 if changed else state.idle)
    second = (UnitGroup(group.other),) if group.other else ()
    return replace(state, todo=(replace(group, other=(), failed=True), *second, *rest))


def _next_pass(state: ShrinkState[S]) -> ShrinkState[S]:
    """Begin the next pass: groups in the first cycle, then one unit at a time, as most are needed."""
    at = state.at + 1
    now = state.passes[at % len(state.passes)]
    units = tuple(now.units(state.subject))
    numbers = range(len(units))
    likely = [n for n in numbers if units[n].likely]
    if len(likely) * COMMON > len(units) or now.easy:
        likely = []
    others = tuple(n for n in numbers if n not in set(likely))
    if at < len(state.passes) or now.easy:
        todo = _first_groups(units, others, {units[n].owner for n in likely})
        todo += (UnitGroup(tuple(likely), whole=True),) if likely else ()
    else:
        todo = tuple(UnitGroup((n,)) for n in (*others, *likely))
    # The passes since the last change, this one among them; a change resets the number.
    return replace(state, at=at, base=state.subject, units=units, gone=(), needed=0, todo=todo, idle=state.idle + 1)


def _first_groups(units: Sequence[ShrinkUnit], numbers: Sequence[int], hinted: set[Any]) -> tuple[UnitGroup, ...]:
    """Return all units as one group, or those of each owner as a group, of which it presumably needs some."""
    grouped: dict[Any, list[int]] = {}
    for n in numbers:
        grouped.setdefault(units[n].owner, []).append(n)
    return tuple(
        UnitGroup(tuple(group), failed=owner not in hinted and owner is not None and len(group) > 1)
        for owner, group in grouped.items()
    )


def chance(state: ShrinkState[S]) -> float:
    """Return how probable a "yes" is for the candidate, from the share of its pass that was needed so far."""
    group = state.todo[0]
    if state.current.easy:
        return 0.95
    if state.at >= len(state.passes) or group.whole:
        return 0.05
    owners = len({unit.owner for unit in state.units})
    share = min(0.5, PRIOR_SHARE * owners / len(state.units))
    needed = (share * PRIOR_WEIGHT + state.needed) / (PRIOR_WEIGHT + len(state.gone) + state.needed)
    going: float = (1 - needed) ** len(group.units)
    other: float = (1 - needed) ** len(group.other)
    return going * (1 - other) / (1 - going * other) if group.other else going


def probable_futures(state: ShrinkState[S]) -> Iterator[S]:
    """Yield candidates that will be next, the most probable first: that of the state itself, then those after it."""
    heap: list[tuple[float, int, ShrinkState[S]]] = [(-1.0, 0, state)]
    for number in range(MOST_FUTURES):
        if not heap:
            return
        weight, _, future = heapq.heappop(heap)
        if future.next is None:
            continue
        yield future.next
        going = chance(future)
        for order, (answer, part) in enumerate((("yes", going), ("no", 1 - going))):
            after = advance(future, "yes" if answer == "yes" else "no")
            heapq.heappush(heap, (weight * part, 2 * number + order + 1, after))
