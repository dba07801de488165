"""The releases of uv on a made-up project's page, and what the cache keeps of it."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from packaging.tags import Tag

from tests.releases.pypi import WHEELS, Network, below_httpx, json_of, slow, unanswered, wheel
from uvmre.core.network import simple_page
from uvmre.core.network.simple_page import JSON
from uvmre.core.search.release import Release
from uvmre.core.search.selector import select_one
from uvmre.errors import CannotTell, UsageError
from uvmre.releases import catalogue
from uvmre.releases.catalogue import Catalogue, parse_page

HOST = "https://files.example/packages"
LINUX = "manylinux_2_17_x86_64.manylinux2014_x86_64"
MUSL = "musllinux_1_1_x86_64"
MAC = "macosx_11_0_arm64"
DAY = "2025-01-2{}T10:00:00Z"
FILES = [
    # filename, sha256, yanked, the last figure of its day
    (f"uv-0.5.20-py3-none-{LINUX}.whl", "a0" * 32, False, 0),
    (f"uv-0.5.21-py3-none-{LINUX}.whl", "a1" * 32, False, 2),
    (f"uv-0.5.21-py3-none-{MUSL}.whl", "a2" * 32, False, 2),
    (f"uv-0.5.21-py3-none-{MAC}.whl", "a3" * 32, False, 3),
    ("uv-0.5.21.tar.gz", "a4" * 32, False, 1),
    (f"uv-0.5.22-py3-none-{LINUX}.whl", "a5" * 32, "broken on Mondays", 4),
    (f"uv-0.5.23-py3-none-{LINUX}.whl", "a6" * 32, "", 5),
    (f"uv-0.6.0rc1-py3-none-{LINUX}.whl", "a7" * 32, False, 6),
    ("uv-not.a.version-py3-none-any.whl", "a8" * 32, False, 7),
    ("uv-0.5.21.whl", "a9" * 32, False, 0),
    ("uv-0.5.24.tar.gz", "b0" * 32, False, 7),
    (f"uv-0.5.25-py3-none-{LINUX}.whl", "b1" * 32, False, 7),
    (f"uv-0.5.25-py3-none-{MUSL}.whl", "b2" * 32, "one file of two", 7),
    (f"uv-0.5.26-py3-none-{LINUX}.whl", "", False, 7),
]


def json_page(*, dated: bool = True) -> str:
    files = [
        {
            "filename": name,
            "url": f"{HOST}/{name}",
            "hashes": {"sha256": sha256} if sha256 else {},
            "requires-python": ">=3.8",
            **({"upload-time": DAY.format(day)} if dated else {}),
            **({} if yanked is False else {"yanked": yanked or True}),
        }
        for name, sha256, yanked, day in FILES
    ]
    return json.dumps({"meta": {"api-version": "1.3"}, "name": "uv", "files": files})


def html_page(*, dated: bool = True) -> str:
    def link(name: str, sha256: str, yanked: str | bool, day: int) -> str:
        calls = "" if yanked is False else f' data-yanked="{yanked}"'
        calls += f' data-upload-time="{DAY.format(day)}"' if dated else ""
        fragment = f"#sha256={sha256}" if sha256 else ""
        return f'<a href="{HOST}/{name}{fragment}" data-requires-python="&gt;=3.8"{calls}>{name}</a><br />'

    links = "\n".join(link(*file) for file in FILES)
    return f'<!DOCTYPE html>\n<html><body><h1>Links for uv</h1><a href="/">up</a>\n{links}\n</body></html>'


PAGES = [
    pytest.param(JSON, json_page(), id="JSON"),
    pytest.param(f"{JSON}; charset=utf-8", json_page(), id="JSON with its charset"),
    pytest.param("text/html", html_page(), id="HTML"),
    pytest.param("text/html; charset=UTF-8", html_page(), id="HTML with its charset"),
    pytest.param("application/vnd.pypi.simple.v1+html", html_page(), id="HTML by its new name"),
    pytest.param("", html_page(), id="HTML that does not say so"),
]
LINUX_TAGS = [Tag("py3", "none", platform) for platform in LINUX.split(".")]
NOW = datetime.now(UTC)


def found(tags: list[Tag], content_type: str = JSON, page: str = "") -> Catalogue:
    releases, wheels = parse_page(content_type, page or json_page(), iter(tags))
    return Catalogue(releases, wheels, NOW)


@pytest.mark.parametrize(("content_type", "page"), PAGES)
def test_every_release_is_read_with_its_day_and_whether_it_was_yanked(content_type: str, page: str) -> None:
    releases, _ = parse_page(content_type, page, LINUX_TAGS)
    assert [(each.version, each.date and each.date.day, each.yanked) for each in releases] == [
        ("0.5.20", 20, False),
        ("0.5.21", 21, False),  # the day of its first file
        ("0.5.22", 24, "broken on Mondays"),
        ("0.5.23", 25, True),
        ("0.5.24", 27, False),
        ("0.5.25", 27, False),  # of two files one: what is left is a release
        ("0.5.26", 27, False),
        ("0.6.0rc1", 26, False),
    ]


@pytest.mark.parametrize(("content_type", "page"), PAGES)
def test_every_release_has_its_wheel_for_here(content_type: str, page: str) -> None:
    _, wheels = parse_page(content_type, page, LINUX_TAGS)
    assert {version: each.sha256[:2] for version, each in wheels.items()} == {
        "0.5.20": "a0",
        "0.5.21": "a1",
        "0.5.22": "a5",
        "0.5.23": "a6",
        "0.5.25": "b1",
        "0.6.0rc1": "a7",
    }
    assert wheels["0.5.21"].url == f"{HOST}/uv-0.5.21-py3-none-{LINUX}.whl"


def test_a_time_without_a_zone_is_utc() -> None:
    file = {"filename": "uv-1.0.0-py3-none-any.whl", "url": HOST, "hashes": {"sha256": "0"}}
    page = json.dumps({"files": [{**file, "upload-time": "2025-01-23T10:00:00", "yanked": False, "size": 12}]})
    (release,), wheels = parse_page(JSON, page, [Tag("py3", "none", "any")])
    assert release == Release("1.0.0", datetime(2025, 1, 23, 10, tzinfo=UTC), yanked=False)
    assert wheels["1.0.0"].size == 12


NO_PAGES = [
    pytest.param("text/html", "<html><body>Sign in to use this network</body></html>", id="a captive portal"),
    pytest.param("text/html", "", id="nothing"),
    pytest.param("text/plain", "404 not found", id="text"),
    pytest.param("text/html", '<a href="https://x/uv-1.0.0-py3-none-any.whl">uv</a>', id="a link without a hash"),
    pytest.param(JSON, '{"files": []}', id="JSON without a file"),
    pytest.param(JSON, "<html></html>", id="HTML that says it is JSON"),
    pytest.param(JSON, '{"files": [{"filename": "uv-1.0.0.tar.gz"}]}', id="JSON with a source only"),
]


@pytest.mark.parametrize(("content_type", "page"), NO_PAGES)
def test_a_page_without_a_wheel_is_an_error(content_type: str, page: str) -> None:
    with pytest.raises(ValueError, match=r"lists no wheel|Expecting value|does not follow PEP 691"):
        parse_page(content_type, page, LINUX_TAGS)


@pytest.mark.parametrize(
    ("release", "tags", "sha256"),
    [
        pytest.param("0.5.21", LINUX_TAGS, "a1", id="the one for this platform"),
        pytest.param("0.5.21", [Tag("py3", "none", MAC)], "a3", id="the one for another"),
        pytest.param("0.5.21", [Tag("py3", "none", MUSL), *LINUX_TAGS], "a2", id="the first tag is the best"),
        pytest.param("0.5.21", [*LINUX_TAGS, Tag("py3", "none", MUSL)], "a1", id="whatever the page's order"),
        pytest.param(
            "0.5.21", [Tag("cp311", "cp311", "linux_x86_64"), *LINUX_TAGS], "a1", id="tags that no wheel has are passed"
        ),
        pytest.param("0.5.20", LINUX_TAGS, "a0", id="an older release"),
        pytest.param("0.5.22", LINUX_TAGS, "a5", id="a yanked one, since it was asked for by name"),
        pytest.param("0.6.0rc1", LINUX_TAGS, "a7", id="a pre-release, since it was asked for by name"),
    ],
)
def test_the_wheel_that_suits_best_is_picked(release: str, tags: list[Tag], sha256: str) -> None:
    assert found(tags).wheel(release).sha256 == sha256 * 32


@pytest.mark.parametrize(
    ("release", "nearest"),
    [
        pytest.param("0.5.19", "is 0.5.20", id="below all of them"),
        pytest.param("9.0.0", "is 0.5.26", id="above all of them"),
        pytest.param("0.5.21rc1", "are 0.5.20 and 0.5.21", id="a pre-release that is not there"),
    ],
)
def test_a_release_that_is_not_there_is_reported_with_its_neighbours(release: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"no uv {release} on PyPI: the nearest {nearest}"):
        found(LINUX_TAGS).wheel(release)


@pytest.mark.parametrize("release", ["0.5.24", "0.5.21", "0.5.22"])
def test_a_platform_without_a_wheel_is_reported(release: str) -> None:
    with pytest.raises(CannotTell, match=f"uv {release} has no wheel for this platform"):
        found([Tag("py3", "none", "win_arm64"), Tag("py3", "none", "any")]).wheel(release)


# What the cache keeps. Below are releases for any platform, since the tags are this machine's.


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return below_httpx(monkeypatch)


def page(wheels: Mapping[str, bytes] = WHEELS, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(200, headers={"content-type": JSON, **(headers or {})}, text=json_of(dict(wheels)))


def aged(cache: Path, age: timedelta) -> None:
    """Make what is kept as old as that."""
    known = catalogue.load_cached(cache)
    assert known
    catalogue.save(cache, replace(known, fetched_at=known.fetched_at - age))


def versions(found: Catalogue | None) -> list[str]:
    return [release.version for release in found.releases] if found else []


def test_the_response_is_cached(network: Network, tmp_path: Path) -> None:
    network.index = lambda _: httpx.Response(200, headers={"content-type": JSON}, text=json_page())
    catalogue_date = catalogue.load(tmp_path)
    assert catalogue.load_cached(tmp_path) == catalogue_date
    assert [path.name for path in tmp_path.iterdir()] == ["releases.json"]
    assert len(catalogue_date.releases) == 8
    assert catalogue_date.note == ""


def test_pypi_is_not_queried_twice_within_minutes(network: Network, tmp_path: Path) -> None:
    first = catalogue.load(tmp_path)
    aged(tmp_path, timedelta(minutes=9))
    assert catalogue.load(tmp_path).releases == first.releases
    assert network.requested == [catalogue.INDEX]
    aged(tmp_path, timedelta(minutes=2))
    catalogue.load(tmp_path)
    assert network.requested == [catalogue.INDEX] * 2


def test_a_clock_that_went_back_does_not_make_it_young_for_ever(network: Network, tmp_path: Path) -> None:
    catalogue.load(tmp_path)
    aged(tmp_path, timedelta(days=-400))
    catalogue.load(tmp_path)
    assert network.requested == [catalogue.INDEX] * 2


def test_releases_that_are_known_are_not_requested_however_old(network: Network, tmp_path: Path) -> None:
    catalogue.load(tmp_path)
    aged(tmp_path, timedelta(days=400))
    assert catalogue.load(tmp_path, versions=["0.5.20", "0.5.21"]).wheel("0.5.21")
    assert network.requested == [catalogue.INDEX]


def test_a_release_that_is_not_known_is_requested_however_young(network: Network, tmp_path: Path) -> None:
    catalogue.load(tmp_path)
    network.index = lambda _: page({**WHEELS, "uv-0.5.22-py3-none-any.whl": wheel("0.5.22")})
    assert catalogue.load(tmp_path, versions=["0.5.22"]).wheel("0.5.22")
    assert versions(catalogue.load_cached(tmp_path)) == ["0.5.20", "0.5.21", "0.5.22", "0.6.0rc1"]


def test_a_selector_that_finds_nothing_is_looked_for_once_more(network: Network, tmp_path: Path) -> None:
    assert catalogue.choose("latest", tmp_path)[0] == (select_one("0.5.21", catalogue.load(tmp_path).releases),)
    network.index = lambda _: page({**WHEELS, "uv-0.7.0-py3-none-any.whl": wheel("0.7.0")})
    chosen, known = catalogue.choose("0.7", tmp_path)
    assert [release.version for release in chosen] == ["0.7.0"]
    assert known.wheel("0.7.0")
    assert network.requested == [catalogue.INDEX] * 2


def test_a_selector_that_means_nothing_is_requested_only_once(network: Network, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no uv 0\.5\.99"):
        catalogue.choose("0.5.99", tmp_path)
    assert network.requested == [catalogue.INDEX]


@pytest.mark.parametrize("header", [{"etag": '"one"'}, {"last-modified": "Thu, 23 Jan 2025 10:00:00 GMT"}])
def test_what_has_not_changed_is_not_sent_again(network: Network, tmp_path: Path, header: dict[str, str]) -> None:
    network.index = lambda _: page(headers=header)
    first = catalogue.load(tmp_path)
    headers: list[httpx.Headers] = []

    def unchanged(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return httpx.Response(304)

    network.index = unchanged
    aged(tmp_path, timedelta(days=1))
    again = catalogue.load(tmp_path)
    condition = {"etag": "if-none-match", "last-modified": "if-modified-since"}
    assert [headers[0].get(condition[name]) for name in header] == list(header.values())
    assert (again.releases, again.wheels) == (first.releases, first.wheels)
    assert again.fetched_at > first.fetched_at
    assert catalogue.load(tmp_path) == again
    assert len(headers) == 1


def test_the_page_is_requested_as_json_by_name_and_without_a_condition(network: Network, tmp_path: Path) -> None:
    headers: list[httpx.Headers] = []

    def index(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return page()

    network.index = index
    for _ in range(2):
        catalogue.load(tmp_path, max_age=catalogue.ALWAYS_FETCH)
    assert [each["accept"] for each in headers] == [simple_page.ACCEPT] * 2
    assert not {"if-none-match", "if-modified-since"} & {*headers[0], *headers[1]}


Index = Callable[[httpx.Request], httpx.Response]
OFFLINE = [
    pytest.param(unanswered, "Name or service not known", id="nobody answers"),
    pytest.param(slow, "read timeout", id="the answer takes too long"),
    pytest.param(lambda _: httpx.Response(503), "503", id="PyPI is down"),
    pytest.param(lambda _: httpx.Response(200, html="<p>Sign in</p>"), "lists no wheel", id="a captive portal"),
    pytest.param(lambda _: httpx.Response(304), "304", id="unchanged, where nobody said since when"),
]


@pytest.mark.parametrize(("index", "why"), OFFLINE[:-1])
def test_offline_what_is_kept_has_to_do_and_says_so(network: Network, tmp_path: Path, index: Index, why: str) -> None:
    catalogue_date = catalogue.load(tmp_path).fetched_at
    aged(tmp_path, timedelta(days=3))
    before = (tmp_path / catalogue.FILE).read_bytes()
    network.index = index
    chosen, known = catalogue.choose("latest", tmp_path)
    assert chosen[0].version == "0.5.21"
    assert why in known.note
    assert f"those of {catalogue_date - timedelta(days=3):%Y-%m-%d %H:%M} UTC" in known.note
    assert (tmp_path / catalogue.FILE).read_bytes() == before


def test_offline_a_release_that_is_not_known_may_be_there_all_the_same(network: Network, tmp_path: Path) -> None:
    catalogue.load(tmp_path)
    aged(tmp_path, timedelta(days=3))
    network.index = unanswered
    with pytest.raises(UsageError, match=r"no uv 0\.7\.0 on PyPI") as raised:
        catalogue.choose("0.7.0", tmp_path)
    assert "no response from PyPI" in raised.value.hint
    with pytest.raises(CannotTell, match=r"uv 0\.7\.0 is not in the cache"):
        catalogue.load(tmp_path, versions=["0.7.0"]).wheel("0.7.0")


@pytest.mark.parametrize(("index", "why"), OFFLINE)
def test_offline_with_nothing_kept_is_reported(network: Network, tmp_path: Path, index: Index, why: str) -> None:
    network.index = index
    with pytest.raises(CannotTell, match="cannot be fetched from PyPI") as raised:
        catalogue.load(tmp_path)
    assert why in raised.value.cause
    assert "HTTPS_PROXY" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "harm",
    ["", "{}", "[]", "{", '{"schema": 2}', '{"schema": 1, "platform": "macosx_sparc64"}', "\x00"],
)
def test_what_is_kept_and_cannot_be_read_is_requested_anew(network: Network, tmp_path: Path, harm: str) -> None:
    first = catalogue.load(tmp_path)
    (tmp_path / catalogue.FILE).write_text(harm)
    assert catalogue.load(tmp_path).releases == first.releases
    assert versions(catalogue.load_cached(tmp_path)) == versions(first)


def test_a_cache_of_another_platform_is_requested_anew(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.load(tmp_path)
    monkeypatch.setattr("packaging.tags.platform_tags", lambda: iter(["musllinux_1_2_x86_64"]))
    assert catalogue.load_cached(tmp_path) is None


def test_days_that_are_known_outlive_a_page_without_them(network: Network, tmp_path: Path) -> None:
    network.index = lambda _: httpx.Response(200, html=html_page())
    first = catalogue.load(tmp_path)
    network.index = lambda _: httpx.Response(200, html=html_page(dated=False))
    again = catalogue.load(tmp_path, max_age=catalogue.ALWAYS_FETCH)
    assert again.releases == first.releases
    assert catalogue.load_cached(tmp_path) == again


def test_a_cache_that_cannot_be_written_does_not_end_it(network: Network, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    assert versions(catalogue.load(tmp_path / "cache")) == ["0.5.20", "0.5.21", "0.6.0rc1"]


def test_many_who_ask_at_once_leave_one_whole_file(network: Network, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: catalogue.load(tmp_path, max_age=catalogue.ALWAYS_FETCH), range(16)))
    assert len({each.releases for each in found}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["releases.json"]
    assert versions(catalogue.load_cached(tmp_path)) == ["0.5.20", "0.5.21", "0.6.0rc1"]


@pytest.mark.network
def test_every_real_release_has_a_day_and_runs_somewhere(tmp_path: Path) -> None:
    found = catalogue.load(tmp_path)
    assert len(found.releases) > 300
    assert all(release.date for release in found.releases)
    assert select_one("@2025-01-18", found.releases).version == "0.5.21"
    assert set(found.wheels) <= set(versions(found))
