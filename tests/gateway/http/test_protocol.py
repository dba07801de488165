"""HTTP/1.1 as the gateway speaks it, byte by byte: RFC 9112, and nginx where that leaves a choice."""

import collections
import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.gateway.wire import UPSTREAM, Answer, Line, Upstream, line, raw, read_all, request, tls, trusting, upstream
from uvmre.core.network.index import Fault
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.recording.store import is_intact
from uvmre.gateway.session import Gateway, Listener

INDEX = "pypi-proxy.fly.dev"
CLOSED = f"http://{INDEX}/basic-auth/simple/x/"
NOT_MINE = "http://example.net/"


@pytest.fixture(scope="module")
def served() -> Iterator[Upstream]:
    with upstream() as served:
        yield served


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def gateway(home: Path) -> Iterator[Gateway]:
    with Gateway(home / "cache", home / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))) as gateway:
        yield gateway


@pytest.fixture
def door(gateway: Gateway) -> Iterator[Listener]:
    with gateway.listener() as door:
        yield door
        with line(door) as asking:  # whatever happened, it lives
            asking.send(request(CLOSED))
            assert asking.answer().status == 401


@pytest.fixture(scope="module")
def trust(gateway: Gateway) -> ssl.SSLContext:
    return trusting(gateway.certificate)


@contextlib.contextmanager
def lines(door: Listener, trust: ssl.SSLContext, kind: str) -> Iterator[Line]:
    with line(door) if kind == "plain" else tls(door, INDEX, trust) as asking:
        yield asking


def asks(path: str, kind: str, method: str = "GET", **options: object) -> bytes:
    """Return a request that the gateway answers by itself: 401."""
    return request(f"http://{INDEX}/basic-auth/{path}", method, whole=kind == "plain", **options)  # type: ignore[arg-type]


def ended(asking: Line) -> bool:
    """Tell whether the other side hung up, with nothing more said."""
    return asking.rest() == b""


KINDS = pytest.mark.parametrize("kind", ["plain", "tls"])


