"""One request and its answer: what was asked, in words the rest uses, and how an answer is given and recorded."""

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from uvmre.core.network.request import AnsweredBy, Request
from uvmre.gateway.http.messages import BODILESS, CLOCK, Headers, ParsedRequest, chunk, head
from uvmre.gateway.http.protocol import HttpProtocol

GZIP_MIN_SIZE = 1000
"""Bytes below which nobody compresses."""
TEXT_PLAIN = (b"content-type", b"text/plain")
POLL_SECONDS = 0.5
"""Seconds between two looks at whether a client that is not answered is still there."""


class Response(NamedTuple):
    """An answer that is whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    sized: bool = True
    """Whether its length is told; it goes in one chunk where it is not."""
    zips_from: int | None = None
    """Bytes from which on it goes as gzip to a client that takes it; None where it never does."""


class ReadyAnswer(NamedTuple):
    """An answer that is ready to be given again."""

    head: bytes
    body: bytes
    request: Request

    @property
    def size(self) -> int:
        """Return about how many bytes it takes to keep it."""
        return len(self.head) + len(self.body) + 1000


class Exchange:
    """A request that is being answered; it is recorded when its answer starts."""

    def __init__(self, http: HttpProtocol, asked: ParsedRequest, record: Callable[[Request], None]) -> None:
        self._http, self._asked, self._record = http, asked, record
        self.started = False
        self._chunked = False
        named = asked.named
        target = asked.target.decode("latin-1")
        authority = named.get(b"host", b"").decode("latin-1")
        if not target.startswith("/") and "://" in target:  # as a proxy is asked (RFC 9112, 3.2.2)
            authority, slash, path = target.partition("://")[2].partition("/")
            target = slash + path
        self.path = target if target.startswith("/") else f"/{target}"
        host, _, port = authority.rpartition("@")[2].partition(":")
        self.host = host.lower() if not port or port.isdigit() else ""
        self.origin = f"{asked.scheme}://{authority}"
        self.method = asked.method.decode("latin-1")
        self.old = asked.old
        self.headers = asked.headers
        self.named = named
        self.body = bytes(asked.body)
        authorization = named.get(b"authorization")
        self.authorization = None if authorization is None else authorization.decode("latin-1")

    @property
    def url(self) -> str:
        """Return the whole address."""
        return f"{self.origin}{self.path}"

    @property
    def gone(self) -> bool:
        """Tell whether the client hung up."""
        return self._http.lost

    def _request(self, status: int, by: AnsweredBy, reason: str, *, replayed: bool) -> Request:
        took = time.perf_counter() - self._asked.started
        credentials = self.authorization is not None
        return Request(self.method, self.host, self.path, status, credentials, by, took, reason, replayed)

    async def whole(
        self, answer: Response, by: AnsweredBy, reason: str = "", *, replayed: bool | None = None
    ) -> ReadyAnswer | None:
        """Give a whole answer, and return it where it can be given again.

        Args:
            answer: what is given, if the client has not got it already.
            by: who answers.
            reason: what is to be known of it.
            replayed: whether it came from the tape; None where it is the gateway's own.
        """
        answer = compress(not_modified(answer, self.method, self.named), self.named)
        request = self._request(answer.status, by, reason, replayed=bool(replayed))
        sized = (
            [(b"content-length", b"%d" % len(answer.body))] if answer.sized and answer.status not in BODILESS else []
        )
        begin, chunked = head(answer.status, [*answer.headers, *sized], self._asked)
        body = b"" if self.method == "HEAD" or answer.status in BODILESS else answer.body
        if chunked:
            body = (chunk(body) if body else b"") + chunk(b"")
        self.started = True
        self._record(request)
        self._http.write(begin + CLOCK.end() + body)
        await self._http.drain()
        again = replace(request, replayed=replayed is not None, seconds=0.0)
        return ReadyAnswer(begin, body, again) if self._asked.keep_alive else None

    async def start(
        self, status: int, headers: Headers, by: AnsweredBy, reason: str = "", *, replayed: bool = False
    ) -> None:
        """Start an answer whose body comes in pieces, and record it."""
        begin, self._chunked = head(status, headers, self._asked)
        self.started = True
        self._record(self._request(status, by, reason, replayed=replayed))
        self._http.write(begin + CLOCK.end())

    async def stream(self, chunks: AsyncIterable[bytes]) -> None:
        """Send the body as it comes, holding none of it; a client that hung up does not end it."""
        async for block in chunks:
            if block and self.method != "HEAD":
                self._http.write(chunk(block) if self._chunked else block)
                await self._http.drain()
        if self._chunked:
            self._http.write(chunk(b""))

    async def fail(self, reason: str, *, silent: bool) -> None:
        """Give no answer at all: let the client wait as long as it likes, or reset its connection."""
        self._record(self._request(0, "fault", reason, replayed=False))
        while silent and not self.gone:
            await asyncio.sleep(POLL_SECONDS)
        self._http.reset()

    async def refuse(self, status: int, by: AnsweredBy, reason: str) -> bool:
        """Say why nobody answers, and return whether the client can still be spoken to.

        In the middle of an answer it can not: then that is recorded as well.
        """
        if self.started:
            self._record(replace(self._request(0, by, reason, replayed=False), credentials=False, seconds=0.0))
            return False
        await self.whole(Response(status, (TEXT_PLAIN,), f"uvmre: {reason}\n".encode()), by, reason)
        return True


def not_modified(answer: Response, method: str, named: dict[bytes, bytes]) -> Response:
    """Return 304 instead of what the client has already (RFC 9110, 13.1.2)."""
    etag = dict(answer.headers).get(b"etag")
    wanted = named.get(b"if-none-match")
    if (
        answer.status != 200
        or method not in ("GET", "HEAD")
        or not etag
        or not wanted
        or not etag_matches(etag, wanted)
    ):
        return answer
    kept = tuple(header for header in answer.headers if header[0] in (b"etag", b"cache-control", b"vary", b"expires"))
    return Response(304, kept, b"")


def is_fresh(headers: Headers, named: dict[bytes, bytes]) -> bool:
    """Tell whether a client has this already, by its tag, or else by its date (RFC 9110, 13.2.2)."""
    told = dict(headers)
    etag, date = told.get(b"etag"), told.get(b"last-modified")
    if wanted := named.get(b"if-none-match"):
        return etag is not None and etag_matches(etag, wanted)
    return date is not None and date == named.get(b"if-modified-since")


def etag_matches(etag: bytes, wanted: bytes) -> bool:
    """Tell whether one of the tags that a client has is this one; weak ones are as good here."""
    tags = [tag.strip().removeprefix(b"W/") for tag in wanted.split(b",")]
    return b"*" in tags or etag.removeprefix(b"W/") in tags


def compress(answer: Response, named: dict[bytes, bytes]) -> Response:
    """Return the answer as gzip, where it may and the client takes it."""
    least = answer.zips_from
    if least is None or answer.status in BODILESS or len(answer.body) < least or not accepts_gzip(named):
        return answer
    import gzip

    if answer.sized:
        headers = [(n, b"W/" + v if n == b"etag" and not v.startswith(b"W/") else v) for n, v in answer.headers]
        headers.append((b"vary", b"Accept-Encoding"))
    else:  # nginx on the way: it has parts no more, and speaks of no `vary`
        headers = without({b"accept-ranges"}, answer.headers)
    encoded = (*headers, (b"content-encoding", b"gzip"))
    return answer._replace(headers=encoded, body=gzip.compress(answer.body, 1, mtime=0))


def accepts_gzip(named: dict[bytes, bytes]) -> bool:
    """Tell whether the client takes gzip."""
    codings = [coding.replace(b" ", b"") for coding in named.get(b"accept-encoding", b"").split(b",")]
    return any(coding.partition(b";")[0] == b"gzip" and not coding.endswith(b";q=0") for coding in codings)


def without(dropped: Iterable[bytes], headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers but those of these names, which are in lower case."""
    gone = set(dropped)
    return [(name, value) for name, value in headers if name not in gone]
