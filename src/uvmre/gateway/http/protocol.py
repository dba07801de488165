"""HTTP/1.1 as a server speaks it: httptools parses, this keeps the order of requests, the pace, and the limits.

No server of others is under it: their start takes longer than a whole run may, and an answer that is ready must go out
without a task of its own.
"""

import asyncio
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from uvmre.gateway.http.messages import STATUS_LINES, ParsedRequest

# What nginx allows by default (large_client_header_buffers): one line of a head, and the whole of it.
LINE_LIMIT = 8 * 1024
HEAD_LIMIT = 4 * LINE_LIMIT
BODY_LIMIT = 256 * 1024 * 1024
HEAD_TOO_LARGE = 494
"""What nginx calls it among its own; the client hears 400."""
PHRASES = {400: "Bad Request", 405: "Not Allowed", 413: "Request Entity Too Large", 414: "Request-URI Too Large"}


FindReady = Callable[[ParsedRequest], bytes | None]
"""Returns a whole answer that can go out at once, where there is one."""
StartAnswer = Callable[["HttpProtocol", ParsedRequest], None]
"""Starts to answer; calls `done` of the protocol at the end."""


class HttpProtocol(asyncio.Protocol):
    """One connection on which HTTP is spoken; requests are answered one after the other."""

    def __init__(self, ready: FindReady, answering: StartAnswer, scheme: str) -> None:
        self._ready, self._answering = ready, answering
        self._scheme = scheme
        self._parser = httptools.HttpRequestParser(self)
        self._asked = ParsedRequest(scheme)
        self._in_head = False
        self._head_size = 0
        self._waiting: deque[ParsedRequest] = deque()
        self._busy = False
        self._paused = False
        self._refusal = 0
        """The status with which to refuse what came behind the requests that wait."""
        self._expecting = False
        """Whether the client waits to be told to send its body."""
        self._half = False
        """Whether the client will ask nothing more, and waits for the rest of its answers."""
        self._early = b""
        self._room: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.on_lost: Callable[[Exception | None], None] | None = None
        """Called when the connection ends before a request came; a client that distrusts us says so as late as that."""
        self._spoken = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection, and what came too early: the handshake's last packet may carry it."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none of asyncio's classes
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let who writes go on: what they write from now on goes nowhere."""
        if self.on_lost and not self._spoken:
            self.on_lost(exc)
        self.lost = True
        self.resume_writing()
        # We, the parser and who answers hold each other; let go, or memory comes back late.
        del self._parser
        self.on_lost = None

    def pause_writing(self) -> None:
        """Make writers wait."""
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let writers go on."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)
        self._go_on()

    async def drain(self) -> None:
        """Wait until the client has taken what was written."""
        if self._room is not None:
            await self._room

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self.transport is None:
            self._early += data
            return
        self._head_size += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]  # nothing is upgraded here: what follows is the next request
            except httptools.HttpParserError:
                self._refuse_later(400)
                return
        if self._in_head and self._head_size > HEAD_LIMIT:
            self._refuse_later(HEAD_TOO_LARGE)

    def eof_received(self) -> bool:
        """Keep the way out open for a client that closed its own and waits; over TLS that is not to be had."""
        self._half = True
        return self._scheme == "http" and (self._busy or bool(self._waiting))

    def _refuse_later(self, status: int) -> None:
        """Refuse what came, but not before the answers to what came before it."""
        if self._busy or self._waiting:
            self._refusal = self._refusal or status
            self._pause()
        else:
            self.refuse(status)

    def _pause(self) -> None:
        if not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()

    def refuse(self, status: int) -> None:
        """Say why there is no talking, as nginx says it, and hang up."""
        if self.transport is not None and not self.lost:
            from uvmre.gateway.http.nginx_page import error_page

            why = "Request Header Or Cookie Too Large" if status == HEAD_TOO_LARGE else ""
            status = 400 if why else status
            head = STATUS_LINES[status] + b"content-type: text/html\r\nconnection: close\r\n"
            body = error_page(status, PHRASES[status], why)
            self.transport.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            self.lost = True
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._asked = ParsedRequest(self._scheme)
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """Take the target, which may come in pieces."""
        self._asked.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        name = name.lower()
        self._asked.headers.append((name, value))
        self._asked.named[name] = value

    def on_headers_complete(self) -> None:
        """Hold the head to its limits, and tell who waits for it that the body may come (RFC 9110, 10.1.1)."""
        self._in_head = False
        asked = self._asked
        if len(asked.named) < len(asked.headers):  # a name came twice: of credentials, `hosts` wants to know
            given = [value for name, value in asked.headers if name == b"authorization"]
            if len(given) > 1:
                asked.named[b"authorization"] = b"\n".join(given)
        if self._head_size > LINE_LIMIT and not self.lost:
            if len(asked.target) > LINE_LIMIT:
                self._refuse_later(414)
            elif sum(len(name) + len(value) + 4 for name, value in asked.headers) > HEAD_LIMIT:
                self._refuse_later(HEAD_TOO_LARGE)
        self._head_size = 0
        self._expecting = asked.named.get(b"expect", b"").lower() == b"100-continue"
        self._expecting = self._expecting and self._parser.get_http_version() != "1.0"
        if not self._busy and not self._waiting:
            self._continue()

    def _continue(self) -> None:
        if self._expecting:
            self._expecting = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; uploads are not what an MRE is about, so it is held whole."""
        self._head_size = 0
        self._expecting = False
        self._asked.body += body
        if len(self._asked.body) > BODY_LIMIT:
            self._refuse_later(413)

    def on_message_complete(self) -> None:
        """Answer, or let it wait for its turn."""
        asked = self._asked
        asked.method = self._parser.get_method()
        asked.old = self._parser.get_http_version() == "1.0"
        asked.keep_alive = self._parser.should_keep_alive() and not asked.old
        asked.started = time.perf_counter()
        self._head_size = 0
        self._expecting = False
        self._spoken = True
        if self.lost or self._refusal:
            return
        if asked.method == b"CONNECT":  # which only the door speaks, and only as the first
            self._refuse_later(405)
        elif self._busy or self._waiting or self._room is not None:
            self._waiting.append(asked)
            self._pause()
        else:
            self._answer(asked)

    def _answer(self, asked: ParsedRequest) -> None:
        assert self.transport is not None
        if asked.keep_alive and (whole := self._ready(asked)):
            self.transport.write(whole)
            return
        self._busy = True
        self._answering(self, asked)

    def reset(self) -> None:
        """End the connection with a reset, where the client is still there."""
        if self.transport is not None and not self.lost:
            reset(self.transport)

    def done(self, asked: ParsedRequest, *, whole: bool) -> None:
        """End an answer: go on with the next request, or hang up where the client or a half answer wants that."""
        self._busy = False
        if self.transport is None or self.lost:
            return
        if not asked.keep_alive or not whole:
            self.transport.close()
            return
        self._go_on()

    def _go_on(self) -> None:
        """Answer what waits, while the client takes the answers; then read on."""
        while self._waiting and not self._busy and self._room is None and not self.lost:
            self._answer(self._waiting.popleft())
        if self._waiting or self._busy or self.lost or self.transport is None:
            return
        if self._refusal:
            self.refuse(self._refusal)
        elif self._half:
            self.transport.close()
        else:
            self._continue()
            if self._paused:
                self._paused = False
                self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Write to a client that may be gone."""
        if self.transport is not None and not self.lost:
            self.transport.write(data)


def reset(transport: asyncio.Transport) -> None:
    """End a connection with a reset instead of an orderly end."""
    # uvloop hands out a socket on which nothing can be set.
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
