"""PyPI as an index of the MRE sees it: the cutoff date, and synthetic packages in front of it, beside it or instead of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.listeners import ALONE, FILES, HTML, JSON, SIMPLE, PyPI, file, through
from uvmre.core.network import simple_page
from uvmre.core.network.index import Index
from uvmre.core.network.simple_formats import parse_page
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.index.distributions import sdist, wheel
from uvmre.gateway.session import Gateway

DAY = date(2024, 6, 1)
OLD, LAST, NEW = "2024-01-01T00:00:00Z", "2024-06-01T23:59:59.999999Z", "2024-06-02T00:00:00Z"
# What PyPI has on the recording.
BODIES = {
    "six-1.0-py3-none-any.whl": b"old " * 100,
    "six-1.1-py3-none-any.whl": b"of the day itself",
    "six-2.0-py3-none-any.whl": b"new",
    "six-99.0-py3-none-any.whl": b"not the synthetic one",
}
UPLOADED = dict(zip(BODIES, (OLD, LAST, NEW, OLD), strict=True))
PACKAGES = (
    SyntheticPackage("six", "99.0", yanked="broken", uploaded=datetime(2024, 1, 1, tzinfo=UTC)),
    SyntheticPackage(
        "acme.pkg", "1.0+local", requires_python=">=3.8", wheel_tags=("py3-none-any", "cp311-abi3-linux_x86_64")
    ),
)
PRIVATE = "https://private.example.com/simple"
UP = f"{FILES}packages/synthetic"
ACME = "acme_pkg-1.0+local-py3-none-any.whl"


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("pypi")
    pypi = PyPI(folder, cache / "bodies")
    files = [file(name, body, UPLOADED[name], yanked=False) for name, body in BODIES.items()]
    pypi.project("six", files, ["1.0", "1.1", "2.0", "99.0"], **{"project-status": {"status": "active"}})
    pypi.project("undated", [file("undated-1.0.tar.gz", b"undated")])
    pypi.project("uv", [file("uv-9.0-py3-none-any.whl", b"uv", NEW)])
    for name in ("acme-pkg", "Acme.Pkg", "acme_pkg", "nothing"):
        pypi.missing(name)
    for name, body in {**BODIES, "undated-1.0.tar.gz": b"undated", "uv-9.0-py3-none-any.whl": b"uv"}.items():
        pypi.has(f"{FILES}packages/aa/bb/{name}", body)
        pypi.has(f"{FILES}packages/aa/bb/{name}.metadata", b"of " + body)
    pypi.has("http://allowed.example.com/a", b"allowed", "text/plain")
    pypi.has(f"{SIMPLE}/", b"<a href='half-a-million/'>", "text/html")
    return folder


CONFIGS = {
    "as it is": GatewayConfig(),
    "a day": GatewayConfig(DAY),
    "override": GatewayConfig(DAY, (Index(SIMPLE, synthetic="override", packages=PACKAGES),), ("allowed.example.com",)),
    "merge": GatewayConfig(DAY, (Index(SIMPLE, synthetic="merge", packages=PACKAGES),), ("allowed.example.com",)),
    "replace": GatewayConfig(DAY, (Index(SIMPLE, synthetic="replace", packages=PACKAGES),), ("allowed.example.com",)),
    "nothing instead": GatewayConfig(DAY, (Index(SIMPLE, synthetic="replace"),)),
    "private, override": GatewayConfig(None, (Index(PRIVATE, packages=PACKAGES),)),
    "private, beside": GatewayConfig(None, (Index(PRIVATE, synthetic="merge", packages=PACKAGES),)),
    "two": GatewayConfig(
        None,
        (
            Index(SIMPLE, packages=(SyntheticPackage("x", "1.0", description="The one"),)),
            Index(PRIVATE, packages=(SyntheticPackage("x", "1.0", description="The other"),)),
        ),
    ),
}


@pytest.fixture(scope="module")
def gateways(replayed: Path, cache: Path) -> Iterator[dict[str, Gateway]]:
    """Start a gateway of each world when it is first asked for."""
    started: dict[str, Gateway] = {}

    class Started(dict[str, Gateway]):
        def __missing__(self, name: str) -> Gateway:
            started[name] = self[name] = Gateway(cache, replayed, "replay", CONFIGS[name]).__enter__()
            return self[name]

    yield Started()
    for gateway in started.values():
        gateway.__exit__()


Gateways = dict[str, Gateway]


def actual(answer: httpx.Response) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200
    return {file["filename"]: file for file in answer.json()["files"]}


def names(gateway: Gateway, project: str = "six", index: str = SIMPLE) -> set[str]:
    with through(gateway) as (client, _):
        return set(actual(client.get(f"{index}/{project}/", headers=JSON)))


SIX_PACKAGES = {"six-99.0-py3-none-any.whl", "six-99.0.tar.gz"}
SIX_THEN = set(BODIES) - {"six-2.0-py3-none-any.whl"}


@pytest.mark.parametrize(
    ("config", "index", "expected"),
    [
        pytest.param("as it is", SIMPLE, set(BODIES), id="PyPI as it is"),
        pytest.param("a day", SIMPLE, SIX_THEN, id="up to the end of a day"),
        pytest.param("override", SIMPLE, SIX_PACKAGES, id="a synthetic project hides PyPI's"),
        pytest.param("merge", SIMPLE, SIX_PACKAGES | SIX_THEN, id="a synthetic project is merged with PyPI's"),
        pytest.param("replace", SIMPLE, SIX_PACKAGES, id="there is no PyPI"),
        pytest.param("private, override", PRIVATE, SIX_PACKAGES, id="of another index, in front"),
        pytest.param("private, beside", PRIVATE, SIX_PACKAGES | set(BODIES), id="of another index, beside"),
        pytest.param("private, beside", SIMPLE, set(BODIES), id="of another index, PyPI itself has none"),
        pytest.param(
            "override", "https://pypi-proxy.fly.dev/simple", SIX_PACKAGES, id="the public test index is PyPI's"
        ),
    ],
)
def test_which_files_a_page_has(gateways: Gateways, config: str, index: str, expected: set[str]) -> None:
    assert names(gateways[config], index=index) == expected


@pytest.mark.parametrize(
    ("config", "project", "status"),
    [
        pytest.param("override", "acme-pkg", 200, id="synthetic, in front"),
        pytest.param("merge", "acme-pkg", 200, id="synthetic, beside"),
        pytest.param("replace", "acme-pkg", 200, id="synthetic, instead"),
        pytest.param("replace", "Acme.Pkg", 200, id="synthetic, in another spelling"),
        pytest.param("merge", "acme_pkg", 200, id="synthetic, in another spelling, beside"),
        pytest.param("override", "undated", 200, id="PyPI's, in front"),
        pytest.param("merge", "undated", 200, id="PyPI's, beside"),
        pytest.param("replace", "undated", 404, id="PyPI's, instead"),
        pytest.param("nothing instead", "undated", 404, id="PyPI's, and nothing instead"),
        pytest.param("as it is", "acme-pkg", 404, id="not synthetic here"),
        pytest.param("a day", "nothing", 404, id="nobody's, on a day"),
        pytest.param("merge", "nothing", 404, id="nobody's, beside"),
        pytest.param("merge", "not-recorded", 504, id="nobody knows"),
        pytest.param("replace", "not-recorded", 404, id="nobody is asked"),
    ],
)
def test_which_projects_there_are(gateways: Gateways, config: str, project: str, status: int) -> None:
    with through(gateways[config]) as (client, listener):
        assert {client.get(f"{SIMPLE}/{project}/", headers=form).status_code for form in (JSON, HTML)} == {status}
    by = {200: {"upstream", "stand-in"}, 404: {"upstream", "stand-in"}, 504: {"unreachable"}}[status]
    assert {request.answered_by for request in listener.requests} <= by


@pytest.mark.parametrize(
    ("config", "project", "expected"),
    [
        pytest.param("as it is", "six", ["1.0", "1.1", "2.0", "99.0"], id="PyPI's"),
        pytest.param("a day", "six", ["1.0", "1.1", "99.0"], id="those of the day"),
        pytest.param("override", "six", ["99.0"], id="override"),
        pytest.param("merge", "six", ["99.0", "1.0", "1.1"], id="beside, each once"),
        pytest.param("replace", "acme-pkg", ["1.0+local"], id="replace"),
        pytest.param("merge", "undated", None, id="where PyPI tells none"),
    ],
)
def test_which_versions_a_page_tells(gateways: Gateways, config: str, project: str, expected: list[str] | None) -> None:
    with through(gateways[config]) as (client, _):
        assert client.get(f"{SIMPLE}/{project}/", headers=JSON).json().get("versions") == expected


def test_of_two_files_of_one_name_the_synthetic_one_is_reported(gateways: Gateways) -> None:
    name = "six-99.0-py3-none-any.whl"
    with through(gateways["merge"]) as (client, _):
        page = client.get(f"{SIMPLE}/six/", headers=JSON)
        files = [entry for entry in page.json()["files"] if entry["filename"] == name]
        assert len(files) == 1
        content = client.get(files[0]["url"]).content
    assert content == wheel(PACKAGES[0], "py3-none-any")
    assert files[0]["hashes"] == {"sha256": sha256(content).hexdigest()}
    assert page.json()["project-status"] == {"status": "active"}, "what else PyPI tells stays"


def test_what_is_reported_of_a_synthetic_file(gateways: Gateways) -> None:
    with through(gateways["replace"]) as (client, _):
        six = actual(client.get(f"{SIMPLE}/six/", headers=JSON))["six-99.0-py3-none-any.whl"]
        acme = actual(client.get(f"{SIMPLE}/acme-pkg/", headers=JSON))
        assert (six["yanked"], six["upload-time"]) == ("broken", "2024-01-01T00:00:00.000000Z")
        assert acme.keys() == {ACME, "acme_pkg-1.0+local-cp311-abi3-linux_x86_64.whl", "acme_pkg-1.0+local.tar.gz"}
        assert {entry["requires-python"] for entry in acme.values()} == {">=3.8"}
        assert not any("upload-time" in entry for entry in acme.values())
        assert ["core-metadata" in entry for entry in acme.values()] == [True, True, False]
        for entry in acme.values():
            content = client.get(entry["url"]).content
            assert (entry["size"], entry["hashes"]["sha256"]) == (len(content), sha256(content).hexdigest())
            metadata = client.get(f"{entry['url']}.metadata")
            if known := entry.get("core-metadata"):
                assert known == {"sha256": sha256(metadata.content).hexdigest()}
            else:
                assert metadata.status_code == 404


def test_html_tells_the_same_as_json(gateways: Gateways) -> None:
    with through(gateways["merge"]) as (client, _):
        answers = [client.get(f"{SIMPLE}/six/", headers=form) for form in (HTML, JSON)]
    html, js = (parse_page(a.headers["content-type"], a.text, str(a.url)).files for a in answers)
    for one, other in zip(html, js, strict=True):
        for key in ("filename", "url", "hashes", "core-metadata", "requires-python"):
            assert one.get(key) == other.get(key), key
        assert one.get("yanked", False) == other.get("yanked", False)


def test_a_synthetic_file_that_came_later_is_not_there_on_that_day(cache: Path, tmp_path: Path) -> None:
    times = {"1.0": datetime(2024, 5, 31, 23, tzinfo=UTC), "2.0": datetime(2024, 6, 2, tzinfo=UTC), "3.0": None}
    packages = tuple(SyntheticPackage("x", version, sdist=False, uploaded=came) for version, came in times.items())
    config = GatewayConfig(date(2024, 6, 1), (Index(SIMPLE, synthetic="replace", packages=packages),))
    with Gateway(cache, tmp_path, "replay", config) as gateway, through(gateway) as (client, _):
        actual = parse_page(JSON["accept"], client.get(f"{SIMPLE}/x/", headers=JSON).text, SIMPLE).files
        assert {file["filename"] for file in actual} == {"x-1.0-py3-none-any.whl", "x-3.0-py3-none-any.whl"}
        statuses = [client.get(f"{UP}/0/x-{version}-py3-none-any.whl").status_code for version in times]
    assert statuses == [200, 404, 200]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("six-1.0-py3-none-any.whl", 200),
        ("six-1.1-py3-none-any.whl", 200),
        ("six-2.0-py3-none-any.whl", 404),
        ("six-2.0-py3-none-any.whl.metadata", 404),
        ("six-1.0-py3-none-any.whl.metadata", 200),
        ("undated-1.0.tar.gz", 200),
        ("uv-9.0-py3-none-any.whl", 200),
    ],
)
def test_a_file_that_came_later_is_not_there(gateways: Gateways, name: str, status: int) -> None:
    with through(gateways["a day"]) as (client, listener):
        answer = client.get(f"{FILES}packages/aa/bb/{name}")
        assert answer.status_code == status
        assert client.head(f"{FILES}packages/aa/bb/{name}").status_code == status
    if status == 404:
        assert "it was uploaded on 2024-06-02, after 2024-06-01" in answer.text
        assert listener.requests[0].reason == "it was uploaded on 2024-06-02, after 2024-06-01"
    with through(gateways["as it is"]) as (client, _):
        assert client.get(f"{FILES}packages/aa/bb/{name}").status_code == 200


def test_a_file_without_an_upload_time_is_kept_and_reported(gateways: Gateways) -> None:
    assert names(gateways["a day"], "undated") == {"undated-1.0.tar.gz"}
    with through(gateways["a day"]) as (client, listener):
        client.get(f"{SIMPLE}/undated/")
    assert [request.reason for request in listener.requests] == ["1 files without an upload time are kept"]


def test_uv_itself_is_not_subject_to_the_cutoff_date(gateways: Gateways) -> None:
    assert names(gateways["a day"], "uv") == {"uv-9.0-py3-none-any.whl"}
    with through(gateways["a day"]) as (client, listener):
        client.get(f"{SIMPLE}/uv/")
        client.get(f"{SIMPLE}/six/")
    notes = ["files after the cutoff date are kept: the release of uv decides which uv it needs", ""]
    assert [request.reason for request in listener.requests] == notes


@pytest.mark.parametrize("config", ["as it is", "a day", "override", "merge"])
def test_files_of_pypi_come_in_parts(gateways: Gateways, config: str) -> None:
    url, body = f"{FILES}packages/aa/bb/six-1.0-py3-none-any.whl", BODIES["six-1.0-py3-none-any.whl"]
    check_parts(gateways[config], url, body)


@pytest.mark.parametrize("name", [ACME, "acme_pkg-1.0%2Blocal-py3-none-any.whl", "acme_pkg-1.0%2blocal.tar.gz"])
@pytest.mark.parametrize("config", ["override", "merge", "replace", "private, override"])
def test_synthetic_files_come_in_parts(gateways: Gateways, config: str, name: str) -> None:
    body = sdist(PACKAGES[1]) if name.endswith(".tar.gz") else wheel(PACKAGES[1], "py3-none-any")
    check_parts(gateways[config], f"{UP}/0/{name}", body)


def check_parts(gateway: Gateway, url: str, body: bytes) -> None:
    with through(gateway) as (client, listener):
        assert client.get(url).content == body
        head = client.head(url)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(body)), b"")
        for span, start, stop in (("0-9", 0, 10), ("5-", 5, len(body)), ("-7", len(body) - 7, len(body))):
            answer = client.get(url, headers={"range": f"bytes={span}"})
            assert (answer.status_code, answer.content) == (206, body[start:stop])
            assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(body)}"
        beyond = client.get(url, headers={"range": f"bytes={len(body)}-"})
        assert (beyond.status_code, beyond.content) == (416, b"")
        assert beyond.headers["content-range"] == f"bytes */{len(body)}"
        assert client.get(url, headers={"range": "bytes=x"}).content == body
    assert not {request.answered_by for request in listener.requests} - {"upstream", "stand-in"}


@pytest.mark.parametrize("config", ["override", "merge", "replace"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("acme_pkg-1.0+local.tar.gz.metadata", id="the metadata of an sdist"),
        pytest.param("acme_pkg-2.0-py3-none-any.whl", id="another version"),
        pytest.param("nothing-1.0-py3-none-any.whl", id="another project"),
        pytest.param("", id="no name"),
    ],
)
def test_a_synthetic_file_that_is_not_there_is_404(gateways: Gateways, config: str, name: str) -> None:
    with through(gateways[config]) as (client, listener):
        assert client.get(f"{UP}/0/{name}").status_code == 404
    assert [request.answered_by for request in listener.requests] == ["stand-in"]


@pytest.mark.parametrize("config", ["override", "merge", "replace"])
def test_an_allowed_host_is_not_part_of_the_synthetic_index(gateways: Gateways, config: str) -> None:
    with through(gateways[config]) as (client, _):
        assert client.get("http://allowed.example.com/a").text == "allowed"
        assert client.get("http://other.example.com/a").status_code == 403


def test_files_of_pypi_are_not_there_instead(gateways: Gateways) -> None:
    with through(gateways["replace"]) as (client, listener):
        assert client.get(f"{FILES}packages/aa/bb/six-1.0-py3-none-any.whl").status_code == 404
        assert client.get("https://pypi.org/pypi/six/json").status_code == 404
    assert {request.answered_by for request in listener.requests} == {"stand-in"}


@pytest.mark.parametrize("config", ["replace", "nothing instead"])
@pytest.mark.parametrize("path", ["", "/"])
def test_the_list_of_projects_is_of_the_synthetic_ones(gateways: Gateways, config: str, path: str) -> None:
    with through(gateways[config]) as (client, _):
        html = client.get(f"{SIMPLE}{path}", headers=HTML)
        listed = client.get(f"{SIMPLE}{path}", headers=JSON).json()["projects"]
    expected = ["six", "acme-pkg"] if config == "replace" else []
    assert [project["name"] for project in listed] == expected
    assert html.headers["content-type"] == "text/html"
    assert html.text.count("<a ") == len(expected)


def test_the_list_of_projects_in_front_of_pypi_is_pypis(gateways: Gateways) -> None:
    with through(gateways["override"]) as (client, _):
        assert "half-a-million" in client.get(f"{SIMPLE}/").text


def test_two_indexes_with_one_file_name_give_each_its_own(gateways: Gateways) -> None:
    name = "x-1.0-py3-none-any.whl"
    with through(gateways["two"]) as (client, _):
        urls = [actual(client.get(f"{index}/x/", headers=JSON))[name]["url"] for index in (SIMPLE, PRIVATE)]
        found = [client.get(url).content for url in urls]
        digests = [actual(client.get(f"{i}/x/", headers=JSON))[name]["hashes"]["sha256"] for i in (SIMPLE, PRIVATE)]
    assert urls == [f"{UP}/0/{name}", f"https://private.example.com/files/packages/synthetic/1/{name}"]
    assert [b"The one" in found[0], b"The other" in found[1]] == [True, True]
    assert digests == [sha256(content).hexdigest() for content in found]


def test_a_page_has_a_tag_of_its_own(gateways: Gateways) -> None:
    with through(gateways["merge"]) as (client, listener):
        tags = [client.get(f"{SIMPLE}/six/", headers=form).headers["etag"] for form in (JSON, HTML)]
        again = client.get(f"{SIMPLE}/six/", headers={**JSON, "if-none-match": tags[0]})
        other = client.get(f"{SIMPLE}/six/", headers={**JSON, "if-none-match": tags[1]})
    assert len({*tags, '"of-pypi"'}) == 3
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)
    assert [request.status for request in listener.requests] == [200, 200, 304, 200]


def test_head_of_a_page_is_of_the_page(gateways: Gateways) -> None:
    with through(gateways["merge"]) as (client, _):
        for form in (JSON, HTML):
            head, page = (client.request(method, f"{SIMPLE}/six/", headers=form) for method in ("HEAD", "GET"))
            assert (head.status_code, head.content) == (200, b"")
            for name in ("content-type", "cache-control"):
                assert head.headers[name] == page.headers[name]
            assert head.headers["etag"].removeprefix("W/") == page.headers["etag"].removeprefix("W/")


def test_what_was_answered_is_reported_as_replayed_or_synthetic(gateways: Gateways) -> None:
    def requested(config: str, *urls: str) -> list[tuple[str, bool]]:
        with through(gateways[config]) as (client, listener):
            for url in urls:
                client.get(url)
        return [(request.answered_by, request.replayed) for request in listener.requests]

    six = f"{FILES}packages/aa/bb/six-1.0-py3-none-any.whl"
    assert requested("a day", f"{SIMPLE}/six/", six) == [("upstream", True)] * 2
    assert requested("replace", f"{SIMPLE}/six/", f"{UP}/0/{ACME}", f"{SIMPLE}/") == [("stand-in", False)] * 3
    assert requested("merge", f"{SIMPLE}/six/") == [("upstream", True)]


def test_a_query_changes_nothing(gateways: Gateways) -> None:
    with through(gateways["replace"]) as (client, _):
        for url in (f"{SIMPLE}/six/", f"{SIMPLE}/", f"{UP}/0/{ACME}"):
            assert client.get(f"{url}?a=b").content == client.get(url).content


def test_a_page_that_cannot_be_read_is_passed_on_and_reported(cache: Path, tmp_path: Path) -> None:
    pypi = PyPI(tmp_path / "recording", cache / "bodies")
    pypi.has(f"{SIMPLE}/odd/", b'{"files": 1}', simple_page.JSON, accept=simple_page.ACCEPT)
    with (
        Gateway(cache, tmp_path / "recording", "replay", GatewayConfig(DAY)) as gateway,
        through(gateway) as (client, listener),
    ):
        answer = client.get(f"{SIMPLE}/odd/", headers=JSON)
        assert (answer.status_code, answer.text) == (200, '{"files": 1}')
    assert "the page is invalid" in listener.requests[0].reason


def test_a_file_of_the_folder_is_served_as_it_is(cache: Path, tmp_path: Path) -> None:
    whole = wheel(SyntheticPackage("x", "1.0", requires_python=">=3.9"), "py3-none-any")
    files = {"dist/x-1.0-py3-none-any.whl": whole, "dist/x-2.0-py3-none-any.whl": b"broken"}
    created = tuple(SyntheticPackage("x", path.split("-")[1], file=path) for path in files)
    config = GatewayConfig(indexes=(Index(SIMPLE, synthetic="replace", packages=created),), files=files)
    with Gateway(cache, tmp_path / "recording", "replay", config) as gateway, through(gateway) as (client, _):
        page = actual(client.get(f"{SIMPLE}/x/", headers=JSON))
        bodies = [client.get(entry["url"]).content for entry in page.values()]
        metadata = [client.get(f"{entry['url']}.metadata").status_code for entry in page.values()]
    assert bodies == [whole, b"broken"]
    assert [entry.get("requires-python") for entry in page.values()] == [">=3.9", None]
    assert ["core-metadata" in entry for entry in page.values()] == [True, False]
    assert metadata == [200, 404]


def test_the_bytes_are_the_same_in_every_gateway(cache: Path, tmp_path: Path) -> None:
    bodies = set()
    for folder in ("one", "other"):
        with Gateway(cache, tmp_path / folder, "replay", ALONE) as gateway, through(gateway) as (client, _):
            bodies.add((client.get(f"{SIMPLE}/x/", headers=JSON).content, client.get(f"{UP}/0/x-1.0.tar.gz").content))
    assert len(bodies) == 1


def test_requests_at_once_are_all_answered(gateways: Gateways) -> None:
    with through(gateways["merge"]) as (client, listener), ThreadPoolExecutor(10) as pool:
        urls = [f"{SIMPLE}/six/", f"{SIMPLE}/acme-pkg/", f"{UP}/0/{ACME}"] * 20
        assert list(pool.map(lambda url: client.get(url).status_code, urls)) == [200] * 60
        assert len(listener.requests) == 60
