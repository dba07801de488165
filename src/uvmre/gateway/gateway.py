"""The gateway as the rest of uvmre sees it: a thread that answers for every host, and doors into it.

Only what a step must have before it starts is done before it starts: a socket that listens and an authority. What
answers (asyncio, uvicorn, httpcore: 0.2 s of imports) comes up in the thread while the first step is on its way.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from uvmre.core.observation import Request
from uvmre.gateway.authority import Authority

if TYPE_CHECKING:
    from uvmre.gateway.serve import Service

BACKLOG = 1024


class Door:
    """One address of the gateway, for one variant, and the requests that came through it."""

    def __init__(self, listening: socket.socket) -> None:
        # asyncio does this for sockets of its own making; without it every answer waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = listening
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.requests: list[Request] = []


class Gateway:
    """Serves from `with` to the end of it."""

    def __init__(self, *, live: bool = False) -> None:
        self.authority = Authority()
        self._live = live
        self._service: Service | None = None
        self._fault: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="gateway", daemon=True)

    def __enter__(self) -> "Gateway":
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open and end the thread."""
        self._ready.wait()
        if self._service is not None:
            self._service.stop()
        self._thread.join()

    @contextlib.contextmanager
    def door(self) -> Iterator[Door]:
        """Open a door on a free port of this machine, and close it again."""
        door = Door(socket.create_server(("127.0.0.1", 0), backlog=BACKLOG))
        opener = threading.Thread(target=self._open, args=(door,), daemon=True)
        opener.start()
        try:
            yield door
        finally:
            opener.join()
            if self._service is None:
                door.socket.close()
                raise RuntimeError("the gateway did not start") from self._fault
            self._service.close(door.socket)

    def _open(self, door: Door) -> None:
        self._ready.wait()
        if self._service is not None:
            self._service.open(door.socket, door.requests.append)

    def _serve(self) -> None:
        try:
            from uvmre.gateway.serve import Service

            self._service = Service(self.authority, live=self._live)
        except BaseException as fault:  # told by `door`, in the thread of who needs it
            self._fault = fault
            return
        finally:
            self._ready.set()
        self._service.run()
