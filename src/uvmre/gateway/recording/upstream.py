"""What is behind the gateway: the recording first, then the network, whose responses are recorded as they pass."""

import contextlib
import functools
import math
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from uvmre import client
from uvmre.core.network.request import Network
from uvmre.errors import cause
from uvmre.gateway.http.messages import Headers
from uvmre.gateway.recording.store import RECORDED_STATUSES, Recording, RecordingEntry, entry_key

if TYPE_CHECKING:
    import httpcore

CONNECTIONS = 100
MAX_DOWNLOADS = 20 * 10**9
"""Bytes that one run in a sandbox can add to the cache."""
TIMEOUT = {"connect": client.CONNECT_SECONDS, "read": client.SECONDS, "write": client.SECONDS, "pool": None}
# RFC 9110, 7.6.1: these are about one connection, not about the message.
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"trailer"}
HOP_BY_HOP |= {b"transfer-encoding", b"upgrade", b"proxy-authenticate"}
# The gateway sends its own date, as nginx does; an old one would make clients revalidate.
TIME_HEADERS = {b"date", b"age"}
CONDITIONS = {b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range"}
RANGE = re.compile(rb"bytes=(\d*)-(\d*)\Z")


class NotRecorded(Exception):
    """Only the recording may answer, and it has no response."""


class UpstreamUnreachable(Exception):
    """The network gives no response."""


class UpstreamAnswer(NamedTuple):
    """A response, with its body in chunks."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]
    replayed: bool
    note: str = ""
    """For the log."""
    synthetic: bool = False
    """Whether the gateway itself made it."""

    async def read_body(self) -> bytes:
        """Return the whole body."""
        return b"".join([chunk async for chunk in self.chunks])


class Upstream:
    """Asks the recording and the network."""

    def __init__(self, recording: Recording, network: Network, private_hosts: Sequence[str] = ("*",)) -> None:
        self._recording = recording
        self._network = network
        self._private_hosts = private_hosts
        # A gateway that the user started may run for months.
        self._downloads_left = math.inf if "*" in private_hosts else MAX_DOWNLOADS

    @contextlib.asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Headers, body: bytes = b""
    ) -> AsyncIterator[UpstreamAnswer]:
        """Request `url`, without the headers that are only about this connection or this moment.

        Raises:
            NotRecorded: when only the recording may answer, and has no response.
            UpstreamUnreachable: when the network gives none.
        """
        headers = [(name, value) for name, value in headers if name not in HOP_BY_HOP and name != b"host"]
        key = entry_key(method, url, headers)
        if key and self._network != "live":
            # The gateway evaluates a client's conditions itself, on the whole response.
            dropped = CONDITIONS | ({b"range"} if b"if-range" in dict(headers) else set())
            headers = [header for header in headers if header[0] not in dropped]
            if replayed := self._replay(method, url, headers):
                yield replayed
                return
            key = entry_key(method, url, headers)
        if self._network == "replay":
            raise NotRecorded(f"{url} is not in the recording")
        host = (b"host", url.split("/")[2].encode())
        async with self._send(method, url, [host, *headers], body) as response:
            dropped = HOP_BY_HOP | TIME_HEADERS
            received = [(n.lower(), value) for n, value in response.headers if n.lower() not in dropped]
            if key and response.status in RECORDED_STATUSES:
                with self._recording.start_entry(key, method, url, response.status, received) as writer:

                    async def recorded() -> AsyncIterator[bytes]:
                        async for chunk in response.aiter_stream():
                            self._downloads_left -= len(chunk)
                            if self._downloads_left < 0:
                                raise UpstreamUnreachable(f"the run downloads over {MAX_DOWNLOADS // 10**9} GB")
                            writer.write(chunk)
                            yield chunk

                    chunks = recorded()
                    yield UpstreamAnswer(response.status, received, chunks, replayed=False)
                    async for _ in chunks:
                        pass  # recorded whole even where the client has not read it to its end
            else:
                yield UpstreamAnswer(response.status, received, response.aiter_stream(), replayed=False)

    @functools.cached_property
    def _pool(self) -> "httpcore.AsyncConnectionPool":
        return client.connection_pool(CONNECTIONS, self._private_hosts)

    @contextlib.asynccontextmanager
    async def _send(self, method: str, url: str, headers: Headers, body: bytes) -> "AsyncIterator[httpcore.Response]":
        import httpcore

        errors = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError)
        try:
            async with self._pool.stream(
                method, client.httpcore_url(url), headers=headers, content=body, extensions={"timeout": TIMEOUT}
            ) as response:
                yield response
        except errors as error:
            raise UpstreamUnreachable(f"{url.split('/')[2]} could not be reached ({cause(error)})") from None

    def _replay(self, method: str, url: str, headers: Headers) -> UpstreamAnswer | None:
        """Return the recorded response, or what is asked for of a recorded GET: its head or a range."""
        if entry := self._find(method, url, headers):
            return self._answer(entry)
        entry = self._find("GET", url, [header for header in headers if header[0] != b"range"])
        if entry is None:
            return None
        if method == "HEAD":
            return self._answer(entry)._replace(chunks=single_chunk(b""))
        span = parse_range(dict(headers).get(b"range", b""), entry.size) if entry.status == 200 else None
        if span is None:
            return self._answer(entry)
        status, about_range = range_headers(span, entry.size)
        kept = [header for header in _headers(entry) if header[0] != b"content-length"]
        body = _iterate(self._recording.read_body(entry, *span))
        return UpstreamAnswer(status, [*kept, *about_range], body, replayed=True)

    def _find(self, method: str, url: str, headers: Headers) -> RecordingEntry | None:
        key = entry_key(method, url, headers)
        return self._recording.find_entry(key) if key else None

    def _answer(self, entry: RecordingEntry) -> UpstreamAnswer:
        body = _iterate(self._recording.read_body(entry))
        return UpstreamAnswer(entry.status, _headers(entry), body, replayed=True)


def parse_range(header: bytes, size: int) -> tuple[int, int] | None:
    """Return the start and the end of the single range of a Range header; empty where it cannot be satisfied.

    None where the header is not understood, and so the whole is the response (RFC 9110, 14.2).
    """
    match = RANGE.match(header.replace(b" ", b""))
    if not match or header.endswith(b"=-"):
        return None
    first, last = match[1], match[2]
    if not first:
        return (max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    start = min(size, int(first))
    return start, min(size, int(last) + 1) if last else size


def range_headers(span: tuple[int, int], size: int) -> tuple[int, Headers]:
    """Return the status and the own headers of a response to a range request."""
    start, stop = span
    status, value = (206, b"bytes %d-%d/%d" % (start, stop - 1, size)) if start < stop else (416, b"bytes */%d" % size)
    return status, [(b"content-range", value), (b"content-length", b"%d" % max(0, stop - start))]


async def single_chunk(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body that is in memory already."""
    yield body


def _headers(entry: RecordingEntry) -> Headers:
    return [(header.encode("latin-1"), value.encode("latin-1")) for header, value in entry.headers]


async def _iterate(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
