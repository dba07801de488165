"""A recording as a whole: listed, thinned out, checked, and written into one file."""

import errno
import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from uvmre.gateway.recording import archive
from uvmre.gateway.recording.archive import PackedFile
from uvmre.gateway.recording.store import Recording, entry_key

PAGE = "https://pypi.org/simple/x/"
WHEEL = "https://files.pythonhosted.org/packages/x-1-py3-none-any.whl"
OTHER = "https://pypi.org/simple/a/"
BODIES = {PAGE: b"a page", WHEEL: b"PK\x03\x04 a wheel", OTHER: b"a page"}


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "mre" / "recording"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "bodies"


@pytest.fixture(autouse=True)
def recorded(recording: Path, cache: Path) -> None:
    for url, body in BODIES.items():
        name = entry_key("GET", url, [])
        assert name
        with Recording(recording, cache).start_entry(
            name, "GET", url, 200, [(b"content-type", b"text/html")]
        ) as writer:
            writer.write(body)


def body_in(folder: Path, body: bytes) -> Path:
    return folder / sha(body)[:2] / sha(body)


def untold(*_: object) -> None:
    pass


def urls(recording: Path) -> list[str]:
    return [listed.entry.url for listed in archive.list_recording(recording).entries]


def test_a_listing_is_by_address_and_tells_sizes(recording: Path) -> None:
    listing = archive.list_recording(recording)
    assert [listed.entry.url for listed in listing.entries] == [WHEEL, OTHER, PAGE]
    assert listing.size == sum(map(len, BODIES.values()))
    assert listing.unreadable == ()


def test_a_recording_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert archive.list_recording(tmp_path / "none").entries == ()
    assert archive.remove_entries(tmp_path / "none", []) == 0
    assert archive.check_recording(tmp_path / "none", tmp_path, untold) == archive.Check(0, {}, ())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: [], id="no object"),
        pytest.param(lambda data: {**data, "sha256": "../../../../etc/passwd"}, id="a sha256 that leads elsewhere"),
        pytest.param(lambda data: {**data, "sha256": data["sha256"] + "\n"}, id="a sha256 and more"),
        pytest.param(lambda data: {**data, "sha256": 5}, id="a sha256 that is a number"),
        pytest.param(lambda data: {**data, "url": 5}, id="a url that is a number"),
        pytest.param(lambda data: {**data, "size": "5"}, id="a size that is a text"),
        pytest.param(lambda data: {**data, "headers": 5}, id="headers that are a number"),
        pytest.param(lambda data: {"url": data["url"]}, id="half of it"),
    ],
)
def test_what_is_no_entry_is_listed_apart(recording: Path, cache: Path, change: Callable[[object], object]) -> None:
    odd = recording / f"{entry_key('GET', PAGE, [])}.json"
    odd.write_text(json.dumps(change(json.loads(odd.read_text()))))
    assert urls(recording) == [WHEEL, OTHER]
    assert archive.list_recording(recording).unreadable == (odd,)
    (fault,) = archive.check_recording(recording, cache, untold).faults
    assert (fault.file, fault.what) == (odd.name, "unreadable")
    assert archive.remove_entries(recording, ["*"]) == 2
    assert odd.exists()
    assert archive.remove_entries(recording, []) == 1
    assert not odd.exists()


@pytest.mark.parametrize(
    ("patterns", "left"),
    [
        pytest.param([], [], id="all without a pattern"),
        pytest.param(["*"], [], id="all with one"),
        pytest.param(["https://pypi.org/*"], [WHEEL], id="those of a host"),
        pytest.param([PAGE], [WHEEL, OTHER], id="one"),
        pytest.param([PAGE, "*.whl"], [OTHER], id="any of several"),
        pytest.param(["*/simple/[ab]/"], [WHEEL, PAGE], id="one of a set"),
        pytest.param(["pypi.org"], [WHEEL, OTHER, PAGE], id="a part is not the whole"),
        pytest.param(["HTTPS://*"], [WHEEL, OTHER, PAGE], id="case counts"),
    ],
)
def test_what_matches_is_deleted_and_the_cache_stays(
    recording: Path, cache: Path, patterns: list[str], left: list[str]
) -> None:
    assert archive.remove_entries(recording, patterns) == 3 - len(left)
    assert urls(recording) == left
    assert body_in(cache, BODIES[PAGE]).exists()
    assert body_in(cache, BODIES[WHEEL]).exists()


def moved(recording: Path, cache: Path) -> None:
    """Put the bodies where a pack has them."""
    cache.rename(recording / "bodies")


def test_a_body_that_the_recording_brings_goes_with_the_last_entry_that_names_it(recording: Path, cache: Path) -> None:
    moved(recording, cache)
    body = body_in(recording / "bodies", BODIES[PAGE])
    archive.remove_entries(recording, [PAGE])
    assert body.exists()
    archive.remove_entries(recording, [OTHER])
    assert not body.exists()
    assert body_in(recording / "bodies", BODIES[WHEEL]).exists()


def test_a_recording_is_replayed_from_the_bodies_that_it_brings(recording: Path, cache: Path) -> None:
    moved(recording, cache)
    name = entry_key("GET", PAGE, [])
    assert name
    entry = Recording(recording, cache).find_entry(name)
    assert entry
    assert b"".join(Recording(recording, cache).read_body(entry)) == BODIES[PAGE]
    assert not cache.exists()


