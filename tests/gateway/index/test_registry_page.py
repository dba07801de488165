"""How each registry writes a page: its links, and what it tells beside them."""

import copy
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from uvmre.core.network.index import Index
from uvmre.core.network.registries import PROFILES
from uvmre.core.network.simple_page import Page
from uvmre.gateway.index.registry_page import MISSING_DIGEST, file_link, render_page, storage_url

DIGEST = "abc" + "0123456789def" + "4" * 48
NAME = "torch_x-2.0.0+cpu-cp311-cp311-linux_x86_64.whl"
ESCAPED = NAME.replace("+", "%2B")
PLACE = f"packages/aa/bb/{NAME}"
FILE: dict[str, Any] = {
    "filename": NAME,
    "url": f"https://files.pythonhosted.org/{PLACE}",
    "hashes": {"sha256": DIGEST},
    "core-metadata": {"sha256": "1" * 64},
    "dist-info-metadata": {"sha256": "1" * 64},
    "upload-time": "2024-01-01T00:00:00.000000Z",
    "requires-python": ">=3.8",
    "yanked": "broken",
    "size": 9,
}
PAGE = Page({"meta": {"api-version": "1.1"}, "name": "torch-x", "versions": ["2.0.0+cpu"], "files": [FILE]})

# personality, path of the index, the link, where that leads, and where the storage has it
LINKS = [
    ("pypi-proxy", "/simple", f"ORIGIN/files/{PLACE}", f"/files/{PLACE}", ""),
    (
        "artifactory",
        "/artifactory/api/pypi/a/simple",
        f"../../packages/{PLACE}",
        f"/artifactory/api/pypi/a/packages/{PLACE}",
        "",
    ),
    (
        "gitlab",
        "/api/v4/projects/1/packages/pypi/simple",
        f"ORIGIN/api/v4/projects/1/packages/pypi/files/{DIGEST}/{ESCAPED}",
        f"/api/v4/projects/1/packages/pypi/files/{DIGEST}/{ESCAPED}",
        f"https://gitlab-packages.s3.amazonaws.com/7/{DIGEST}/{ESCAPED}?X-Amz-Algorithm=AWS4-HMAC-SHA256",
    ),
    (
        "azure-artifacts",
        "/acme/_packaging/feed/pypi/simple",
        f"ORIGIN/acme/_packaging/feed/pypi/download/torch-x/2.0.0%2Bcpu/{ESCAPED}",
        f"/acme/_packaging/feed/pypi/download/torch-x/2.0.0%2Bcpu/{ESCAPED}",
        f"https://uvmre.vsblob.vsassets.io/7/{DIGEST}/{ESCAPED}?sv=2019-07-07&sig=uvmre",
    ),
    (
        "nexus",
        "/repository/pypi/simple",
        f"../../packages/torch-x/2.0.0%2Bcpu/{ESCAPED}",
        f"/repository/pypi/packages/torch-x/2.0.0%2Bcpu/{ESCAPED}",
        "",
    ),
    (
        "codeartifact",
        "/pypi/repo/simple",
        f"2.0.0%2Bcpu/{ESCAPED}",
        f"/pypi/repo/simple/torch-x/2.0.0%2Bcpu/{ESCAPED}",
        "",
    ),
    (
        "google-artifact-registry",
        "/acme/repo/simple",
        f"../../torch-x/{ESCAPED}",
        f"/acme/repo/torch-x/{ESCAPED}",
        f"/artifacts-downloads/namespaces/uvmre/repositories/7/downloads/{ESCAPED}",
    ),
    (
        "devpi",
        "/root/pypi/+simple",
        f"../../+f/abc/0123456789def/{ESCAPED}",
        f"/root/pypi/+f/abc/0123456789def/{ESCAPED}",
        "",
    ),
    ("pytorch", "/whl/cpu", f"/whl/cpu/{ESCAPED}", f"/whl/cpu/{ESCAPED}", ""),
    ("simple-no-range", "/simple", ESCAPED, f"/simple/torch-x/{ESCAPED}", ""),
    ("github-pages", "/index/simple", ESCAPED, f"/index/simple/torch-x/{ESCAPED}", ""),
]
ORIGIN = "https://registry.example.com"


def index(profile: str, path: str = "/a/simple") -> Index:
    return Index(f"{ORIGIN}{path}", profile)


def test_the_table_of_links_has_every_registry() -> None:
    assert [row[0] for row in LINKS] == list(PROFILES)


