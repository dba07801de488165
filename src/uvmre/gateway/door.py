"""One connection through the door: CONNECT, then TLS under the name asked for, then HTTP; or plain HTTP at once.

uvicorn parses and paces the HTTP. The TLS is laid on the same connection (`loop.start_tls`), so no byte is copied
between two sockets.
"""

import asyncio
import logging
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from uvmre.core.observation import Request
from uvmre.gateway import hosts
from uvmre.gateway.authority import Signer

HEAD_LIMIT = 64 * 1024
HANDSHAKE_SECONDS = 30.0

Connections = weakref.WeakSet[asyncio.Transport]
"""Those that are open; who speaks on them changes, so they are not counted by their ends."""


DISTRUST = "the client broke off the TLS, as releases of uv do that do not read SSL_CERT_FILE"


class Http(HttpToolsProtocol):
    """uvicorn's protocol, patient with a client whose first request comes in one piece with its TLS handshake."""

    early = b""
    distrusted: Callable[[], None] | None = None
    """Called when the client ends the TLS with an alert before it asked for anything (TLS 1.3 may be that late)."""

    def data_received(self, data: bytes) -> None:
        """Keep what comes before the connection is made; the handshake's last packet may carry it."""
        if self.transport is None:
            self.early += data
            return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """See whether the client went because it does not trust us."""
        if isinstance(exc, ssl.SSLError) and self.cycle is None:
            self.distrust()
        super().connection_lost(exc)

    def distrust(self) -> None:
        """Tell it, once."""
        tell, self.distrusted = self.distrusted, None
        if tell:
            tell()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take over the connection, and what came too early."""
        super().connection_made(transport)
        early, self.early = self.early, b""
        if early:
            super().data_received(early)


class Connect:
    """What httptools calls back with while it reads the head of a CONNECT."""

    target = b""

    def on_url(self, url: bytes) -> None:
        """Take the target, which may come in pieces."""
        self.target += url


class Door(asyncio.Protocol):
    """Reads the first bytes of a connection and hands it to who speaks it from there."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        signer: Signer,
        record: Callable[[Request], None],
        connections: "Connections",
    ) -> None:
        self._config = config
        self._state = state
        self._signer = signer
        self._record = record
        self._connections = connections
        self._head = b""
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)

    def data_received(self, data: bytes) -> None:
        """Read up to the end of a CONNECT's head, or see that it is none."""
        self._head += data
        if not b"CONNECT ".startswith(self._head[:8]):
            self._serve_plain()
        elif b"\r\n\r\n" in self._head:
            self._connect()
        elif len(self._head) > HEAD_LIMIT:
            self._reply(431, "Request Header Fields Too Large", "the head of a CONNECT is a few lines")

    def _http(self) -> Http:
        return Http(self._config, self._state, {"record": self._record})

    def _serve_plain(self) -> None:
        protocol = self._http()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._head)

    def _connect(self) -> None:
        call = Connect()
        try:
            httptools.HttpRequestParser(call).feed_data(self._head)
        except httptools.HttpParserUpgrade:
            pass  # how the parser says that a CONNECT is complete
        except httptools.HttpParserError as error:
            self._reply(400, "Bad Request", str(error))
            return
        target = call.target.decode("latin-1")
        host = (target.rpartition(":")[0] or target).strip("[]").lower()
        if hosts.let_through(host):
            self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._task = asyncio.get_running_loop().create_task(self._start_tls(host))
            return
        reason = f"{host} is not a host of this MRE"
        self._record(Request("CONNECT", host, "", 403, False, "refused", 0.0, reason))
        self._reply(403, "Forbidden", reason)

    async def _start_tls(self, host: str) -> None:
        protocol = self._http()
        protocol.distrusted = lambda: self._record(Request("TLS", host, "", 0, False, "distrusted", 0.0, DISTRUST))
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                protocol,
                self._signer.context(host),
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError
            protocol.distrust()
            return
        if transport is not None:
            protocol.connection_made(transport)

    def _reply(self, status: int, phrase: str, why: str) -> None:
        body = f"uvmre: {why}\n".encode()
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        self._transport.write(head.encode("latin-1") + b"connection: close\r\n\r\n" + body)
        self._transport.close()


def application(answer: Callable[..., Any]) -> Config:
    """Return uvicorn's settings for `answer`: an ASGI application, quiet, and with no headers of uvicorn's own."""
    config = Config(
        answer,
        http=Http,
        interface="asgi3",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    config.load()
    # What clients do wrong is in the record; on stderr it would stand between the lines of the run.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    return config
