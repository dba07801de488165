"""A real gateway, with clients that come through its listeners."""

import collections
import contextlib
import hashlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import httpx
import psutil
import pytest

from uvmre.errors import CannotTell
from uvmre.gateway.index.pypi_proxy import basic_auth
from uvmre.gateway.server.connection import HEAD_LIMIT
from uvmre.gateway.session import Gateway, Listener

INDEX = "pypi-proxy.fly.dev"
CLOSED = f"https://{INDEX}/basic-auth/simple/x/"
CHALLENGE = 'Basic realm="authenticated"'
ANCHOR = re.compile(r'href="([^"#]+)#sha256=([0-9a-f]{64})"')


@pytest.fixture(scope="module")
def gateway(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(cache, tmp_path_factory.mktemp("recording")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def trust(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Return a context that trusts the gateway's authority and nobody else."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    path.write_bytes(gateway.certificate)
    return ssl.create_default_context(cafile=str(path))


@pytest.fixture
def listener(gateway: Gateway) -> Iterator[Listener]:
    with gateway.listener() as listener:
        yield listener


ClientFactory = Callable[..., httpx.Client]


@pytest.fixture
def client_for(trust: ssl.SSLContext) -> ClientFactory:
    """Return a function that makes a client whose proxy is a listener."""

    def through(listener: Listener, **options: object) -> httpx.Client:
        return httpx.Client(proxy=listener.url, verify=trust, trust_env=False, timeout=60, **options)  # type: ignore[arg-type]

    return through


def address(listener: Listener) -> tuple[str, int]:
    host, _, port = listener.url.removeprefix("http://").partition(":")
    return host, int(port)


def raw(listener: Listener) -> socket.socket:
    return socket.create_connection(address(listener), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side hangs up."""
    got = b""
    while block := connection.recv(65536):
        got += block
    return got


def tunnel(listener: Listener, host: str = INDEX) -> socket.socket:
    """Return a connection on which CONNECT was answered with 200."""
    connection = raw(listener)
    connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    return connection


def tls_requests(listener: Listener) -> set[tuple[str, str, int, str]]:
    """Wait until something was recorded, which is when the gateway sees it, and return what that was."""
    deadline = time.monotonic() + 20
    while not listener.requests and time.monotonic() < deadline:
        time.sleep(0.05)
    return {(request.method, request.host, request.status, request.answered_by) for request in listener.requests}


def assert_still_answers(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client:
        assert client.get(CLOSED).status_code == 401


def test_an_index_with_a_password_answers_401_without_credentials(
    listener: Listener, client_for: ClientFactory
) -> None:
    with client_for(listener) as client:
        answer = client.get(CLOSED)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert "401 Authorization Required" in answer.text
    [request] = listener.requests
    assert (request.method, request.host, request.path) == ("GET", INDEX, "/basic-auth/simple/x/")
    assert (request.status, request.credentials, request.answered_by) == (401, False, "stand-in")


def test_plain_http_is_answered_the_same(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client:
        answer = client.get(f"http://{INDEX}/basic-auth/simple/x/?a=b")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, CHALLENGE)
    [request] = listener.requests
    assert (request.host, request.path, request.answered_by) == (INDEX, "/basic-auth/simple/x/?a=b", "stand-in")


def test_a_host_of_no_mre_is_refused_before_its_tls(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client, pytest.raises(httpx.ProxyError, match="403"):
        client.get("https://example.com/")
    [request] = listener.requests
    assert (request.method, request.host, request.status, request.answered_by) == (
        "CONNECT",
        "example.com",
        403,
        "refused",
    )
    assert "example.com" in request.reason


def test_a_host_of_no_mre_is_refused_over_plain_http(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client:
        answer = client.get("http://example.com/a?b")
    assert (answer.status_code, "example.com" in answer.text) == (403, True)
    [request] = listener.requests
    assert (request.method, request.host, request.path, request.answered_by) == (
        "GET",
        "example.com",
        "/a?b",
        "refused",
    )
    assert "example.com" in request.reason


def test_another_host_inside_a_tunnel_is_refused(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client:
        assert client.get(CLOSED, headers={"host": "example.com"}).status_code == 403
    assert [request.answered_by for request in listener.requests] == ["refused"]


def test_the_name_of_a_host_may_be_in_capitals(listener: Listener, trust: ssl.SSLContext) -> None:
    with tunnel(listener, INDEX.upper()) as connection, trust.wrap_socket(connection, server_hostname=INDEX) as secured:
        secured.sendall(f"GET /basic-auth/ HTTP/1.1\r\nHost: {INDEX.upper()}\r\nConnection: close\r\n\r\n".encode())
        assert read_all(secured).startswith(b"HTTP/1.1 401 ")


def test_two_listeners_keep_their_requests_apart(gateway: Gateway, client_for: ClientFactory) -> None:
    with gateway.listener() as one, gateway.listener() as other:
        assert one.url != other.url
        with client_for(one) as client, client_for(other) as second:
            client.get(CLOSED + "one")
            second.get(CLOSED + "other")
            client.get(CLOSED + "one-more")
        ends = [[request.path.rsplit("/", 1)[1] for request in listener.requests] for listener in (one, other)]
    assert ends == [["one", "one-more"], ["other"]]


def test_a_listener_that_was_closed_takes_no_new_connection(gateway: Gateway, client_for: ClientFactory) -> None:
    with gateway.listener() as listener, client_for(listener) as client:
        assert client.get(CLOSED).status_code == 401
    with pytest.raises(ConnectionRefusedError):
        raw(listener)


def test_many_requests_go_over_one_connection(listener: Listener, trust: ssl.SSLContext) -> None:
    connection = http.client.HTTPSConnection(*address(listener), context=trust, timeout=20)
    connection.set_tunnel(INDEX, 443)
    with contextlib.closing(connection):
        connection.connect()
        first = connection.sock
        for i in range(100):
            connection.request("GET", f"/basic-auth/{i}")
            answer = connection.getresponse()
            assert (answer.status, answer.read()[:6]) == (401, b"<html>")
            assert connection.sock is first
    assert [request.path for request in listener.requests] == [f"/basic-auth/{i}" for i in range(100)]


def test_head_gets_the_length_and_no_body(listener: Listener, trust: ssl.SSLContext) -> None:
    with tunnel(listener) as connection, trust.wrap_socket(connection, server_hostname=INDEX) as secured:
        ask = f"HEAD /basic-auth/files/ HTTP/1.1\r\nHost: {INDEX}\r\nConnection: close\r\n\r\n"
        secured.sendall(ask.encode())
        head, _, body = read_all(secured).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401 ")
    assert re.search(rb"(?im)^content-length: [1-9]\d+\r?$", head)
    assert body == b""


def test_fifty_connections_at_once_are_all_answered(listener: Listener, client_for: ClientFactory) -> None:
    def ask(i: int) -> int:
        with client_for(listener) as client:
            return client.get(f"{CLOSED}{i}").status_code

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(ask, range(50))) == [401] * 50
    assert {request.path for request in listener.requests} == {f"/basic-auth/simple/x/{i}" for i in range(50)}


def test_the_value_of_a_credential_is_never_kept(listener: Listener, client_for: ClientFactory) -> None:
    header = basic_auth("somebody", "swordfish")
    with client_for(listener, auth=("somebody", "swordfish")) as client:
        assert client.get(CLOSED).status_code == 401
        assert client.get(CLOSED.replace("https:", "http:")).status_code == 401
        assert client.get("http://example.com/").status_code == 403
    assert [request.credentials for request in listener.requests] == [True, True, True]
    for secret in ("swordfish", "somebody", header, header.partition(" ")[2]):
        assert secret not in repr(listener.requests)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(bytes(range(256)) * 8, id="every byte there is"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS without a CONNECT"),
        pytest.param(b"CONNECT \x00\xff\r\n\r\n", id="a CONNECT to no host"),
        pytest.param(b"CONNECT\r\n\r\n", id="a CONNECT without a target"),
        pytest.param(b"CONNECT pypi.org:443 HTTP/9.9\r\n\r\n", id="a CONNECT of another HTTP"),
        pytest.param(b"\r\n\r\n\r\n\r\n", id="empty lines"),
    ],
)
def test_garbage_does_not_stop_the_gateway(listener: Listener, client_for: ClientFactory, sent: bytes) -> None:
    with raw(listener) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert not read_all(connection).startswith(b"HTTP/1.1 200")
    assert_still_answers(listener, client_for)


def test_a_connect_whose_head_is_too_long_gets_431(listener: Listener, client_for: ClientFactory) -> None:
    with raw(listener) as connection:
        connection.sendall(b"CONNECT pypi.org:443 HTTP/1.1\r\nx: ".ljust(HEAD_LIMIT + 1, b"x"))
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")
    assert_still_answers(listener, client_for)


def test_a_connect_whose_head_never_ends_is_hung_up_on(listener: Listener, client_for: ClientFactory) -> None:
    with raw(listener) as connection:
        connection.sendall(b"CONNECT pypi.org:443 HTTP/1.1\r\n")
        endless = itertools.repeat(b"header: value\r\n" * 5000)
        with pytest.raises(ConnectionError):
            collections.deque(map(connection.sendall, endless), maxlen=0)
    assert_still_answers(listener, client_for)


def test_a_connect_may_come_byte_by_byte(listener: Listener) -> None:
    with raw(listener) as connection:
        for byte in b"CONNECT example.com:443 HTTP/1.1\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert read_all(connection).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="before it says anything"),
        pytest.param(b"\x16\x03\x01", id="in the middle of its first record"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="after it spoke HTTP where TLS was due"),
    ],
)
def test_a_client_that_hangs_up_in_the_handshake_is_recorded_and_harmless(
    listener: Listener, client_for: ClientFactory, sent: bytes
) -> None:
    with tunnel(listener) as connection:
        connection.sendall(sent)
    assert tls_requests(listener) == {("TLS", INDEX, 0, "rejected-ca")}
    assert_still_answers(listener, client_for)


def test_a_client_that_trusts_another_authority_is_recorded_and_harmless(
    listener: Listener, client_for: ClientFactory
) -> None:
    with httpx.Client(proxy=listener.url, trust_env=False, timeout=20) as client, pytest.raises(httpx.ConnectError):
        client.get(CLOSED)
    assert tls_requests(listener) == {("TLS", INDEX, 0, "rejected-ca")}
    assert all("rejected the gateway's CA" in request.reason for request in listener.requests)
    assert_still_answers(listener, client_for)


def test_clients_that_never_say_anything_are_harmless(gateway: Gateway, client_for: ClientFactory) -> None:
    with contextlib.ExitStack() as silent:
        listener = silent.enter_context(gateway.listener())
        for _ in range(20):
            silent.enter_context(raw(listener))
            silent.enter_context(tunnel(listener))
        assert_still_answers(listener, client_for)


def test_a_gateway_ends_while_a_client_waits_in_the_handshake(cache: Path, tmp_path: Path) -> None:
    with contextlib.ExitStack() as waiting, Gateway(cache, tmp_path) as gateway, gateway.listener() as listener:
        waiting.enter_context(tunnel(listener))  # closed last
    with pytest.raises(ConnectionRefusedError):
        raw(listener)


def test_a_closed_listener_hangs_up_on_who_is_there(gateway: Gateway) -> None:
    with gateway.listener() as listener:
        connection = raw(listener)
        while not gateway.is_up:
            time.sleep(0.01)
        assert listener.requests == ()
    with connection:
        connection.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def test_a_listener_does_not_wait_for_acknowledgements(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client:
        started = time.monotonic()
        for _ in range(100):
            assert client.get(CLOSED).status_code == 401
    assert time.monotonic() - started < 3  # 4.4 s with Nagle's delay, 0.1 s without


def test_a_gateway_that_was_killed_is_reported(cache: Path, tmp_path: Path) -> None:
    def use() -> None:
        with Gateway(cache, tmp_path) as gateway, gateway.listener() as listener:
            while not gateway.is_up:
                time.sleep(0.01)
            os.kill(gateway.pid, signal.SIGKILL)
            _ = listener.requests

    with pytest.raises(CannotTell, match="the gateway ended early"):
        use()


@pytest.mark.parametrize("late", [False, True])
def test_a_gateway_does_not_outlive_who_started_it(cache: Path, late: bool) -> None:
    # Late: told of listeners whose owner ended before it looked, and left an answer of it unread. Then the control socket is
    # in error instead of at its end, and libuv does not look at it any more.
    program = f"""
import os, pathlib, signal
from uvmre.gateway.session import Gateway
gateway = Gateway(pathlib.Path({str(cache)!r}), pathlib.Path({str(cache)!r})).__enter__()
print(gateway.pid, flush=True)
if {late}:
    while not gateway.is_up:
        pass
    listeners = [gateway.listener() for _ in range(3)]
    for listener in listeners:
        listener.__enter__()
os.kill(os.getpid(), signal.SIGKILL)
"""
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as started:
        assert started.stdout
        pid = int(started.stdout.readline())
        assert started.wait() == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


OFFLINE = """
import fcntl, json, pathlib, socket, ssl, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:  # loopback up: SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    fcntl.ioctl(plain, 0x8914, struct.pack("16sh", b"lo", 0x41).ljust(40, b"\\0"))
import httpx
import psutil
from uvmre.gateway.session import Gateway
path = pathlib.Path(sys.argv[1])
with Gateway(path.parent, path.parent / "recording") as gateway, gateway.listener() as listener:
    path.write_bytes(gateway.certificate)
    context = ssl.create_default_context(cafile=str(path))
    with httpx.Client(proxy=listener.url, verify=context, trust_env=False, timeout=60) as client:
        answers = [client.get("https://pypi-proxy.fly.dev/basic-auth/simple/x/", auth=("public", "heron"))]
        answers.append(client.get("https://pypi.org/simple/x/"))
        answers.append(client.get("https://pypi-proxy.fly.dev/basic-auth/simple/x/"))
    told = [(r.status, r.answered_by, r.reason) for r in listener.requests]
    print(json.dumps([[answer.status_code for answer in answers], told]))
"""


def test_without_a_network_upstream_is_unreachable_and_says_why(tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a process without a network cannot be had here (`unshare --net`)")
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [*alone, sys.executable, "-c", OFFLINE, str(tmp_path / "authority.pem")],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    statuses, requests = json.loads(done.stdout)
    assert statuses == [502, 502, 401]
    assert [by for _, by, _ in requests] == ["unreachable", "unreachable", "stand-in"]
    for _, _, reason in requests[:2]:
        assert "pypi.org could not be reached" in reason


def test_a_proxy_above_that_does_not_answer_makes_upstream_unreachable(
    client_for: ClientFactory, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    with Gateway(cache, tmp_path) as gateway, gateway.listener() as listener, client_for(listener) as client:
        answer = client.get(f"http://{INDEX}/basic-auth/simple/x/", auth=("public", "heron"))
    assert (answer.status_code, "could not be reached" in answer.text) == (502, True)
    [request] = listener.requests
    assert (request.status, request.answered_by, request.credentials) == (502, "unreachable", True)


@pytest.mark.network
@pytest.mark.parametrize(
    ("folder", "password", "links"),
    [
        pytest.param("basic-auth", "heron", f"https://{INDEX}/basic-auth/files/", id="heron's links are whole"),
        pytest.param(
            "basic-auth-heron", "heron", f"https://{INDEX}/basic-auth-heron/files/", id="heron's other links are whole"
        ),
        pytest.param(
            "basic-auth-eagle", "eagle", f"https://{INDEX}/basic-auth-eagle/files/", id="eagle's links are whole"
        ),
        pytest.param("basic-auth/relative", "heron", "../../../files/", id="heron's relative links are relative"),
        pytest.param("relative", "", "../../../files/", id="open relative links are relative"),
        pytest.param(".", "", "https://files.pythonhosted.org/", id="the open index has PyPI's own links"),
    ],
)
def test_a_link_leads_to_a_file_with_the_hash_it_says(
    listener: Listener, client_for: ClientFactory, folder: str, password: str, links: str
) -> None:
    page_url = urljoin(f"https://{INDEX}/", f"{folder}/simple/iniconfig/")
    with client_for(listener, auth=("public", password) if password else None) as client:
        page = client.get(page_url, headers={"accept": "text/html"})
        assert page.status_code == 200
        found = ANCHOR.findall(page.text)
        assert found
        assert all(url.startswith(links) for url, _ in found)
        url, sha256 = found[-1]
        file = client.get(urljoin(page_url, url))
    assert (file.status_code, hashlib.sha256(file.content).hexdigest()) == (200, sha256)
    assert [request.status for request in listener.requests] == [200, 200]
    assert all(request.credentials is bool(password) for request in listener.requests)
    assert listener.requests[0].answered_by == "stand-in"


@pytest.mark.network
def test_head_upstream_gets_no_body(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener) as client:
        for _ in range(2):  # the second would read the first's body, were there one
            answer = client.head(f"https://{INDEX}/simple/iniconfig/")
            assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.network
def test_a_project_that_is_not_there_stays_404(listener: Listener, client_for: ClientFactory) -> None:
    with client_for(listener, auth=("public", "heron")) as client:
        answer = client.get(f"https://{INDEX}/basic-auth/simple/no-such-project-of-uvmre-zz/")
    assert answer.status_code == 404
    assert [(request.status, request.answered_by) for request in listener.requests] == [(404, "stand-in")]
