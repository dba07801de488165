"""One connection through the door: CONNECT, then TLS under the name asked for, then HTTP; or plain HTTP at once.

The TLS is laid on the same connection (`loop.start_tls`), so no byte is copied between two sockets.
"""

import asyncio
import ssl
import weakref
from collections.abc import Callable
from typing import cast

import httptools

from uvmre.core.network.request import Request
from uvmre.errors import cause
from uvmre.gateway.http.protocol import HttpProtocol, reset
from uvmre.gateway.routing.faults import FaultInjector, MatchedFaults
from uvmre.gateway.server.certificates import Signer

HEAD_LIMIT = 64 * 1024
HANDSHAKE_SECONDS = 30.0
REJECTED_CA = "the client broke off the TLS, as releases of uv do that do not read SSL_CERT_FILE"
EXPIRED = "fault: expired-certificate"


class Session:
    """A door, as this side has it."""

    def __init__(self, faults: FaultInjector) -> None:
        self.faults = faults
        self.requests: list[Request] = []
        self.connections = weakref.WeakSet[asyncio.Transport]()
        """Those that are open; who speaks on them changes, so they are not counted by their ends."""
        self.server: asyncio.Server | None = None

    def record(self, request: Request) -> None:
        """Remember a request."""
        self.requests.append(request)

    def close(self) -> None:
        """Let nobody in any more, and hang up on who is there."""
        if self.server is not None:
            self.server.close()
        for transport in list(self.connections):
            transport.abort()


class ConnectParser:
    """What httptools calls back with while it reads the head of a CONNECT."""

    target = b""

    def on_url(self, url: bytes) -> None:
        """Take the target, which may come in pieces."""
        self.target += url


class Connection(asyncio.Protocol):
    """Reads the first bytes of a connection and hands it to who speaks it from there."""

    def __init__(
        self, opened: Session, signer: Signer, let_through: Callable[[str], bool], http: Callable[[str], HttpProtocol]
    ) -> None:
        self._opened = opened
        self._signer = signer
        self._let_through = let_through
        self._http = http
        self._head = b""
        self._outage = ""
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's classes
        self._opened.connections.add(self._transport)

    def data_received(self, data: bytes) -> None:
        """Read up to the end of a CONNECT's head, or see that it is none."""
        if self._outage:
            if self._outage != "timeout":
                reset(self._transport)
            return
        self._head = (self._head + data).lstrip(b"\r\n")  # an empty line before a request counts for nothing
        if not b"CONNECT ".startswith(self._head[:8]):
            protocol = self._http("http")
            self._transport.set_protocol(protocol)
            protocol.connection_made(self._transport)
            protocol.data_received(self._head)
        elif b"\r\n\r\n" in self._head:
            self._connect()
        elif len(self._head) > HEAD_LIMIT:
            self._reply(431, "Request Header Fields Too Large", "the head of a CONNECT is a few lines")

    def _connect(self) -> None:
        call = ConnectParser()
        try:
            httptools.HttpRequestParser(call).feed_data(self._head)
        except httptools.HttpParserUpgrade:
            pass  # how the parser says that a CONNECT is complete
        except httptools.HttpParserError as error:
            self._reply(400, "Bad Request", str(error))
            return
        target = call.target.decode("latin-1")
        host = (target.rpartition(":")[0] or target).strip("[]").lower()
        if met := self._opened.faults.meet_outage(host):
            self._fail(host, met)
        elif not self._let_through(host):
            self._refuse(403, "Forbidden", host, f"{host} is not a host of this MRE")
        elif not self._head.endswith(b"\r\n\r\n"):
            self._refuse(400, "Bad Request", host, "what follows a CONNECT must wait for its answer")
        else:
            expired = self._opened.faults.meet_tls(host)
            try:
                context = self._signer.context(host, expired=expired)
            except (ValueError, OSError) as error:
                self._refuse(502, "Bad Gateway", host, f"no certificate can be had for {host} ({cause(error)})")
                return
            self._transport.pause_reading()  # what comes now is the TLS's
            self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._task = asyncio.get_running_loop().create_task(self._start_tls(host, context, expired=expired))

    def _refuse(self, status: int, phrase: str, host: str, reason: str) -> None:
        self._opened.record(Request("CONNECT", host, "", status, False, "refused", 0.0, reason))
        self._reply(status, phrase, reason)

    def _fail(self, host: str, met: MatchedFaults) -> None:
        """Keep the client from the host: say nothing more, or reset the connection as soon as it speaks to the host.

        A client blames the host for a reset within the tunnel, and the proxy for a tunnel that is not opened.
        """
        self._outage = met.faults[0][0].outage
        self._opened.record(Request("CONNECT", host, "", 0, False, "fault", 0.0, met.reason))
        if self._outage != "timeout":
            self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def _start_tls(self, host: str, context: ssl.SSLContext, *, expired: bool) -> None:
        protocol = self._http("https")
        if expired:
            self._opened.record(Request("TLS", host, "", 0, False, "fault", 0.0, EXPIRED))
        told = False

        def distrusted() -> None:
            nonlocal told
            if not told and not expired:
                told = True
                self._opened.record(Request("TLS", host, "", 0, False, "rejected-ca", 0.0, REJECTED_CA))

        protocol.on_lost = lambda error: distrusted() if isinstance(error, ssl.SSLError) else None
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                protocol,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except (OSError, TimeoutError):  # uv 0.1.1 and 0.1.18 only hang up; others say why, by an ssl.SSLError
            distrusted()
            return
        if transport is not None:
            protocol.connection_made(transport)

    def _reply(self, status: int, phrase: str, why: str) -> None:
        body = f"uvmre: {why}\n".encode()
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        self._transport.write(head.encode("latin-1") + b"connection: close\r\n\r\n" + body)
        self._transport.close()