def test_a_body_that_is_damaged_in_the_cache_is_replayed_from_the_recording(recording: Path, cache: Path) -> None:
    moved(recording, cache)
    damaged = body_in(cache, BODIES[PAGE])
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"a pagf")
    name = entry_key("GET", PAGE, [])
    assert name
    replayed = Recording(recording, cache)
    entry = replayed.find_entry(name)
    assert entry
    assert b"".join(replayed.read_body(entry)) == BODIES[PAGE]
    assert archive.check_recording(recording, cache, untold).bodies[sha(BODIES[PAGE])] == body_in(
        recording / "bodies", BODIES[PAGE]
    )


def test_a_body_that_is_damaged_everywhere_is_not_replayed(recording: Path, cache: Path) -> None:
    moved(recording, cache)
    body_in(recording / "bodies", BODIES[PAGE]).write_bytes(b"a pagf")
    name = entry_key("GET", PAGE, [])
    assert name
    assert Recording(recording, cache).find_entry(name) is None
    assert {fault.what for fault in archive.check_recording(recording, cache, untold).faults} == {"damaged"}


def test_a_sound_recording_has_no_faults_and_each_body_is_read_once(recording: Path, cache: Path) -> None:
    actual: list[tuple[str, int, int]] = []
    checked = archive.check_recording(recording, cache, lambda *now: actual.append(now))
    assert (checked.entries, checked.faults) == (3, ())
    assert checked.bodies == {sha(body): body_in(cache, body) for body in BODIES.values()}
    size = len(BODIES[PAGE]) + len(BODIES[WHEEL])
    assert len(actual) == 2
    assert actual[-1] == ("checking", size, size)


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        pytest.param(lambda body: body.unlink(), "missing", id="it is gone"),
        pytest.param(lambda body: body.write_bytes(b"a pagf"), "damaged", id="a bit flipped"),
        pytest.param(lambda body: body.write_bytes(b""), "damaged", id="it is empty"),
    ],
)
def test_every_entry_of_a_body_that_is_not_sound_is_reported(
    recording: Path, cache: Path, harm: Callable[[Path], object], what: str
) -> None:
    harm(body_in(cache, BODIES[PAGE]))
    checked = archive.check_recording(recording, cache, untold)
    assert [(fault.url, fault.what) for fault in checked.faults] == [(OTHER, what), (PAGE, what)]
    assert checked.faults[0].line == f"GET {OTHER}: its body {sha(BODIES[PAGE])[:12]} is {what}"
    assert list(checked.bodies) == [sha(BODIES[WHEEL])]


def test_what_is_packed_of_a_recording_are_its_entries_and_bodies(recording: Path, cache: Path) -> None:
    (recording / "tmpabc").write_text("not finished")
    packed = {
        content.name
        for content in archive.packed_files(recording, archive.check_recording(recording, cache, untold).bodies)
    }
    bodies = {f"bodies/{sha(body)[:2]}/{sha(body)}" for body in BODIES.values()}
    assert packed == {f"{entry_key('GET', url, [])}.json" for url in BODIES} | bodies


def test_an_entry_without_its_body_is_not_packed(recording: Path, cache: Path) -> None:
    body_in(cache, BODIES[WHEEL]).unlink()
    packed = {
        content.name
        for content in archive.packed_files(recording, archive.check_recording(recording, cache, untold).bodies)
    }
    assert f"{entry_key('GET', WHEEL, [])}.json" not in packed
    assert len(packed) == 3


def written(target: Path, *packed: PackedFile) -> zipfile.ZipFile:
    archive.write_pack(target, "top", packed, untold)
    return zipfile.ZipFile(target)


def test_a_pack_has_names_bits_and_content(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(b"PK\x03\x04" + b"x" * 3_000_000)
    tool, text = PackedFile("b/tool", tmp_path / "tool", executable=True), PackedFile("a é", b"text " * 100)
    with written(tmp_path / "pack.zip", tool, text) as zipped:
        assert zipped.namelist() == ["top/a é", "top/b/tool"]
        modes = [stat.filemode(info.external_attr >> 16) for info in zipped.infolist()]
        assert modes == ["-rw-r--r--", "-rwxr-xr-x"]
        assert [info.compress_type for info in zipped.infolist()] == [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]
        assert zipped.read("top/a é") == text.source
        assert zipped.read("top/b/tool") == (tmp_path / "tool").read_bytes()


def test_the_same_content_is_the_same_file_whatever_its_order_and_day(
    tmp_path: Path, cache: Path, recording: Path
) -> None:
    packed = archive.packed_files(recording, archive.check_recording(recording, cache, untold).bodies)
    first = archive.write_pack(tmp_path / "1.zip", "top", packed, untold)
    for file in recording.glob("*.json"):
        file.touch()
        file.chmod(0o600)
    assert archive.write_pack(tmp_path / "2.zip", "top", reversed(packed), untold) == first
    assert hashlib.sha256((tmp_path / "2.zip").read_bytes()).hexdigest() == first
    assert archive.write_pack(tmp_path / "3.zip", "other", packed, untold) != first


def test_packing_is_reported_up_to_its_end(tmp_path: Path) -> None:
    actual: list[tuple[str, int, int]] = []
    content = [PackedFile("large", b"x" * 3_000_000), PackedFile("small", b"y")]
    archive.write_pack(tmp_path / "pack.zip", "top", content, lambda *now: actual.append(now))
    assert len(actual) > 3
    assert actual[-1] == ("packing", 3_000_001, 3_000_001)
    assert [done for _, done, _ in actual] == sorted(done for _, done, _ in actual)


def test_a_pack_that_breaks_off_leaves_the_older_one_and_no_half(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "pack.zip").write_text("older")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError) as raised:
        archive.write_pack(folder / "pack.zip", "top", [PackedFile("a", b"a")], full)
    assert raised.value.filename == str(folder / "pack.zip")
    assert [path.name for path in folder.iterdir()] == ["pack.zip"]
    assert (folder / "pack.zip").read_text() == "older"
