"""Threads that the main thread waits for without taking a lock.

A signal's handler raises KeyboardInterrupt in the main thread, between any two bytecodes. Within `Future.result` or
`Thread.join` that can leave a lock of the standard library taken for good, and whoever needs it next waits forever.
Here the main thread waits in `select` instead.
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
    """Runs calls in threads from `with` to the end of it; all are told to stop where that comes early."""

    def __init__(self, workers: int, name: str, stop: threading.Event) -> None:
        """Make ready.

        Args:
            workers: how many calls run at once.
            name: what the threads are called.
            stop: set when the `with` ends by an exception; calls heed it.
        """
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._stop = stop
        self._running: set[Future[Any]] = set()
        self._done, self._tell = os.pipe()
        os.set_blocking(self._done, False)
        os.set_blocking(self._tell, False)

    def __enter__(self) -> "Pool":
        """Return the pool."""
        return self

    def submit(self, call: Callable[..., T], *given: Any) -> "Future[T]":
        """Run a call as soon as a thread is free."""
        future = self._executor.submit(call, *given)
        self._running.add(future)
        future.add_done_callback(self._wake)
        return future

    def first(self, futures: "Iterable[Future[T]]") -> "set[Future[T]]":
        """Wait until at least one of some calls is done, and return those that are."""
        wanted = set(futures)
        while not (done := {future for future in wanted if future.done()}):
            self._wait()
        return done

    def result(self, future: "Future[T]") -> T:
        """Wait for a call, and return what it returned."""
        self.first([future])
        return future.result()

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """Wait for what still runs, told to stop where something went wrong."""
        if kind is not None:
            self._stop.set()
        self._executor.shutdown(wait=False, cancel_futures=kind is not None)
        while not all(future.done() for future in self._running):
            self._wait()
        self._executor.shutdown(wait=True)
        os.close(self._done)
        os.close(self._tell)

    def _wait(self) -> None:
        select.select([self._done], [], [], TICK)
        with contextlib.suppress(BlockingIOError):
            os.read(self._done, 4096)

    def _wake(self, _: "Future[Any]") -> None:
        with contextlib.suppress(BlockingIOError):  # a pipe that is full wakes, too
            os.write(self._tell, b".")
