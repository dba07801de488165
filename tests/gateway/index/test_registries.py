"""Each registry as a client meets it, through a real listener, with synthetic packages: what its table says is what it does."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gateway.listeners import HTML, JSON, X, through
from uvmre.core.network import simple_page
from uvmre.core.network.index import Index
from uvmre.core.network.registries import PROFILES, RegistryProfile
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.index.pypi_proxy import basic_auth
from uvmre.gateway.session import Gateway, Listener
from uvmre.releases import binaries

USERNAMES = {"codeartifact": "aws", "google-artifact-registry": "oauth2accesstoken"}
PACKAGES = (
    SyntheticPackage("x", "1.0", requires_python=">=3.7", uploaded=datetime(2024, 1, 2, tzinfo=UTC)),
    SyntheticPackage("x", "0.9", yanked="broken"),
    SyntheticPackage("x", "2.0+cpu", sdist=False, requires_python=">=3.99"),
)
URLS = {
    "pypi-proxy": "https://private.example.com/simple",
    "artifactory": "https://acme.jfrog.io/artifactory/api/pypi/acme-pypi/simple",
    "gitlab": "https://gitlab.example.com/api/v4/projects/42/packages/pypi/simple",
    "azure-artifacts": "https://pkgs.dev.azure.com/acme/proj/_packaging/feed/pypi/simple/",
    "nexus": "https://nexus.example.com/repository/pypi-group/simple",
    "codeartifact": "https://acme-123456789012.d.codeartifact.eu-central-1.amazonaws.com/pypi/repo/simple/",
    "google-artifact-registry": "https://europe-west1-python.pkg.dev/acme/repo/simple/",
    "devpi": "http://devpi.example.com/root/pypi/+simple/",
    "pytorch": "https://download.pytorch.org/whl/cpu",
    "simple-no-range": "http://files.example.com/simple/",
    "github-pages": "https://acme.github.io/index/simple/",
}
LOCKED = [
    Index(url, profile, "" if profile in USERNAMES else "someone", "secret", "replace", packages=PACKAGES)
    for profile, url in URLS.items()
]


JSONS = [index for index in LOCKED if index.registry in ("pypi-proxy", "codeartifact", "devpi")]


@pytest.fixture(scope="module")
def gateway(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(
        cache, tmp_path_factory.mktemp("recording"), "replay", GatewayConfig(indexes=tuple(LOCKED))
    ) as gateway:
        yield gateway


class Registry:
    """One of them, with a client that has the right credentials unless it is told otherwise."""

    def __init__(self, index: Index, client: httpx.Client, listener: Listener) -> None:
        self.name, self.index, self.client, self.listener = index.registry, index, client, listener
        self.root = index.url.rstrip("/")
        self.right = (index.username or USERNAMES.get(self.name, ""), index.password)

    @property
    def table(self) -> RegistryProfile:
        return PROFILES[self.name]

    def ask(self, url: str, method: str = "GET", /, **options: Any) -> httpx.Response:
        """Ask for an address, which may be one below the index."""
        whole = url if "://" in url else f"{self.root}/{url}"
        return self.client.request(method, whole, **({"auth": self.right} | options))

    def links(self, project: str = "x") -> dict[str, str]:
        """Return the address of each file of a page."""
        answer = self.ask(f"{project}/", headers=HTML)
        assert answer.status_code == 200
        found = re.findall(r'<a href="([^"#]+)[^>]*>([^<]+)</a>', answer.text)
        return {name: str(answer.url.join(href.replace("&amp;", "&"))) for href, name in found}

    def file(self, url: str, method: str = "GET", /, **headers: str) -> httpx.Response:
        """Ask for a file, and where the registry sends elsewhere, there: as uv does, with credentials for the first only."""
        answer = self.ask(url, method, headers=headers)
        if answer.status_code in (302, 303):
            answer = self.ask(str(answer.url.join(answer.headers["location"])), method, headers=headers, auth=None)
        return answer


@pytest.fixture(params=LOCKED, ids=lambda index: index.registry)
def registry(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Registry]:
    with through(gateway) as (client, listener):
        yield Registry(request.param, client, listener)


WHEEL = "x-1.0-py3-none-any.whl"
LOCAL = "x-2.0+cpu-py3-none-any.whl"


def test_the_configs_of_this_file_are_all_there_are() -> None:
    assert list(URLS) == list(PROFILES)


def test_without_credentials_it_answers_with_its_challenges(registry: Registry) -> None:
    for path in ("x/", "", "no-such-project/"):
        answer = registry.ask(path, auth=None)
        assert answer.status_code == registry.table.denied == 401
        assert tuple(answer.headers.get_list("www-authenticate")) == registry.table.challenges
    assert [(r.status, r.credentials, r.answered_by) for r in registry.listener.requests] == [
        (401, False, "stand-in")
    ] * 3


CHALLENGES = {
    "artifactory": ['Basic realm="Artifactory Realm"'],
    "gitlab": ['Basic realm="GitLab Packages Registry"'],
    "azure-artifacts": [
        "Bearer authorization_uri=https://login.windows.net/00000000-0000-0000-0000-000000000000",
        'Basic realm="https://pkgsprodcus1.pkgs.visualstudio.com/"',
        "TFS-Federated",
    ],
    "nexus": ['BASIC realm="Sonatype Nexus Repository Manager"'],
    "codeartifact": ["Bearer"],
    "devpi": ['Basic realm="pypi"'],
    "pypi-proxy": ['Basic realm="authenticated"'],
}


def test_its_challenges_are_those_that_were_observed(registry: Registry) -> None:
    assert registry.ask("x/", auth=None).headers.get_list("www-authenticate") == CHALLENGES.get(registry.name, [])


@pytest.mark.parametrize(
    ("username", "password", "opens"),
    [
        pytest.param("RIGHT", "secret", True, id="the right ones"),
        pytest.param("RIGHT", "wrong", False, id="a wrong password"),
        pytest.param("RIGHT", "", False, id="no password"),
        pytest.param("other", "secret", None, id="another name"),
        pytest.param("", "secret", None, id="no name"),
        pytest.param("secret", "", False, id="the token as a name"),
        pytest.param("other", "wrong", False, id="all wrong"),
    ],
)
def test_what_opens_it(registry: Registry, username: str, password: str, opens: bool | None) -> None:
    given = (registry.right[0] if username == "RIGHT" else username, password)
    expected = registry.table.any_username if opens is None else opens
    assert registry.ask("x/", auth=given).status_code == (200 if expected else registry.table.wrong)


def test_only_azure_takes_any_name() -> None:
    assert [name for name, table in PROFILES.items() if table.any_username] == ["azure-artifacts"]


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ???", "Basic c2VjcmV0", "Bearer secret", "Digest x", "Basic w6k6_w=="],
)
def test_other_headers_do_not_open_it(registry: Registry, header: str) -> None:
    assert registry.ask("x/", auth=None, headers={"authorization": header}).status_code == registry.table.wrong


def test_the_scheme_may_be_in_any_case(registry: Registry) -> None:
    header = basic_auth(*registry.right)
    for form in (header, header.replace("Basic", "basic"), header.replace("Basic", "BASIC")):
        assert registry.ask("x/", auth=None, headers={"authorization": form}).status_code == 200


def test_a_file_is_behind_the_password_too(registry: Registry) -> None:
    url = registry.links()[WHEEL]
    assert registry.ask(url, auth=None).status_code == 401
    assert registry.ask(url, auth=("RIGHT", "wrong")).status_code == 401
    assert registry.file(url).status_code == 200


def test_a_project_that_is_not_there(registry: Registry) -> None:
    answer = registry.ask("no-such-project/", headers=HTML)
    actual = (answer.status_code, answer.headers.get("location"))
    if registry.name == "gitlab":
        assert actual == (302, "https://pypi.org/simple/no-such-project/")
    elif registry.name == "nexus":
        assert actual == (200, None)
        assert "<a " not in answer.text
        assert "no-such-project" in answer.text
    else:
        assert actual == (403 if registry.name == "pytorch" else 404, None)
    assert registry.listener.requests[-1].answered_by == "stand-in"


def test_a_file_that_is_not_there(registry: Registry) -> None:
    url = registry.links()[WHEEL]
    for other in (url.replace("x-1.0", "x-7.0"), url.replace("x-1.0", "y-1.0"), url.replace(WHEEL, "x.zip")):
        assert registry.ask(other).status_code == (403 if registry.name == "pytorch" else 404)


def test_what_a_page_says_of_its_form(registry: Registry) -> None:
    page = registry.ask("x/", headers=HTML)
    assert page.headers["content-type"] == registry.table.form
    assert page.text.startswith("<!DOCTYPE html>")
    for accept in (simple_page.ACCEPT, simple_page.JSON, "application/vnd.pypi.simple.latest+json"):
        page = registry.ask("x/", headers={"accept": accept})
        assert (page.headers["content-type"] == simple_page.JSON) is registry.table.json
        assert page.text.startswith("{") is registry.table.json
    assert registry.table.json is (registry.name in ("pypi-proxy", "codeartifact", "devpi"))


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/vnd.pypi.simple.v1+html"])
def test_who_does_not_ask_for_json_gets_html(registry: Registry, accept: str) -> None:
    page = registry.ask("x/", headers={"accept": accept})
    assert page.headers["content-type"] == registry.table.form


def anchors(registry: Registry) -> dict[str, str]:
    """Return the whole tag of each link."""
    page = registry.ask("x/", headers=HTML).text
    return {name: tag for tag, name in re.findall(r"(<a [^>]*>)([^<]*)</a>", page)}


FILES = {
    WHEEL: True,
    "x-1.0.tar.gz": False,
    "x-0.9-py3-none-any.whl": True,
    "x-0.9.tar.gz": False,
    LOCAL: True,
}


def test_what_a_page_tells_of_its_files(registry: Registry) -> None:
    found, table = anchors(registry), registry.table
    assert found.keys() == FILES.keys()
    for name, is_wheel in FILES.items():
        tag = found[name]
        assert ("#sha256=" in tag) is table.hashes
        assert ("data-core-metadata" in tag) is ("data-dist-info-metadata" in tag) is (table.metadata and is_wheel)
        assert ('data-yanked="broken"' in tag) is (table.yanked and "-0.9" in name)
        assert ("data-requires-python" in tag) is (table.requires_python and "-0.9" not in name)
        assert ("data-upload-time" in tag) is (table.uploaded_in_html and "-1.0" in name)
        assert (table.attributes in tag) if table.attributes else "rel=" not in tag
    if table.requires_python:
        assert 'data-requires-python="&gt;=3.7"' in found[WHEEL]


@pytest.mark.parametrize("registry", JSONS, ids=lambda index: index.registry, indirect=True)
def test_what_json_tells_of_its_files(registry: Registry) -> None:
    page, table = registry.ask("x/", headers=JSON).json(), registry.table
    files = {file["filename"]: file for file in page["files"]}
    assert files.keys() == FILES.keys()
    assert ("versions" in page) is table.uploaded
    assert files[WHEEL].get("upload-time") == ("2024-01-02T00:00:00.000000Z" if table.uploaded else None)
    assert ("core-metadata" in files[WHEEL]) is table.metadata
    assert files["x-0.9.tar.gz"].get("yanked") == "broken"
    assert files[WHEEL]["requires-python"] == ">=3.7"
    assert all(file["hashes"].keys() == {"sha256"} for file in files.values())


def test_every_link_leads_to_its_file(registry: Registry) -> None:
    tags = anchors(registry)
    for name, url in registry.links().items():
        answer = registry.file(url)
        assert answer.status_code == 200
        assert answer.content
        if registry.table.hashes:
            assert f"#sha256={sha256(answer.content).hexdigest()}" in tags[name]
    assert all(request.answered_by == "stand-in" for request in registry.listener.requests)


def test_a_plus_in_a_name_may_come_in_any_spelling(registry: Registry) -> None:
    url = registry.links()[LOCAL]
    escaped = url.replace("+cpu-", "%2Bcpu-")
    bodies = {registry.file(form).content for form in (url, escaped, escaped.replace("%2Bcpu-", "%2bcpu-"))}
    bodies.add(registry.file(escaped.replace("%2Bcpu-", "+cpu-")).content)
    assert len(bodies) == 1


@pytest.mark.parametrize("spelling", ["X", "x"])
def test_a_project_may_come_in_any_spelling(registry: Registry, spelling: str) -> None:
    assert registry.ask(f"{spelling}/", headers=HTML).text.count("<a ") == len(FILES)


def test_metadata_is_there_where_the_page_tells_of_it(registry: Registry) -> None:
    answer = registry.ask(f"{registry.links()[WHEEL]}.metadata")
    if registry.table.metadata:
        assert answer.status_code == 200
        assert "\nRequires-Python: >=3.7\n" in answer.text
    else:
        assert answer.status_code == registry.table.missing


def test_a_page_without_its_last_slash(registry: Registry) -> None:
    answer = registry.ask("x")
    expected = {"artifactory": 302, "simple-no-range": 301, "github-pages": 301}.get(registry.name, 200)
    assert (answer.status_code, registry.table.slash) == (expected, expected if expected != 200 else 0)
    if expected != 200:
        there = str(answer.url.join(answer.headers["location"]))
        assert there == f"{registry.root}/x/"
        assert registry.ask(there).status_code == 200


STORAGES = {
    "gitlab": (302, "https://gitlab-packages.s3.amazonaws.com/"),
    "azure-artifacts": (303, "https://uvmre.vsblob.vsassets.io/"),
    "google-artifact-registry": (302, "/artifacts-downloads/"),
}


def test_a_file_may_lie_at_a_storage(registry: Registry) -> None:
    url = registry.links()[WHEEL]
    answer = registry.ask(url)
    assert (answer.status_code in (302, 303)) is (registry.name in STORAGES) is bool(registry.table.storage)
    if registry.name not in STORAGES:
        assert answer.status_code == 200
        return
    status, begins = STORAGES[registry.name]
    assert answer.status_code == status
    assert answer.headers["location"].startswith(begins)
    there = str(answer.url.join(answer.headers["location"]))
    stored = registry.ask(there, auth=None)
    assert (stored.status_code, stored.content[:2]) == (200, b"PK")
    refused = registry.ask(there)
    if registry.name == "gitlab":
        assert refused.status_code == 400
        assert "Only one auth mechanism allowed" in refused.text
    else:
        assert refused.content == stored.content
    missing = registry.ask(there.replace("x-1.0", "x-7.0"), auth=None)
    assert missing.status_code == registry.table.missing


def test_head_of_a_file(registry: Registry) -> None:
    url = registry.links()[WHEEL]
    whole = registry.file(url)
    if registry.name == "azure-artifacts":
        assert registry.ask(url, "HEAD").status_code == 405
        return
    answer = registry.file(url, "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(whole.content))
    assert answer.headers.get("accept-ranges") == ("bytes" if registry.table.says_ranges else None)


def test_head_of_a_page(registry: Registry) -> None:
    answer = registry.ask("x/", "HEAD", headers=HTML)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == registry.table.form


WHOLES = ("artifactory", "devpi", "simple-no-range")
SILENT = ("nexus", "google-artifact-registry", "devpi", "simple-no-range")


def test_a_part_of_a_file(registry: Registry) -> None:
    url = registry.links()[WHEEL]
    whole = registry.file(url)
    assert (whole.status_code, "accept-ranges" in whole.headers) == (200, registry.name not in SILENT)
    parts = [
        ("bytes=0-9", whole.content[:10]),
        ("bytes=10-", whole.content[10:]),
        ("bytes=-22", whole.content[-22:]),
    ]
    for span, expected in parts:
        answer = registry.file(url, range=span)
        if registry.name in WHOLES:
            assert (answer.status_code, answer.content) == (200, whole.content)
            assert "content-range" not in answer.headers
        else:
            assert (answer.status_code, answer.content) == (206, expected)
            assert answer.headers["content-range"].endswith(f"/{len(whole.content)}")
            assert answer.headers["content-length"] == str(len(expected))
        assert ("accept-ranges" in answer.headers) is (registry.name not in SILENT)
    beyond = registry.file(url, range="bytes=1000000-")
    assert beyond.status_code == (200 if registry.name in WHOLES else 416)


def test_a_page_that_the_client_has_already(registry: Registry) -> None:
    page = registry.ask("x/", headers=HTML)
    assert ("cache-control" in page.headers) is (registry.name != "devpi")
    if registry.name == "pypi-proxy":  # nginx knows no tags of what it rewrites
        assert "etag" not in page.headers
        return
    again = registry.ask("x/", headers={**HTML, "if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", page.headers["etag"])
    assert registry.ask("x/", headers={**HTML, "if-none-match": '"other"'}).status_code == 200


def test_the_list_of_projects(registry: Registry) -> None:
    answer = registry.ask("", headers=HTML)
    assert answer.status_code == 200
    assert ">x</a>" in answer.text


def test_a_request_is_recorded_without_its_credentials(registry: Registry) -> None:
    registry.ask("x/")
    [request] = registry.listener.requests
    assert (request.host, request.credentials) == (urlsplit(registry.root).hostname, True)
    assert "secret" not in repr(request)


# Indexes that are not alone, or not where they usually are.


PATHS = ["", "/", "/pypi", "/a/b/c/", "/simple", "/+simple/"]
PLACES = [
    pytest.param("https://NAME.example.com/one/simple", "https://NAME.example.com/second/simple", id="on one host"),
    pytest.param("https://one-NAME.example.com/simple", "https://other-NAME.example.com/simple", id="on two hosts"),
]


def config(cache: Path, tmp_path: Path, *indexes: Index) -> Gateway:
    return Gateway(cache, tmp_path / "recording", "replay", GatewayConfig(indexes=indexes))


def at_a_path(profile: str, path: str) -> Index:
    """Return an open index that has a host of its own."""
    host = f"{profile}-{PATHS.index(path)}.example.com"
    return Index(f"https://{host}{path}", profile, synthetic="replace", packages=PACKAGES)


def two(profile: str, one: str, other: str) -> list[Index]:
    """Return two indexes with one name for two files."""
    created = [SyntheticPackage("x", "1.0", description=what, sdist=False) for what in ("The one", "The other")]
    urls = (one.replace("NAME", profile), other.replace("NAME", profile))
    return [Index(url, profile, synthetic="replace", packages=(x,)) for url, x in zip(urls, created, strict=True)]


@pytest.fixture(scope="module")
def open_indexes(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    indexes = [at_a_path(profile, path) for profile in PROFILES for path in PATHS]
    with config(cache, tmp_path_factory.mktemp("open"), *indexes) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def pairs(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    indexes = [index for place in PLACES for name in PROFILES for index in two(name, *map(str, place.values))]
    with config(cache, tmp_path_factory.mktemp("pairs"), *indexes) as gateway:
        yield gateway


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("path", PATHS)
def test_an_index_may_lie_at_any_path(open_indexes: Gateway, profile: str, path: str) -> None:
    with through(open_indexes) as (client, listener):
        registry = Registry(at_a_path(profile, path), client, listener)
        for url in registry.links().values():
            assert registry.file(url).status_code == 200
    assert {request.answered_by for request in listener.requests} == {"stand-in"}


@pytest.mark.parametrize("profile", PROFILES)
def test_an_open_index_takes_credentials_or_none(open_indexes: Gateway, profile: str) -> None:
    with through(open_indexes) as (client, listener):
        registry = Registry(at_a_path(profile, "/simple"), client, listener)
        assert [registry.ask("x/", auth=auth).status_code for auth in (None, ("any", "body"))] == [200, 200]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("one", "other"), PLACES)
def test_two_indexes_keep_their_files_apart(pairs: Gateway, profile: str, one: str, other: str) -> None:
    with through(pairs) as (client, listener):
        registries = [Registry(index, client, listener) for index in two(profile, one, other)]
        answers = [registry.file(registry.links()[WHEEL]) for registry in registries]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [b"The one" in answers[0].content, b"The other" in answers[1].content] == [True, True]


def test_the_longer_address_answers_on_one_host(cache: Path, tmp_path: Path) -> None:
    outer = Index("https://h.example.com/simple", "nexus", synthetic="replace", packages=(X,))
    inner = Index("https://h.example.com/team/simple", "pytorch", synthetic="replace", packages=(X,))
    with config(cache, tmp_path, outer, inner) as gateway, through(gateway) as (client, _):
        assert client.get("https://h.example.com/team/simple/none/").status_code == 403
        assert client.get("https://h.example.com/simple/none/").status_code == 200


def test_a_path_that_only_begins_as_the_index_is_none_of_it(cache: Path, tmp_path: Path) -> None:
    index = Index("https://h.example.com/simple", "simple-no-range", synthetic="replace", packages=(X,))
    with config(cache, tmp_path, index) as gateway, through(gateway) as (client, _):
        paths = ("simple/x/", "simplex/", "simple-x/", "x/", "simple/x/y/")
        assert [client.get(f"https://h.example.com/{path}").status_code for path in paths] == [200, 404, 404, 404, 404]


def test_an_index_with_a_port_has_it_in_its_links(cache: Path, tmp_path: Path) -> None:
    for profile in ("pypi-proxy", "gitlab"):
        index = Index("https://h.example.com:8443/simple", profile, synthetic="replace", packages=(X,))
        with config(cache, tmp_path / profile, index) as gateway, through(gateway) as (client, listener):
            registry = Registry(index, client, listener)
            assert registry.links()[WHEEL].startswith("https://h.example.com:8443/")
            assert registry.file(registry.links()[WHEEL]).status_code == 200


def installed(uv: Path, gateway: Gateway, index: Index, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    """Install x from an index with a real uv, into a folder."""
    (tmp_path / "authority.pem").write_bytes(gateway.certificate)
    username, password = index.username or USERNAMES.get(index.registry, ""), index.password
    url = index.url.replace("://", f"://{username}:{password}@")
    with gateway.listener() as listener:
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), listener.url)
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
            "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
            "VIRTUAL_ENV": str(tmp_path / "venv"),
            **proxies,
        }
        subprocess.run(
            [uv, "venv", "--python", sys.executable, tmp_path / "venv"], env=variables, capture_output=True, check=True
        )
        return subprocess.run(
            [uv, "pip", "install", "--index-url", url, "x==1.0"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=100,
        )


@pytest.mark.network
@pytest.mark.parametrize("locked", LOCKED, ids=lambda index: index.registry)
@pytest.mark.parametrize(
    "release",
    [
        "0.13.9",
        pytest.param("0.8.0", marks=pytest.mark.slow),
        pytest.param("0.5.21", marks=pytest.mark.slow),
        pytest.param("0.1.20", marks=pytest.mark.slow),
    ],
)
def test_uv_installs_from_it(cache: Path, gateway: Gateway, tmp_path: Path, locked: Index, release: str) -> None:
    _, uv = binaries.get(release, cache, lambda *_: None)
    done = installed(uv, gateway, locked, tmp_path)
    if (locked.registry, release) == ("gitlab", "0.1.20"):  # it sends credentials along to another host
        assert "400 Bad Request" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert "+ x==1.0\n" in done.stderr


@pytest.mark.network
@pytest.mark.parametrize("locked", LOCKED, ids=lambda index: index.registry)
def test_uv_does_not_install_with_a_wrong_password(
    cache: Path, gateway: Gateway, tmp_path: Path, locked: Index
) -> None:
    _, uv = binaries.get("0.13.9", cache, lambda *_: None)
    done = installed(uv, gateway, replace(locked, password="wrong"), tmp_path)
    assert done.returncode != 0
    assert "+ x==1.0" not in done.stderr
