"""The service behind the doors: what the gateway decides about a request is done here (ASGI)."""

import asyncio
import socket
import time
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

import httpcore
from uvicorn.server import ServerState

from uvmre import client
from uvmre.core.observation import AnsweredBy, Request
from uvmre.gateway import hosts, index
from uvmre.gateway.authority import Authority
from uvmre.gateway.door import Connections, Door, application

Headers = list[tuple[bytes, bytes]]
Record = Callable[[Request], None]

CONNECTIONS = 100
UPSTREAM_ERRORS = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError)
# RFC 9110, 7.6.1: these speak about one connection, not about the message.
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te", b"trailer"}
HOP_BY_HOP |= {b"transfer-encoding", b"upgrade", b"proxy-authenticate"}
PLAIN = (("content-type", "text/plain"),)


class Service:
    """An event loop with servers in it; `run` is its thread's, the rest may be called from any."""

    def __init__(self, authority: Authority, *, live: bool) -> None:
        self._authority = authority
        self._live = live
        self._loop = asyncio.new_event_loop()
        self._servers: dict[socket.socket, tuple[asyncio.Server, Connections]] = {}
        self._pool = client.pool(CONNECTIONS)

    def run(self) -> None:
        """Serve until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    def stop(self) -> None:
        """End `run`."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def open(self, listening: socket.socket, record: Record) -> None:
        """Serve a listening socket; what asked before is answered now."""
        asyncio.run_coroutine_threadsafe(self._open(listening, record), self._loop).result()

    def close(self, listening: socket.socket) -> None:
        """Serve it no more, and hang up on who is still there."""
        asyncio.run_coroutine_threadsafe(self._shut(listening), self._loop).result()

    async def _open(self, listening: socket.socket, record: Record) -> None:
        config, state, connections = application(self._answer), ServerState(), Connections()
        server = await self._loop.create_server(
            lambda: Door(config, state, self._authority, record, connections), sock=listening
        )
        self._servers[listening] = server, connections

    async def _shut(self, listening: socket.socket) -> None:
        server, connections = self._servers.pop(listening)
        server.close()
        for transport in list(connections):
            transport.abort()

    async def _close(self) -> None:
        if self._pool.connections:
            await self._pool.aclose()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Answer one request (ASGI), and record it."""
        exchange = Exchange(scope, receive, send)
        if not hosts.let_through(exchange.host):
            await exchange.refuse(403, "refused", f"{exchange.host} is not a host of this MRE")
            return
        decision = hosts.decide(exchange.origin, exchange.host, exchange.path, exchange.authorization, live=self._live)
        if isinstance(decision, hosts.Answer):
            await exchange.answer(decision, "stand-in")
            return
        try:
            await self._forward(decision, exchange)
        except UPSTREAM_ERRORS as error:
            host = decision.url.split("/")[2]
            await exchange.refuse(502, "unreachable", f"{host} could not be reached ({error or type(error).__name__})")
        except OSError as error:
            await exchange.refuse(502, "unreachable", f"{decision.url} could not be passed on ({error})")
        except Exception as error:  # an answer that only looks like one must never be judged
            await exchange.refuse(500, "unreachable", f"the gateway itself failed ({error!r})")

    async def _forward(self, forward: hosts.Forward, exchange: "Exchange") -> None:
        """Ask upstream, and pass its answer on piece by piece; a page whose links are replaced is held whole."""
        dropped = HOP_BY_HOP | {b"host"} | ({b"authorization"} if forward.stand_in else set())
        if forward.links is not None:
            dropped |= {b"accept-encoding"}  # as the nginx does: what is replaced in must be plain
        headers = [(b"host", forward.url.split("/")[2].encode()), *without(dropped, exchange.headers)]
        timeout = {"connect": client.CONNECT_SECONDS, "read": client.SECONDS, "write": client.SECONDS, "pool": None}
        body = await exchange.body()
        by: AnsweredBy = "stand-in" if forward.stand_in else "upstream"
        async with self._pool.stream(
            exchange.method, forward.url, headers=headers, content=body, extensions={"timeout": timeout}
        ) as response:
            answered = [(name.lower(), value) for name, value in response.headers]
            if forward.links is None:
                await exchange.start(response.status, without(HOP_BY_HOP, answered), by)
                await exchange.stream(response.aiter_stream())
            else:
                whole = await response.aread()
                replaced = whole.replace(index.FILES.encode(), forward.links.encode())
                kept = without({*HOP_BY_HOP, b"content-length", b"etag"}, answered)
                await exchange.start(response.status, [*kept, length(replaced)], by)
                await exchange.end(replaced)


class Exchange:
    """One request and its answer, which is recorded when it starts."""

    def __init__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._started = time.perf_counter()
        self._answering = False
        self.method: str = scope["method"]
        self.headers: Headers = scope["headers"]
        named = dict(self.headers)
        authority = named.get(b"host", b"").decode("latin-1")
        authorization = named.get(b"authorization")
        self.authorization = None if authorization is None else authorization.decode("latin-1")
        self.host = authority.partition(":")[0].lower()
        self.origin = f"{scope['scheme']}://{authority}"
        query = scope["query_string"].decode("latin-1")
        self.path = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")

    async def body(self) -> bytes:
        """Return the whole body of the request; uploads are not what an MRE is about, so it is small."""
        body: bytes = b""
        while True:
            message = await self._receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                return body

    async def start(self, status: int, headers: Headers, by: AnsweredBy, reason: str = "") -> None:
        """Start the answer, and record it."""
        self._answering = True
        took = time.perf_counter() - self._started
        credentials = self.authorization is not None
        self._scope["state"]["record"](
            Request(self.method, self.host, self.path, status, credentials, by, took, reason)
        )
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def end(self, body: bytes = b"") -> None:
        """Send the rest of the answer, or all of it."""
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

    async def stream(self, chunks: AsyncIterable[bytes]) -> None:
        """Send the answer as it comes, holding none of it."""
        async for chunk in chunks:
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self.end()

    async def answer(self, answer: hosts.Answer, by: AnsweredBy, reason: str = "") -> None:
        """Give an answer of the gateway's own."""
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        await self.start(answer.status, [*headers, length(answer.body)], by, reason)
        await self.end(answer.body)

    async def refuse(self, status: int, by: AnsweredBy, reason: str) -> None:
        """Say why nobody answers; in the middle of an answer, record it and hang up."""
        if self._answering:
            self._scope["state"]["record"](Request(self.method, self.host, self.path, 0, False, by, 0.0, reason))
            raise ConnectionError(reason)
        await self.answer(hosts.Answer(status, PLAIN, f"uvmre: {reason}\n".encode()), by, reason)


def without(dropped: set[bytes], headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers but those of these names, which are in lower case."""
    return [(name, value) for name, value in headers if name not in dropped]


def length(body: bytes) -> tuple[bytes, bytes]:
    """Return the header that tells the length of `body`."""
    return (b"content-length", str(len(body)).encode())
