"""Releases in the cache, with a made-up network below the real client."""

import hashlib
import io
import json
import os
import subprocess
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from uvmre.core import pages
from uvmre.errors import CannotTell, UsageError
from uvmre.releases import binaries, catalogue

FILES = "https://files.pythonhosted.org/packages"


def wheel(release: str) -> bytes:
    """Return a wheel with the scripts that uv's has, which say their release, and with what else is in one."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for tool in ("uv", "uvx", "uvw.exe"):
            zipped.writestr(f"uv-{release}.data/scripts/{tool}", f"#!/bin/sh\necho {tool} {release}\n")
        zipped.writestr("uv/__init__.py", "")
        zipped.writestr("uv/uv", "of the package, not the script")
        zipped.writestr(f"uv-{release}.dist-info/METADATA", f"Name: uv\nVersion: {release}\n")
    return content.getvalue()


WHEELS = {f"uv-{release}-py3-none-any.whl": wheel(release) for release in ("0.5.20", "0.5.21", "0.6.0rc1")}


def page(name: str, sha256: str) -> dict[str, object]:
    return {"filename": name, "url": f"{FILES}/{name}", "hashes": {"sha256": sha256}}


@dataclass
class Network:
    """PyPI as it answers here; a test changes what it has."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(WHEELS))
    asked: list[str] = field(default_factory=list)
    index: Callable[[httpx.Request], httpx.Response] | None = None
    before_file: Callable[[], object] = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if str(request.url) == catalogue.INDEX:
            if self.index is not None:
                return self.index(request)
            listed = [page(name, hashlib.sha256(content).hexdigest()) for name, content in WHEELS.items()]
            return httpx.Response(200, headers={"content-type": pages.JSON}, text=json.dumps({"files": listed}))
        name = request.url.path.rpartition("/")[2]
        self.before_file()
        return httpx.Response(200, content=self.files[name]) if name in self.files else httpx.Response(404)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Put a network of ours below httpx, whose client is the real one."""
    network = Network()
    below = httpx.MockTransport(network.answer)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: below.handle_request(request))
    return network


def get(release: str, cache: Path) -> tuple[str, Path]:
    return binaries.get(release, cache, lambda *_: None)


def says(tool: Path) -> str:
    return subprocess.run([tool], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def kept(cache: Path) -> list[str]:
    return sorted(path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file())


def test_a_release_is_fetched_and_unpacked(network: Network, tmp_path: Path) -> None:
    release, uv = get("0.5.21", tmp_path)
    assert release == "0.5.21"
    assert [says(uv), says(uv.with_name("uvx"))] == ["uv 0.5.21", "uvx 0.5.21"]
    assert kept(tmp_path) == ["uv/0.5.21/uv", "uv/0.5.21/uvx"]
    assert os.listdir(tmp_path / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts
    assert network.asked == [catalogue.INDEX, f"{FILES}/uv-0.5.21-py3-none-any.whl"]


def test_fetch_takes_any_client(tmp_path: Path) -> None:
    with httpx.Client(transport=httpx.MockTransport(Network().answer)) as http:
        release, uv = binaries._fetch(http, "latest", tmp_path, lambda *_: None)
    assert (release, says(uv)) == ("0.5.21", "uv 0.5.21")


def test_a_release_in_the_cache_needs_no_network(network: Network, tmp_path: Path) -> None:
    first = get("0.5.21", tmp_path)
    network.asked.clear()
    assert get("0.5.21", tmp_path) == first
    assert network.asked == []


def test_two_releases_lie_side_by_side(network: Network, tmp_path: Path) -> None:
    tools = [get(release, tmp_path)[1] for release in ("0.5.20", "0.5.21", "0.6.0rc1")]
    assert [says(uv) for uv in tools] == ["uv 0.5.20", "uv 0.5.21", "uv 0.6.0rc1"]


def test_latest_is_the_newest_and_is_asked_for_each_time(network: Network, tmp_path: Path) -> None:
    assert get("latest", tmp_path)[0] == "0.5.21"
    network.asked.clear()
    release, uv = get("latest", tmp_path)
    assert (release, says(uv)) == ("0.5.21", "uv 0.5.21")
    assert network.asked == [catalogue.INDEX]


def test_the_page_is_asked_for_as_json_by_name(network: Network, tmp_path: Path) -> None:
    headers: list[httpx.Headers] = []

    def index(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return httpx.Response(404)

    network.index = index
    with pytest.raises(CannotTell):
        get("0.5.21", tmp_path)
    assert headers[0]["accept"] == pages.ACCEPT
    assert headers[0]["user-agent"].startswith("uvmre/")


def test_the_download_is_told_up_to_its_end(network: Network, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    binaries.get("0.5.21", tmp_path, lambda *now: told.append(now))
    size = len(WHEELS["uv-0.5.21-py3-none-any.whl"])
    assert told[-1] == ("0.5.21", size, size)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_wheel_that_is_not_what_the_page_says_is_not_kept(network: Network, tmp_path: Path) -> None:
    network.files["uv-0.5.21-py3-none-any.whl"] = wheel("0.5.20")
    with pytest.raises(CannotTell, match="sha256 differs"):
        get("0.5.21", tmp_path)
    assert kept(tmp_path) == []
    network.files.update(WHEELS)
    assert says(get("0.5.21", tmp_path)[1]) == "uv 0.5.21"


@pytest.mark.parametrize(
    "release",
    ["", "0.5", "v0.5.21", "0.5.21.1", "0.5.21 ", "0.5.21\n", ">=0.5.21", "newest", "../../outside", "0.5.21/../x"],
    ids=repr,
)
def test_what_is_no_release_is_refused_before_anybody_is_asked(network: Network, tmp_path: Path, release: str) -> None:
    with pytest.raises(UsageError, match="is not a release of uv"):
        get(release, tmp_path)
    assert (network.asked, kept(tmp_path)) == ([], [])


def test_a_release_that_is_not_on_pypi_is_told_its_neighbours(network: Network, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no uv 0\.5\.22 on PyPI") as raised:
        get("0.5.22", tmp_path)
    assert "0.5.21" in raised.value.hint
    assert kept(tmp_path) == []


def test_two_at_once_leave_one_whole_release(network: Network, tmp_path: Path) -> None:
    network.before_file = threading.Barrier(2, timeout=30).wait  # neither is done before both have asked
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: get("0.5.21", tmp_path), range(2))
    assert first == second
    assert says(first[1]) == "uv 0.5.21"
    assert kept(tmp_path) == ["uv/0.5.21/uv", "uv/0.5.21/uvx"]
    assert os.listdir(tmp_path / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts


def unanswered(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno -2] Name or service not known", request=request)


def slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


@pytest.mark.parametrize(
    ("index", "why"),
    [
        pytest.param(unanswered, "Name or service not known", id="nobody answers"),
        pytest.param(slow, "ReadTimeout", id="the answer takes too long"),
        pytest.param(lambda _: httpx.Response(503), "503", id="PyPI is down"),
        pytest.param(lambda _: httpx.Response(407), "407", id="a proxy asks for a password"),
        pytest.param(lambda _: httpx.Response(200, text="hello"), "lists no wheel", id="neither JSON nor HTML"),
        pytest.param(lambda _: httpx.Response(200, html="<p>Sign in</p>"), "lists no wheel", id="a captive portal"),
        pytest.param(
            lambda _: httpx.Response(200, headers={"content-type": pages.JSON}, text="<html>"),
            "Expecting value",
            id="HTML that says it is JSON",
        ),
        pytest.param(
            lambda _: httpx.Response(200, headers={"content-type": pages.JSON}, text='{"error": 1}'),
            "files",
            id="JSON of something else",
        ),
    ],
)
@pytest.mark.parametrize("release", ["0.5.21", "latest"])
def test_a_page_that_cannot_be_had_or_read_is_told(
    network: Network, tmp_path: Path, release: str, index: Callable[[httpx.Request], httpx.Response], why: str
) -> None:
    network.index = index
    with pytest.raises(CannotTell, match=f"uv {release} is not in the cache, and PyPI could not be asked") as raised:
        get(release, tmp_path)
    assert why in raised.value.message
    assert "HTTPS_PROXY" in raised.value.hint
    assert kept(tmp_path) == []


def test_a_file_that_cannot_be_had_is_told(network: Network, tmp_path: Path) -> None:
    network.files.clear()
    with pytest.raises(CannotTell, match="404"):
        get("0.5.21", tmp_path)
    assert kept(tmp_path) == []


def test_a_page_in_html_does_as_well(network: Network, tmp_path: Path) -> None:
    name, content = "uv-0.5.21-py3-none-any.whl", WHEELS["uv-0.5.21-py3-none-any.whl"]
    link = f'<a href="{FILES}/{name}#sha256={hashlib.sha256(content).hexdigest()}">{name}</a>'
    network.index = lambda _: httpx.Response(200, html=link)
    assert says(get("latest", tmp_path)[1]) == "uv 0.5.21"


@pytest.mark.network
@pytest.mark.slow
def test_a_real_release_is_fetched(tmp_path: Path) -> None:
    release, uv = get("0.5.21", tmp_path)
    done = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert (release, done.stdout.split()[:2]) == ("0.5.21", ["uv", "0.5.21"])


def packed(near: Path, release: str = "0.5.21", platform: str = "") -> Path:
    """Put a release where a pack has it, without its executable bits."""
    folder = near / release
    folder.mkdir(parents=True)
    for tool in ("uv", "uvx"):
        (folder / tool).write_text(f"#!/bin/sh\necho packed {tool}\n")
    (folder / "platform").write_text(f"{platform or binaries.platform()}\n")
    return folder


def test_a_release_that_the_mre_brings_is_taken_where_the_cache_has_none(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = packed(tmp_path / "near")
    monkeypatch.chdir(tmp_path)
    release, uv = binaries.get("0.5.21", tmp_path / "cache", lambda *_: None, near=Path("near"))
    assert (release, uv) == ("0.5.21", folder / "uv")  # absolute: steps run elsewhere
    assert [says(uv), says(uv.with_name("uvx"))] == ["packed uv", "packed uvx"]
    assert network.asked == []
    assert kept(tmp_path / "cache") == []  # what somebody gave away is for their MRE only


def test_the_cache_comes_before_what_the_mre_brings(network: Network, tmp_path: Path) -> None:
    get("0.5.21", tmp_path / "cache")
    packed(tmp_path / "near")
    _, uv = binaries.get("0.5.21", tmp_path / "cache", lambda *_: None, near=tmp_path / "near")
    assert says(uv) == "uv 0.5.21"


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda folder: (folder / "platform").write_text("macosx_sparc64\n"), id="another platform"),
        pytest.param(lambda folder: (folder / "platform").write_bytes(b"\xff"), id="a platform that is no text"),
        pytest.param(lambda folder: (folder / "platform").unlink(), id="no platform"),
        pytest.param(lambda folder: (folder / "uv").unlink(), id="no uv"),
        pytest.param(lambda folder: folder.rename(folder.with_name("0.5.20")), id="another release"),
    ],
)
def test_a_release_that_is_not_for_here_is_fetched_all_the_same(
    network: Network, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    harm(packed(tmp_path / "near"))
    _, uv = binaries.get("0.5.21", tmp_path / "cache", lambda *_: None, near=tmp_path / "near")
    assert says(uv) == "uv 0.5.21"


def test_latest_is_never_what_the_mre_brings(network: Network, tmp_path: Path) -> None:
    packed(tmp_path / "near", "latest")
    assert binaries.get("latest", tmp_path / "cache", lambda *_: None, near=tmp_path / "near")[0] == "0.5.21"


@pytest.mark.parametrize(
    ("tags", "platform"),
    [
        (["linux_x86_64", "manylinux_2_36_x86_64", "manylinux_2_35_x86_64"], "manylinux_x86_64"),
        (["manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"], "manylinux_aarch64"),
        (["linux_x86_64", "musllinux_1_2_x86_64"], "musllinux_x86_64"),
        (["macosx_14_0_arm64", "macosx_14_0_universal2"], "macosx_arm64"),
        (["linux_riscv64"], "linux_riscv64"),
    ],
)
def test_a_platform_is_told_without_versions(monkeypatch: pytest.MonkeyPatch, tags: list[str], platform: str) -> None:
    monkeypatch.setattr("packaging.tags.platform_tags", lambda: iter(tags))
    assert binaries.platform() == platform
