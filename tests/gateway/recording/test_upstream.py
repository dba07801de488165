"""What the recording answers by itself: parts, heads and conditions of what it has as a whole; and what it lacks."""

import asyncio
import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.listeners import FILES, SIMPLE, PyPI, through
from uvmre.core.network.request import Network
from uvmre.core.outcome.observation import Observation
from uvmre.gateway.recording import upstream
from uvmre.gateway.recording.store import Headers, Recording, entry_key
from uvmre.gateway.recording.upstream import (
    NotRecorded,
    Upstream,
    UpstreamAnswer,
    UpstreamUnreachable,
    parse_range,
    range_headers,
)
from uvmre.gateway.session import Gateway

BODY = bytes(range(256)) * 1000  # in more than one piece of the recording
URL = f"{FILES}packages/aa/bb/x-1.0-py3-none-any.whl"
ANY = (b"accept", b"*/*")


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        pytest.param(b"bytes=0-0", 10, (0, 1), id="the first byte"),
        pytest.param(b"bytes=0-9", 10, (0, 10), id="all of it"),
        pytest.param(b"bytes=0-99", 10, (0, 10), id="more than there is"),
        pytest.param(b"bytes=9-", 10, (9, 10), id="the last byte, from its place"),
        pytest.param(b"bytes=-1", 10, (9, 10), id="the last byte, from the end"),
        pytest.param(b"bytes=-99", 10, (0, 10), id="more from the end than there is"),
        pytest.param(b"bytes = 2 - 3", 10, (2, 4), id="with blanks"),
        pytest.param(b"bytes=10-", 10, (10, 10), id="just behind the end"),
        pytest.param(b"bytes=99-100", 10, (10, 10), id="far behind the end"),
        pytest.param(b"bytes=-0", 10, (10, 10), id="no byte"),
        pytest.param(b"bytes=0-", 0, (0, 0), id="of nothing"),
        pytest.param(b"bytes=-5", 0, (0, 0), id="the end of nothing"),
        pytest.param(b"bytes=007-008", 10, (7, 9), id="with noughts"),
        pytest.param(b"", 10, None, id="no header"),
        pytest.param(b"bytes=-", 10, None, id="neither end"),
        pytest.param(b"bytes=", 10, None, id="no range"),
        pytest.param(b"bytes=5-4", 10, None, id="an end before its start"),
        pytest.param(b"bytes=0-1,3-4", 10, None, id="two parts"),
        pytest.param(b"bytes=a-b", 10, None, id="no numbers"),
        pytest.param(b"bytes=--1", 10, None, id="a number below nought"),
        pytest.param(b"lines=0-1", 10, None, id="of another unit"),
        pytest.param(b"bytes=0-1\n", 10, None, id="with a line's end"),
        pytest.param(b"bytes=\xb2-", 10, None, id="with a digit of no ASCII"),
    ],
)
def test_where_a_part_begins_and_ends(header: bytes, size: int, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, size) == expected


SIZES = st.integers(0, 50)
NUMBERS = st.none() | st.integers(0, 60)


@given(SIZES, NUMBERS, NUMBERS)
def test_a_part_is_inside_the_whole(size: int, first: int | None, last: int | None) -> None:
    ends = ("" if end is None else str(end) for end in (first, last))
    span = parse_range(f"bytes={'-'.join(ends)}".encode(), size)
    if span is None:
        assert (first is None and last is None) or (first is not None and last is not None and last < first)
        return
    start, stop = span
    assert 0 <= start <= stop <= size
    status, actual = range_headers(span, size)
    named = dict(actual)
    assert status == (206 if start < stop else 416)
    assert named[b"content-length"] == b"%d" % (stop - start)
    expected = b"bytes %d-%d/%d" % (start, stop - 1, size) if start < stop else b"bytes */%d" % size
    assert named[b"content-range"] == expected


@pytest.fixture
def pypi(tmp_path: Path) -> PyPI:
    return PyPI(tmp_path / "recording", tmp_path / "bodies")


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path / "recording", tmp_path / "bodies")


@dataclass(frozen=True)
class Received:
    status: int
    headers: dict[bytes, bytes]
    body: bytes
    replayed: bool


