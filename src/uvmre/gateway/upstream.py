"""What stands behind the gateway: the tape first, then the network, whose answers go onto the tape as they pass."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from uvmre import client
from uvmre.core.observation import Network
from uvmre.gateway.tape import LASTING, Headers, Tape, key

CONNECTIONS = 100
TIMEOUT = {"connect": client.CONNECT_SECONDS, "read": client.SECONDS, "write": client.SECONDS, "pool": None}
# RFC 9110, 7.6.1: these speak about one connection, not about the message.
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"trailer"}
HOP_BY_HOP |= {b"transfer-encoding", b"upgrade", b"proxy-authenticate"}


class NotOnTape(Exception):
    """Only the tape may answer, and it has nothing."""


@dataclass(frozen=True)
class Answered:
    """An answer, with its body in pieces."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]
    taped: bool

    async def whole(self) -> bytes:
        """Return the whole body."""
        return b"".join([chunk async for chunk in self.chunks])


class Upstream:
    """Asks the tape and the network."""

    def __init__(self, tape: Tape, network: Network) -> None:
        self._tape = tape
        self._network = network
        self._pool = client.pool(CONNECTIONS)

    @contextlib.asynccontextmanager
    async def ask(self, method: str, url: str, headers: Headers, body: bytes) -> AsyncIterator[Answered]:
        """Ask for `url`; the headers are sent as they are.

        Raises:
            NotOnTape: when only the tape may answer, and has nothing.
        """
        name = key(method, url, headers)
        if self._network != "live" and name and (entry := self._tape.find(name)):
            kept = [(header.encode("latin-1"), value.encode("latin-1")) for header, value in entry.headers]
            yield Answered(entry.status, kept, _later(self._tape.body(entry)), taped=True)
            return
        if self._network == "replay":
            raise NotOnTape(f"{url} is not on the tape")
        host = (b"host", url.split("/")[2].encode())
        async with self._pool.stream(
            method, url, headers=[host, *headers], content=body, extensions={"timeout": TIMEOUT}
        ) as response:
            answered = [(n.lower(), value) for n, value in response.headers if n.lower() not in HOP_BY_HOP]
            if name and response.status in LASTING:
                with self._tape.record(name, method, url, response.status, answered) as recording:

                    async def passing() -> AsyncIterator[bytes]:
                        async for chunk in response.aiter_stream():
                            recording.write(chunk)
                            yield chunk

                    chunks = passing()
                    yield Answered(response.status, answered, chunks, taped=False)
                    async for _ in chunks:
                        pass  # an answer that nobody read to its end is recorded whole all the same
            else:
                yield Answered(response.status, answered, response.aiter_stream(), taped=False)


async def in_one(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body that is there already."""
    yield body


async def _later(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