@KINDS
def test_a_connection_is_kept_for_the_next_request(door: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(door, trust, kind) as asking:
        for n in range(50):
            asking.send(asks(str(n), kind))
            answer = asking.answer()
            assert (answer.status, "close" in answer.headers.get("connection", "")) == (401, False)
    assert [told.path for told in door.requests] == [f"/basic-auth/{n}" for n in range(50)]


@KINDS
def test_a_client_that_says_close_is_hung_up_on_after_its_answer(
    door: Listener, trust: ssl.SSLContext, kind: str
) -> None:
    with lines(door, trust, kind) as asking:
        asking.send(asks("a", kind, headers={"Connection": "close"}) + asks("b", kind))
        answer = asking.answer()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert ended(asking)
    assert [told.path for told in door.requests] == ["/basic-auth/a"]


@KINDS
@pytest.mark.parametrize("headers", [{}, {"Connection": "keep-alive"}], ids=["", "keep-alive"])
def test_http_1_0_gets_an_answer_without_chunks_and_an_end(
    door: Listener, served: Upstream, trust: ssl.SSLContext, kind: str, headers: dict[str, str]
) -> None:
    with lines(door, trust, kind) as asking:
        asking.send(asks("old", kind, headers=headers, version="1.0"))
        answer = asking.answer()
        assert answer.status == 401
        assert "transfer-encoding" not in answer.headers
        assert ended(asking)
    with line(door) as asking:
        asking.send(request(served.url(f"/old-{kind}-{len(headers)}?size=300000&open"), headers=headers, version="1.0"))
        answer = asking.answer()
        assert (answer.status, len(answer.body)) == (200, 300_000)
        assert "transfer-encoding" not in answer.headers


def test_an_answer_of_unknown_length_goes_in_chunks(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        for _ in range(3):  # from upstream, from the tape, and as it was given before
            asking.send(request(served.url("/unknown?size=300000&open")))
            answer = asking.answer()
            assert len(answer.body) == 300_000
            assert ("content-length" in answer.headers) != (answer.headers.get("transfer-encoding") == "chunked")


@KINDS
def test_pipelined_requests_are_answered_in_their_order(door: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(door, trust, kind) as asking:
        asking.send(b"".join(asks(f"{n}", kind, "HEAD" if n % 3 == 0 else "GET") for n in range(200)))
        for n in range(200):
            assert asking.answer(head=n % 3 == 0).status == 401
    assert [told.path for told in door.requests] == [f"/basic-auth/{n}" for n in range(200)]


def test_pipelined_requests_keep_their_order_where_some_are_slow(door: Listener, served: Upstream) -> None:
    targets = ["/slow?slow=0.3", "/quick", "/big?size=6000000", "/quick", "/slower?slow=0.2", "/big?size=6000000", "/z"]
    with line(door) as asking:
        for target in ("/quick", "/big?size=6000000"):  # ready in memory, and ready on the tape
            asking.send(request(served.url(target)))
            asking.answer()
        wanted = []
        for n, target in enumerate(targets):
            wanted += [target, f"own{n}"]
            asking.send(request(served.url(target)) + request(f"http://{INDEX}/basic-auth/own{n}"))
        for one in wanted:
            answer = asking.answer()
            if one.startswith("own"):
                assert (answer.status, b"401" in answer.body) == (401, True)
            elif "size" in one:
                assert (answer.status, len(answer.body)) == (200, 6_000_000)
            else:
                assert answer.body == f"GET {one.partition('?')[0]} 0".encode()
    came = [told.path.removeprefix("/basic-auth/") for told in door.requests][2:]
    assert came == wanted


def test_pipelined_requests_in_one_piece_wait_for_a_slow_one(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        asking.send(request(served.url("/wait?slow=0.3")) + request(CLOSED) * 30 + request(served.url("/wait2")))
        assert asking.answer().body == b"GET /wait 0"
        assert [asking.answer().status for _ in range(30)] == [401] * 30
        assert asking.answer().body == b"GET /wait2 0"


def test_what_is_no_http_does_not_take_the_answers_before_it(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        asking.send(request(served.url("/before?slow=0.3")) + request(CLOSED) + b"\x00\x01 nonsense\r\n\r\n")
        assert asking.answer().body == b"GET /before 0"
        assert [asking.answer().status for _ in range(2)] == [401, 400]
        assert ended(asking)


def test_what_is_no_http_does_not_land_in_a_body(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        asking.send(request(served.url("/whole?size=3000000&drip=0.005")))
        time.sleep(0.05)
        asking.send(b"\x00\x01 nonsense\r\n\r\n")
        assert len(asking.answer().body) == 3_000_000
        assert asking.answer().status == 400
        assert ended(asking)


@KINDS
def test_who_waits_for_it_is_told_to_go_on(door: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(door, trust, kind) as asking:
        asked = asks("a", kind, "POST", headers={"Expect": "100-continue"}, body=b"0123456789")
        asking.send(asked[:-10])
        assert asking.answer().status == 100
        asking.send(asked[-10:])
        assert asking.answer().status == 401


def test_who_waits_for_it_behind_a_slow_answer_is_told_to_go_on_after_that(door: Listener, served: Upstream) -> None:
    with line(door, timeout=5) as asking:
        asked = request(served.url("/later"), "POST", headers={"Expect": "100-continue"}, body=b"0123456789")
        asking.send(request(served.url("/sooner?slow=0.3")) + asked[:-10])
        assert asking.answer().body == b"GET /sooner 0"
        assert asking.answer().status == 100
        asking.send(asked[-10:])
        assert asking.answer().body == b"POST /later 10"


def test_http_1_0_is_never_told_to_go_on(door: Listener) -> None:
    with line(door) as asking:
        asking.send(request(CLOSED, "POST", headers={"Expect": "100-continue"}, body=b"0123456789", version="1.0"))
        assert asking.answer().status == 401


@pytest.mark.parametrize(
    ("body", "length"),
    [
        pytest.param(b"0\r\n\r\n", 0, id="none"),
        pytest.param(b"5\r\nhello\r\n6;name=value\r\n world\r\n0\r\n\r\n", 11, id="two and an extension"),
        pytest.param(b"3\r\nabc\r\n0\r\nTrailer: value\r\n\r\n", 3, id="a trailer"),
        pytest.param(b"A\r\n0123456789\r\n00\r\n\r\n", 10, id="a capital, and zeros"),
    ],
)
@pytest.mark.parametrize("pieces", [False, True], ids=["at once", "in single bytes"])
def test_a_body_may_come_in_chunks(door: Listener, served: Upstream, body: bytes, length: int, pieces: bool) -> None:
    head = request(served.url("/chunks"), "POST", headers={"Transfer-Encoding": "chunked"})
    with line(door) as asking:
        for _ in range(2):
            for part in [bytes([byte]) for byte in head + body] if pieces else [head + body]:
                asking.send(part)
            assert asking.answer().body == f"POST /chunks {length}".encode()


@KINDS
def test_a_request_may_come_in_single_bytes(door: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(door, trust, kind) as asking:
        for _ in range(2):
            for byte in asks("bytes", kind, "POST", headers={"X-Long": "x" * 100}, body=b"body"):
                asking.send(bytes([byte]))
            assert asking.answer().status == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"X-Big: " + b"x" * 1_000_000 + b"\r\n", id="one of a megabyte"),
        pytest.param(b"X-Small: xxxxxxxxxxxx\r\n" * 50_000, id="fifty thousand"),
    ],
)
@KINDS
def test_a_megabyte_of_headers_is_refused_and_ends_the_connection(
    door: Listener, trust: ssl.SSLContext, kind: str, headers: bytes
) -> None:
    with lines(door, trust, kind) as asking:
        with contextlib.suppress(OSError):  # it need not read to the end
            asking.send(asks("big", kind)[:-2] + headers + b"\r\n")
        with contextlib.suppress(OSError):
            said = asking.rest()
            assert said[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"HTTP/1.1 413", b"")
    assert door.requests == () or door.requests[-1].status != 200


def test_headers_that_never_end_are_refused(door: Listener) -> None:
    with raw(door) as asking:
        asking.sendall(b"GET / HTTP/1.1\r\n")
        endless = itertools.repeat(b"X-More: 0123456789\r\n" * 500)
        with pytest.raises(ConnectionError):
            collections.deque(map(asking.sendall, endless), maxlen=0)


@KINDS
@pytest.mark.parametrize("size", [10_000, 60_000])
def test_an_address_of_ten_kilobytes_is_too_long(door: Listener, trust: ssl.SSLContext, kind: str, size: int) -> None:
    with lines(door, trust, kind) as asking:
        asking.send(asks("x" * size, kind))
        assert asking.answer().status in ((414,) if size == 10_000 else (414, 400))
        assert ended(asking)


@KINDS
def test_an_address_of_seven_kilobytes_is_not_too_long(door: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(door, trust, kind) as asking:
        asking.send(asks("x" * 7000, kind))
        assert asking.answer().status == 401


INVALID = [
    pytest.param(b"nonsense\r\n\r\n", id="no request"),
    pytest.param(b"GET\r\n\r\n", id="no target"),
    pytest.param(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", id="a header without a colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", id="a space before the colon"),
    pytest.param(b"GET / HTTP/1.1\r\nX: a\x00b\r\n\r\n", id="a zero in a header"),
    pytest.param(b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", id="a zero in the target"),
    pytest.param(b"GET / HTTP/one\r\nHost: x\r\n\r\n", id="a version in words"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
    pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", id="a length in words"),
    pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", id="a length below nothing"),
    pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        id="a length and chunks",
    ),
    pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", id="a chunk of no size"),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        id="a chunk longer than it says",
    ),
]


@pytest.mark.parametrize("sent", INVALID)
def test_what_is_no_http_is_a_bad_request(door: Listener, sent: bytes) -> None:
    with line(door) as asking:
        asking.send(sent)
        assert asking.answer().status == 400
        assert ended(asking)


@pytest.mark.parametrize("sent", INVALID)
def test_what_is_no_http_is_a_bad_request_within_the_tls_too(
    door: Listener, trust: ssl.SSLContext, sent: bytes
) -> None:
    with tls(door, INDEX, trust) as asking:
        asking.send(sent)
        assert asking.answer().status == 400
        assert ended(asking)


def test_head_never_has_a_body(door: Listener, served: Upstream) -> None:
    targets = [served.url(target) for target in ("/head?size=1000", "/head?size=9000000", "/head?size=5&open")]
    with line(door) as asking:
        for url in (*targets, CLOSED, NOT_MINE):
            for _ in range(2):
                asking.send(request(url, "HEAD") + request(CLOSED))  # what follows would be taken for the body
                asking.answer(head=True)
                assert asking.answer().status == 401


def test_head_tells_the_length_that_get_has(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        told = []
        for method in ("HEAD", "GET", "HEAD"):
            asking.send(request(served.url("/length?size=4321"), method))
            told.append(asking.answer(head=method == "HEAD").headers["content-length"])
    assert told == ["4321"] * 3


def test_who_has_it_already_is_told_304_without_a_body(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        for tag, status in (
            ("", 200),
            ('"one"', 304),
            ('W/"one"', 304),
            ('"two"', 200),
            ('"two", "one"', 304),
            ("*", 304),
        ):
            asking.send(request(served.url("/tagged?etag=one"), headers={"If-None-Match": tag}) + request(CLOSED))
            answer = asking.answer()
            assert (answer.status, answer.headers["etag"]) == (status, '"one"'), tag
            assert asking.answer().status == 401


@pytest.mark.parametrize("status", [204, 304])
def test_an_upstream_that_has_no_body_is_passed_on_without_one(door: Listener, served: Upstream, status: int) -> None:
    with line(door) as asking:
        asking.send(request(served.url(f"/none?status={status}&size=0")) + request(CLOSED))
        assert asking.answer().status == status
        assert asking.answer().status == 401


@pytest.mark.parametrize(
    "headers", [{"Connection": "Upgrade", "Upgrade": "h2c"}, {"Connection": "Upgrade", "Upgrade": "websocket"}]
)
def test_who_wants_another_protocol_gets_this_one(door: Listener, served: Upstream, headers: dict[str, str]) -> None:
    """As curl asks with --http2."""
    with line(door, timeout=5) as asking:
        asking.send(request(served.url("/upgrade"), headers=headers) + request(CLOSED))
        assert asking.answer().body == b"GET /upgrade 0"
        assert asking.answer().status == 401


def test_a_connect_within_a_connection_is_refused_and_not_passed_on(door: Listener) -> None:
    with line(door) as asking:
        asking.send(request(CLOSED))
        asking.answer()
        asking.send(b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n")
        assert asking.answer(head=True).status in (400, 403, 405, 501)
    assert not [told for told in door.requests if told.answered_by == "upstream"]


def test_an_empty_line_before_a_request_counts_for_nothing(door: Listener) -> None:
    with line(door) as asking:
        asking.send(b"\r\n\r\n" + request(CLOSED) + b"\r\n" + request(CLOSED))
        assert [asking.answer().status for _ in range(2)] == [401, 401]
    with line(door) as asking:
        asking.send(b"\r\nCONNECT example.net:443 HTTP/1.1\r\n\r\n")
        assert asking.answer().status == 403
    assert [told.method for told in door.requests] == ["GET", "GET", "CONNECT"]


def test_tls_that_does_not_wait_for_the_answer_to_connect_is_told_at_once_or_answered(
    door: Listener, trust: ssl.SSLContext
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = trust.wrap_bio(incoming, outgoing, server_hostname=INDEX)
    with contextlib.suppress(ssl.SSLWantReadError):
        secured.do_handshake()
    with raw(door, timeout=5) as connection:
        connection.sendall(f"CONNECT {INDEX}:443 HTTP/1.1\r\nHost: {INDEX}:443\r\n\r\n".encode() + outgoing.read())
        said = connection.recv(4096)
        if said.startswith(b"HTTP/1.1 200"):
            assert said.partition(b"\r\n\r\n")[2] or connection.recv(4096)
        else:
            assert said.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("target", ["/half?slow=0.3", "/quick-half", "/half?size=6000000"])
def test_a_client_that_has_said_all_is_answered(door: Listener, served: Upstream, target: str) -> None:
    """As `printf … | nc` asks: its side is closed before the answer comes."""
    with line(door) as asking:
        asking.send(request(served.url(target)))
        asking.connection.shutdown(socket.SHUT_WR)
        assert asking.answer().status == 200
        assert ended(asking)


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/unread?size=150000000", id="from upstream"),
        pytest.param(
            "/unread-of-unknown-length?size=150000000&open",
            id="from upstream, of unknown length",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_client_that_stops_reading_costs_no_memory(
    home: Path, gateway: Gateway, door: Listener, served: Upstream, target: str
) -> None:
    process = psutil.Process(gateway.pid)
    with line(door) as asking:
        asking.send(request(served.url("/first?size=5000000")))
        asking.answer()
        before = process.memory_info().rss
        asking.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        asking.send(request(served.url(target)))
        for _ in range(15):
            time.sleep(0.1)
            assert process.memory_info().rss < before + 20_000_000
        # It is not fetched on and on either: what is on disk is what fits in between.
        assert sum(path.stat().st_size for path in (home / "cache/bodies").rglob("tmp*")) < 100_000_000


def test_a_client_that_asks_on_and_reads_nothing_costs_no_memory(
    gateway: Gateway, door: Listener, served: Upstream
) -> None:
    process = psutil.Process(gateway.pid)
    asked = request(served.url("/kept?size=1000000"))
    with line(door) as asking:
        for _ in range(3):  # now it is ready in memory
            asking.send(asked)
            asking.answer()
        before = process.memory_info().rss
        asking.send(asked * 300)
        for _ in range(10):
            time.sleep(0.05)
            assert process.memory_info().rss < before + 20_000_000
        assert [len(asking.answer().body) for _ in range(300)] == [1_000_000] * 300


@pytest.mark.parametrize("target", ["/gone?size=8000000&drip=0.002", "/gone-open?size=3000000&drip=0.002&open"])
def test_what_a_client_hangs_up_on_is_whole_on_the_tape_or_absent(
    tmp_path: Path, served: Upstream, target: str
) -> None:
    size = int(target.partition("size=")[2].partition("&")[0])
    with Gateway(tmp_path / "cache", tmp_path / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))) as gateway:  # noqa: SIM117 - one in the other
        with gateway.listener() as door:
            with line(door) as asking:
                asking.send(request(served.url(target)))
                asking.connection.recv(1000)
            time.sleep(1)
            with line(door) as asking:
                asking.send(request(served.url(target)))
                assert len(asking.answer().body) == size
    files = [path for path in (tmp_path / "cache/bodies").rglob("*") if path.is_file()]
    assert [(path.stat().st_size, is_intact(path, path.name)) for path in files] == [(size, True)]


def test_an_upstream_that_hangs_up_in_the_middle_is_passed_on_as_that_and_not_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((UPSTREAM, 0)) as server:

        def half() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 500_000)

        threading.Thread(target=half, daemon=True).start()
        url = f"http://{UPSTREAM}:{server.getsockname()[1]}/half"
        with (
            Gateway(
                tmp_path / "cache", tmp_path / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))
            ) as gateway,
            gateway.listener() as door,
        ):
            for _ in range(2):
                with line(door) as asking:
                    asking.send(request(url))
                    with pytest.raises(EOFError):
                        asking.answer()
            told = [(r.status, r.answered_by) for r in door.requests]
    assert told == [(200, "upstream"), (0, "unreachable")] * 2
    assert not (tmp_path / "recording").exists()
    assert "Traceback" not in capfd.readouterr().err


def test_a_fault_that_cuts_the_line_is_no_failure_of_the_gateway(
    tmp_path: Path, served: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    fault = Fault(url="*", cut=100)
    with Gateway(tmp_path / "cache", tmp_path / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))) as gateway:  # noqa: SIM117 - one in the other
        with gateway.listener(faults=(fault,)) as door, raw(door) as asking:
            asking.sendall(request(served.url("/cut?size=5000")))
            assert len(read_all(asking).partition(b"\r\n\r\n")[2]) == 100
    assert capfd.readouterr().err == ""


def test_a_big_upload_does_not_keep_others_waiting(door: Listener, served: Upstream) -> None:
    asked = request(served.url("/upload"), "POST", body=b"x" * 40_000_000)
    with line(door) as sending, line(door) as asking:
        uploading = threading.Thread(target=sending.send, args=(asked,))
        uploading.start()
        slowest = 0.0
        while uploading.is_alive():
            begun = time.monotonic()
            asking.send(request(CLOSED))
            asking.answer()
            slowest = max(slowest, time.monotonic() - begun)
        uploading.join()
        assert sending.answer().body == b"POST /upload 40000000"
    assert slowest < 1


def test_an_answer_has_a_date_and_says_its_length(door: Listener, served: Upstream) -> None:
    with line(door) as asking:
        for url in (CLOSED, NOT_MINE, served.url("/dated")):
            asking.send(request(url))
            answer: Answer = asking.answer()
            assert answer.headers["date"].endswith(" GMT")
            assert "content-length" in answer.headers or answer.headers["transfer-encoding"] == "chunked"
