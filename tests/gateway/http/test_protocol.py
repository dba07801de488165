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
def origin() -> Iterator[Upstream]:
    with upstream() as origin:
        yield origin


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def gateway(home: Path) -> Iterator[Gateway]:
    with Gateway(home / "cache", home / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))) as gateway:
        yield gateway


@pytest.fixture
def listener(gateway: Gateway) -> Iterator[Listener]:
    with gateway.listener() as listener:
        yield listener
        with line(listener) as client:  # whatever happened, it lives
            client.send(request(CLOSED))
            assert client.answer().status == 401


@pytest.fixture(scope="module")
def trust(gateway: Gateway) -> ssl.SSLContext:
    return trusting(gateway.certificate)


@contextlib.contextmanager
def lines(listener: Listener, trust: ssl.SSLContext, kind: str) -> Iterator[Line]:
    with line(listener) if kind == "plain" else tls(listener, INDEX, trust) as client:
        yield client


def asks(path: str, kind: str, method: str = "GET", **options: object) -> bytes:
    """Return a request that the gateway answers by itself: 401."""
    return request(f"http://{INDEX}/basic-auth/{path}", method, whole=kind == "plain", **options)  # type: ignore[arg-type]


def ended(client: Line) -> bool:
    """Tell whether the other side hung up, with nothing more said."""
    return client.rest() == b""


KINDS = pytest.mark.parametrize("kind", ["plain", "tls"])


