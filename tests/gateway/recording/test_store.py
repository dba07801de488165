"""The recording on disk: kept by content, whole or not at all."""

import hashlib
import threading
from pathlib import Path

import pytest

from uvmre.gateway.recording.store import Recording, RecordingEntry, entry_key

URL = "https://pypi.org/simple/x/"
HEADERS = [(b"content-type", b"text/html"), (b"x-odd", b"caf\xe9")]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path / "mre" / "recording", tmp_path / "cache" / "bodies")


def recorded(recording: Recording, body: bytes = b"a page", url: str = URL, status: int = 200) -> str:
    name = entry_key("GET", url, [])
    assert name
    with recording.start_entry(name, "GET", url, status, HEADERS) as writer:
        for i in range(0, len(body), 4):
            writer.write(body[i : i + 4])
    recording.close()
    return name


def again(tmp_path: Path) -> Recording:
    """Return the same recording as another process has it."""
    return Recording(tmp_path / "mre" / "recording", tmp_path / "cache" / "bodies")


def files(tmp_path: Path) -> list[str]:
    return sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())


def test_what_was_recorded_is_replayed(recording: Recording, tmp_path: Path) -> None:
    name = recorded(recording)
    entry = again(tmp_path).find_entry(name)
    sha256 = hashlib.sha256(b"a page").hexdigest()
    headers = (("content-type", "text/html"), ("x-odd", "café"))
    assert entry == RecordingEntry("GET", URL, 200, headers, sha256, 6)
    assert b"".join(again(tmp_path).read_body(entry)) == b"a page"


def test_a_body_is_kept_once_for_all_that_have_it(recording: Recording, tmp_path: Path) -> None:
    recorded(recording)
    recorded(recording, url="https://files.pythonhosted.org/x")
    sha256 = hashlib.sha256(b"a page").hexdigest()
    assert [f for f in files(tmp_path) if f.startswith("cache")] == [f"cache/bodies/{sha256[:2]}/{sha256}"]
    assert len(files(tmp_path)) == 3


def test_an_answer_that_broke_off_leaves_nothing(recording: Recording, tmp_path: Path) -> None:
    def broken_off() -> None:
        with recording.start_entry("name", "GET", URL, 200, HEADERS) as writer:
            writer.write(b"half a")
            raise ConnectionError

    with pytest.raises(ConnectionError):
        broken_off()
    recording.close()
    assert files(tmp_path) == []
    assert recording.find_entry("name") is None


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda body: body.write_bytes(b"a pagf"), id="a bit flipped"),
        pytest.param(lambda body: body.write_bytes(b"a pa"), id="its end is missing"),
        pytest.param(lambda body: body.unlink(), id="it is gone"),
    ],
)
def test_a_body_that_is_not_what_it_was_is_not_replayed(recording: Recording, tmp_path: Path, harm) -> None:  # type: ignore[no-untyped-def]
    name = recorded(recording)
    (body,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    harm(body)
    assert again(tmp_path).find_entry(name) is None
    recorded(again(tmp_path))
    assert again(tmp_path).find_entry(name) is not None


@pytest.mark.parametrize("harm", ["", "{", "[]", '{"method": "GET"}', '{"headers": 1}'])
def test_an_entry_that_cannot_be_read_is_not_replayed(recording: Recording, tmp_path: Path, harm: str) -> None:
    name = recorded(recording)
    (tmp_path / "mre" / "recording" / f"{name}.json").write_text(harm)
    assert recording.find_entry(name) is None


def test_many_may_record_at_once(recording: Recording, tmp_path: Path) -> None:
    body = b"x" * 100_000
    threads = [threading.Thread(target=recorded, args=(again(tmp_path), body)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path)) == 2
    entry = recording.find_entry(recorded(recording, body))
    assert entry
    assert b"".join(recording.read_body(entry)) == body


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param([], [(b"user-agent", b"uv/0.5.21")], True, id="who asks does not count"),
        pytest.param([], [(b"accept", b"text/html")], False, id="what is wanted does"),
        pytest.param([(b"range", b"bytes=0-9")], [(b"range", b"bytes=0-8")], False, id="which part does"),
        pytest.param(
            [(b"accept", b"a"), (b"range", b"b")], [(b"range", b"b"), (b"accept", b"a")], True, id="in any order"
        ),
    ],
)
def test_the_same_request_has_the_same_name(
    one: list[tuple[bytes, bytes]], other: list[tuple[bytes, bytes]], same: bool
) -> None:
    assert (entry_key("GET", URL, one) == entry_key("GET", URL, other)) == same
    assert entry_key("GET", URL, one) != entry_key("HEAD", URL, one)
    assert entry_key("GET", URL, one) != entry_key("GET", URL + "y", one)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_changes_something_is_not_recorded(method: str) -> None:
    assert entry_key(method, URL, []) is None


def test_what_is_for_one_client_only_is_not_recorded() -> None:
    assert entry_key("GET", URL, [(b"authorization", b"x")]) is None


@pytest.mark.parametrize("header", [b"if-none-match", b"if-modified-since", b"if-range"])
def test_what_a_client_has_already_makes_it_no_other_request(header: bytes) -> None:
    assert entry_key("GET", URL, [(header, b"x")]) == entry_key("GET", URL, [])
