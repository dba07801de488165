"""HTTP to the byte, for tests of the gateway: sockets on the one side, a synthetic upstream on the other.

The upstream is at 127.0.0.2, a host that an MRE can let through and that needs no network.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from uvmre.gateway.session import Listener

UPSTREAM = "127.0.0.2"
PIECE = b"0123456789abcdef" * 4096


@dataclass
class Upstream:
    """A server that answers as its path says: `/any/path?size=…&slow=…&drip=…&status=…&open`."""

    host: str
    requests: list[str] = field(default_factory=list)
    """Method and target of every request that came through."""

    def url(self, target: str) -> str:
        return f"http://{self.host}{target}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        options = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.upstream.requests.append(f"{self.command} {self.path}")
        if "chunked" in self.headers.get("transfer-encoding", ""):
            raise AssertionError("the gateway sends bodies whole")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        time.sleep(float(options.get("slow", 0)))
        echo = f"{self.command} {parts.path} {len(body)}".encode()
        size = int(options.get("size", len(echo)))
        self.send_response(int(options.get("status", 200)))
        self.send_header("content-type", "application/octet-stream")
        if "open" in options:
            self.send_header("connection", "close")
            self.close_connection = True
        else:
            self.send_header("content-length", str(size))
        if "etag" in options:
            self.send_header("etag", f'"{options["etag"]}"')
        self.end_headers()
        if self.command == "HEAD":
            return
        with contextlib.suppress(OSError):
            if "size" not in options:
                self.wfile.write(echo)
                return
            while size > 0:
                self.wfile.write(PIECE[:size])
                size -= len(PIECE)
                time.sleep(float(options.get("drip", 0)))

    do_GET = do_POST = do_PUT = do_HEAD = _answer


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the gateway hung up, which is a test's business


@contextlib.contextmanager
def upstream() -> Iterator[Upstream]:
    """Serve until the `with` ends."""
    handler = type("Handler", (_Handler,), {})
    with _Server((UPSTREAM, 0), handler) as server:
        server_options = handler.upstream = Upstream(f"{UPSTREAM}:{server.server_port}")  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server_options
        server.shutdown()


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    version: str = "HTTP/1.1"


def request(
    url: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    version: str = "1.1",
    *,
    whole: bool = True,
) -> bytes:
    """Return a request's bytes.

    Args:
        url: where it goes.
        method: what it wants.
        headers: beside Host and, where there is a body, Content-Length.
        body: sent along.
        version: of HTTP.
        whole: ask as a proxy is asked, with the whole address, instead of within a tunnel.
    """
    parts = urlsplit(url)
    target = url if whole else url.partition("://")[2].removeprefix(parts.netloc) or "/"
    headers = {"Host": parts.netloc, **({"Content-Length": str(len(body))} if body else {}), **(headers or {})}
    lines = [f"{method} {target} HTTP/{version}", *(f"{name}: {value}" for name, value in headers.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Line:
    """A connection, read answer by answer."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._got = b""

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, *, head: bool = False) -> Answer:
        """Read one answer; `head` where it is one to a HEAD."""
        self._until(lambda: b"\r\n\r\n" in self._got)
        top, _, self._got = self._got.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        version, status, _ = f"{first} ".split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        code = int(status)
        if head or code in (204, 304) or code < 200:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        elif "content-length" in headers:
            body = self._take(int(headers["content-length"]))
        else:
            body = self._got + read_all(self.connection)
            self._got = b""
        return Answer(code, headers, body, version)

    def rest(self) -> bytes:
        """Return what comes until the other side hangs up."""
        return self._got + read_all(self.connection)

    def _chunks(self) -> bytes:
        body = b""
        while True:
            self._until(lambda: b"\r\n" in self._got)
            size, _, self._got = self._got.partition(b"\r\n")
            block = self._take(int(size, 16) + 2)
            assert block.endswith(b"\r\n")
            body += block[:-2]
            if block == b"\r\n":
                return body

    def _take(self, size: int) -> bytes:
        self._until(lambda: len(self._got) >= size)
        taken, self._got = self._got[:size], self._got[size:]
        return taken

    def _until(self, there: "object") -> None:
        assert callable(there)
        while not there():
            block = self.connection.recv(1 << 20)
            if not block:
                raise EOFError(f"the connection ended after {self._got[:200]!r}")
            self._got += block


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side hangs up, however it does that."""
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while block := connection.recv(1 << 20):
            got += block
    return got


def raw(listener: Listener, timeout: float = 20) -> socket.socket:
    """Return a connection to a listener."""
    return socket.create_connection(("127.0.0.1", listener.port), timeout=timeout)


@contextlib.contextmanager
def line(listener: Listener, timeout: float = 20) -> Iterator[Line]:
    """Return a connection to a listener, read answer by answer."""
    with raw(listener, timeout) as connection:
        yield Line(connection)


@contextlib.contextmanager
def tls(listener: Listener, host: str, trust: ssl.SSLContext, timeout: float = 20) -> Iterator[Line]:
    """Return a connection through CONNECT and TLS."""
    with raw(listener, timeout) as connection:
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        established = connection.recv(65536)
        assert established.startswith(b"HTTP/1.1 200 "), established
        with trust.wrap_socket(connection, server_hostname=host) as secured:
            yield Line(secured)


def trusting(pem: bytes) -> ssl.SSLContext:
    """Return a context that trusts one authority and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem.decode())
    return context
