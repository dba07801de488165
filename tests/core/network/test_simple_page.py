"""A project's page: read from either form, cut off at a day, written in either form."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.network.simple_formats import as_html, as_json, parse_page
from uvmre.core.network.simple_page import HTML, JSON, Page, apply_cutoff, describe_cutoff, parse_filename, upload_time

URL = "https://pypi.org/simple/six/"
SIX = "https://files.pythonhosted.org/packages/six-1.0-py3-none-any.whl"


def file(filename: str, came: str = "", **more: Any) -> dict[str, Any]:
    time = {"upload-time": came} if came else {}
    return {
        "filename": filename,
        "url": f"https://files.example/{filename}",
        "hashes": {"sha256": "ab"},
        **time,
        **more,
    }


def page(*files: dict[str, Any], versions: tuple[str, ...] = ()) -> Page:
    told = {"versions": list(versions)} if versions else {}
    return Page({"meta": {"api-version": "1.1"}, "name": "six", "files": list(files), **told})


OLD = file("six-1.0.tar.gz", "2024-01-10T12:00:00Z")
SAME_DAY = file("six-1.1-py3-none-any.whl", "2024-02-01T23:59:59.999999Z")
NEXT_DAY = file("six-1.1.tar.gz", "2024-02-02T00:00:00Z")
NEW = file("six-2.0.tar.gz", "2024-03-01T00:00:00Z")
UNDATED = file("six-3.0.tar.gz")


def test_what_came_on_the_day_is_there_and_what_came_after_is_not() -> None:
    kept = apply_cutoff(page(OLD, SAME_DAY, NEXT_DAY, NEW), date(2024, 2, 1))
    assert kept.files == [OLD, SAME_DAY]


def test_a_file_of_which_no_one_says_when_it_came_is_kept() -> None:
    assert apply_cutoff(page(UNDATED, NEW), date(2024, 2, 1)).files == [UNDATED]


def test_versions_follow_their_files() -> None:
    kept = apply_cutoff(page(OLD, SAME_DAY, NEXT_DAY, NEW, versions=("0.9", "1.0", "1.1", "2.0")), date(2024, 2, 1))
    assert kept.data["versions"] == ["0.9", "1.0", "1.1"]  # 0.9 had no file before either


def test_a_yank_stays_with_its_file() -> None:
    yanked = {**OLD, "yanked": "broken"}
    assert apply_cutoff(page(yanked, NEW), date(2024, 2, 1)).files == [yanked]


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)), max_size=8), st.dates(date(2019, 1, 1), date(2027, 1, 1)))  # fmt: skip
def test_a_cut_keeps_what_came_before_and_a_second_cut_changes_nothing(times: list[datetime], day: date) -> None:
    whole = page(*(file(f"six-{i}.tar.gz", time.isoformat()) for i, time in enumerate(times)))
    kept = apply_cutoff(whole, day)
    assert apply_cutoff(kept, day) == kept
    assert apply_cutoff(kept, day + timedelta(days=1)) == kept
    for one in whole.files:
        came = upload_time(one)
        assert came
        assert (one in kept.files) == (came.date() <= day)


FULL = file(
    "six-1.0-py3-none-any.whl",
    **{"requires-python": '>=3.8,<"4"', "yanked": "it's <broken>", "core-metadata": {"sha256": "cd"}},
)


def test_what_is_written_as_html_is_read_back() -> None:
    plain = file("six-1.0.tar.gz", yanked=True)
    assert parse_page(HTML, as_html(page(FULL, plain)), URL).files == [FULL, plain]


def test_what_is_written_as_json_is_read_back() -> None:
    whole = page(FULL, OLD, versions=("1.0",))
    assert parse_page(JSON, as_json(whole), URL) == whole


def test_relative_addresses_come_out_whole() -> None:
    in_html = parse_page(HTML, '<a href="../../packages/x/six-1.0.tar.gz#sha256=ab">six-1.0.tar.gz</a>', URL)
    in_json = parse_page(JSON, json.dumps({"files": [{"filename": "six-1.0.tar.gz", "url": "../../packages/x/six-1.0.tar.gz", "hashes": {"sha256": "ab"}}]}), URL)  # fmt: skip
    assert in_html.files == in_json.files
    assert in_html.files[0]["url"] == "https://pypi.org/packages/x/six-1.0.tar.gz"


@pytest.mark.parametrize("text", ["[]", "{}", '{"files": null}', '{"files": [1]}', '{"files": [{}]}', "<html>", ""])
def test_json_that_is_no_page_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_page(JSON, text, URL)


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("six-1.0.tar.gz", "1.0"),
        ("six-1.0-py3-none-any.whl", "1.0"),
        ("six-1.0.zip", "1.0"),
        ("six.exe", None),
        ("x.whl", None),
    ],
)
def test_the_version_stands_in_the_name(filename: str, version: str | None) -> None:
    found = parse_filename(filename)
    assert (str(found[1]) if found else None) == version


@pytest.mark.parametrize(
    ("cutoff", "kept", "words"),
    [
        (date(2025, 1, 23), 2, "at the end of 2025-01-23"),
        (datetime(2025, 1, 23, 14, tzinfo=UTC), 1, "at 2025-01-23 14:00:00+00:00"),
        (datetime(2025, 1, 23, 16, tzinfo=timezone(timedelta(hours=1))), 2, "at 2025-01-23 16:00:00+01:00"),
    ],
)
def test_a_cutoff_is_a_day_or_a_time(cutoff: date, kept: int, words: str) -> None:
    files = [{"filename": f"a-{n}.tar.gz", "upload-time": f"2025-01-23T{n}:30:00Z"} for n in (13, 14)]
    page = Page({"name": "a", "files": files})
    assert len(apply_cutoff(page, cutoff).files) == kept
    assert describe_cutoff(cutoff) == words
