"""Threads that the main thread waits for without taking a lock.

A signal handler raises KeyboardInterrupt in the main thread, between any two bytecodes. Within `Future.result` or
`Thread.join` that can leave a lock of the standard library held, and the next to acquire it deadlocks. Here the main
thread waits in `select` instead.
"""

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
TICK = 1.0


class Pool:
    """A context manager that runs calls in threads, and stops them when it ends by an exception."""

    def __init__(self, workers: int, name: str, stop: threading.Event) -> None:
        """Create a pool.

        Args:
            workers: the number of parallel calls.
            name: the prefix of the threads' names.
            stop: set when the `with` ends by an exception; calls must poll it.
        """
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._stop = stop
        self._running: set[Future[Any]] = set()
        self._done, self._wake_end = os.pipe()
        os.set_blocking(self._done, False)
        os.set_blocking(self._wake_end, False)

    def __enter__(self) -> "Pool":
        """Return the pool."""
        return self

    def submit(self, call: Callable[..., T], *arguments: Any) -> "Future[T]":
        """Schedule a call."""
        future = self._executor.submit(call, *arguments)
        self._running.add(future)
        future.add_done_callback(self._wake)
        return future

    def first(self, futures: "Iterable[Future[T]]") -> "set[Future[T]]":
        """Wait until at least one of the calls is done, and return those that are."""
        pending = set(futures)
        while not (done := {future for future in pending if future.done()}):
            self._wait()
        return done

    def result(self, future: "Future[T]") -> T:
        """Wait for a call and return its result."""
        self.first([future])
        return future.result()

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """Wait for all calls; on an exception, stop them first."""
        if kind is not None:
            self._stop.set()
        self._executor.shutdown(wait=False, cancel_futures=kind is not None)
        while not all(future.done() for future in self._running):
            self._wait()
        self._executor.shutdown(wait=True)
        os.close(self._done)
        os.close(self._wake_end)

    def _wait(self) -> None:
        select.select([self._done], [], [], TICK)
        with contextlib.suppress(BlockingIOError):
            os.read(self._done, 4096)

    def _wake(self, _: "Future[Any]") -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes it as well
            os.write(self._wake_end, b".")
