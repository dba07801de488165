"""The service of the listeners: an event loop in a process of its own, controlled over a socket."""

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
    from uvmre.core.network.request import Network
    from uvmre.gateway.recording.store import Recording
    from uvmre.gateway.routing.respond import Responder

STDIN = 0
CACHE_BYTES = 64 * 1024 * 1024
KEY_HEADERS = (
    *(b"host", b"authorization", b"accept", b"accept-encoding"),
    *(b"if-none-match", b"if-modified-since", b"range", b"if-range"),
)
"""The headers on which a response depends."""


class Service:
    """A server for each listener, with the responses that they share."""

    def __init__(self, control: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._signer: Signer
        self._responder: Responder
        self._config: str
        self._network: Network
        self._recording: Recording | None = None
        self._cache = AnswerCache()
        self._control = control
        self._loop = loop
        self._sessions: dict[int, asyncio.Task[Session]] = {}
        self._descriptors: list[int] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._unparsed = b""
        self._stopped = False

    def run(self) -> None:
        """Serve until the liveness pipe, which is standard input, closes."""
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(ConnectionError):  # the owner may have ended already, which is read below
            self._control.sendall(b"true\n")
        self._control.setblocking(False)
        self._loop.add_reader(self._control, self._read_control)
        self._loop.add_reader(STDIN, self._stop)
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._cancel_all())
        if self._recording:
            self._recording.close()

    def _stop(self) -> None:
        """Stop once: the signal, the pipe and the control socket may all ask for it."""
        if not self._stopped:
            self._stopped = True
            self._loop.remove_reader(self._control)
            self._loop.remove_reader(STDIN)
            self._loop.stop()

    async def _cancel_all(self) -> None:
        """Cancel all tasks, so that no partial recording is left behind."""
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _read_control(self) -> None:
        """Read messages, one JSON object a line; with `open` comes the descriptor of a listening socket."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 16)
        except ConnectionError:
            data, descriptors = b"", []
        if not data:
            self._stop()
            return
        self._descriptors += descriptors
        *lines, self._unparsed = (self._unparsed + data).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))

    def _handle(self, message: dict[str, Any]) -> None:
        match message:
            case {"authority": authority, "recording": recording, "network": network}:
                from uvmre.gateway.recording.store import Recording

                self._recording = Recording(Path(recording), Path(message["bodies"]))
                self._signer = Signer(authority, Path(message["leaves"]))
                self._network = network
                self._config = message["config"]
                self._responder = self._new_responder(self._config)
            case {"open": port, "faults": faults, "config": config}:
                listening = socket.socket(fileno=self._descriptors.pop(0))
                config = config or ("" if self._responder.is_shared else self._config)
                responder = self._new_responder(config) if config else self._responder
                session = Session(FaultInjector(pickle.loads(b64decode(faults))), responder)
                self._sessions[port] = self._loop.create_task(self._open(listening, session))
            case {"attach": port}:
                self._start(self._attach(port, socket.socket(fileno=self._descriptors.pop(0))))
            case {"requests": port}:
                self._start(self._send_requests(port, close=False))
            case {"close": port}:
                self._start(self._send_requests(port, close=True))

    def _new_responder(self, config: str) -> "Responder":
        from uvmre.gateway.routing.respond import Responder

        assert self._recording
        return Responder(pickle.loads(b64decode(config)), self._recording, self._network)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task, and hold it, which the loop does not."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attach(self, port: int, connection: socket.socket) -> None:
        """Wait for the listening socket of a sandbox, and serve it."""
        arrived = self._loop.create_future()
        with connection:
            self._loop.add_reader(connection, arrived.set_result, None)
            try:
                await arrived
            finally:
                self._loop.remove_reader(connection)
            descriptors = socket.recv_fds(connection, 1, 1)[1]
        session = await self._sessions[port] if port in self._sessions else None
        for descriptor in descriptors:  # none, where the sandbox failed
            listening = socket.socket(fileno=descriptor)
            if session is None or session.is_closed:
                listening.close()
            else:
                await self._open(listening, session)

    async def _open(self, listening: socket.socket, session: Session) -> Session:
        def http(scheme: str) -> HttpProtocol:
            return HttpProtocol(
                lambda request: self._find_ready(request, session),
                lambda http, request: self._start(self._answer(http, request, session)),
                scheme,
            )

        allows = session.responder.hosts.allows
        server = await self._loop.create_server(
            lambda: Connection(session, self._signer, allows, http), sock=listening, backlog=1024
        )
        session.servers.append(server)
        return session

    async def _send_requests(self, port: int, *, close: bool) -> None:
        """Send the requests of a listener since the last time, after closing it where that is asked for."""
        session = await self._sessions[port]
        if close:
            del self._sessions[port]
            for exchange in session.exchanges:
                exchange.log_pending()
            session.close()
        requests, session.requests = session.requests, []
        answer = json.dumps([vars(request) for request in requests])
        with contextlib.suppress(ConnectionError):  # the owner may have ended
            await self._loop.sock_sendall(self._control, answer.encode() + b"\n")

    def _find_ready(self, request: ParsedRequest, session: Session) -> bytes | None:
        """Return a response that can be sent again; the request is logged all the same."""
        shared = session.responder is self._responder and not session.faults
        ready = self._cache.find(request) if shared else None
        if ready is None:
            return None
        session.log(ready.request)
        return b"".join((ready.head, CLOCK.end(), ready.body))

    async def _answer(self, http: HttpProtocol, request: ParsedRequest, session: Session) -> None:
        complete, exchange = False, Exchange(http, request, session.log)
        session.exchanges.add(exchange)
        try:
            ready = await session.responder.answer(exchange, session.faults)
            complete = True
            if ready and session.responder is self._responder:
                self._cache.add(request, ready)
        except ConnectionCut:
            pass  # the partial response is intended, or cannot be helped
        finally:
            session.exchanges.discard(exchange)
            http.done(request, complete=complete)


class AnswerCache:
    """Small responses that can be sent again as they are; the least recently stored are dropped."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[Any, ...], ReadyAnswer] = OrderedDict()
        self._bytes = 0

    def find(self, request: ParsedRequest) -> ReadyAnswer | None:
        """Return the response to a request."""
        return self._answers.get(_cache_key(request))

    def add(self, request: ParsedRequest, answer: ReadyAnswer) -> None:
        """Store a response, and drop old ones where they exceed CACHE_BYTES."""
        if request.body or request.method not in (b"GET", b"HEAD"):
            return
        key = _cache_key(request)
        self._bytes += answer.size - (self._answers[key].size if key in self._answers else 0)
        self._answers[key] = answer
        while self._bytes > CACHE_BYTES:
            self._bytes -= self._answers.popitem(last=False)[1].size


def _cache_key(request: ParsedRequest) -> tuple[Any, ...]:
    return (request.method, request.scheme, request.target, *map(request.fields.get, KEY_HEADERS))
