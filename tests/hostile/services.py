"""Services of the host that no step may reach; each notes what it receives."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Services:
    """Where they are, and who came."""

    ports: dict[str, int] = field(default_factory=dict)
    """By family: `4`, `6`, `udp`."""
    abstract: str = ""
    path: str = ""
    machine: str = "127.0.0.1"
    """The address of this machine itself."""
    visitors: list[str] = field(default_factory=list)


def _serve(services: Services, listening: socket.socket, name: str) -> None:
    while True:
        try:
            if listening.type == socket.SOCK_DGRAM:
                if not listening.recv(64):
                    return
                services.visitors.append(name)
                continue
            connection, _ = listening.accept()
        except OSError:
            return
        services.visitors.append(name)
        with connection, contextlib.suppress(OSError):
            connection.settimeout(1)
            connection.recv(1000)  # unread, it would reset the connection
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nCANARY-TCP")


@contextlib.contextmanager
def serve(folder: Path, name: str) -> Iterator[Services]:
    """Serve on every address of this machine, on an abstract Unix socket and on one with a path."""
    services = Services(abstract=f"uvmre-hostile-{name}", path=str(folder / "docker.sock"))
    listening = {"4": socket.socket(socket.AF_INET), "udp": socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}
    listening["4"].bind(("", 0))
    listening["udp"].bind(("", 0))
    if socket.has_ipv6:
        listening["6"] = socket.socket(socket.AF_INET6)
        listening["6"].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listening["6"].bind(("::1", 0))
        except OSError:
            listening.pop("6").close()
    for key, address in (("abstract", f"\0{services.abstract}"), ("path", services.path)):
        listening[key] = socket.socket(socket.AF_UNIX)
        listening[key].bind(address)
    for key, each in listening.items():
        if each.family in (socket.AF_INET, socket.AF_INET6):
            services.ports[key] = each.getsockname()[1]
        if each.type == socket.SOCK_STREAM:
            each.listen()
        threading.Thread(target=_serve, args=(services, each, key), daemon=True).start()
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        services.machine = probe.getsockname()[0]
    try:
        yield services
    finally:
        for each in listening.values():
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
