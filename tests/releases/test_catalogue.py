"""The releases of uv on a made-up project's page."""

import json
from dataclasses import replace

import pytest
from packaging.tags import Tag, parse_tag
from packaging.version import Version

from uvmre.core.pages import JSON
from uvmre.errors import CannotTell, UsageError
from uvmre.releases.catalogue import Wheel, newest, pick, wheels

HOST = "https://files.example/packages"
LINUX = "manylinux_2_17_x86_64.manylinux2014_x86_64"
MUSL = "musllinux_1_1_x86_64"
MAC = "macosx_11_0_arm64"
FILES = [
    # filename, sha256, yanked
    (f"uv-0.5.20-py3-none-{LINUX}.whl", "a0" * 32, False),
    (f"uv-0.5.21-py3-none-{LINUX}.whl", "a1" * 32, False),
    (f"uv-0.5.21-py3-none-{MUSL}.whl", "a2" * 32, False),
    (f"uv-0.5.21-py3-none-{MAC}.whl", "a3" * 32, False),
    ("uv-0.5.21.tar.gz", "a4" * 32, False),
    (f"uv-0.5.22-py3-none-{LINUX}.whl", "a5" * 32, "broken on Mondays"),
    (f"uv-0.5.23-py3-none-{LINUX}.whl", "a6" * 32, ""),
    (f"uv-0.6.0rc1-py3-none-{LINUX}.whl", "a7" * 32, False),
    ("uv-not.a.version-py3-none-any.whl", "a8" * 32, False),
    ("uv-0.5.21.whl", "a9" * 32, False),
]


def json_page() -> str:
    files = [
        {
            "filename": name,
            "url": f"{HOST}/{name}",
            "hashes": {"sha256": sha256},
            "requires-python": ">=3.8",
            **({} if yanked is False else {"yanked": yanked or True}),
        }
        for name, sha256, yanked in FILES
    ]
    return json.dumps({"meta": {"api-version": "1.3"}, "name": "uv", "files": files})


def html_page() -> str:
    def link(name: str, sha256: str, yanked: str | bool) -> str:
        told = "" if yanked is False else f' data-yanked="{yanked}"'
        return f'<a href="{HOST}/{name}#sha256={sha256}" data-requires-python="&gt;=3.8"{told}>{name}</a><br />'

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
FOUND = wheels(JSON, json_page())
LINUX_TAGS = [Tag("py3", "none", platform) for platform in LINUX.split(".")]


@pytest.mark.parametrize(("content_type", "page"), PAGES)
def test_every_wheel_is_read_and_nothing_else(content_type: str, page: str) -> None:
    found = wheels(content_type, page)
    expected = [(f"{HOST}/{name}", sha256) for name, sha256, _ in FILES if name.count("-") == 4]
    assert [(wheel.url, wheel.sha256) for wheel in found] == expected[:-1]
    assert found == FOUND


@pytest.mark.parametrize(("content_type", "page"), PAGES)
def test_a_wheel_is_yanked_with_a_reason_or_without(content_type: str, page: str) -> None:
    yanked = {str(wheel.version) for wheel in wheels(content_type, page) if wheel.yanked}
    assert yanked == {"0.5.22", "0.5.23"}


def test_a_wheel_has_all_the_tags_of_its_name() -> None:
    assert FOUND[0].tags == parse_tag(f"py3-none-{LINUX}")
    assert len(FOUND[0].tags) == 2


def test_a_yanked_of_false_is_not_yanked() -> None:
    file = {"filename": "uv-1.0.0-py3-none-any.whl", "url": HOST, "hashes": {"sha256": "0"}, "yanked": False}
    [wheel] = wheels(JSON, json.dumps({"files": [file]}))
    assert wheel.yanked is False


@pytest.mark.parametrize(
    ("content_type", "page"),
    [
        pytest.param("text/html", "<html><body>Sign in to use this network</body></html>", id="a captive portal"),
        pytest.param("text/html", "", id="nothing"),
        pytest.param("text/plain", "404 not found", id="text"),
        pytest.param("text/html", '<a href="https://x/uv-1.0.0-py3-none-any.whl">uv</a>', id="a link without a hash"),
        pytest.param(JSON, '{"files": []}', id="JSON without a file"),
        pytest.param(JSON, "<html></html>", id="HTML that says it is JSON"),
        pytest.param(JSON, '{"files": [{"filename": "uv-1.0.0.tar.gz"}]}', id="JSON with a source only"),
    ],
)
def test_a_page_without_a_wheel_is_an_error(content_type: str, page: str) -> None:
    with pytest.raises(ValueError, match=r"lists no wheel|Expecting value|not what PEP 691 says"):
        wheels(content_type, page)


def test_the_newest_is_neither_yanked_nor_a_pre_release() -> None:
    assert newest(FOUND) == "0.5.21"


def test_versions_are_numbers_and_not_text() -> None:
    versions = ("0.9.9", "0.10.0", "0.2.30")
    assert newest(replace(FOUND[0], version=Version(version)) for version in versions) == "0.10.0"


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
    assert pick(FOUND, release, tags).sha256 == sha256 * 32


def test_the_tags_may_come_one_by_one() -> None:
    wheel: Wheel = pick(FOUND, "0.5.21", iter(LINUX_TAGS))
    assert wheel.version == Version("0.5.21")


@pytest.mark.parametrize(
    ("release", "near"),
    [
        pytest.param("0.5.19", "0.5.20", id="below all of them"),
        pytest.param("9.0.0", "0.6.0rc1", id="above all of them"),
        pytest.param("0.5.24", "0.5.23 and 0.6.0rc1", id="between two"),
        pytest.param("0.5.21rc1", "0.5.20 and 0.5.21", id="a pre-release that is not there"),
    ],
)
def test_a_release_that_is_not_there_is_told_its_neighbours(release: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"no uv {release} on PyPI") as raised:
        pick(FOUND, release, LINUX_TAGS)
    assert raised.value.hint == f"The newest is 0.5.21, the nearest {near}."


def test_a_platform_without_a_wheel_is_told_so() -> None:
    with pytest.raises(CannotTell, match=r"uv 0\.5\.21 has no wheel for this platform"):
        pick(FOUND, "0.5.21", [Tag("py3", "none", "win_arm64"), Tag("py3", "none", "any")])
