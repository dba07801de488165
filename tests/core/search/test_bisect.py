"""Both boundaries: exact, in few probes, in the same ones whatever the bounds, and never more than was told."""

import random
from collections.abc import Sequence
from math import ceil, log2
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.search.bisect import SPOT_CHECKS, Answer, Boundaries, Runs, Search, SearchStep, Span, confidence
from uvmre.core.search.bisect_half import MOST_SKIPPED, MOST_UNSUPPORTED, Edge

ANSWERS: dict[str, Answer] = {"x": "bad", ".": "good", "?": "skip"}
UV = 333
"""Releases of uv when this was written."""


def history(letters: str) -> list[Answer]:
    return [ANSWERS[letter] for letter in letters]


def one_step(n: int, bad: int, good: int) -> list[Answer]:
    """Return a history in which the bug came with `bad` and went with `good`."""
    return ["bad" if bad <= i < good else "good" for i in range(n)]


def ended(search: Search, answers: Sequence[Answer], jobs: int = 1) -> list[tuple[int, ...]]:
    """Ask and tell to the end; return the rounds."""
    rounds, asked = [], set[int]()
    while batch := search.next_indexes(jobs):
        assert len(batch) <= jobs
        assert len(set(batch)) == len(batch)
        assert not asked & set(batch), "asked twice"
        asked |= set(batch)
        rounds.append(batch)
        for index in batch:
            search.record(index, answers[index])
    assert search.result().done
    return rounds


def found(answers: Sequence[Answer], reported: int, jobs: int = 1) -> Boundaries:
    search = Search(len(answers), reported)
    ended(search, answers, jobs)
    return search.result()


def probes(n: int, reported: int, bad: int, good: int, lowest: int = 0, highest: int | None = None) -> list[int]:
    """Return what both boundaries of a history of one step cost, without the looks elsewhere."""
    search = Search(n, reported, lowest, highest)
    asked = [index for batch in ended(search, one_step(n, bad, good)) for index in batch]
    return [index for index in asked if index not in search.spot_checks]


def bound(below: int, above: int) -> int:
    return 3 + sum(ceil(log2(half)) for half in (below, above) if half)


@st.composite
def steps(draw: st.DrawFn) -> tuple[list[Answer], int, int, int]:
    """Draw a history of one step on each side: its answers, the reported release, the first bad and the first good."""
    n = draw(st.integers(1, 400))
    bad = draw(st.integers(0, n - 1))
    reported = draw(st.integers(bad, n - 1))
    good = draw(st.integers(reported + 1, n))
    return one_step(n, bad, good), reported, bad, good


ANY = st.lists(st.sampled_from(list(ANSWERS.values())), min_size=1, max_size=60)
JOBS = st.integers(1, 8)
LAW = settings(deadline=None)


@pytest.mark.parametrize(
    ("letters", "reported", "first_bad", "first_good"),
    [
        pytest.param("..xx..", 3, Edge("exact", 2, 1, (), 0, 1), Edge("exact", 3, 4, (), 0, 1), id="it not continuous"),
        pytest.param(
            "xxxx..", 3, Edge("beyond", 0, None, (), 0, 1), Edge("exact", 3, 4, (), 0, 1), id="it was always there"
        ),
        pytest.param(
            "..xxxx", 3, Edge("exact", 2, 1, (), 0, 1), Edge("beyond", 5, None, (), 0, 1), id="it still shows"
        ),
        pytest.param(
            "x", 0, Edge("beyond", 0, None, (), 0, 1), Edge("beyond", 0, None, (), 0, 1), id="there is one release"
        ),
        pytest.param(
            ".??xx?.",
            4,
            Edge("between", 3, 0, (1, 2), 0, 1),
            Edge("between", 4, 6, (5,), 0, 1),
            id="it came among silent ones",
        ),
        pytest.param(
            "???.xx.",
            5,
            Edge("exact", 4, 3, (), 0, 1),
            Edge("exact", 5, 6, (), 0, 1),
            id="an end that cannot tell is moved",
        ),
        pytest.param(
            "???xxx.",
            5,
            Edge("silent", 3, None, (0, 1, 2), 0, 1),
            Edge("exact", 5, 6, (), 0, 1),
            id="what lies below is silent",
        ),
        pytest.param(
            "???x???",
            3,
            Edge("silent", 3, None, (0, 1, 2), 0, 1),
            Edge("silent", 3, None, (4, 5, 6), 0, 1),
            id="it stands alone",
        ),
    ],
)
def test_both_boundaries_of_a_history(letters: str, reported: int, first_bad: Edge, first_good: Edge) -> None:
    result = found(history(letters), reported)
    assert (result.first_bad, result.first_good, result.returns) == (first_bad, first_good, ())
    assert result.holds
    assert result.one_step


