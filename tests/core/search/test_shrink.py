"""The search for a smaller subject: exact, minimal, and the same for any number of workers."""

from collections.abc import Callable, Sequence
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.search.shrink import (
    Interest,
    ShrinkPass,
    ShrinkState,
    ShrinkUnit,
    advance,
    candidate,
    chance,
    probable_futures,
    start,
)

Leaves = frozenset[int]
Tree = tuple[tuple[int, ...], ...]
"""Branches of leaves."""


def branches(tree: Tree) -> ShrinkPass[Leaves]:
    """Return the pass over whole branches."""

    def units(subject: Leaves) -> list[ShrinkUnit]:
        return [ShrinkUnit(branch, str(branch)) for branch in tree if subject & set(branch)]

    return ShrinkPass("branches", units, lambda s, gone: s.difference(*(unit.key for unit in gone)))


def leaves(tree: Tree, likely: Leaves = frozenset()) -> ShrinkPass[Leaves]:
    """Return the pass over single leaves."""
    owner = {leaf: branch for branch in tree for leaf in branch}

    def units(subject: Leaves) -> list[ShrinkUnit]:
        return [ShrinkUnit(leaf, str(leaf), leaf in likely, owner[leaf]) for leaf in sorted(subject)]

    return ShrinkPass("leaves", units, lambda s, gone: s - {unit.key for unit in gone})


def key(subject: Leaves) -> str:
    return ",".join(map(str, sorted(subject)))


def walk(state: ShrinkState[Leaves], test: Callable[[Leaves], Interest]) -> tuple[ShrinkState[Leaves], list[Leaves]]:
    """Run a search to its end; return what was tried too."""
    tried = []
    while (found := candidate(state)) is not None:
        tried.append(found)
        state = advance(state, test(found))
    return state, tried


@st.composite
def trees(draw: st.DrawFn) -> tuple[Tree, Leaves, Leaves]:
    """Draw a tree, the leaves that are needed, and those that are said to be."""
    sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=8))
    numbers = iter(range(sum(sizes)))
    tree = tuple(tuple(islice(numbers, size)) for size in sizes)
    every = st.sets(st.integers(0, sum(sizes) - 1))
    return tree, frozenset(draw(every)), frozenset(draw(every))


@given(trees())
def test_exactly_what_is_needed_is_left(drawn: tuple[Tree, Leaves, Leaves]) -> None:
    tree, needed, likely = drawn
    whole = frozenset(leaf for branch in tree for leaf in branch)

    def test(subject: Leaves) -> Interest:
        return "yes" if needed <= subject else "no"

    state, tried = walk(start(whole, [branches(tree), leaves(tree, likely)], key), test)
    assert state.subject == needed
    assert state.calls == len(tried) == len(set(tried))


@given(trees(), st.randoms(use_true_random=False))
def test_the_result_is_minimal_where_units_depend_on_each_other(
    drawn: tuple[Tree, Leaves, Leaves], random: "st.random.Random"
) -> None:
    tree, needed, likely = drawn
    whole = frozenset(leaf for branch in tree for leaf in branch)
    other = frozenset(leaf for leaf in whole if random.random() < 0.5)

    def test(subject: Leaves) -> Interest:
        return "yes" if needed <= subject or (other <= subject and len(subject) % 2) or subject == whole else "no"

    passes = [branches(tree), leaves(tree, likely)]
    state, _ = walk(start(whole, passes, key), test)
    for each in passes:
        for unit in each.units(state.subject):
            smaller = each.without(state.subject, [unit])
            assert smaller is None or smaller == state.subject or test(smaller) == "no"


@given(trees(), st.integers(0, 200))
def test_any_start_of_the_answers_leads_to_the_same_result(drawn: tuple[Tree, Leaves, Leaves], cut: int) -> None:
    tree, needed, likely = drawn
    whole = frozenset(leaf for branch in tree for leaf in branch)
    answers: dict[str, Interest] = {}
    ran: list[Leaves] = []

    def test(subject: Leaves) -> Interest:
        if key(subject) not in answers:
            ran.append(subject)
            answers[key(subject)] = "yes" if needed <= subject else "no"
        return answers[key(subject)]

    first, tried = walk(start(whole, [branches(tree), leaves(tree, likely)], key), test)
    answers = {key(each): answers[key(each)] for each in tried[:cut]}
    ran.clear()
    again, tried_again = walk(start(whole, [branches(tree), leaves(tree, likely)], key), test)
    assert (again.subject, tried_again) == (first.subject, tried)
    assert ran == tried[cut:]


@given(trees())
def test_what_is_expected_is_the_second_future(drawn: tuple[Tree, Leaves, Leaves]) -> None:
    tree, needed, likely = drawn
    whole = frozenset(leaf for branch in tree for leaf in branch)
    state = start(whole, [branches(tree), leaves(tree, likely)], key)
    while (found := candidate(state)) is not None:
        futures = list(islice(probable_futures(state), 2))
        assert futures[0] == found
        answer: Interest = "yes" if needed <= found else "no"
        expected = (chance(state) > 0.5) == (answer == "yes") and chance(state) != 0.5
        state = advance(state, answer)
        after = candidate(state)
        assert after is None or not expected or futures[1] == after


def test_an_unknown_answer_counts_as_no() -> None:
    whole = frozenset(range(8))
    test: Callable[[Leaves], Interest] = lambda s: "unknown" if 3 not in s else "yes"  # noqa: E731
    state, _ = walk(start(whole, [leaves((tuple(range(8)),))], key), test)
    assert state.subject == {3}
    assert state.unknown > 0


def test_a_candidate_that_is_not_valid_is_not_tried() -> None:
    def odd(subject: Leaves, gone: Sequence[ShrinkUnit]) -> Leaves | None:
        return frozenset() if len(gone) == len(subject) else None  # only all of them, or none, is valid

    one = ShrinkPass("all or none", lambda s: [ShrinkUnit(n, "") for n in sorted(s)], odd)
    state, tried = walk(start(frozenset(range(9)), [one], key), lambda _: "no")
    assert (state.subject, len(tried)) == (frozenset(range(9)), 1)


@pytest.mark.parametrize(("needed", "most"), [((), 1), ((0,), 14), ((63,), 8), ((17, 40), 24)])
def test_groups_take_few_calls(needed: tuple[int, ...], most: int) -> None:
    whole = frozenset(range(64))
    one = ShrinkPass("one", lambda s: [ShrinkUnit(n, "") for n in sorted(s)], lambda s, g: s - {u.key for u in g})
    state, _ = walk(start(whole, [one], key), lambda s: "yes" if set(needed) <= s else "no")
    assert state.subject == set(needed)
    assert state.calls <= most