@KINDS
def test_a_connection_is_kept_for_the_next_request(listener: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(listener, trust, kind) as client:
        for n in range(50):
            client.send(asks(str(n), kind))
            answer = client.answer()
            assert (answer.status, "close" in answer.headers.get("connection", "")) == (401, False)
    assert [actual.path for actual in listener.requests] == [f"/basic-auth/{n}" for n in range(50)]


@KINDS
def test_a_client_that_says_close_is_hung_up_on_after_its_answer(
    listener: Listener, trust: ssl.SSLContext, kind: str
) -> None:
    with lines(listener, trust, kind) as client:
        client.send(asks("a", kind, headers={"Connection": "close"}) + asks("b", kind))
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert ended(client)
    assert [actual.path for actual in listener.requests] == ["/basic-auth/a"]


@KINDS
@pytest.mark.parametrize("headers", [{}, {"Connection": "keep-alive"}], ids=["", "keep-alive"])
def test_http_1_0_gets_an_answer_without_chunks_and_an_end(
    listener: Listener, origin: Upstream, trust: ssl.SSLContext, kind: str, headers: dict[str, str]
) -> None:
    with lines(listener, trust, kind) as client:
        client.send(asks("old", kind, headers=headers, version="1.0"))
        answer = client.answer()
        assert answer.status == 401
        assert "transfer-encoding" not in answer.headers
        assert ended(client)
    with line(listener) as client:
        client.send(request(origin.url(f"/old-{kind}-{len(headers)}?size=300000&open"), headers=headers, version="1.0"))
        answer = client.answer()
        assert (answer.status, len(answer.body)) == (200, 300_000)
        assert "transfer-encoding" not in answer.headers


def test_an_answer_of_unknown_length_goes_in_chunks(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        for _ in range(3):  # from upstream, from the recording, and as it was given before
            client.send(request(origin.url("/unknown?size=300000&open")))
            answer = client.answer()
            assert len(answer.body) == 300_000
            assert ("content-length" in answer.headers) != (answer.headers.get("transfer-encoding") == "chunked")


@KINDS
def test_pipelined_requests_are_answered_in_their_order(listener: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(listener, trust, kind) as client:
        client.send(b"".join(asks(f"{n}", kind, "HEAD" if n % 3 == 0 else "GET") for n in range(200)))
        for n in range(200):
            assert client.answer(head=n % 3 == 0).status == 401
    assert [actual.path for actual in listener.requests] == [f"/basic-auth/{n}" for n in range(200)]


def test_pipelined_requests_keep_their_order_where_some_are_slow(listener: Listener, origin: Upstream) -> None:
    targets = ["/slow?slow=0.3", "/quick", "/big?size=6000000", "/quick", "/slower?slow=0.2", "/big?size=6000000", "/z"]
    with line(listener) as client:
        for target in ("/quick", "/big?size=6000000"):  # ready in memory, and ready on the recording
            client.send(request(origin.url(target)))
            client.answer()
        expected = []
        for n, target in enumerate(targets):
            expected += [target, f"own{n}"]
            client.send(request(origin.url(target)) + request(f"http://{INDEX}/basic-auth/own{n}"))
        for one in expected:
            answer = client.answer()
            if one.startswith("own"):
                assert (answer.status, b"401" in answer.body) == (401, True)
            elif "size" in one:
                assert (answer.status, len(answer.body)) == (200, 6_000_000)
            else:
                assert answer.body == f"GET {one.partition('?')[0]} 0".encode()
    came = [actual.path.removeprefix("/basic-auth/") for actual in listener.requests][2:]
    assert came == expected


def test_pipelined_requests_in_one_chunk_wait_for_a_slow_one(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        client.send(request(origin.url("/wait?slow=0.3")) + request(CLOSED) * 30 + request(origin.url("/wait2")))
        assert client.answer().body == b"GET /wait 0"
        assert [client.answer().status for _ in range(30)] == [401] * 30
        assert client.answer().body == b"GET /wait2 0"


def test_what_is_no_http_does_not_take_the_answers_before_it(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        client.send(request(origin.url("/before?slow=0.3")) + request(CLOSED) + b"\x00\x01 nonsense\r\n\r\n")
        assert client.answer().body == b"GET /before 0"
        assert [client.answer().status for _ in range(2)] == [401, 400]
        assert ended(client)


def test_what_is_no_http_does_not_land_in_a_body(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        client.send(request(origin.url("/whole?size=3000000&drip=0.005")))
        time.sleep(0.05)
        client.send(b"\x00\x01 nonsense\r\n\r\n")
        assert len(client.answer().body) == 3_000_000
        assert client.answer().status == 400
        assert ended(client)


@KINDS
def test_who_waits_for_it_gets_100_continue(listener: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(listener, trust, kind) as client:
        requested = asks("a", kind, "POST", headers={"Expect": "100-continue"}, body=b"0123456789")
        client.send(requested[:-10])
        assert client.answer().status == 100
        client.send(requested[-10:])
        assert client.answer().status == 401


def test_who_waits_for_it_behind_a_slow_answer_gets_100_continue_after_that(
    listener: Listener, origin: Upstream
) -> None:
    with line(listener, timeout=5) as client:
        requested = request(origin.url("/later"), "POST", headers={"Expect": "100-continue"}, body=b"0123456789")
        client.send(request(origin.url("/sooner?slow=0.3")) + requested[:-10])
        assert client.answer().body == b"GET /sooner 0"
        assert client.answer().status == 100
        client.send(requested[-10:])
        assert client.answer().body == b"POST /later 10"


def test_http_1_0_never_gets_100_continue(listener: Listener) -> None:
    with line(listener) as client:
        client.send(request(CLOSED, "POST", headers={"Expect": "100-continue"}, body=b"0123456789", version="1.0"))
        assert client.answer().status == 401


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
def test_a_body_may_come_in_chunks(
    listener: Listener, origin: Upstream, body: bytes, length: int, pieces: bool
) -> None:
    head = request(origin.url("/chunks"), "POST", headers={"Transfer-Encoding": "chunked"})
    with line(listener) as client:
        for _ in range(2):
            for part in [bytes([byte]) for byte in head + body] if pieces else [head + body]:
                client.send(part)
            assert client.answer().body == f"POST /chunks {length}".encode()


@KINDS
def test_a_request_may_come_in_single_bytes(listener: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(listener, trust, kind) as client:
        for _ in range(2):
            for byte in asks("bytes", kind, "POST", headers={"X-Long": "x" * 100}, body=b"body"):
                client.send(bytes([byte]))
            assert client.answer().status == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(b"X-Big: " + b"x" * 1_000_000 + b"\r\n", id="one of a megabyte"),
        pytest.param(b"X-Small: xxxxxxxxxxxx\r\n" * 50_000, id="fifty thousand"),
    ],
)
@KINDS
def test_a_megabyte_of_headers_is_refused_and_ends_the_connection(
    listener: Listener, trust: ssl.SSLContext, kind: str, headers: bytes
) -> None:
    with lines(listener, trust, kind) as client:
        with contextlib.suppress(OSError):  # it need not read to the end
            client.send(asks("big", kind)[:-2] + headers + b"\r\n")
        with contextlib.suppress(OSError):
            output = client.rest()
            assert output[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"HTTP/1.1 413", b"")
    assert listener.requests == () or listener.requests[-1].status != 200


def test_headers_that_never_end_are_refused(listener: Listener) -> None:
    with raw(listener) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        endless = itertools.repeat(b"X-More: 0123456789\r\n" * 500)
        with pytest.raises(ConnectionError):
            collections.deque(map(client.sendall, endless), maxlen=0)


@KINDS
@pytest.mark.parametrize("size", [10_000, 60_000])
def test_an_address_of_ten_kilobytes_is_too_long(
    listener: Listener, trust: ssl.SSLContext, kind: str, size: int
) -> None:
    with lines(listener, trust, kind) as client:
        client.send(asks("x" * size, kind))
        assert client.answer().status in ((414,) if size == 10_000 else (414, 400))
        assert ended(client)


@KINDS
def test_an_address_of_seven_kilobytes_is_not_too_long(listener: Listener, trust: ssl.SSLContext, kind: str) -> None:
    with lines(listener, trust, kind) as client:
        client.send(asks("x" * 7000, kind))
        assert client.answer().status == 401


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
def test_what_is_no_http_is_a_bad_request(listener: Listener, sent: bytes) -> None:
    with line(listener) as client:
        client.send(sent)
        assert client.answer().status == 400
        assert ended(client)


@pytest.mark.parametrize("sent", INVALID)
def test_what_is_no_http_is_a_bad_request_within_the_tls_too(
    listener: Listener, trust: ssl.SSLContext, sent: bytes
) -> None:
    with tls(listener, INDEX, trust) as client:
        client.send(sent)
        assert client.answer().status == 400
        assert ended(client)


def test_head_never_has_a_body(listener: Listener, origin: Upstream) -> None:
    targets = [origin.url(target) for target in ("/head?size=1000", "/head?size=9000000", "/head?size=5&open")]
    with line(listener) as client:
        for url in (*targets, CLOSED, NOT_MINE):
            for _ in range(2):
                client.send(request(url, "HEAD") + request(CLOSED))  # what follows would be taken for the body
                client.answer(head=True)
                assert client.answer().status == 401


def test_head_tells_the_length_that_get_has(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        actual = []
        for method in ("HEAD", "GET", "HEAD"):
            client.send(request(origin.url("/length?size=4321"), method))
            actual.append(client.answer(head=method == "HEAD").headers["content-length"])
    assert actual == ["4321"] * 3


def test_who_has_it_already_gets_304_without_a_body(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        for tag, status in (
            ("", 200),
            ('"one"', 304),
            ('W/"one"', 304),
            ('"two"', 200),
            ('"two", "one"', 304),
            ("*", 304),
        ):
            client.send(request(origin.url("/tagged?etag=one"), headers={"If-None-Match": tag}) + request(CLOSED))
            answer = client.answer()
            assert (answer.status, answer.headers["etag"]) == (status, '"one"'), tag
            assert client.answer().status == 401


@pytest.mark.parametrize("status", [204, 304])
def test_an_upstream_that_has_no_body_is_passed_on_without_one(
    listener: Listener, origin: Upstream, status: int
) -> None:
    with line(listener) as client:
        client.send(request(origin.url(f"/none?status={status}&size=0")) + request(CLOSED))
        assert client.answer().status == status
        assert client.answer().status == 401


@pytest.mark.parametrize(
    "headers", [{"Connection": "Upgrade", "Upgrade": "h2c"}, {"Connection": "Upgrade", "Upgrade": "websocket"}]
)
def test_who_wants_another_protocol_gets_this_one(
    listener: Listener, origin: Upstream, headers: dict[str, str]
) -> None:
    """As curl asks with --http2."""
    with line(listener, timeout=5) as client:
        client.send(request(origin.url("/upgrade"), headers=headers) + request(CLOSED))
        assert client.answer().body == b"GET /upgrade 0"
        assert client.answer().status == 401


def test_a_connect_within_a_connection_is_refused_and_not_passed_on(listener: Listener) -> None:
    with line(listener) as client:
        client.send(request(CLOSED))
        client.answer()
        client.send(b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n")
        assert client.answer(head=True).status in (400, 403, 405, 501)
    assert not [actual for actual in listener.requests if actual.answered_by == "upstream"]


def test_an_empty_line_before_a_request_counts_for_nothing(listener: Listener) -> None:
    with line(listener) as client:
        client.send(b"\r\n\r\n" + request(CLOSED) + b"\r\n" + request(CLOSED))
        assert [client.answer().status for _ in range(2)] == [401, 401]
    with line(listener) as client:
        client.send(b"\r\nCONNECT example.net:443 HTTP/1.1\r\n\r\n")
        assert client.answer().status == 403
    assert [actual.method for actual in listener.requests] == ["GET", "GET", "CONNECT"]


def test_tls_that_does_not_wait_for_the_answer_to_connect_gets_an_error_at_once_or_an_answer(
    listener: Listener, trust: ssl.SSLContext
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = trust.wrap_bio(incoming, outgoing, server_hostname=INDEX)
    with contextlib.suppress(ssl.SSLWantReadError):
        secured.do_handshake()
    with raw(listener, timeout=5) as connection:
        connection.sendall(f"CONNECT {INDEX}:443 HTTP/1.1\r\nHost: {INDEX}:443\r\n\r\n".encode() + outgoing.read())
        output = connection.recv(4096)
        if output.startswith(b"HTTP/1.1 200"):
            assert output.partition(b"\r\n\r\n")[2] or connection.recv(4096)
        else:
            assert output.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("target", ["/half?slow=0.3", "/quick-half", "/half?size=6000000"])
def test_a_client_that_has_reported_all_is_answered(listener: Listener, origin: Upstream, target: str) -> None:
    """As `printf … | nc` asks: its side is closed before the answer comes."""
    with line(listener) as client:
        client.send(request(origin.url(target)))
        client.connection.shutdown(socket.SHUT_WR)
        assert client.answer().status == 200
        assert ended(client)


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
    home: Path, gateway: Gateway, listener: Listener, origin: Upstream, target: str
) -> None:
    process = psutil.Process(gateway.pid)
    with line(listener) as client:
        client.send(request(origin.url("/first?size=5000000")))
        client.answer()
        before = process.memory_info().rss
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(request(origin.url(target)))
        for _ in range(15):
            time.sleep(0.1)
            assert process.memory_info().rss < before + 20_000_000
        # It is not fetched on and on either: what is on disk is what fits in between.
        assert sum(path.stat().st_size for path in (home / "cache/bodies").rglob("tmp*")) < 100_000_000


def test_a_client_that_asks_on_and_reads_nothing_costs_no_memory(
    gateway: Gateway, listener: Listener, origin: Upstream
) -> None:
    process = psutil.Process(gateway.pid)
    requested = request(origin.url("/kept?size=1000000"))
    with line(listener) as client:
        for _ in range(3):  # now it is ready in memory
            client.send(requested)
            client.answer()
        before = process.memory_info().rss
        client.send(requested * 300)
        for _ in range(10):
            time.sleep(0.05)
            assert process.memory_info().rss < before + 20_000_000
        assert [len(client.answer().body) for _ in range(300)] == [1_000_000] * 300


@pytest.mark.parametrize("target", ["/gone?size=8000000&drip=0.002", "/gone-open?size=3000000&drip=0.002&open"])
def test_what_a_client_hangs_up_on_is_whole_on_the_recording_or_absent(
    tmp_path: Path, origin: Upstream, target: str
) -> None:
    size = int(target.partition("size=")[2].partition("&")[0])
    with Gateway(tmp_path / "cache", tmp_path / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))) as gateway:  # noqa: SIM117 - one in the other
        with gateway.listener() as listener:
            with line(listener) as client:
                client.send(request(origin.url(target)))
                client.connection.recv(1000)
            time.sleep(1)
            with line(listener) as client:
                client.send(request(origin.url(target)))
                assert len(client.answer().body) == size
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
            gateway.listener() as listener,
        ):
            for _ in range(2):
                with line(listener) as client:
                    client.send(request(url))
                    with pytest.raises(EOFError):
                        client.answer()
            actual = [(r.status, r.answered_by) for r in listener.requests]
    assert actual == [(200, "upstream"), (0, "unreachable")] * 2
    assert not (tmp_path / "recording").exists()
    assert "Traceback" not in capfd.readouterr().err


def test_a_fault_that_cuts_the_line_is_no_failure_of_the_gateway(
    tmp_path: Path, origin: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    fault = Fault(url="*", cut=100)
    with Gateway(tmp_path / "cache", tmp_path / "recording", config=GatewayConfig(allow_hosts=(UPSTREAM,))) as gateway:  # noqa: SIM117 - one in the other
        with gateway.listener(faults=(fault,)) as listener, raw(listener) as client:
            client.sendall(request(origin.url("/cut?size=5000")))
            assert len(read_all(client).partition(b"\r\n\r\n")[2]) == 100
    assert capfd.readouterr().err == ""


def test_a_big_upload_does_not_keep_others_waiting(listener: Listener, origin: Upstream) -> None:
    requested = request(origin.url("/upload"), "POST", body=b"x" * 40_000_000)
    with line(listener) as sending, line(listener) as client:
        uploading = threading.Thread(target=sending.send, args=(requested,))
        uploading.start()
        slowest = 0.0
        while uploading.is_alive():
            begun = time.monotonic()
            client.send(request(CLOSED))
            client.answer()
            slowest = max(slowest, time.monotonic() - begun)
        uploading.join()
        assert sending.answer().body == b"POST /upload 40000000"
    assert slowest < 1


def test_an_answer_has_a_date_and_says_its_length(listener: Listener, origin: Upstream) -> None:
    with line(listener) as client:
        for url in (CLOSED, NOT_MINE, origin.url("/dated")):
            client.send(request(url))
            answer: Answer = client.answer()
            assert answer.headers["date"].endswith(" GMT")
            assert "content-length" in answer.headers or answer.headers["transfer-encoding"] == "chunked"