@pytest.mark.parametrize("letter", [".", "?"])
def test_where_the_reported_release_is_not_bad_nothing_else_is_requested(letter: str) -> None:
    search = Search(9, 4)
    assert ended(search, history(f"..xx{letter}xx..")) == [(4,)]
    result = search.result()
    assert result == Boundaries(ANSWERS[letter], None, None, (), 1, True)
    assert not result.holds


def test_the_three_ends_are_requested_first_and_side_by_side() -> None:
    assert Search(UV, 200).next_indexes(8) == (200, 0, 332)
    assert Search(UV, 200).next_indexes(1) == (200,)
    assert Search(UV, 0).next_indexes(8) == (0, 332)


def test_before_anything_is_reported_nothing_is_known() -> None:
    search = Search(9, 4)
    assert search.result() == Boundaries(None, None, None, (), 0, False)
    search.next_indexes(1)
    search.record(4, "bad")
    assert search.result().first_bad == Edge("open", 4, None, (), 4, 1)


@LAW
@given(steps(), JOBS)
def test_a_history_of_one_step_has_exact_boundaries(drawn: tuple[list[Answer], int, int, int], jobs: int) -> None:
    answers, reported, bad, good = drawn
    result = found(answers, reported, jobs)
    assert result.first_bad == Edge(*(("exact", bad, bad - 1) if bad else ("beyond", 0, None)), (), 0, 1)
    last = len(answers) - 1
    assert result.first_good == Edge(*(("exact", good - 1, good) if good <= last else ("beyond", last, None)), (), 0, 1)
    assert result.one_step


@LAW
@given(steps(), st.data())
def test_a_history_of_one_step_costs_no_more_than_halving(
    drawn: tuple[list[Answer], int, int, int], data: st.DataObject
) -> None:
    answers, reported, _, _ = drawn
    lowest = data.draw(st.integers(0, reported))
    highest = data.draw(st.integers(reported, len(answers) - 1))
    search = Search(len(answers), reported, lowest, highest)
    rounds = ended(search, answers)
    limit = bound(reported - lowest, highest - reported)
    assert len(rounds) - len(search.spot_checks) <= limit
    assert len(rounds) <= limit + SPOT_CHECKS


def test_no_boundary_among_few_releases_costs_more_than_halving() -> None:
    for n in range(1, 11):
        for bad in range(n):
            for reported in range(bad, n):
                for good in range(reported + 1, n + 1):
                    assert len(probes(n, reported, bad, good)) <= bound(reported, n - 1 - reported)


@LAW
@given(steps(), st.data())
def test_the_order_in_which_it_is_reported_does_not_matter(
    drawn: tuple[list[Answer], int, int, int], data: st.DataObject
) -> None:
    answers, reported, _, _ = drawn
    search, under_way, asked = Search(len(answers), reported), list[int](), set[int]()
    while True:
        batch = search.next_indexes(data.draw(JOBS))
        assert not asked & set(batch)
        asked |= set(batch)
        under_way += batch
        if not under_way:
            break
        for _ in range(data.draw(st.integers(1, len(under_way)))):
            index = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            search.record(index, answers[index])
    result, alone = search.result(), found(answers, reported)
    assert (result.first_bad, result.first_good, result.done) == (alone.first_bad, alone.first_good, True)


