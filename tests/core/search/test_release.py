"""What a selector means, on a made-up history of uv."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from uvmre.core.search.release import Release, is_path, local_build_version, reported_version
from uvmre.core.search.selector import select, select_one
from uvmre.errors import InputError, UsageError

FIRST = datetime(2024, 2, 15, 18, 56, tzinfo=UTC)
USUAL = ["0.0.5", "0.4.0", "0.4.9", "0.4.10", "0.5.0", "0.5.1", "0.5.2", "0.5.20", "0.5.21", "0.6.3", "0.6.5", "0.10.0"]
HISTORY = [Release(version, FIRST + timedelta(days=10 * day)) for day, version in enumerate(USUAL)]
YANKED = Release("0.6.4", FIRST + timedelta(days=95), "breaks every lock file.")
SILENTLY = Release("0.7.0", FIRST + timedelta(days=105), yanked=True)
EARLY = Release("0.11.0rc1", FIRST + timedelta(days=120))
ALL = [*HISTORY[::-1], YANKED, EARLY, SILENTLY]


def chosen(text: str, reported: str = "") -> list[str]:
    return [release.version for release in select(text, ALL, reported=reported)]


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("0.5.21", ["0.5.21"]),
        (" 0.5.21 ", ["0.5.21"]),
        ("latest", ["0.10.0"]),
        ("previous", ["0.6.5"]),
        ("0.5", ["0.5.0", "0.5.1", "0.5.2", "0.5.20", "0.5.21"]),
        ("0.4", ["0.4.0", "0.4.9", "0.4.10"]),  # by number, not as text
        ("0.6", ["0.6.3", "0.6.5"]),
        ("0.1", None),  # not 0.10
        ("0", USUAL),
        ("all", USUAL),
        ("..", USUAL),
        ("0.4.0..0.5.2", ["0.4.0", "0.4.9", "0.4.10", "0.5.0", "0.5.1", "0.5.2"]),
        ("0.4.0 .. 0.5.2", ["0.4.0", "0.4.9", "0.4.10", "0.5.0", "0.5.1", "0.5.2"]),
        ("0.5.2..0.5.2", ["0.5.2"]),
        ("..0.4.9", ["0.0.5", "0.4.0", "0.4.9"]),
        ("0.6.3..", ["0.6.3", "0.6.5", "0.10.0"]),
        ("0.6.5..latest", ["0.6.5", "0.10.0"]),
        ("previous..latest", ["0.6.5", "0.10.0"]),
        ("0.4..0.5", ["0.4.0", "0.4.9", "0.4.10", "0.5.0", "0.5.1", "0.5.2", "0.5.20", "0.5.21"]),
        ("@2024-02-25..0.4.9", ["0.4.0", "0.4.9"]),
        ("..@2024-03-01", ["0.0.5", "0.4.0"]),
        (">=0.4,<0.5", ["0.4.0", "0.4.9", "0.4.10"]),
        (">= 0.4 , < 0.5", ["0.4.0", "0.4.9", "0.4.10"]),
        ("~=0.5.2", ["0.5.2", "0.5.20", "0.5.21"]),
        ("==0.4.*", ["0.4.0", "0.4.9", "0.4.10"]),
        (">0.6.3", ["0.6.5", "0.10.0"]),
        ("!=0.0.5,<0.4.9", ["0.4.0"]),
        ("==0.6.4", ["0.6.4"]),  # PEP 592: a pin takes a yanked one
        ("==0.11.0rc1", ["0.11.0rc1"]),
        (">=0.10.0", ["0.10.0"]),
        (">=0.11.0rc1", ["0.11.0rc1"]),
        ("0.11.0rc1", ["0.11.0rc1"]),
        ("0.10.0..0.11.0rc1", ["0.10.0", "0.11.0rc1"]),
        ("@2024-02-15", ["0.0.5"]),
        ("@ 2024-02-16", ["0.0.5"]),
        ("@2024-02-25", ["0.4.0"]),  # on the day itself
        ("@2030-01-01", ["0.10.0"]),
        ("0.5.21,0.4.0", ["0.4.0", "0.5.21"]),
        ("0.5.21, 0.4.0, 0.5.21", ["0.4.0", "0.5.21"]),
        ("0.4.9, >=0.5.1, <0.5.20, latest", ["0.4.9", "0.5.1", "0.5.2", "0.10.0"]),
    ],
)
def test_a_selector_means_these(text: str, versions: list[str] | None) -> None:
    if versions is None:
        with pytest.raises(UsageError):
            chosen(text)
    else:
        assert chosen(text) == versions


@pytest.mark.parametrize(
    ("reported", "version"),
    [("0.5.2", "0.5.1"), ("0.5.0", "0.4.10"), ("0.6.5", "0.6.3"), ("0.99.0", "0.10.0"), ("", "0.6.5")],
)
def test_previous_is_before_the_reported_one(reported: str, version: str) -> None:
    assert chosen("previous", reported) == [version]


def test_a_yanked_one_is_accepted_where_the_bug_was_reported_with_it() -> None:
    assert chosen("0.6.4", "0.6.4") == ["0.6.4"]
    assert chosen("0.6.3..0.6.4", "0.6.4") == ["0.6.3", "0.6.4"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("0.6.4", "uv 0.6.4 is yanked on PyPI: breaks every lock file", "use 0.6.3 or 0.6.5 or `==0.6.4`"),
        ("0.4.0..0.6.4", "uv 0.6.4 is yanked on PyPI: breaks every lock file", "use 0.6.3"),
        ("0.7.0", "uv 0.7.0 is yanked on PyPI: no reason given", "use 0.6.5 or 0.10.0"),
        ("0.7", "0.7 selects only yanked releases or pre-releases: 0.7.0 (no reason given)", "select one"),
        ("0.11", "0.11 selects only yanked releases or pre-releases: 0.11.0rc1 (a pre-release)", "select one"),
        ("0.5.99", "there is no uv 0.5.99 on PyPI: the nearest are 0.5.21 and 0.6.3", "the newest is 0.10.0"),
        ("0.0.1", "there is no uv 0.0.1 on PyPI: the nearest is 0.0.5", "the newest is 0.10.0"),
        ("0.5.99..", "there is no uv 0.5.99 on PyPI: the nearest are 0.5.21 and 0.6.3", "the newest"),
        ("0.9", "there is no release of uv in 0.9", "the oldest is 0.0.5, the newest 0.10.0"),
        (">=1", "there is no release of uv in >=1", "the oldest is 0.0.5"),
        ("0.5.2..0.4.0", "the range 0.5.2..0.4.0 is empty: 0.5.2 is newer than 0.4.0", "reverse it: 0.4.0..0.5.2"),
        ("@2024-02-14", "uv had no release on 2024-02-14: the first one, 0.0.5, was published on 2024-02-15", "later"),
        ("@2024-02-30", "`@2024-02-30` is not a date", "@2025-01-23"),
        ("@yesterday", "`@yesterday` is not a date", "@2025-01-23"),
        ("@20240225", "`@20240225` is not a date", "@2025-01-23"),
        ("", "'' is not a valid release selector: one part is empty", "use 0.5.21"),
        ("0.5.21,", "'0.5.21,' is not a valid release selector: one part is empty", "use 0.5.21"),
        ("newest", "'newest' is not a valid release selector", "use 0.5.21"),
        ("v0.5.21", "'v0.5.21' is not a valid release selector", "use 0.5.21"),
        ("0.5.x", "'0.5.x' is not a valid release selector", "use 0.5.21"),
        ("0.5.20 0.5.21", "'0.5.20 0.5.21' is not a valid release selector", "use 0.5.21"),
        (">=", "'>=' is not a valid version specifier (PEP 440)", "use 0.5.21"),
        ("0.4.0..0.5.0..0.6.3", "'0.4.0..0.5.0..0.6.3' is not a valid range", "use 0.5.21"),
        ("0.4.0..all", "'0.4.0..all' is not a valid range", "use 0.5.21"),
        ("0.4.0...0.5.2", "'.0.5.2' is not a valid release selector", "use 0.5.21"),
    ],
)
def test_what_cannot_be_accepted_is_reported_with_what_to_do(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        chosen(text)
    assert raised.value.message.startswith(message)
    assert hint in raised.value.hint


def test_all_faults_of_a_list_are_reported_at_once() -> None:
    with pytest.raises(InputError) as raised:
        chosen("0.5.98, 0.5.21, 0.6.4")
    assert [fault.partition(":")[0] for fault in raised.value.faults] == [
        "there is no uv 0.5.98 on PyPI",
        "uv 0.6.4 is yanked on PyPI",
    ]


def test_there_is_none_before_the_first() -> None:
    with pytest.raises(UsageError, match=r"no release of uv before 0\.0\.5") as raised:
        chosen("previous", "0.0.5")
    assert raised.value.hint == "the oldest is 0.0.5"


def test_days_are_nothing_where_the_index_does_not_tell_them() -> None:
    with pytest.raises(UsageError, match="no upload times"):
        select("@2025-01-23", [Release("0.5.21")])


def test_of_no_release_none_is_chosen() -> None:
    with pytest.raises(UsageError, match="lists no releases"):
        select("latest", [])


@pytest.mark.parametrize(
    ("text", "version"), [("0.5", "0.5.21"), ("0.4.0..0.5.2", "0.5.2"), ("all", "0.10.0"), ("0.4.9,0.4.0", "0.4.9")]
)
def test_one_is_the_newest(text: str, version: str) -> None:
    assert select_one(text, ALL).version == version


def test_releases_are_ordered_by_number() -> None:
    assert sorted([Release("0.10.0"), Release("0.9.9"), Release("0.10.0rc1")]) == [
        Release("0.9.9"),
        Release("0.10.0rc1"),
        Release("0.10.0"),
    ]
    assert Release("0.5.3") <= Release("0.5.3", FIRST) < Release("0.5.20")
    assert Release("0.5.20") > Release("0.5.3")


@given(low=st.sampled_from(USUAL), high=st.sampled_from(USUAL))
def test_a_range_is_what_the_specifiers_of_its_ends_are(low: str, high: str) -> None:
    if Version(low) > Version(high):
        low, high = high, low
    assert chosen(f"{low}..{high}") == chosen(f">={low},<={high}")


@given(st.sampled_from([">=", "<=", "!=", "==", "~=", ">", "<"]), st.sampled_from(USUAL))
def test_a_specifier_takes_what_packaging_does(operator: str, version: str) -> None:
    wanted = [each for each in USUAL if Version(each) in SpecifierSet(f"{operator}{version}")]
    if wanted:
        assert chosen(f"{operator}{version}") == wanted
    else:
        with pytest.raises(UsageError):
            chosen(f"{operator}{version}")


@given(st.dates(date(2024, 2, 15), date(2025, 1, 1)))
def test_the_newest_of_a_day_is_the_latest_of_what_was_there(day: date) -> None:
    there = [release for release in ALL if release.date and release.date.date() <= day and release != EARLY]
    assert chosen(f"@{day}") == [select_one("latest", there).version]


@given(st.lists(st.sampled_from(["0.5", "latest", "0.4.0", "all", "..0.4.9", "~=0.5.2", "@2024-05-01"]), min_size=1))
def test_a_list_is_all_that_its_parts_are(parts: list[str]) -> None:
    # Two specifiers in a row hold together, which is not what this says.
    parts = [part for i, part in enumerate(parts) if part[0] != "~" or i == parts.index(part)]
    versions = {version for part in parts for version in chosen(part)}
    assert chosen(",".join(parts)) == sorted(versions, key=Version)


@given(st.text(alphabet="0159.,@<>=~!*-+ alestrcb/…٣", max_size=20))
def test_any_text_is_accepted_or_refused(text: str) -> None:
    try:
        found = chosen(text)
    except UsageError as error:
        found, told = [], error.message and error.hint
    else:
        told = found[0]
    assert told
    assert found == sorted(set(found), key=Version)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("./target/debug/uv", True),
        ("/usr/bin/uv", True),
        ("target/uv", True),
        ("uv", False),
        ("0.4.0..0.5.2", False),
        ("@2025-01-23", False),
    ],
)
def test_a_path_has_a_slash(text: str, path: bool) -> None:
    assert is_path(text) is path


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("uv 0.5.21\n", "0.5.21"),
        ("uv 0.5.21 (e1e1b2d4b 2025-01-17)\n", "0.5.21"),
        ("uv 0.9.5+12 (d5f39331a 2025-10-21 x86_64-unknown-linux-gnu)", "0.9.5+12"),
    ],
)
def test_a_binary_says_its_version(output: str, version: str) -> None:
    assert reported_version(output) == version


@pytest.mark.parametrize("output", ["", "Python 3.12.1\n", "uv\n", "usage: uvicorn 0.5"])
def test_what_is_no_uv_is_reported(output: str) -> None:
    with pytest.raises(UsageError, match="not a uv binary"):
        reported_version(output)


@pytest.mark.parametrize(
    ("version", "after", "before"),
    [("0.5.21", "0.5.21", "0.5.22"), ("0.5.21+4", "0.5.21", "0.5.22"), ("9.0", "9.0", "9.0.1")],
)
def test_a_binary_that_was_built_locally_comes_after_the_release_that_it_says_it_is(
    version: str, after: str, before: str
) -> None:
    built = Release(local_build_version(version, "0" * 64))
    assert Release(after) < built < Release(before)
    assert (built.published, Release(version).published) == (False, True)
    assert built != Release(local_build_version(version, "1" * 64))
