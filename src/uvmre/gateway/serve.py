"""The service behind the doors: what the gateway decides about a request is done here (ASGI)."""

import asyncio
import contextlib
import dataclasses
import json
import signal
import socket
import time
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import httpcore
from uvicorn.server import ServerState

from uvmre.core.observation import AnsweredBy, Request
from uvmre.gateway import hosts, index
from uvmre.gateway.authority import Signer
from uvmre.gateway.calendar import Calendar
from uvmre.gateway.door import Connections, Door, application
from uvmre.gateway.tape import Headers, Tape
from uvmre.gateway.upstream import HOP_BY_HOP, Answered, NotOnTape, Upstream

UPSTREAM_ERRORS = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError)
PLAIN = (("content-type", "text/plain"),)


class Service:
    """An event loop with a server for each door, told what to do over the control socket."""

    def __init__(self, control: socket.socket) -> None:
        self._signer: Signer
        self._upstream: Upstream
        self._calendar: Calendar | None = None
        self._live = False
        self._control = control
        self._loop = asyncio.new_event_loop()
        self._opened: dict[int, asyncio.Task[Opened]] = {}
        self._descriptors: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._told = b""

    def run(self) -> None:
        """Serve until the control socket closes."""
        asyncio.set_event_loop(self._loop)
        self._control.sendall(b"true\n")
        self._control.setblocking(False)
        self._loop.add_reader(self._control, self._listen)
        self._loop.add_signal_handler(signal.SIGTERM, self._loop.stop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())

    async def _end(self) -> None:
        """Stop what is under way, so that nothing half-recorded stays behind."""
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self) -> None:
        """Take what is told: one JSON object a line; with `open` comes the descriptor of a listening socket."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 16)
        except ConnectionError:
            data, descriptors = b"", []
        if not data:
            self._loop.stop()
            return
        self._descriptors += descriptors
        *lines, self._told = (self._told + data).split(b"\n")
        for line in lines:
            self._do(json.loads(line))

    def _do(self, told: dict[str, Any]) -> None:
        match told:
            case {"authority": authority, "tape": tape, "bodies": bodies, "network": network, "day": day}:
                self._signer = Signer(authority)
                self._upstream = Upstream(Tape(Path(tape), Path(bodies)), network)
                self._calendar = Calendar(date.fromisoformat(day), self._upstream) if day else None
                self._live = network == "live"
            case {"open": port}:
                listening = socket.socket(fileno=self._descriptors.pop(0))
                self._opened[port] = self._loop.create_task(self._open(listening))
            case {"seen": port}:
                self._later(self._tell(port, close=False))
            case {"close": port}:
                self._later(self._tell(port, close=True))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside the rest; the loop itself would forget a task that nobody holds."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, listening: socket.socket) -> "Opened":
        config, state, opened = application(self._answer), ServerState(), Opened()
        opened.server = await self._loop.create_server(
            lambda: Door(config, state, self._signer, opened.requests.append, opened.connections), sock=listening
        )
        return opened

    async def _tell(self, port: int, *, close: bool) -> None:
        """Answer with the requests of a door, after closing it where that is asked."""
        opened = await self._opened[port]
        if close:
            del self._opened[port]
            opened.close()
        answer = json.dumps([dataclasses.asdict(request) for request in opened.requests])
        with contextlib.suppress(ConnectionError):  # who asked may be gone by now
            await self._loop.sock_sendall(self._control, answer.encode() + b"\n")

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
        except NotOnTape as error:
            await exchange.refuse(504, "unreachable", str(error))
        except OSError as error:
            await exchange.refuse(502, "unreachable", f"{decision.url} could not be passed on ({error})")
        except Exception as error:  # an answer that only looks like one must never be judged
            await exchange.refuse(500, "unreachable", f"the gateway itself failed ({error!r})")

    async def _forward(self, forward: hosts.Forward, exchange: "Exchange") -> None:
        """Ask upstream, and pass its answer on piece by piece; a page whose links are replaced is held whole."""
        dropped = {*HOP_BY_HOP, b"host", b"accept-encoding"} | ({b"authorization"} if forward.stand_in else set())
        # Plain, so that one recorded answer serves every client, and links can be replaced in it.
        headers = [*without(dropped, exchange.headers), (b"accept-encoding", b"identity")]
        by: AnsweredBy = "stand-in" if forward.stand_in else "upstream"
        body = await exchange.body()
        if self._calendar and self._calendar.covers(exchange.method, forward.url):
            accept = dict(exchange.headers).get(b"accept", b"").decode("latin-1")
            answered, note = await self._calendar.page(forward.url, accept)
            await self._pass_on(answered, exchange, by, links=forward.links or index.FILES, note=note)
            return
        if self._calendar and (why := await self._calendar.too_new(forward.url)):
            await exchange.answer(hosts.Answer(404, PLAIN, f"uvmre: {why}\n".encode()), by, why)
            return
        async with self._upstream.ask(exchange.method, forward.url, headers, body) as answered:
            await self._pass_on(answered, exchange, by, links=forward.links)

    async def _pass_on(
        self, answered: Answered, exchange: "Exchange", by: AnsweredBy, *, links: str | None, note: str = ""
    ) -> None:
        exchange.taped = answered.taped
        if links is None:
            await exchange.start(answered.status, answered.headers, by, note)
            await exchange.stream(answered.chunks)
            return
        replaced = (await answered.whole()).replace(index.FILES.encode(), links.encode())
        kept = without({b"content-length", b"etag"}, answered.headers)
        await exchange.start(answered.status, [*kept, length(replaced)], by, note)
        await exchange.end(replaced)


class Opened:
    """A door as this side has it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = Connections()
        self.server: asyncio.Server | None = None

    def close(self) -> None:
        """Let nobody in any more, and hang up on who is there."""
        if self.server is not None:
            self.server.close()
        for transport in list(self.connections):
            transport.abort()


class Exchange:
    """One request and its answer, which is recorded when it starts."""

    def __init__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._started = time.perf_counter()
        self._answering = False
        self.taped = False
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
            Request(self.method, self.host, self.path, status, credentials, by, took, reason, self.taped)
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