@LAW
@given(steps(), st.data(), JOBS)
def test_with_releases_that_cannot_tell_the_boundary_lies_in_the_range(
    drawn: tuple[list[Answer], int, int, int], data: st.DataObject, jobs: int
) -> None:
    answers, reported, bad, good = drawn
    start = data.draw(st.integers(0, len(answers)))
    clump = range(start, start + data.draw(st.integers(0, len(answers))))
    single = data.draw(st.sets(st.integers(0, len(answers) - 1), max_size=30))
    silent = {*clump, *single} - {reported}
    result = found(["skip" if i in silent else answer for i, answer in enumerate(answers)], reported, jobs)
    below, above = result.first_bad, result.first_good
    assert below
    assert above
    assert (-1 if below.good is None else below.good) < bad <= below.bad
    assert above.bad < good <= (len(answers) if above.good is None else above.good)
    assert result.one_step


@LAW
@given(ANY, st.data(), JOBS)
def test_of_any_history_nothing_is_claimed_that_was_reported_otherwise(
    answers: list[Answer], data: st.DataObject, jobs: int
) -> None:
    reported = data.draw(st.integers(0, len(answers) - 1))
    search = Search(len(answers), reported)
    ended(search, answers, jobs)
    result = search.result()
    told = {step.index: step.answer for step in search.explain()}
    assert result.holds == (answers[reported] == "bad")
    assert result.probes == len(told) <= len(answers)
    if not (result.first_bad and result.first_good):
        return
    below, above = result.first_bad, result.first_good
    assert all(told.get(i) != "good" for i in range(below.bad, above.bad + 1))
    outside = {i for i, answer in told.items() if answer == "bad" and not below.bad <= i <= above.bad}
    assert set(result.returns) == outside
    for edge in (below, above):
        assert edge.word != "open"
        assert told[edge.bad] == "bad"
        assert edge.good is None or told[edge.good] == "good"
        assert edge.word != "exact" or abs(edge.bad - (edge.good or 0)) == 1
        beyond = edge.bad + (1 if edge is above else -1)
        assert edge.word not in ("between", "silent") or told[beyond] == "skip", (
            "a range starts with one that was asked"
        )
        assert edge.word != "between" or not edge.untested or len(edge.skipped) >= MOST_SKIPPED


@LAW
@given(ANY, st.data())
def test_answers_that_no_one_requested_for_are_accepted_and_not_requested_again(
    answers: list[Answer], data: st.DataObject
) -> None:
    reported = data.draw(st.integers(0, len(answers) - 1))
    known = data.draw(st.sets(st.integers(0, len(answers) - 1)))
    search = Search(len(answers), reported)
    for index in known:
        search.record(index, answers[index])
    assert not known & {index for batch in ended(search, answers) for index in batch}


@pytest.mark.parametrize(
    ("letters", "reported", "first_bad", "returns"),
    [
        pytest.param("." * 40 + "x" * 40 + "." * 80 + "x" * 40, 190, 160, True, id="it came, went and came back"),
        pytest.param("x" * 40 + "." * 80 + "x" * 80, 190, 120, True, id="it shows on the oldest, but was gone between"),
        pytest.param("." * 100 + "x" * 100, 190, 100, False, id="it came once"),
    ],
)
def test_a_bug_that_came_back_is_reported(letters: str, reported: int, first_bad: int, returns: bool) -> None:
    result = found(history(letters), reported)
    assert result.first_bad
    assert result.first_bad.bad == first_bad
    assert result.one_step is not returns
    assert all(letters[i] == "x" and i < first_bad for i in result.returns)


def test_a_look_that_contradicts_reopens_the_boundary_on_its_side() -> None:
    search = Search(64, 60)
    ended(search, history("x" * 20 + "." * 20 + "x" * 24))
    words = {step.index: step.answer for step in search.explain()}
    assert [i for i in search.spot_checks if words[i] == "good"], "it is found by a look"
    assert search.result().first_bad == Edge("exact", 40, 39, (), 0, 1)
    assert 0 in search.result().returns


