"""The gateway as the rest of uvmre uses it: a process that answers for every host, and listeners of it.

It starts on another core while this process prepares the first step, which need not wait: the listeners accept
connections before it is up. It ends with this process, however that ends, because its liveness pipe then closes.
"""

import contextlib
import json
import os
import pickle
import select
import signal
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from uvmre.core.network.index import Fault, Index
from uvmre.core.network.request import Network, Request
from uvmre.errors import CannotTell
from uvmre.gateway import prespawn
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.server.certificates import leaf_folder, load_authority, public_part

BACKLOG = 1024
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
ANSWER_SECONDS = 60.0
"""The time in which the process answers a message; it takes a millisecond."""


class Listener:
    """One address of the gateway, for one variant, and the requests that it received."""

    def __init__(self, gateway: "Gateway", listening: socket.socket) -> None:
        # asyncio only does this for its own sockets; without it every response waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._gateway = gateway
        self._listening = listening
        self._requests: list[Request] = []
        self._closed = False
        self.port: int = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Return all requests so far."""
        self._requests += self.pop_requests()
        return tuple(self._requests)

    def pop_requests(self) -> tuple[Request, ...]:
        """Return the requests since the last call, and forget them."""
        return () if self._closed or not self._gateway.is_up else self._gateway.pop_requests(self.port)

    def close(self) -> None:
        """Stop listening, and abort the open connections."""
        # A process that is not up yet and has no client need not be asked.
        if not self._closed and (self._gateway.is_up or self._reject_client()):
            self._requests += self._gateway.pop_requests(self.port, close=True)
        self._closed = True

    @contextlib.contextmanager
    def connect(self) -> Iterator[int]:
        """Open a socket that takes the listening socket of another network; its requests are this listener's too."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._gateway.attach(self.port, ours)
            yield theirs.fileno()

    def _reject_client(self) -> bool:
        """Tell whether a client waits to be accepted, and close its connection."""
        self._listening.setblocking(False)
        try:
            self._listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


class Gateway:
    """Serves within its `with` block."""

    def __init__(
        self, cache: Path, recording: Path, network: Network = "auto", config: GatewayConfig | None = None
    ) -> None:
        """Prepare; the default config is PyPI and the public test index."""
        self._authority = load_authority(cache)
        self._config = config or GatewayConfig()
        self._settings = {
            "authority": self._authority,
            "recording": str(recording),
            "bodies": str(cache / "bodies"),
            "network": network,
            "leaves": str(leaf_folder(cache)),
            "config": _serialized(self._config),
        }
        self._lock = threading.Lock()
        self._up = False
        self._listening: set[socket.socket] = set()
        self._ended = False

    def __enter__(self) -> "Gateway":
        """Start the process without waiting for it."""
        self.pid, self._control, self._liveness = prespawn.acquire()
        self._control.settimeout(ANSWER_SECONDS)
        self._answers = self._control.makefile("rb")
        self._watcher = threading.Thread(target=self._watch, name="gateway", daemon=True)
        self._watcher.start()
        self._send(self._settings)
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, by force if it does not end in time."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            self._watcher.join(GRACE)
            if self._watcher.is_alive():
                os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self._watcher.join(GRACE)
        self._answers.close()
        self._control.close()
        os.close(self._liveness)

    def _watch(self) -> None:
        """Wait for the end of the process, then refuse its clients, which would wait for a response for minutes."""
        poll = select.poll()
        poll.register(self._control, 0)  # no event but the end of the other side
        poll.poll()
        self._ended = True
        for listening in tuple(self._listening):
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)

    @property
    def certificate(self) -> bytes:
        """Return the CA certificate that a step must trust, as PEM."""
        return public_part(self._authority).encode()

    @property
    def is_up(self) -> bool:
        """Tell whether the process answers; its first message says so."""
        return self._up or bool(select.select([self._control], [], [], 0)[0])

    @contextlib.contextmanager
    def listener(
        self,
        port: int = 0,
        faults: tuple[Fault, ...] = (),
        indexes: tuple[Index, ...] | None = None,
        config: GatewayConfig | None = None,
    ) -> Iterator[Listener]:
        """Listen on a local port, a free one where it is 0, for another network or indexes if given.

        Faults are counted anew.
        """
        if indexes is not None:
            config = replace(config or self._config, indexes=indexes)
        other = "" if config in (None, self._config) else _serialized(config)
        with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listening:
            listener = Listener(self, listening)
            self._listening.add(listening)
            try:
                if self._ended:  # before the socket was among those that are closed
                    raise _ended_early()
                with self._lock:
                    self._send({"open": listener.port, "faults": _serialized(faults), "config": other}, listening)
                yield listener
            finally:
                self._listening.discard(listening)
                listener.close()

    def attach(self, port: int, connection: socket.socket) -> None:
        """Serve the listening socket that comes over a connection, as a part of a listener."""
        with self._lock:
            self._send({"attach": port}, connection)

    def pop_requests(self, port: int, *, close: bool = False) -> tuple[Request, ...]:
        """Return the requests of a listener since the last call, after closing it where that is asked for."""
        try:
            with self._lock:
                self._send({"close" if close else "requests": port})
                if not self._up:
                    self._up = bool(self._answers.readline())
                line = self._answers.readline()
        except OSError:  # it ended, or hangs
            line = b""
        if not line:
            raise _ended_early()
        return tuple(Request(**request) for request in json.loads(line))

    def _send(self, message: Mapping[str, object], *sockets: socket.socket) -> None:
        descriptors = [listening.fileno() for listening in sockets]
        data = json.dumps(message).encode() + b"\n"
        with contextlib.suppress(OSError):  # reported when the requests are popped
            sent = socket.send_fds(self._control, [data], descriptors) if descriptors else 0
            self._control.sendall(data[sent:])


def free_port() -> int:
    """Return a local port that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _ended_early() -> CannotTell:
    return CannotTell("the gateway ended early, so the steps had no network", "run it again")


def _serialized(value: object) -> str:
    """Return one of uvmre's own values as text; only its own process reads it."""
    return b64encode(pickle.dumps(value)).decode()
