"""The service behind the doors: an event loop in a process of its own, told what to do over the control socket."""

import asyncio
import contextlib
import json
import pickle
import signal
import socket
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmre.gateway.http.exchange import Exchange, ReadyAnswer
from uvmre.gateway.http.messages import CLOCK, ParsedRequest
from uvmre.gateway.http.protocol import HttpProtocol
from uvmre.gateway.routing.faults import ConnectionCut, FaultInjector
from uvmre.gateway.server.certificates import Signer
from uvmre.gateway.server.connection import Connection, Session

if TYPE_CHECKING:
    from uvmre.gateway.routing.respond import Responder

STDIN = 0
CACHE_BYTES = 64 * 1024 * 1024


class Service:
    """A server for each door, and the answers that all of them share."""

    def __init__(self, control: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._signer: Signer
        self._answering: Responder
        self._shelf = AnswerCache()
        self._control = control
        self._loop = loop
        self._opened: dict[int, asyncio.Task[Session]] = {}
        self._descriptors: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._told = b""
        self._stopped = False

    def run(self) -> None:
        """Serve until the lifeline, our standard input, closes."""
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(ConnectionError):  # who started us may have ended already, which is read below
            self._control.sendall(b"true\n")
        self._control.setblocking(False)
        self._loop.add_reader(self._control, self._listen)
        self._loop.add_reader(STDIN, self._stop)
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())

    def _stop(self) -> None:
        """Stop once: signal, lifeline and control socket may all say so, and a second would cut the end short."""
        if not self._stopped:
            self._stopped = True
            self._loop.remove_reader(self._control)
            self._loop.remove_reader(STDIN)
            self._loop.stop()

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
            self._stop()
            return
        self._descriptors += descriptors
        *lines, self._told = (self._told + data).split(b"\n")
        for line in lines:
            self._do(json.loads(line))

    def _do(self, told: dict[str, Any]) -> None:
        match told:
            case {"authority": authority, "recording": recording, "network": network}:
                from uvmre.gateway.recording.store import Recording
                from uvmre.gateway.routing.respond import Responder

                self._signer = Signer(authority, Path(told["leaves"]))
                config = pickle.loads(b64decode(told["config"]))
                self._answering = Responder(config, Recording(Path(recording), Path(told["bodies"])), network)
            case {"open": port, "faults": faults}:
                listening = socket.socket(fileno=self._descriptors.pop(0))
                opened = Session(FaultInjector(pickle.loads(b64decode(faults))))
                self._opened[port] = self._loop.create_task(self._open(listening, opened))
            case {"news": port}:
                self._later(self._tell(port, close=False))
            case {"close": port}:
                self._later(self._tell(port, close=True))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside the rest; the loop itself would forget a task that nobody holds."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, listening: socket.socket, opened: Session) -> Session:
        let_through = self._answering.hosts.let_through

        def http(scheme: str) -> HttpProtocol:
            return HttpProtocol(
                lambda asked: self._ready(asked, opened), lambda http, asked: self._answer(http, asked, opened), scheme
            )

        opened.server = await self._loop.create_server(
            lambda: Connection(opened, self._signer, let_through, http), sock=listening, backlog=1024
        )
        return opened

    async def _tell(self, port: int, *, close: bool) -> None:
        """Answer with what came through a door since it was asked last, after closing it where that is asked."""
        opened = await self._opened[port]
        if close:
            del self._opened[port]
            opened.close()
        news, opened.requests = opened.requests, []
        answer = json.dumps([vars(request) for request in news])
        with contextlib.suppress(ConnectionError):  # who asked may be gone by now
            await self._loop.sock_sendall(self._control, answer.encode() + b"\n")

    def _ready(self, asked: ParsedRequest, opened: Session) -> bytes | None:
        """Return an answer that was given before, whole; every request is recorded all the same."""
        if opened.faults:
            return None
        kept = self._shelf.find(asked)
        if kept is None:
            return None
        opened.record(kept.request)
        return b"".join((kept.head, CLOCK.end(), kept.body))

    def _answer(self, http: HttpProtocol, asked: ParsedRequest, opened: Session) -> None:
        self._later(self._exchange(http, asked, opened))

    async def _exchange(self, http: HttpProtocol, asked: ParsedRequest, opened: Session) -> None:
        whole = False
        try:
            exchange = Exchange(http, asked, opened.record)
            kept = await self._answering.answer(exchange, opened.faults)
            whole = True
            if kept:
                self._shelf.keep(asked, kept)
        except ConnectionCut:
            pass  # the half answer that is left is what was wanted, or cannot be helped
        finally:
            http.done(asked, whole=whole)


class AnswerCache:
    """Answers that can be given again as they are: small ones, the last used ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], ReadyAnswer] = OrderedDict()
        self._bytes = 0

    def find(self, asked: ParsedRequest) -> ReadyAnswer | None:
        """Return the answer to a request."""
        return self._kept.get(_cache_key(asked))

    def keep(self, asked: ParsedRequest, kept: ReadyAnswer) -> None:
        """Keep an answer, and forget old ones where there are too many."""
        if asked.body or asked.method not in (b"GET", b"HEAD"):
            return
        name = _cache_key(asked)
        self._bytes += kept.size - (self._kept[name].size if name in self._kept else 0)
        self._kept[name] = kept
        while self._bytes > CACHE_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].size


def _cache_key(asked: ParsedRequest) -> tuple[Any, ...]:
    """Name a request by all that its answer depends on."""
    given = asked.named.get
    return (
        asked.method,
        asked.scheme,
        asked.target,
        given(b"host"),
        given(b"authorization"),
        given(b"accept"),
        given(b"accept-encoding"),
        given(b"if-none-match"),
        given(b"if-modified-since"),
        given(b"range"),
        given(b"if-range"),
    )