def test_a_long_clump_is_left_to_itself_once_its_edges_are_known() -> None:
    answers = history("." * 100 + "?" * 150 + "x" * 83)
    result = found(answers, 300)
    assert result.first_bad
    edge = result.first_bad
    assert (edge.word, edge.bad, edge.good) == ("between", 250, 99)
    assert edge.untested == 150 - len(edge.skipped)
    assert {100, 249} <= set(edge.skipped)
    assert result.probes <= 45


def test_an_end_that_cannot_tell_is_left_by_ever_greater_strides() -> None:
    search = Search(UV, 300)
    rounds = ended(search, history("?" * 150 + "." * 50 + "x" * 133))
    assert [index for (index,) in rounds][:10] == [300, 0, 332, 1, 3, 7, 15, 31, 63, 127]
    assert search.result().first_bad == Edge("exact", 200, 199, (), 0, 1)


def test_neighbours_of_what_cannot_tell_are_requested_ever_further_away() -> None:
    search = Search(128, 127)
    letters = "." * 60 + "?" * 9 + "x" * 59
    asked = [index for (index,) in ended(search, history(letters))]
    assert asked[2:9] == [64, 65, 63, 66, 62, 68, 60]


def shared() -> list[float]:
    """Return which part of its probes the cheaper of two searches shares with another within other bounds."""
    draw, parts = random.Random(1), []
    for _ in range(60):
        bad, reported, last = sorted(draw.randrange(60, UV - 60) for _ in range(3))
        one, other = (
            set(probes(UV, reported, bad, last + 1, draw.randrange(bad), draw.randrange(last + 1, UV)))
            for _ in range(2)
        )
        parts.append(len(one & other) / min(len(one), len(other)))
    return parts


def test_searches_within_other_bounds_ask_mostly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    canonical = mean(shared())
    monkeypatch.setattr("uvmre.core.search.bisect_half._roundest", lambda indexes: indexes[len(indexes) // 2])
    assert canonical > 0.75
    assert mean(shared()) < 0.55, "halving in the middle shares less"


@LAW
@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 244))
def test_from_bounds_far_enough_apart_every_search_goes_the_same_way(low: int, other: int, bad: int) -> None:
    # Both have the one 256 within what halving allows, so from there on they are the same search.
    ways = [probes(512, 500, 256 + bad, 512, lowest, 500)[2:] for lowest in (low, other)]
    first = [way.index(256) for way in ways]
    assert ways[0][first[0] :] == ways[1][first[1] :]


def test_more_jobs_make_fewer_rounds() -> None:
    draw, rounds = random.Random(3), dict[int, list[int]]()
    for _ in range(40):
        bad, reported, last = sorted(draw.randrange(UV) for _ in range(3))
        answers = one_step(UV, bad, last + 1)
        for jobs in (1, 2, 4, 8):
            rounds.setdefault(jobs, []).append(len(ended(Search(UV, reported), answers, jobs)))
    part = {jobs: mean(rounds[jobs]) / mean(rounds[1]) for jobs in rounds}
    assert part[2] < 0.56
    assert part[4] < 0.36
    assert part[8] < 0.30
    assert max(rounds[2]) <= 12
    assert max(two / one for one, two in zip(rounds[1], rounds[2], strict=True)) < 0.7


@LAW
@given(steps(), JOBS)
def test_what_is_requested_next_was_reported_ahead(drawn: tuple[list[Answer], int, int, int], jobs: int) -> None:
    answers, reported, _, _ = drawn
    search = Search(len(answers), reported)
    ahead = search.likely_next(jobs)
    while batch := search.next_indexes(jobs):
        assert set(batch) <= set(ahead)
        ahead = search.likely_next(len(answers))
        for index in batch:
            search.record(index, answers[index])


