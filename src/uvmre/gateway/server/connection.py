"""One connection to a listener: CONNECT, then TLS as the requested host, then HTTP; or plain HTTP at once.

TLS starts on the same connection (`loop.start_tls`), so nothing is copied between two sockets.
"""

import asyncio
import ssl
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import httptools

from uvmre.core.network.request import DISCONNECTED, Request
from uvmre.errors import cause
from uvmre.gateway.http.exchange import Exchange
from uvmre.gateway.http.protocol import HttpProtocol, reset
from uvmre.gateway.routing.faults import FaultInjector, MatchedFaults
from uvmre.gateway.server.certificates import Signer

if TYPE_CHECKING:
    from uvmre.gateway.routing.respond import Responder

HEAD_LIMIT = 64 * 1024
MAX_REQUESTS = 100_000
"""Requests that a listener keeps until they are popped: for a run, all of a variant's."""
MAX_CONNECTIONS = 4_000
HANDSHAKE_SECONDS = 30.0
REJECTED_CA = "the client rejected the gateway's CA, as releases of uv do that ignore `SSL_CERT_FILE`"
FLAWS = {"expired": "fault: expired-certificate", "untrusted": "fault: untrusted-issuer"}


class Session:
    """A listener in the gateway's process: its faults, requests and connections."""

    def __init__(self, faults: FaultInjector, responder: "Responder") -> None:
        self.faults, self.responder = faults, responder
        self.requests: list[Request] = []
        self.connections = weakref.WeakSet[asyncio.Transport]()
        """The open ones; weak, because their protocols change."""
        self.servers: list[asyncio.Server] = []
        self.exchanges = set[Exchange]()
        """Those without a whole response."""
        self.is_closed = False
        self.opened = time.perf_counter()

    def log(self, request: Request) -> None:
        """Store a request until its owner pops it; a flood of them ends the listener."""
        if len(self.requests) == MAX_REQUESTS - 1:
            request = replace(request, answered_by="refused", reason=f"the step sends over {MAX_REQUESTS:,} requests")
            self.close()
        if len(self.requests) < MAX_REQUESTS:
            started = time.perf_counter() - self.opened - request.seconds
            self.requests.append(replace(request, started=started))

    def is_flooded(self) -> bool:
        """Tell whether too many connections are open."""
        if len(self.connections) <= MAX_CONNECTIONS:  # some of them may be closed already
            return False
        return sum(not each.is_closing() for each in self.connections) > MAX_CONNECTIONS

    def close(self) -> None:
        """Stop listening, and abort the open connections."""
        self.is_closed = True
        for server in self.servers:
            server.close()
        for transport in list(self.connections):
            transport.abort()


class ConnectParser:
    """The callbacks of httptools for the head of a CONNECT."""

    target = b""

    def on_url(self, url: bytes) -> None:
        """Append to the target."""
        self.target += url


class Connection(asyncio.Protocol):
    """Reads the first bytes of a connection and hands it over to its protocol."""

    def __init__(
        self, session: Session, signer: Signer, allows: Callable[[str], bool], http: Callable[[str], HttpProtocol]
    ) -> None:
        self._session = session
        self._signer = signer
        self._allows = allows
        self._http = http
        self._head = b""
        self._outage = ""
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are no asyncio classes
        self._session.connections.add(self._transport)
        if self._session.is_flooded():
            reason = f"the step opens over {MAX_CONNECTIONS:,} connections at once"
            self._session.log(Request("CONNECT", "", "", 0, False, "refused", 0.0, reason))
            self._session.close()

    def data_received(self, data: bytes) -> None:
        """Read up to the end of the head of a CONNECT, or hand over a plain HTTP connection."""
        if self._outage:
            if self._outage != "timeout":
                reset(self._transport)
            return
        self._head = (self._head + data).lstrip(b"\r\n")  # empty lines before a request are ignored
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
            pass  # raised when a CONNECT is complete
        except httptools.HttpParserError as error:
            self._reply(400, "Bad Request", str(error))
            return
        target = call.target.decode("latin-1")
        host = (target.rpartition(":")[0] or target).strip("[]").lower()
        if outage := self._session.faults.match_outage(host):
            self._fail(host, outage)
        elif not self._allows(host):
            self._refuse(403, "Forbidden", host, f"{host} is not a host of this MRE")
        elif not self._head.endswith(b"\r\n\r\n"):
            self._refuse(400, "Bad Request", host, "what follows a CONNECT must wait for the response")
        else:
            flaw = self._session.faults.match_tls(host)
            try:
                context = self._signer.context(host, flaw)
            except (ValueError, OSError) as error:
                self._refuse(502, "Bad Gateway", host, f"there is no certificate for {host} ({cause(error)})")
                return
            self._transport.pause_reading()  # what follows is TLS
            self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._task = asyncio.get_running_loop().create_task(self._start_tls(host, context, flaw))

    def _refuse(self, status: int, phrase: str, host: str, reason: str) -> None:
        self._session.log(Request("CONNECT", host, "", status, False, "refused", 0.0, reason))
        self._reply(status, phrase, reason)

    def _fail(self, host: str, outage: MatchedFaults) -> None:
        """Keep the client from the host: stay silent, or reset the connection as soon as it sends data.

        Clients attribute a reset within the tunnel to the host, and a missing tunnel to the proxy.
        """
        self._outage = outage.faults[0][0].outage
        self._session.log(Request("CONNECT", host, "", 0, False, "fault", 0.0, outage.reason))
        if self._outage != "timeout":
            self._transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def _start_tls(self, host: str, context: ssl.SSLContext, flaw: str) -> None:
        protocol = self._http("https")
        if flaw:
            self._session.log(Request("TLS", host, "", 0, False, "fault", 0.0, FLAWS[flaw]))
        is_logged = bool(flaw)

        def log_rejected_ca(error: BaseException | None) -> None:
            nonlocal is_logged
            if not is_logged:
                is_logged = True
                alert = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
                reason = REJECTED_CA if alert else DISCONNECTED
                self._session.log(Request("TLS", host, "", 0, False, "rejected-ca", 0.0, reason))

        protocol.on_lost = lambda error: log_rejected_ca(error) if isinstance(error, ssl.SSLError) else None
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport,
                protocol,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except (OSError, TimeoutError) as error:  # uv 0.1.1 and 0.1.18 only disconnect; others send an alert
            log_rejected_ca(error)
            return
        if transport is not None:
            protocol.connection_made(transport)

    def _reply(self, status: int, phrase: str, reason: str) -> None:
        body = f"uvmre: {reason}\n".encode()
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
        self._transport.write(head.encode("latin-1") + b"connection: close\r\n\r\n" + body)
        self._transport.close()
