"""Run one process and all its children, with limits on time and output, and leave none behind."""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from uvmre.run import process_tree

OUTPUT_LIMIT = 1_000_000
"""Bytes kept of each stream, half from its start and half from its end."""
GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL."""
TICK = 0.2
READ_SIZE = 65536
PIPE_READS = 32
"""Enough for what two full pipes hold."""
TIMEOUT = "timeout"
Watch = Callable[[int, int], str]
_detached: set[int] = set()


@dataclass(frozen=True)
class Finished:
    """A process that ended."""

    exit: int
    """As in a shell: 128 + n where signal n ended it."""
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool
    truncated: bool
    limit: str = ""
    """The limit that it exceeded, as `4 GB of memory`."""
    idle: float = 0.0
    """If it timed out, the seconds without output or a request before."""


def failure(result: Finished) -> str:
    """Return why a process failed: its last line of output, or else its exit code."""
    if result.timed_out:
        return "it exceeded its time limit"
    lines = (result.stderr or result.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {result.exit}"


class Capped:
    """The bytes of a stream; beyond the limit only its two ends."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0
        self.omitted = 0

    def add(self, data: bytes) -> None:
        """Append bytes."""
        self.size += len(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room > 0 else data
        if len(self._tail) > 2 * self._half:
            self._cut()

    def _cut(self) -> None:
        surplus = max(0, len(self._tail) - self._half)
        self.omitted += surplus
        del self._tail[:surplus]

    def value(self) -> bytes:
        """Return the bytes, with a line for the omitted ones."""
        self._cut()
        gap = f"\n[uvmre: {self.omitted} bytes omitted]\n".encode() if self.omitted else b""
        return bytes(self._head) + gap + bytes(self._tail)


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    stop: threading.Event,
    output_limit: int = OUTPUT_LIMIT,
    watch: Watch = lambda _pid, _output: "",
    descriptors: Sequence[int] = (),
    end: "Callable[[subprocess.Popen[bytes]], None] | None" = None,
    on_start: Callable[[], None] = lambda: None,
) -> Finished:
    """Run a command in a session of its own, without standard input, and end its whole group afterwards.

    Args:
        command: the program and its arguments.
        cwd: its folder.
        environment: all its variables; none is inherited.
        timeout: seconds after which the group is ended.
        stop: set from another thread to end the command early.
        output_limit: bytes kept of each stream.
        watch: called several times a second with the process' id and the bytes of its output; ends the command by
            returning the limit that it exceeds, or TIMEOUT.
        descriptors: open files that the command inherits, besides its streams.
        end: ends what is left of the command, instead of `end_group`.
        on_start: called once it is started.

    Raises:
        OSError: when the command cannot be started.
    """
    started = time.perf_counter()
    process = _start(command, cwd, environment, subprocess.PIPE, descriptors)
    assert process.stdout
    assert process.stderr
    out, err = Capped(output_limit), Capped(output_limit)
    try:
        on_start()
        ended_by = _collect(process, {process.stdout: out, process.stderr: err}, started + timeout, stop, watch)
    finally:
        (end or end_group)(process)
        process.stdout.close()
        process.stderr.close()
    return Finished(
        exit=_exit_code(process.returncode),
        stdout=out.value(),
        stderr=err.value(),
        seconds=time.perf_counter() - started,
        timed_out=ended_by == TIMEOUT,
        truncated=bool(out.omitted or err.omitted),
        limit="" if ended_by == TIMEOUT else ended_by,
    )


def _start(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    stderr: int,
    descriptors: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        pass_fds=descriptors,
        start_new_session=True,
    )