def test_ahead_are_both_halves_of_what_is_halved() -> None:
    search = Search(257, 256)
    assert search.likely_next(3) == (256, 0)
    search.record(256, "bad")
    search.record(0, "good")
    assert search.next_indexes(1) == (128,)
    assert set(search.likely_next(3)) == {64, 192}
    assert len(search.likely_next(1)) == 1


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        pytest.param(["bad"], "bad", id="a plain answer"),
        pytest.param(["good"], "good", id="a plain good one stands for all its runs"),
        pytest.param([Runs(0, 3)], "good", id="all runs are good"),
        pytest.param([Runs(0, 1), Runs(0, 1), Runs(0, 1)], "good", id="all runs are good, told one by one"),
        pytest.param([Runs(0, 2)], None, id="a run is missing"),
        pytest.param([Runs(1, 2)], "bad", id="one bad run is enough"),
        pytest.param([Runs(0, 3), Runs(1, 1)], "bad", id="one bad run comes late"),
        pytest.param([Runs(0, 2), "skip"], "skip", id="the last run cannot tell"),
        pytest.param(["skip", Runs(1, 1)], "bad", id="a bad run after one that cannot tell"),
        pytest.param([Runs(1, 1), "skip"], "bad", id="a bad run before one that cannot tell"),
    ],
)
def test_runs_add_up_to_an_answer(told: list[Answer | Runs], answer: Answer | None) -> None:
    search = Search(3, 1, repeat=3)
    search.next_indexes(1)
    for one in told:
        search.record(1, one)
    assert search.result().reported == answer


def test_a_good_release_is_as_sure_as_its_runs_make_it() -> None:
    search = Search(4, 2, repeat=3)
    for index, runs in enumerate([Runs(0, 3), Runs(0, 6), Runs(1, 2), Runs(1, 2)]):
        search.record(index, runs)
    result = search.result()
    assert result.first_bad == Edge("exact", 2, 1, (), 0, confidence(0.5, 6))
    assert result.first_good == Edge("beyond", 3, None, (), 0, 1)


@LAW
@given(st.floats(0, 1), st.integers(1, 50))
def test_more_good_runs_make_surer(rate: float, runs: int) -> None:
    assert 0 <= confidence(rate, runs) <= confidence(rate, runs + 1) <= 1
    assert confidence(1, runs) == 1
    assert confidence(0, runs) == 0


def test_the_path_is_reported_as_it_was_accepted() -> None:
    search = Search(8, 5)
    ended(search, history("...xxx.."))
    assert search.explain()[:5] == (
        SearchStep(1, 5, "bad", "reported", Span(5, None), Span(5, None)),
        SearchStep(2, 0, "good", "first_bad", Span(5, None), Span(5, 0)),
        SearchStep(3, 7, "good", "first_good", Span(5, None), Span(5, 7)),
        SearchStep(4, 4, "bad", "first_bad", Span(5, 0), Span(4, 0)),
        SearchStep(5, 2, "good", "first_bad", Span(4, 0), Span(4, 2)),
    )


@LAW
@given(ANY, st.data())
def test_every_step_of_the_path_starts_where_its_side_ended(answers: list[Answer], data: st.DataObject) -> None:
    search = Search(len(answers), data.draw(st.integers(0, len(answers) - 1)))
    ended(search, answers, 2)
    ends = dict[str, Span]()
    for number, step in enumerate(search.explain(), 1):
        assert step.number == number
        assert step.before == ends.get(step.half, step.before)
        ends[step.half] = step.after


@pytest.mark.parametrize("bad", [(0, 0), (3, 3), (3, 1, 2), (3, 1, 0, 3), (3, -1)])
def test_a_reported_release_outside_of_the_bounds_is_no_search(bad: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="invalid search"):
        Search(*bad)


