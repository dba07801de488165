"""The server side of HTTP/1.1: httptools parses, this keeps the order of requests, flow control and the limits.

There is no web framework below it: one takes longer to start than a run may, and a ready answer must not need a task.
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

from uvmre.gateway.http.messages import STATUS_LINES, ParsedRequest, nginx_page

# The defaults of nginx (large_client_header_buffers): one line of a head, and the whole head.
LINE_LIMIT = 8 * 1024
HEAD_LIMIT = 4 * LINE_LIMIT
BODY_LIMIT = 256 * 1024 * 1024
HEAD_TOO_LARGE = 494
"""nginx's internal status; the client gets 400."""
PHRASES = {400: "Bad Request", 405: "Not Allowed", 413: "Request Entity Too Large", 414: "Request-URI Too Large"}

FindReady = Callable[[ParsedRequest], bytes | None]
"""Returns a complete response that can be sent at once, where there is one."""
StartAnswer = Callable[["HttpProtocol", ParsedRequest], None]
"""Starts to answer; calls `HttpProtocol.done` at the end."""


class HttpProtocol(asyncio.Protocol):
    """One HTTP connection; requests are answered in order."""

    def __init__(self, find_ready: FindReady, start_answer: StartAnswer, scheme: str) -> None:
        self._find_ready, self._start_answer = find_ready, start_answer
        self._scheme = scheme
        self._parser = httptools.HttpRequestParser(self)
        self._request = ParsedRequest(scheme)
        self._in_head = False
        self._head_size = 0
        self._waiting: deque[ParsedRequest] = deque()
        self._busy = False
        self._paused = False
        self._refusal = 0
        """The status that follows the responses to the waiting requests."""
        self._expecting = False
        """Whether the client waits for `100 Continue`."""
        self._half_closed = False
        """Whether the client has sent its last request, and waits for the remaining responses."""
        self._early = b""
        self._drained: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.on_lost: Callable[[Exception | None], None] | None = None
        """Called when the connection ends before any request: a client may reject the CA as late as that."""
        self._got_request = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start; the last packet of the TLS handshake may have carried data already."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's transports are no asyncio classes
        if self._early:
            self.data_received(self._early)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the writers; what they write from now on is dropped."""
        if self.on_lost and not self._got_request:
            self.on_lost(exc)
        self.lost = True
        self.resume_writing()
        # Break the reference cycles, or memory is freed late.
        del self._parser
        self.on_lost = None

    def pause_writing(self) -> None:
        """Block writers."""
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Unblock writers."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)
        self._resume()

    async def drain(self) -> None:
        """Wait until the client has received enough."""
        if self._drained is not None:
            await self._drained

    def data_received(self, data: bytes) -> None:
        """Parse the data."""
        if self.transport is None:
            self._early += data
            return
        self._head_size += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]  # nothing is upgraded: the next request follows
            except httptools.HttpParserError:
                self._refuse_later(400)
                return
        if self._in_head and self._head_size > HEAD_LIMIT:
            self._refuse_later(HEAD_TOO_LARGE)

    def eof_received(self) -> bool:
        """Keep the connection of a client that only waits for responses; TLS has no half-closed connections."""
        self._half_closed = True
        return self._scheme == "http" and (self._busy or bool(self._waiting))

    def _refuse_later(self, status: int) -> None:
        """Refuse after the responses to earlier requests."""
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
        """Send the error page of nginx and close the connection."""
        if self.transport is not None and not self.lost:
            detail = "Request Header Or Cookie Too Large" if status == HEAD_TOO_LARGE else ""
            status = 400 if detail else status
            head = STATUS_LINES[status] + b"content-type: text/html\r\nconnection: close\r\n"
            body = nginx_page(status, PHRASES[status], detail)
            self.transport.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            self.lost = True
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._request = ParsedRequest(self._scheme)
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """Append to the target."""
        self._request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header."""
        name = name.lower()
        self._request.headers.append((name, value))
        self._request.fields[name] = value

    def on_headers_complete(self) -> None:
        """Check the limits of the head, and send `100 Continue` where the client waits for it (RFC 9110, 10.1.1)."""
        self._in_head = False
        request = self._request
        if len(request.fields) < len(request.headers):  # a repeated header: all credentials are compared
            credentials = [value for name, value in request.headers if name == b"authorization"]
            if len(credentials) > 1:
                request.fields[b"authorization"] = b"\n".join(credentials)
        if self._head_size > LINE_LIMIT and not self.lost:
            if len(request.target) > LINE_LIMIT:
                self._refuse_later(414)
            elif sum(len(name) + len(value) + 4 for name, value in request.headers) > HEAD_LIMIT:
                self._refuse_later(HEAD_TOO_LARGE)
        self._head_size = 0
        self._expecting = request.fields.get(b"expect", b"").lower() == b"100-continue"
        self._expecting = self._expecting and self._parser.get_http_version() != "1.0"
        if not self._busy and not self._waiting:
            self._continue()

    def _continue(self) -> None:
        if self._expecting:
            self._expecting = False
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Append to the body; uploads are rare, so it is buffered whole."""
        self._head_size = 0
        self._expecting = False
        self._request.body += body
        if len(self._request.body) > BODY_LIMIT:
            self._refuse_later(413)

    def on_message_complete(self) -> None:
        """Answer, or queue the request."""
        request = self._request
        request.method = self._parser.get_method()
        request.http_1_0 = self._parser.get_http_version() == "1.0"
        request.keep_alive = self._parser.should_keep_alive() and not request.http_1_0
        request.started = time.perf_counter()
        self._head_size = 0
        self._expecting = False
        self._got_request = True
        if self.lost or self._refusal:
            return
        if request.method == b"CONNECT":  # only allowed as the first request of a connection
            self._refuse_later(405)
        elif self._busy or self._waiting or self._drained is not None:
            self._waiting.append(request)
            self._pause()
        else:
            self._answer(request)

    def _answer(self, request: ParsedRequest) -> None:
        assert self.transport is not None
        if request.keep_alive and (response := self._find_ready(request)):
            self.transport.write(response)
            return
        self._busy = True
        self._start_answer(self, request)

    def reset(self) -> None:
        """Reset the connection, where the client is still connected."""
        if self.transport is not None and not self.lost:
            reset(self.transport)

    def done(self, request: ParsedRequest, *, complete: bool) -> None:
        """End a response: answer the next request, or close the connection."""
        self._busy = False
        if self.transport is None or self.lost:
            return
        if not request.keep_alive or not complete:
            self.transport.close()
            return
        self._resume()

    def _resume(self) -> None:
        """Answer the queued requests as far as the client receives; then continue reading."""
        while self._waiting and not self._busy and self._drained is None and not self.lost:
            self._answer(self._waiting.popleft())
        if self._waiting or self._busy or self.lost or self.transport is None:
            return
        if self._refusal:
            self.refuse(self._refusal)
        elif self._half_closed:
            self.transport.close()
        else:
            self._continue()
            if self._paused:
                self._paused = False
                self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Write, unless the client has disconnected."""
        if self.transport is not None and not self.lost:
            self.transport.write(data)


def reset(transport: asyncio.Transport) -> None:
    """Reset a connection instead of closing it."""
    # The socket object of uvloop has no setsockopt.
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