def ask(
    recording: Recording,
    method: str = "GET",
    url: str = URL,
    headers: Headers | None = None,
    network: Network = "replay",
) -> Received:
    async def requested() -> Received:
        async with Upstream(recording, network).request(method, url, [ANY] if headers is None else headers) as answered:
            body = await UpstreamAnswer.read_body(answered)
            return Received(answered.status, dict(answered.headers), body, answered.replayed)

    return asyncio.run(requested())


@pytest.mark.parametrize("network", ["replay", "auto"])
def test_what_is_on_the_recording_is_answered_from_it(pypi: PyPI, recording: Recording, network: Network) -> None:
    pypi.has(URL, BODY)
    got = ask(recording, network=network)
    assert (got.status, got.body == BODY, got.replayed) == (200, True, True)
    assert got.headers[b"etag"] == b'"of-pypi"'


@pytest.mark.parametrize(
    ("header", "status", "start", "stop"),
    [
        (b"bytes=0-9", 206, 0, 10),
        (b"bytes=65530-65540", 206, 65530, 65541),
        (b"bytes=100000-", 206, 100_000, len(BODY)),
        (b"bytes=-22", 206, len(BODY) - 22, len(BODY)),
        (b"bytes=0-99999999", 206, 0, len(BODY)),
        (b"bytes=99999999-", 416, 0, 0),
        (b"bytes=1-0", 200, 0, len(BODY)),
        (b"bytes=0-1,5-6", 200, 0, len(BODY)),
        (b"nonsense", 200, 0, len(BODY)),
    ],
)
def test_a_part_of_what_was_recorded_whole(
    pypi: PyPI, recording: Recording, header: bytes, status: int, start: int, stop: int
) -> None:
    pypi.has(URL, BODY)
    got = ask(recording, headers=[ANY, (b"range", header)])
    assert (got.status, got.body == BODY[start:stop], got.replayed) == (status, True, True)
    assert got.headers[b"content-length"] == b"%d" % (stop - start)
    assert (b"content-range" in got.headers) is (status != 200)
    assert got.headers[b"content-type"] == b"application/octet-stream"


def test_a_part_that_was_recorded_as_such_is_answered_as_it_was(pypi: PyPI, recording: Recording) -> None:
    from uvmre.gateway.recording.store import entry_key

    pypi.has(URL, BODY)
    requested = [ANY, (b"range", b"bytes=0-3")]
    name = entry_key("GET", URL, requested)
    assert name
    with recording.start_entry(name, "GET", URL, 206, [(b"content-range", b"bytes 0-3/9")]) as writer:
        writer.write(b"part")
    assert ask(recording, headers=requested) == Received(206, {b"content-range": b"bytes 0-3/9"}, b"part", True)


def test_a_part_of_what_is_not_there_is_not_there(pypi: PyPI, recording: Recording) -> None:
    pypi.has(URL, b"404 Not Found", "text/plain", 404)
    got = ask(recording, headers=[ANY, (b"range", b"bytes=0-3")])
    assert (got.status, got.body) == (404, b"404 Not Found")


@pytest.mark.parametrize("more", [[], [(b"range", b"bytes=0-3")]], ids=["alone", "with a range"])
def test_a_head_is_known_from_the_whole(pypi: PyPI, recording: Recording, more: Headers) -> None:
    pypi.has(URL, BODY)
    got = ask(recording, "HEAD", headers=[ANY, *more])
    assert (got.status, got.body, got.replayed) == (200, b"", True)
    assert got.headers[b"content-length"] == b"%d" % len(BODY)


