"""Releases in the cache, with a made-up network below the real client."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.releases.pypi import FILES, WHEELS, Network, below_httpx, json_of, named, slow, unanswered, wheel
from uvmre.core.network import simple_page
from uvmre.core.search.release import Release
from uvmre.errors import CannotTell, UsageError
from uvmre.releases import binaries, binary_cache, catalogue
from uvmre.releases.catalogue import Catalogue, Wheel


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Put a network of ours below httpx, whose client is the real one."""
    return below_httpx(monkeypatch)


def get(release: str, cache: Path) -> tuple[str, Path]:
    return binaries.get(release, cache, lambda *_: None)


def says(tool: Path) -> str:
    return subprocess.run([tool], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def kept(cache: Path) -> list[str]:
    """Return what there is of releases; the catalogue and who uses what have tests of their own."""
    return sorted(path.relative_to(cache).as_posix() for path in cache.glob("uv/**/*") if path.is_file())


def test_a_release_is_fetched_and_unpacked(network: Network, tmp_path: Path) -> None:
    release, uv = get("0.5.21", tmp_path)
    assert release == "0.5.21"
    assert [says(uv), says(uv.with_name("uvx"))] == ["uv 0.5.21", "uvx 0.5.21"]
    assert kept(tmp_path) == ["uv/0.5.21/receipt.json", "uv/0.5.21/uv", "uv/0.5.21/uvx"]
    assert os.listdir(tmp_path / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts
    assert network.requested == [catalogue.INDEX, f"{FILES}/uv-0.5.21-py3-none-any.whl"]


def test_a_release_in_the_cache_needs_no_network(network: Network, tmp_path: Path) -> None:
    first = get("0.5.21", tmp_path)
    network.requested.clear()
    assert get("0.5.21", tmp_path) == first
    assert network.requested == []


def test_a_release_that_the_catalogue_knows_needs_no_page(network: Network, tmp_path: Path) -> None:
    get("0.5.20", tmp_path)
    network.requested.clear()
    network.index = unanswered
    assert says(get("0.5.21", tmp_path)[1]) == "uv 0.5.21"
    assert network.requested == [f"{FILES}/{named('0.5.21')}"]


def test_latest_is_not_what_was_the_latest_when_pypi_last_answered(network: Network, tmp_path: Path) -> None:
    get("latest", tmp_path)
    network.index = unanswered
    with pytest.raises(CannotTell, match="uv latest is not in the cache"):
        get("latest", tmp_path)


def test_two_releases_lie_side_by_side(network: Network, tmp_path: Path) -> None:
    tools = [get(release, tmp_path)[1] for release in ("0.5.20", "0.5.21", "0.6.0rc1")]
    assert [says(uv) for uv in tools] == ["uv 0.5.20", "uv 0.5.21", "uv 0.6.0rc1"]


def test_latest_is_the_newest_and_is_requested_each_time(network: Network, tmp_path: Path) -> None:
    assert get("latest", tmp_path)[0] == "0.5.21"
    network.requested.clear()
    release, uv = get("latest", tmp_path)
    assert (release, says(uv)) == ("0.5.21", "uv 0.5.21")
    assert network.requested == [catalogue.INDEX]


def test_the_page_is_requested_as_json_by_name(network: Network, tmp_path: Path) -> None:
    headers: list[httpx.Headers] = []

    def index(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers)
        return httpx.Response(404)

    network.index = index
    with pytest.raises(CannotTell):
        get("0.5.21", tmp_path)
    assert headers[0]["accept"] == simple_page.ACCEPT
    assert headers[0]["user-agent"].startswith("uvmre/")


def test_the_download_is_reported_up_to_its_end(network: Network, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    binaries.get("0.5.21", tmp_path, lambda *now: calls.append(now))
    size = len(WHEELS["uv-0.5.21-py3-none-any.whl"])
    assert calls[-1] == ("0.5.21", size, size)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_a_wheel_that_is_not_what_the_page_says_is_not_kept(network: Network, tmp_path: Path) -> None:
    network.files["uv-0.5.21-py3-none-any.whl"] = wheel("0.5.20")
    with pytest.raises(CannotTell, match="hash mismatch"):
        get("0.5.21", tmp_path)
    assert kept(tmp_path) == []
    network.files.update(WHEELS)
    assert says(get("0.5.21", tmp_path)[1]) == "uv 0.5.21"


@pytest.mark.parametrize(
    "release",
    ["", "0.5", "v0.5.21", "0.5.21.1", "0.5.21 ", "0.5.21\n", ">=0.5.21", "newest", "../../outside", "0.5.21/../x"],
    ids=repr,
)
def test_what_is_no_release_is_refused_without_a_request(network: Network, tmp_path: Path, release: str) -> None:
    with pytest.raises(UsageError, match="is not a release of uv"):
        get(release, tmp_path)
    assert (network.requested, kept(tmp_path)) == ([], [])


def test_a_release_that_is_not_on_pypi_is_reported_with_its_neighbours(network: Network, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no uv 0\.5\.22 on PyPI") as raised:
        get("0.5.22", tmp_path)
    assert "0.5.21" in raised.value.hint
    assert kept(tmp_path) == []


def test_two_at_once_leave_one_whole_release(network: Network, tmp_path: Path) -> None:
    network.before_file = threading.Barrier(2, timeout=30).wait  # neither is done before both have asked
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: get("0.5.21", tmp_path), range(2))
    assert first == second
    assert says(first[1]) == "uv 0.5.21"
    assert kept(tmp_path) == ["uv/0.5.21/receipt.json", "uv/0.5.21/uv", "uv/0.5.21/uvx"]
    assert os.listdir(tmp_path / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts


@pytest.mark.parametrize(
    ("index", "why"),
    [
        pytest.param(unanswered, "Name or service not known", id="nobody answers"),
        pytest.param(slow, "read timeout", id="the answer takes too long"),
        pytest.param(lambda _: httpx.Response(503), "503", id="PyPI is down"),
        pytest.param(lambda _: httpx.Response(407), "407", id="a proxy asks for a password"),
        pytest.param(lambda _: httpx.Response(200, text="hello"), "lists no wheel", id="neither JSON nor HTML"),
        pytest.param(lambda _: httpx.Response(200, html="<p>Sign in</p>"), "lists no wheel", id="a captive portal"),
        pytest.param(
            lambda _: httpx.Response(200, headers={"content-type": simple_page.JSON}, text="<html>"),
            "Expecting value",
            id="HTML that says it is JSON",
        ),
        pytest.param(
            lambda _: httpx.Response(200, headers={"content-type": simple_page.JSON}, text='{"error": 1}'),
            "files",
            id="JSON of something else",
        ),
    ],
)
@pytest.mark.parametrize("release", ["0.5.21", "latest"])
def test_a_page_that_cannot_be_had_or_read_is_reported(
    network: Network, tmp_path: Path, release: str, index: Callable[[httpx.Request], httpx.Response], why: str
) -> None:
    network.index = index
    with pytest.raises(CannotTell, match=f"uv {release} is not in the cache") as raised:
        get(release, tmp_path)
    assert why in raised.value.cause
    assert "HTTPS_PROXY" in raised.value.hint
    assert kept(tmp_path) == []


def test_a_file_that_cannot_be_had_is_reported(network: Network, tmp_path: Path) -> None:
    network.files.clear()
    with pytest.raises(CannotTell) as raised:
        get("0.5.21", tmp_path)
    assert "404" in raised.value.cause
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


def packed(bundled: Path, release: str = "0.5.21", platform: str = "") -> Path:
    """Put a release where a pack has it, without its executable bits."""
    folder = bundled / release
    folder.mkdir(parents=True)
    for tool in ("uv", "uvx"):
        (folder / tool).write_text(f"#!/bin/sh\necho packed {tool}\n")
    (folder / "platform").write_text(f"{platform or catalogue.platform()}\n")
    return folder


def test_a_release_that_the_mre_brings_is_accepted_where_the_cache_has_none(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = packed(tmp_path / "near")
    monkeypatch.chdir(tmp_path)
    release, uv = binaries.get("0.5.21", tmp_path / "cache", lambda *_: None, bundled=Path("near"))
    assert (release, uv) == ("0.5.21", folder / "uv")  # absolute: steps run elsewhere
    assert [says(uv), says(uv.with_name("uvx"))] == ["packed uv", "packed uvx"]
    assert network.requested == []
    assert kept(tmp_path / "cache") == []  # what somebody gave away is for their MRE only


def test_the_cache_comes_before_what_the_mre_brings(network: Network, tmp_path: Path) -> None:
    get("0.5.21", tmp_path / "cache")
    packed(tmp_path / "near")
    _, uv = binaries.get("0.5.21", tmp_path / "cache", lambda *_: None, bundled=tmp_path / "near")
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
    _, uv = binaries.get("0.5.21", tmp_path / "cache", lambda *_: None, bundled=tmp_path / "near")
    assert says(uv) == "uv 0.5.21"


def test_latest_is_never_what_the_mre_brings(network: Network, tmp_path: Path) -> None:
    packed(tmp_path / "near", "latest")
    assert binaries.get("latest", tmp_path / "cache", lambda *_: None, bundled=tmp_path / "near")[0] == "0.5.21"


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
def test_a_platform_is_reported_without_versions(
    monkeypatch: pytest.MonkeyPatch, tags: list[str], platform: str
) -> None:
    monkeypatch.setattr("packaging.tags.platform_tags", lambda: iter(tags))
    assert catalogue.platform() == platform


def fetch(cache: Path, *versions: str) -> dict[str, str]:
    """Return what each release says once it is fetched, or why it is not."""
    return {
        each.version: says(each.uv) if each.uv else f"{each.error.message}: {each.error.cause}" if each.error else ""
        for each in binaries.fetch(versions, cache, lambda *_: None)
    }


def test_many_are_fetched_in_the_requested_order_and_each_once(network: Network, tmp_path: Path) -> None:
    get("0.5.20", tmp_path)
    network.requested.clear()
    found = fetch(tmp_path, "0.6.0rc1", "0.5.20", "0.5.21", "0.5.21")
    assert list(found.items()) == [("0.6.0rc1", "uv 0.6.0rc1"), ("0.5.20", "uv 0.5.20"), ("0.5.21", "uv 0.5.21")]
    assert sorted(network.requested) == [f"{FILES}/{named('0.5.21')}", f"{FILES}/{named('0.6.0rc1')}"]
    assert fetch(tmp_path, *found) == found
    assert len(network.requested) == 2


def test_many_come_side_by_side(network: Network, tmp_path: Path) -> None:
    network.before_file = threading.Barrier(3, timeout=30).wait  # none is done before all three have asked
    assert len(fetch(tmp_path, "0.5.20", "0.5.21", "0.6.0rc1")) == 3


def test_one_that_fails_leaves_the_others_alone(network: Network, tmp_path: Path) -> None:
    network.files[named("0.5.20")] = wheel("0.5.19")
    del network.files[named("0.6.0rc1")]
    found = fetch(tmp_path, "0.5.20", "0.5.21", "0.5.22", "0.6.0rc1")
    assert found["0.5.21"] == "uv 0.5.21"
    assert "hash mismatch" in found["0.5.20"]
    assert "there is no uv 0.5.22 on PyPI" in found["0.5.22"]
    assert "404" in found["0.6.0rc1"]
    assert kept(tmp_path) == ["uv/0.5.21/receipt.json", "uv/0.5.21/uv", "uv/0.5.21/uvx"]


@pytest.mark.parametrize("content", [b"PK\x05\x06" + b"\0" * 18, b"no zip at all"], ids=["empty", "no zip"])
def test_a_wheel_that_is_none_is_reported(network: Network, tmp_path: Path, content: bytes) -> None:
    network.files = {named("0.5.21"): content}
    network.index = lambda _: httpx.Response(
        200, headers={"content-type": simple_page.JSON}, text=json_of(network.files)
    )
    assert "uv 0.5.21" in fetch(tmp_path, "0.5.21")["0.5.21"]
    assert kept(tmp_path) == []


def test_offline_those_that_are_there_are_had(network: Network, tmp_path: Path) -> None:
    get("0.5.20", tmp_path)
    network.requested.clear()
    network.index = unanswered
    network.before_file = lambda: unanswered(httpx.Request("GET", FILES))
    assert fetch(tmp_path, "0.5.20") == {"0.5.20": "uv 0.5.20"}
    assert network.requested == []
    assert "cannot be fetched from PyPI" in fetch(tmp_path, "0.5.20", "0.5.21")["0.5.21"]


def test_many_are_reported_one_by_one_up_to_their_end(network: Network, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    binaries.fetch(["0.5.20", "0.5.21"], tmp_path, lambda *now: calls.append(now))
    for version in ("0.5.20", "0.5.21"):
        size = len(WHEELS[named(version)])
        assert [now for now in calls if now[0] == version][-1] == (version, size, size)


def test_they_may_come_from_a_catalogue_that_is_at_hand(network: Network, tmp_path: Path) -> None:
    name, content = named("0.5.21"), WHEELS[named("0.5.21")]
    wheels = {"0.5.21": Wheel(name, f"{FILES}/{name}", hashlib.sha256(content).hexdigest())}
    found = Catalogue((Release("0.5.21"),), wheels, datetime.now(UTC))
    (fetched,) = binaries.fetch(["0.5.21"], tmp_path, lambda *_: None, found=found)
    assert fetched.uv == binary_cache.folder(tmp_path, "0.5.21") / "uv"
    assert network.requested == [f"{FILES}/{name}"]


def test_what_the_mre_brings_is_not_fetched(network: Network, tmp_path: Path) -> None:
    folder = packed(tmp_path / "near")
    (fetched,) = binaries.fetch(["0.5.21"], tmp_path / "cache", lambda *_: None, bundled=tmp_path / "near")
    assert (fetched.uv, network.requested) == (folder / "uv", [])


def test_an_interrupt_ends_the_rest(network: Network, tmp_path: Path) -> None:
    stop = threading.Event()
    network.before_file = stop.set
    found = binaries.fetch(["0.5.20", "0.5.21", "0.6.0rc1"], tmp_path, lambda *_: None, stop=stop)
    assert all(each.error and "interrupted" in each.error.message for each in found)
    assert kept(tmp_path) == []


def test_a_disk_that_cannot_be_written_ends_all(network: Network, tmp_path: Path) -> None:
    catalogue.load(tmp_path)
    (tmp_path / "uv").write_text("a file")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        fetch(tmp_path, "0.5.20", "0.5.21")


def test_two_processes_that_fetch_the_same_leave_whole_releases(network: Network, tmp_path: Path) -> None:
    network.before_file = threading.Barrier(2, timeout=30).wait
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: fetch(tmp_path, "0.5.20"), range(2))
    assert first == second == {"0.5.20": "uv 0.5.20"}
    assert os.listdir(tmp_path / "uv") == ["0.5.20"]  # noqa: PTH208 - what is hidden counts


@pytest.mark.network
@pytest.mark.slow
def test_real_releases_are_fetched_by_two_processes_at_once(tmp_path: Path) -> None:
    versions = ["0.1.0", "0.1.1", "0.1.2"]
    code = (
        "import sys; from pathlib import Path; from uvmre.releases import binaries; "
        "sys.exit(sum(not f.uv for f in binaries.fetch(sys.argv[2:], Path(sys.argv[1]), lambda *_: None)))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, tmp_path, *versions]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    assert sorted(os.listdir(tmp_path / "uv")) == versions  # noqa: PTH208 - what is hidden counts
    assert says_version(tmp_path / "uv" / "0.1.0" / "uv") == "0.1.0"


def says_version(tool: Path) -> str:
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()[1]