def test_an_answer_outside_of_the_bounds_is_not_accepted() -> None:
    with pytest.raises(ValueError, match="not within 2 … 5"):
        Search(9, 3, 2, 5).record(6, "bad")


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("lone", [1, 2, 3])
def test_a_few_that_cannot_tell_do_not_hide_the_bad_ones_before_them(lone: int, jobs: int) -> None:
    # A key that a few releases did not know, and a command that all the old ones lack.
    letters = "?" * 70 + "x" * 10 + "?" * lone + "x" * 40 + "." * 200
    edge = found(history(letters), 110, jobs).first_bad
    assert edge is not None
    assert (edge.word, edge.bad) == ("silent", 70)


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("blip", [301, 302])
def test_a_fix_that_was_accepted_back_soon_is_found(jobs: int, blip: int) -> None:
    # It is bad from 200 to 303 but for one release shortly before it was fixed for good.
    answers: list[Answer] = ["bad" if 200 <= i <= 303 and i != blip else "good" for i in range(333)]
    search = Search(333, 299)
    ended(search, answers, jobs)
    result = search.result()
    assert result.first_good
    assert (result.first_good.good, result.first_good.word) == (blip, "exact")


@st.composite
def introduced(draw: st.DrawFn) -> tuple[list[Answer], int, int, int]:
    """Return a history in which a command came at one release and the bug at the same or a later one."""
    n = draw(st.integers(2, UV))
    came = draw(st.integers(1, n - 1))
    bad = draw(st.integers(came, n - 1))
    reported = draw(st.integers(bad, n - 1))
    answers: list[Answer] = ["lacks" if i < came else "good" if i < bad else "bad" for i in range(n)]
    return answers, came, bad, reported


@given(introduced(), st.integers(1, 4))
@settings(deadline=None, max_examples=300)
def test_few_releases_without_the_command_are_probed(case: tuple[list[Answer], int, int, int], jobs: int) -> None:
    answers, came, bad, reported = case
    search = Search(len(answers), reported)
    asked = [index for batch in ended(search, answers, jobs) for index in batch]
    edge = search.result().first_bad
    assert edge
    assert edge.bad == bad
    assert edge.word == ("introduced" if bad == came else "exact")
    assert sum(answers[index] == "lacks" for index in asked) <= MOST_UNSUPPORTED


@given(introduced(), st.sets(st.integers(0, UV)))
@settings(deadline=None, max_examples=300)
def test_inconclusive_releases_do_not_make_a_boundary_wrong(
    case: tuple[list[Answer], int, int, int], skipped: set[int]
) -> None:
    answers, _, bad, reported = case
    mixed: list[Answer] = ["skip" if i in skipped and i not in (bad, reported) else a for i, a in enumerate(answers)]
    search = Search(len(mixed), reported)
    ended(search, mixed)
    edge = search.result().first_bad
    assert edge
    if edge.word in ("introduced", "exact"):
        assert edge.bad == bad
    assert mixed[edge.bad] == "bad"


@given(introduced(), st.data(), st.integers(1, 4))
@settings(deadline=None, max_examples=300)
def test_a_release_that_alone_lacks_the_command_is_no_boundary_below_a_conclusive_one(
    case: tuple[list[Answer], int, int, int], data: st.DataObject, jobs: int
) -> None:
    answers, _, _, reported = case
    alone = data.draw(st.sets(st.integers(0, len(answers) - 1), max_size=3)) - {reported}
    mixed: list[Answer] = ["lacks" if i in alone else answer for i, answer in enumerate(answers)]
    search = Search(len(mixed), reported)
    ended(search, mixed, jobs)
    edge, known = search.result().first_bad, {step.index: step.answer for step in search.explain()}
    assert edge
    if edge.word == "introduced":
        assert all(known[i] in ("lacks", "skip") for i in known if i < edge.bad)


@pytest.mark.parametrize(
    ("lacking", "first_bad"), [([*range(10)], 10), ([*range(6), 9], 6)], ids=["with the one before", "alone"]
)
def test_the_release_beside_the_newest_without_the_command_is_checked(lacking: list[int], first_bad: int) -> None:
    answers: list[Answer] = ["lacks" if i in lacking else "bad" for i in range(15)]
    search = Search(15, 14)
    for index in (14, 0, 12, 10, 9):
        search.record(index, answers[index])
    asked = [index for batch in ended(search, answers) for index in batch]
    assert 8 in asked
    edge = search.result().first_bad
    assert edge
    assert (edge.bad, edge.word) == (first_bad, "introduced")