class Streaming:
    """A command whose output is streamed, both streams as one."""

    def __init__(self, process: "subprocess.Popen[bytes]", stop: threading.Event, late: Callable[[], bool]) -> None:
        self._process, self._stop, self._late = process, stop, late
        self.timed_out = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield output until the command ends, is stopped, or is late."""
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not self._stop.is_set():
                if self._late():
                    self.timed_out = True
                    return
                if selector.select(TICK):
                    data = os.read(self._process.stdout.fileno(), READ_SIZE)
                    if not data:
                        return
                    yield data
                elif self._process.poll() is not None:
                    return

    @property
    def exit(self) -> int:
        """Return the exit code as in a shell; valid after the `with`."""
        return _exit_code(self._process.returncode)


@contextlib.contextmanager
def streamed(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    stop: threading.Event,
    late: Callable[[], bool],
    grace: float = GRACE,
) -> Iterator[Streaming]:
    """Run a command as `run` does, and stream its output.

    Args:
        command: the program and its arguments.
        cwd: its folder.
        environment: all its variables; none is inherited.
        stop: set from another thread to end the command early.
        late: called several times a second; returns whether its time is up.
        grace: seconds between SIGTERM and SIGKILL.

    Raises:
        OSError: when the command cannot be started.
    """
    process = _start(command, cwd, environment, subprocess.STDOUT)
    assert process.stdout
    streaming = Streaming(process, stop, late)
    try:
        yield streaming
        if not (stop.is_set() or streaming.timed_out):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        # A container's process may have left the group. A full pipe must not keep it from ending.
        descendants = process_tree.descendants(process.pid) if process.poll() is None else []
        process.stdout.close()
        end_group(process, grace)
        process_tree.kill(descendants)


def _exit_code(returncode: int) -> int:
    return returncode if returncode >= 0 else 128 - returncode


def _collect(
    process: "subprocess.Popen[bytes]",
    streams: Mapping[IO[bytes], Capped],
    deadline: float,
    stop: threading.Event,
    watch: Watch,
) -> str:
    """Read both streams until the process ends; return TIMEOUT or the limit that ended it early."""
    next_watch = time.perf_counter() + TICK
    with selectors.DefaultSelector() as selector:
        for stream, capped in streams.items():
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, capped)
        # A pidfd wakes the loop as soon as the process ends; without one, the tick does.
        with _pidfd(process.pid) as pidfd:
            if pidfd is not None:
                selector.register(pidfd, selectors.EVENT_READ, None)
            while process.poll() is None:
                if stop.is_set():
                    return ""
                now = time.perf_counter()
                if now > deadline:
                    return TIMEOUT
                if now > next_watch:
                    if limit := watch(process.pid, sum(capped.size for capped in streams.values())):
                        return limit
                    next_watch = time.perf_counter() + TICK
                _drain(selector, min(TICK, max(0.0, deadline - now)))
            if pidfd is not None:
                selector.unregister(pidfd)
        # A process that it left behind may write for ever.
        for _ in range(PIPE_READS):
            if not (selector.get_map() and _drain(selector, 0.0)):
                break
    return ""


@contextlib.contextmanager
def _pidfd(pid: int):  # type: ignore[no-untyped-def]
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _drain(selector: selectors.BaseSelector, wait: float) -> bool:
    """Read available output; return whether there was any."""
    received = False
    for key, _ in selector.select(wait):
        if key.data is None:
            continue
        data = os.read(key.fd, READ_SIZE)
        if data:
            key.data.add(data)
            received = True
        else:
            selector.unregister(key.fileobj)
    return received


def end_group(process: "subprocess.Popen[bytes]", grace: float = GRACE) -> None:
    """End what is left of the process' group: SIGTERM, then SIGKILL."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, GRACE)):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        deadline = time.perf_counter() + patience
        while time.perf_counter() < deadline and (process.poll() is None or process_tree.group_is_alive(process.pid)):
            time.sleep(0.01)
    process.wait()


def start_detached(command: Sequence[str]) -> None:
    """Start a command that outlives this process, without streams."""
    for pid in tuple(_detached):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                continue
        _detached.discard(pid)
    silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    # A group of its own, so that ^C does not reach it.
    _detached.add(os.posix_spawn(command[0], list(command), os.environ, file_actions=silent, setpgroup=0))
