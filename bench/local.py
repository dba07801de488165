"""Servers on this machine, for the benchmarks: started, waited for, ended."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 60.0


class Unavailable(Exception):
    """A part cannot be measured here; the message says why."""


def cache() -> Path:
    """Return the folder in which benchmarks keep what is dear to make."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uvmre-bench"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def answer(port: int, request: bytes) -> bytes:
    """Ask on a port, as soon as somebody listens there, and return the first bytes of the answer."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(request)
            return connection.recv(65536)
        time.sleep(0.001)
    raise Unavailable(f"nothing listens on port {port}")


def whole(port: int, request: bytes) -> bytes:
    """Ask on a port for an answer that ends with the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answered:
            return answered.read()


@contextlib.contextmanager
def serving(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[int]:
    """Run a server in a group of its own until the `with` ends; it listens on `port` when that begins."""
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True) as process,
    ):
        try:
            wait_for(port, process)
            yield process.pid
        except Unavailable as error:
            output.seek(0)
            raise Unavailable(f"{error}; it printed: {output.read()[-500:].decode(errors='replace')}") from None
        finally:
            end(process)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise Unavailable(f"{process.args!r} did not come up")


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that has a group of its own, and what it started."""
    for what in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, what)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
            return