@pytest.mark.parametrize(
    "condition", [b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range"]
)
def test_a_condition_is_not_requested_of_the_recording(pypi: PyPI, recording: Recording, condition: bytes) -> None:
    pypi.has(URL, BODY)
    got = ask(recording, headers=[ANY, (condition, b'"of-pypi"')])
    assert (got.status, got.body == BODY) == (200, True)


def test_a_part_under_a_condition_is_the_whole(pypi: PyPI, recording: Recording) -> None:
    pypi.has(URL, BODY)
    got = ask(recording, headers=[ANY, (b"range", b"bytes=0-3"), (b"if-range", b'"other"')])
    assert (got.status, got.body == BODY) == (200, True)


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        pytest.param("GET", f"{URL}x", [ANY], id="another address"),
        pytest.param("GET", f"{URL}?a", [ANY], id="another query"),
        pytest.param("GET", URL, [(b"accept", b"text/html")], id="another form"),
        pytest.param("POST", URL, [ANY], id="another method"),
        pytest.param("GET", URL, [ANY, (b"authorization", b"x")], id="with credentials"),
        pytest.param("HEAD", f"{URL}x", [ANY], id="the head of another"),
        pytest.param("GET", f"{URL}x", [ANY, (b"range", b"bytes=0-3")], id="a part of another"),
    ],
)
def test_replay_says_what_the_recording_lacks(
    pypi: PyPI, recording: Recording, method: str, url: str, headers: Headers
) -> None:
    pypi.has(URL, BODY)
    with pytest.raises(NotRecorded) as raised:
        ask(recording, method, url, headers)
    assert str(raised.value) == f"{url} is not in the recording"


# Through a listener.


@pytest.fixture(scope="module")
def gateway(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("recording")
    replayed = PyPI(folder, cache / "bodies")
    replayed.has(URL, BODY)
    replayed.has(f"{SIMPLE}/x/", b"<a>", "text/html")
    with Gateway(cache, folder, "replay") as gateway:
        yield gateway


def test_a_client_that_has_it_already_gets_304(gateway: Gateway) -> None:
    conditions = ['"of-pypi"', 'W/"of-pypi"', '"other", "of-pypi"', "*", '"other"', ""]
    with through(gateway) as (client, listener):
        for url in (URL, f"{SIMPLE}/x/"):
            answers = [client.get(url, headers={"if-none-match": condition}) for condition in conditions]
            assert [answer.status_code for answer in answers] == [304, 304, 304, 304, 200, 200]
            assert [answer.content for answer in answers[:4]] == [b""] * 4
        assert client.head(URL, headers={"if-none-match": "*"}).status_code == 304
    assert {(request.answered_by, request.replayed) for request in listener.requests} == {("upstream", True)}


def test_what_was_requested_before_does_not_change_an_answer(gateway: Gateway) -> None:
    part, stale = {"range": "bytes=0-3"}, {"range": "bytes=0-3", "if-range": '"other"'}
    with through(gateway) as (client, _):
        found = [client.get(URL, headers=headers).status_code for headers in (stale, part, stale, {}, part)]
    assert found == [200, 206, 200, 200, 206]


def test_what_the_recording_lacks_makes_the_run_broken(gateway: Gateway) -> None:
    with through(gateway) as (client, listener):
        answer = client.get(f"{SIMPLE}/y/")
        assert (answer.status_code, answer.text) == (504, f"uvmre: {SIMPLE}/y/ is not in the recording\n")
        assert (
            client.get("https://pypi-proxy.fly.dev/basic-auth/simple/y/", auth=("public", "heron")).status_code == 504
        )
    assert [(request.status, request.answered_by) for request in listener.requests] == [(504, "unreachable")] * 2
    observed = Observation("as reported", "0.13.9", "3.11.0", "local", "linux", (), listener.requests)
    assert len(observed.unanswered) == 2


class Large(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


def test_the_downloads_of_a_sandbox_are_limited(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "MAX_DOWNLOADS", len(BODY) + 100)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def sizes(source: Upstream, port: int) -> list[int]:
        found = []
        for name in ("first", "second"):
            async with source.request("GET", f"http://127.0.0.1:{port}/{name}", [ANY]) as answered:
                found.append(len(await answered.read_body()))
        return found

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Large) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with pytest.raises(UpstreamUnreachable, match="the run downloads over"):
            asyncio.run(sizes(Upstream(recording, "auto", private_hosts=("127.0.0.1",)), port))
        assert recording.find_entry(entry_key("GET", f"http://127.0.0.1:{port}/first", [ANY]) or "") is not None
        assert recording.find_entry(entry_key("GET", f"http://127.0.0.1:{port}/second", [ANY]) or "") is None
        assert asyncio.run(sizes(Upstream(recording, "live"), port)) == [len(BODY)] * 2
        server.shutdown()