@pytest.mark.parametrize(("profile", "path", "expected", "leads_to", "stored"), LINKS, ids=[row[0] for row in LINKS])
@pytest.mark.parametrize("slash", ["", "/"], ids=["without a slash", "with one"])
def test_a_registry_writes_its_own_links(
    profile: str, path: str, expected: str, leads_to: str, stored: str, slash: str
) -> None:
    actual = file_link(FILE, index(profile, path + slash), ORIGIN)
    assert actual == expected.replace("ORIGIN", ORIGIN)
    assert urljoin(f"{ORIGIN}{path}/torch-x/", actual) == f"{ORIGIN}{leads_to}"
    assert storage_url(FILE, index(profile, path + slash), 7) == stored


@pytest.mark.parametrize("profile", PROFILES)
def test_a_link_is_of_the_host_that_was_requested(profile: str) -> None:
    actual = file_link(FILE, index(profile), "http://registry.example.com:8080")
    assert urlsplit(actual).netloc in ("", "registry.example.com:8080")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.31.0", "2.31"),
        ("1.0", "1"),
        ("2.0.0", "2"),
        ("10", "10"),
        ("1.10", "1.10"),
        ("1.0.1", "1.0.1"),
        ("1.0+cpu", "1.0%2Bcpu"),
        ("1.0rc1", "1.0rc1"),
        ("1!2.0", "1%212"),
    ],
)
def test_azure_shortens_a_version_in_a_link_but_not_in_the_name(version: str, expected: str) -> None:
    name = f"x-{version}-py3-none-any.whl"
    actual = file_link({**FILE, "filename": name}, index("azure-artifacts"), ORIGIN)
    assert actual.startswith(f"{ORIGIN}/a/download/x/{expected}/x-{version.partition('+')[0].partition('!')[0]}")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "file",
    [
        pytest.param({**FILE, "hashes": {}}, id="without a digest"),
        pytest.param({**FILE, "hashes": {"md5": "1"}}, id="with another digest"),
        pytest.param({**FILE, "filename": "of-no-kind.exe"}, id="of no kind that is known"),
        pytest.param({**FILE, "filename": "a{b}-1.0.zip"}, id="with braces"),
        pytest.param({"filename": NAME, "url": "https://elsewhere.example.com/y", "hashes": {}}, id="elsewhere"),
    ],
)
def test_every_file_has_a_link(profile: str, file: dict[str, Any]) -> None:
    [actual] = render_page(Page({"name": "x", "files": [file]}), index(profile), ORIGIN).files
    assert actual["url"]
    assert "{sha" not in actual["url"]
    assert " " not in actual["url"]


def test_a_digest_that_is_unknown_is_made_of_noughts() -> None:
    actual = file_link({**FILE, "hashes": {}}, index("gitlab"), ORIGIN)
    assert MISSING_DIGEST in actual


# What else than name, url and hashes each tells of a file.
ALL = {
    "core-metadata",
    "dist-info-metadata",
    "upload-time",
    "requires-python",
    "yanked",
    "size",
}
METADATA = {"core-metadata", "dist-info-metadata"}
TELLS = {
    "pypi-proxy": ALL,
    "artifactory": {"requires-python"},
    "gitlab": {"requires-python"},
    "azure-artifacts": {"requires-python"},
    "nexus": {"requires-python", "yanked"},
    "codeartifact": ALL - METADATA,
    "google-artifact-registry": {"requires-python", "yanked"},
    "devpi": {"requires-python", "yanked"},
    "pytorch": METADATA | {"upload-time", "size"},
    "simple-no-range": {"requires-python", "yanked"},
    "github-pages": {"requires-python", "yanked"},
}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_registry_tells_what_it_tells_and_no_more(profile: str) -> None:
    page = render_page(PAGE, index(profile), ORIGIN)
    [actual] = page.files
    assert actual.keys() - {"filename", "url", "hashes"} == TELLS[profile]
    assert {key: actual[key] for key in TELLS[profile]} == {key: FILE[key] for key in TELLS[profile]}
    assert actual["hashes"] == ({} if profile == "pytorch" else {"sha256": DIGEST})
    assert actual["filename"] == NAME
    assert page.data["name"] == "torch-x"
    assert ("versions" in page.data) is ("upload-time" in TELLS[profile])


def test_a_page_that_is_rendered_is_another_one() -> None:
    before = copy.deepcopy(PAGE)
    render_page(PAGE, index("pytorch"), ORIGIN)
    assert before == PAGE
