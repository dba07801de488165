"""What stands behind the gateway: the tape first, then the network, whose answers go onto the tape as they pass."""

import contextlib
import functools
import re
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, NamedTuple

from uvmre import client
from uvmre.core.network.request import Network
from uvmre.errors import cause
from uvmre.gateway.http.messages import Headers
from uvmre.gateway.recording.store import RECORDED_STATUSES, Recording, RecordingEntry, entry_key

if TYPE_CHECKING:
    import httpcore

CONNECTIONS = 100
TIMEOUT = {"connect": client.CONNECT_SECONDS, "read": client.SECONDS, "write": client.SECONDS, "pool": None}
# RFC 9110, 7.6.1: these speak about one connection, not about the message.
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"trailer"}
HOP_BY_HOP |= {b"transfer-encoding", b"upgrade", b"proxy-authenticate"}
# A recorded answer is as fresh as on the day: nginx, too, gives its own date; an old one would make clients ask again.
TIME_HEADERS = {b"date", b"age"}
CONDITIONS = {b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range"}
RANGE = re.compile(rb"bytes=(\d*)-(\d*)\Z")


class NotRecorded(Exception):
    """Only the tape may answer, and it has nothing."""


class UpstreamAnswer(NamedTuple):
    """An answer, with its body in pieces."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]
    replayed: bool
    note: str = ""
    """What is to be known of it."""
    made: bool = False
    """Whether it is made up, and so nobody's but the gateway's."""

    async def whole(self) -> bytes:
        """Return the whole body."""
        return b"".join([chunk async for chunk in self.chunks])


class UpstreamUnreachable(Exception):
    """The network has no answer."""


class Upstream:
    """Asks the tape and the network."""

    def __init__(self, recording: Recording, network: Network) -> None:
        self._tape = recording
        self._network = network

    @contextlib.asynccontextmanager
    async def ask(self, method: str, url: str, headers: Headers, body: bytes = b"") -> AsyncIterator[UpstreamAnswer]:
        """Ask for `url`; what holds for this connection or this moment only is not passed on.

        Raises:
            NotOnTape: when only the tape may answer, and has nothing.
        """
        sent = [(name, value) for name, value in headers if name not in HOP_BY_HOP and name != b"host"]
        name = entry_key(method, url, sent)
        if name and self._network != "live":
            # A client's conditions are answered here, of the whole answer.
            dropped = CONDITIONS | ({b"range"} if b"if-range" in dict(sent) else set())
            sent = [header for header in sent if header[0] not in dropped]
            if found := self._find(method, url, sent):
                yield found
                return
            name = entry_key(method, url, sent)
        if self._network == "replay":
            raise NotRecorded(f"{url} is not on the tape")
        host = (b"host", url.split("/")[2].encode())
        async with self._reach(method, url, [host, *sent], body) as response:
            gone = HOP_BY_HOP | TIME_HEADERS
            answered = [(n.lower(), value) for n, value in response.headers if n.lower() not in gone]
            if name and response.status in RECORDED_STATUSES:
                with self._tape.record(name, method, url, response.status, answered) as recording:

                    async def passing() -> AsyncIterator[bytes]:
                        async for chunk in response.aiter_stream():
                            recording.write(chunk)
                            yield chunk

                    chunks = passing()
                    yield UpstreamAnswer(response.status, answered, chunks, replayed=False)
                    async for _ in chunks:
                        pass  # an answer that nobody read to its end is recorded whole all the same
            else:
                yield UpstreamAnswer(response.status, answered, response.aiter_stream(), replayed=False)

    @functools.cached_property
    def _pool(self) -> "httpcore.AsyncConnectionPool":
        return client.connection_pool(CONNECTIONS)

    @contextlib.asynccontextmanager
    async def _reach(self, method: str, url: str, headers: Headers, body: bytes) -> "AsyncIterator[httpcore.Response]":
        import httpcore

        timeouts = {"timeout": TIMEOUT}
        try:
            async with self._pool.stream(
                method, client.httpcore_url(url), headers=headers, content=body, extensions=timeouts
            ) as response:
                yield response
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.ProxyError,
        ) as error:
            host = url.split("/")[2]
            raise UpstreamUnreachable(f"{host} could not be reached ({cause(error)})") from None

    def _find(self, method: str, url: str, sent: Headers) -> UpstreamAnswer | None:
        """Return what the tape has: the answer itself, or the whole of which a part or the head is asked for."""
        if entry := self._on_tape(method, url, sent):
            return self._taped(entry)
        plain = [header for header in sent if header[0] != b"range"]
        entry = self._on_tape("GET", url, plain)
        if entry is None:
            return None
        if method == "HEAD":
            return self._taped(entry)._replace(chunks=single_chunk(b""))
        return self._part(entry, dict(sent).get(b"range", b"")) if entry.status == 200 else self._taped(entry)

    def _on_tape(self, method: str, url: str, sent: Headers) -> RecordingEntry | None:
        name = entry_key(method, url, sent)
        return self._tape.find(name) if name else None

    def _taped(self, entry: RecordingEntry) -> UpstreamAnswer:
        return UpstreamAnswer(entry.status, _headers(entry), _iterate(self._tape.body(entry)), replayed=True)

    def _part(self, entry: RecordingEntry, wanted: bytes) -> UpstreamAnswer:
        """Return the part of a recorded body that a Range header wants (RFC 9110, 14)."""
        span = parse_range(wanted, entry.size)
        if span is None:
            return self._taped(entry)
        status, told = range_headers(span, entry.size)
        kept = [header for header in _headers(entry) if header[0] != b"content-length"]
        return UpstreamAnswer(status, [*kept, *told], _iterate(self._tape.body(entry, *span)), replayed=True)


def parse_range(wanted: bytes, size: int) -> tuple[int, int] | None:
    """Return where the one part that a Range header wants begins and ends; empty where there is no such part.

    None where the header wants nothing that is understood: then the whole is the answer (RFC 9110, 14.2).
    """
    match = RANGE.match(wanted.replace(b" ", b""))
    if not match or wanted.endswith(b"=-"):
        return None
    first, last = match[1], match[2]
    if not first:
        return (max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    start = min(size, int(first))
    return start, min(size, int(last) + 1) if last else size


def range_headers(span: tuple[int, int], size: int) -> tuple[int, Headers]:
    """Return the status of a part, and what is told of it beside what is told of the whole."""
    start, stop = span
    status, told = (206, b"bytes %d-%d/%d" % (start, stop - 1, size)) if start < stop else (416, b"bytes */%d" % size)
    return status, [(b"content-range", told), (b"content-length", b"%d" % max(0, stop - start))]


async def single_chunk(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body that is there already."""
    yield body


def _headers(entry: RecordingEntry) -> Headers:
    return [(header.encode("latin-1"), value.encode("latin-1")) for header, value in entry.headers]


async def _iterate(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
