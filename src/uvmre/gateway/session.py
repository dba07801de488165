"""The gateway as the rest of uvmre sees it: a process of its own that answers for every host, and doors into it.

It comes up on another core while this process prepares the first step, which waits for nothing of it: its doors listen
before it does. It ends with us, however we end, because its lifeline then closes.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from uvmre.core.network.index import Fault
from uvmre.core.network.request import Network, Request
from uvmre.errors import CannotTell
from uvmre.gateway import prespawn
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.server.certificates import leaf_folder, load_authority, public_part

BACKLOG = 1024


class Listener:
    """One address of the gateway, for one variant, and the requests that came through it."""

    def __init__(self, gateway: "Gateway", listening: socket.socket) -> None:
        # asyncio does this for sockets of its own making; without it every answer waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._gateway = gateway
        self._listening = listening
        self._seen: list[Request] = []
        self._closed = False
        self.port: int = listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Return what came through up to now."""
        self._seen += self.pop_requests()
        return tuple(self._seen)

    def pop_requests(self) -> tuple[Request, ...]:
        """Return what came through since this was asked last, and forget it."""
        return () if self._closed or not self._gateway.is_up else self._ask("news")

    def close(self) -> None:
        """Let nobody in any more, and hang up on who is still there."""
        # Where the process is not up yet and nobody waits for it, there is nothing to ask it for.
        if not self._closed and (self._gateway.is_up or self._knocked()):
            self._seen += self._ask("close")
        self._closed = True

    def _ask(self, what: str) -> tuple[Request, ...]:
        return tuple(Request(**request) for request in self._gateway.ask(what, self.port))

    def _knocked(self) -> bool:
        """Tell whether somebody waited to be let in, and turn them away."""
        self._listening.setblocking(False)
        try:
            self._listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


class Gateway:
    """Serves from `with` to the end of it."""

    def __init__(
        self, cache: Path, recording: Path, network: Network = "auto", config: GatewayConfig | None = None
    ) -> None:
        """Make ready.

        Args:
            cache: the folder of all that uvmre keeps.
            recording: the folder of the MRE's recorded answers, made where it is not there.
            network: what answers.
            config: what the network looks like; as it is, and with the public test index, where there is none.
        """
        self._authority = load_authority(cache)
        self._settings = {
            "recording": str(recording),
            "bodies": str(cache / "bodies"),
            "network": network,
            "leaves": str(leaf_folder(cache)),
            "config": _serialized(config or GatewayConfig()),
        }
        self._lock = threading.Lock()
        self._up = False

    def __enter__(self) -> "Gateway":
        """Start the process; nothing waits for it yet."""
        self.pid, self._control, self._lifeline = prespawn.acquire()
        self._answers = self._control.makefile("rb")
        self._control.sendall(json.dumps({"authority": self._authority, **self._settings}).encode() + b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, wherever it is."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self._answers.close()
        self._control.close()
        os.close(self._lifeline)
        os.waitpid(self.pid, 0)

    @property
    def certificate(self) -> bytes:
        """Return the certificate that a step must trust, as PEM."""
        return public_part(self._authority).encode()

    @property
    def is_up(self) -> bool:
        """Tell whether the process answers already; the first line that it sends says so."""
        return self._up or bool(select.select([self._control], [], [], 0)[0])

    @contextlib.contextmanager
    def listener(self, port: int = 0, faults: tuple[Fault, ...] = ()) -> Iterator[Listener]:
        """Open a door on a port of this machine, a free one where it is 0, and close it again.

        Args:
            port: where it is.
            faults: what goes wrong behind it, counted from its opening.
        """
        with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listening:
            listener = Listener(self, listening)
            self._tell({"open": listener.port, "faults": _serialized(faults)}, listening)
            try:
                yield listener
            finally:
                listener.close()

    def ask(self, what: str, port: int) -> Any:
        """Ask the process something about a door, and return its answer."""
        try:
            with self._lock:
                self._control.sendall(json.dumps({what: port}).encode() + b"\n")
                if not self._up:
                    self._up = bool(self._answers.readline())
                line = self._answers.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise CannotTell("The gateway ended early, so the steps had no network.", "Run it again.")
        return json.loads(line)

    def _tell(self, what: dict[str, Any], *sockets: socket.socket) -> None:
        with self._lock:
            told = json.dumps(what).encode() + b"\n"
            socket.send_fds(self._control, [told], [listening.fileno() for listening in sockets])


def _serialized(value: object) -> str:
    """Return one of our own values as a text; who reads it is a process of ours."""
    return b64encode(pickle.dumps(value)).decode()
