"""One request and its response: the parsed request, how the response is sent, and what is logged."""

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from uvmre.core.network.request import AnsweredBy, Request
from uvmre.gateway.http.messages import BODILESS, CLOCK, Headers, ParsedRequest, chunk, head
from uvmre.gateway.http.protocol import HttpProtocol

GZIP_MIN_SIZE = 1000
TEXT_PLAIN = (b"content-type", b"text/plain")
POLL_SECONDS = 0.5
"""Between two checks whether a client that gets no response is still connected."""


class Response(NamedTuple):
    """A complete response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    sized: bool = True
    """Whether it has a content-length; else it is sent as one chunk."""
    gzip_min_size: int | None = None
    """The body size from which it is compressed for clients that accept gzip; None: never."""


class ReadyAnswer(NamedTuple):
    """A response that can be sent again as it is."""

    head: bytes
    body: bytes
    request: Request

    @property
    def size(self) -> int:
        """Return roughly how many bytes it takes in memory."""
        return len(self.head) + len(self.body) + 1000


class Exchange:
    """A request that is being answered; it is logged when its response starts."""

    def __init__(self, http: HttpProtocol, request: ParsedRequest, log: Callable[[Request], None]) -> None:
        self._http, self.request, self._log = http, request, log
        self.started = False
        self.own_headers: Mapping[str, str] = {}
        """Headers of the index that answers, which override those of its responses; an empty one removes them."""
        self._chunked = False
        self.fault = ""
        """The faults of the MRE that match it."""
        self.fields = request.fields
        target = request.target.decode("latin-1")
        authority = self.fields.get(b"host", b"").decode("latin-1")
        if not target.startswith("/") and "://" in target:  # absolute form, as sent to a proxy (RFC 9112, 3.2.2)
            authority, slash, path = target.partition("://")[2].partition("/")
            target = slash + path
        self.path = target if target.startswith("/") else f"/{target}"
        host, _, port = authority.rpartition("@")[2].partition(":")
        self.host = host.lower() if not port or port.isdigit() else ""
        self.origin = f"{request.scheme}://{authority}"
        self.url = f"{self.origin}{self.path}"
        self.method = request.method.decode("latin-1")
        authorization = self.fields.get(b"authorization")
        self.authorization = None if authorization is None else authorization.decode("latin-1")

    def _entry(self, status: int, by: AnsweredBy, reason: str, *, replayed: bool = False) -> Request:
        seconds = time.perf_counter() - self.request.started
        credentials = self.authorization is not None
        return Request(self.method, self.host, self.path, status, credentials, by, seconds, reason, replayed)

    def log_pending(self) -> None:
        """Log a request that has no whole response when the steps have ended."""
        if not (self.fault and self.started):
            self._log(self._entry(0, "fault" if self.fault else "pending", self.fault or "the steps ended before it"))

    async def send(
        self, response: Response, by: AnsweredBy, reason: str = "", *, replayed: bool | None = None
    ) -> ReadyAnswer | None:
        """Send a complete response unless the client has it already, and return it where it can be sent again.

        `replayed` is None for the gateway's own responses.
        """
        response = compress(not_modified(response, self.method, self.fields), self.fields)
        entry = self._entry(response.status, by, reason, replayed=bool(replayed))
        headers, body = [*response.headers], response.body
        if response.sized and response.status not in BODILESS:
            headers.append((b"content-length", b"%d" % len(body)))
        begin, chunked = head(response.status, self._with_own(headers), self.request)
        if self.method == "HEAD" or response.status in BODILESS:
            body = b""
        if chunked:
            body = (chunk(body) if body else b"") + chunk(b"")
        self.started = True
        self._log(entry)
        self._http.write(begin + CLOCK.end() + body)
        await self._http.drain()
        again = replace(entry, replayed=replayed is not None, seconds=0.0)
        return ReadyAnswer(begin, body, again) if self.request.keep_alive else None

    async def start(
        self, status: int, headers: Headers, by: AnsweredBy, reason: str = "", *, replayed: bool = False
    ) -> None:
        """Start a response whose body is streamed, and log it."""
        begin, self._chunked = head(status, self._with_own(headers), self.request)
        self.started = True
        self._log(self._entry(status, by, reason, replayed=replayed))
        self._http.write(begin + CLOCK.end())

    def _with_own(self, headers: Headers) -> Headers:
        own = {name.lower().encode(): value.encode("latin-1") for name, value in self.own_headers.items()}
        return [*without(own, headers), *((name, value) for name, value in own.items() if value)]

    async def stream(self, chunks: AsyncIterable[bytes]) -> None:
        """Send the body without buffering it; it is read to its end even where the client disconnects."""
        async for block in chunks:
            if block and self.method != "HEAD":
                self._http.write(chunk(block) if self._chunked else block)
                await self._http.drain()
        if self._chunked:
            self._http.write(chunk(b""))

    async def fail(self, reason: str, *, silent: bool) -> None:
        """Send no response: let the client wait until it disconnects, or reset its connection."""
        self.started = True
        self._log(self._entry(0, "fault", reason))
        while silent and not self._http.lost:
            await asyncio.sleep(POLL_SECONDS)
        self._http.reset()

    async def refuse(self, status: int, by: AnsweredBy, reason: str) -> bool:
        """Send an error with its reason; False where another response has started already, which is logged."""
        if self.started:
            self._log(replace(self._entry(0, by, reason), credentials=False, seconds=0.0))
            return False
        await self.send(Response(status, (TEXT_PLAIN,), f"uvmre: {reason}\n".encode()), by, reason)
        return True


def not_modified(response: Response, method: str, fields: dict[bytes, bytes]) -> Response:
    """Return 304 instead of what the client has already (RFC 9110, 13.1.2)."""
    etag = dict(response.headers).get(b"etag")
    condition = fields.get(b"if-none-match")
    if response.status != 200 or method not in ("GET", "HEAD") or not etag or not condition:
        return response
    if not etag_matches(etag, condition):
        return response
    sent = tuple(header for header in response.headers if header[0] in (b"etag", b"cache-control", b"vary", b"expires"))
    return Response(304, sent, b"")


def is_fresh(headers: Headers, fields: dict[bytes, bytes]) -> bool:
    """Tell whether a client has this already, by its tag, or else by its date (RFC 9110, 13.2.2)."""
    by_name = dict(headers)
    etag, date = by_name.get(b"etag"), by_name.get(b"last-modified")
    if condition := fields.get(b"if-none-match"):
        return etag is not None and etag_matches(etag, condition)
    return date is not None and date == fields.get(b"if-modified-since")


def etag_matches(etag: bytes, condition: bytes) -> bool:
    """Tell whether an If-None-Match header has this tag, by weak comparison."""
    tags = [tag.strip().removeprefix(b"W/") for tag in condition.split(b",")]
    return b"*" in tags or etag.removeprefix(b"W/") in tags


def compress(response: Response, fields: dict[bytes, bytes]) -> Response:
    """Return the response as gzip, where it may be compressed and the client accepts it."""
    least = response.gzip_min_size
    if least is None or response.status in BODILESS or len(response.body) < least or not accepts_gzip(fields):
        return response
    import gzip

    if response.sized:
        headers = [(n, b"W/" + v if n == b"etag" and not v.startswith(b"W/") else v) for n, v in response.headers]
        headers.append((b"vary", b"Accept-Encoding"))
    else:  # nginx: no ranges of what it compresses, and no `vary`
        headers = without({b"accept-ranges"}, response.headers)
    encoded = (*headers, (b"content-encoding", b"gzip"))
    return response._replace(headers=encoded, body=gzip.compress(response.body, 1, mtime=0))


def accepts_gzip(fields: dict[bytes, bytes]) -> bool:
    """Tell whether the client accepts gzip."""
    codings = [coding.replace(b" ", b"") for coding in fields.get(b"accept-encoding", b"").split(b",")]
    return any(coding.partition(b";")[0] == b"gzip" and not coding.endswith(b";q=0") for coding in codings)


def without(dropped: Iterable[bytes], headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers except those of these lower-case names."""
    dropped = set(dropped)
    return [header for header in headers if header[0] not in dropped]
