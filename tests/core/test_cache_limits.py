"""How large and how old the cache may become, and what goes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.cache_limits import PRUNE_TARGET, Item, Limits, limits, to_remove
from uvmre.errors import UsageError

DAY = 86_400.0
ITEMS = st.lists(
    st.builds(
        Item,
        path=st.text("abcdef/", min_size=1, max_size=6),
        kind=st.just("uv"),
        used=st.integers(0, 50).map(float),
        size=st.integers(0, 1000),
        in_use=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda item: item.path,
)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("5 GB", 5e9), ("300MB", 3e8), ("1.5 GiB", 1.5 * 2**30), ("123", 123), ("0", 0), (" none ", math.inf)],
)
def test_sizes(text: str, bytes_: float) -> None:
    assert limits({}, size=text).size == bytes_


@pytest.mark.parametrize(
    ("text", "days"), [("30 days", 30), ("1 day", 1), ("12h", 0.5), ("2 weeks", 14), ("0 days", 0), ("none", math.inf)]
)
def test_ages(text: str, days: float) -> None:
    assert limits({}, age=text).age == days * DAY


def test_an_option_wins_over_a_variable_and_that_over_the_default() -> None:
    assert limits({}) == Limits(5e9, 30 * DAY)
    variables = {"UVMRE_CACHE_SIZE": "1 GB", "UVMRE_CACHE_AGE": "1 week"}
    assert limits(variables) == Limits(1e9, 7 * DAY)
    assert limits(variables, "2 GB", "1 day") == Limits(2e9, DAY)
    assert limits({"UVMRE_CACHE_SIZE": ""}) == limits({})
    assert limits({"UVMRE_CACHE_SIZE": "none", "UVMRE_CACHE_AGE": "none"}).any is False


@pytest.mark.parametrize("text", ["much", "5 days", "-1", "5 GB or so", "1e9", "٣ GB", "5  GB", "nan", "9" * 40])
def test_what_is_no_size_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="UVMRE_CACHE_SIZE"):
        limits({"UVMRE_CACHE_SIZE": text})


@given(ITEMS, st.integers(0, 5000), st.integers(0, 2000), st.integers(0, 60))
def test_the_law_of_pruning(items: list[Item], limit: int, fixed: int, age: int) -> None:
    now = 50.0
    total = fixed + sum(item.size for item in items)
    going = to_remove(items, total, Limits(limit, age), now)
    stays = [item for item in items if item not in going]
    assert not any(item.in_use for item in going)
    assert all(item.in_use or now - item.used <= age for item in stays)
    left = total - sum(item.size for item in going)
    if any(not item.in_use for item in stays):
        assert left <= limit
    young = [item for item in going if now - item.used <= age]
    if young:  # went for the room alone: nothing that stays was used before it, and it did not go for nothing
        last = max((item.used, item.path) for item in young)
        assert all(item.in_use or (item.used, item.path) > last for item in stays)
        newest = next(item for item in young if (item.used, item.path) == last)
        assert left + newest.size > limit * PRUNE_TARGET
        assert total > limit
    assert to_remove(list(reversed(items)), total, Limits(limit, age), now) == going
