"""Drive a search for a smaller subject: several workers, a deadline, stored answers, the best so far on disk."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from uvmre.core.progress import Progress
from uvmre.core.search.shrink import Interest, ShrinkState, advance, candidate, probable_futures
from uvmre.core.shrink.edits import Subject, digest, line_count, size
from uvmre.errors import CannotTell, Interrupted
from uvmre.flows.shrink_store import AnswerStore, SmallFolder, SmallMre
from uvmre.flows.thread_pool import Pool

MOST_FOUND = 4
"""Parts that can go after which no other is looked for."""
AHEAD = 4
"""Probable candidates for each worker, beyond which one is no longer worth running."""


@dataclass(frozen=True)
class SubjectSize:
    """How large a subject is."""

    bytes: int
    files: int
    lines: int


def measure(subject: Subject) -> SubjectSize:
    """Return the size of a subject."""
    return SubjectSize(size(subject), len(subject), line_count(subject))


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """The result of a search, and its cost."""

    before: SubjectSize
    after: SubjectSize
    folder: Path
    calls: int
    """The candidates that were tried."""
    ran: int
    """How many of them ran now; the others have stored answers."""
    unknown: int
    """How many of them had no answer, for reasons of this machine."""
    seconds: float
    finished: bool
    """Whether nothing more can go; else its time was up."""
    sizes: tuple[int, ...]
    """The bytes after each call."""


def require_steady(interesting: int, runs: int) -> None:
    """Check that an original is interesting in every run.

    Raises:
        CannotTell: with the rate.
    """
    if interesting < runs:
        message = f"the original is not the same in every run: interesting in {interesting} of {runs}"
        raise CannotTell(message, "make the symptom or the script narrower, so that every run agrees")


@dataclass
class SubjectSearch:
    """Runs candidates in threads, on the path that one worker alone would take."""

    evaluate: Callable[[Subject, threading.Event], Interest]
    """Runs a candidate until an event is set."""
    answers: AnswerStore
    small: SmallFolder | SmallMre
    jobs: int
    seconds: float = math.inf
    progress: Progress = field(default_factory=Progress)
    stop: threading.Event = field(default_factory=threading.Event)
    _answers: dict[str, Interest] = field(default_factory=dict)
    _running: "dict[str, tuple[Future[Interest], Subject, threading.Event]]" = field(default_factory=dict)
    _ran: int = 0

    def run(self, state: ShrinkState[Subject]) -> Shrunk:
        """Search from a state to the end, or until the time is up.

        Raises:
            Interrupted: on ^C; the best so far is on disk.
        """
        started, before, sizes = time.monotonic(), state.subject, [size(state.subject)]
        self.small.write(before)
        written = before
        alarm = threading.Timer(min(self.seconds, threading.TIMEOUT_MAX), self._cancel_all)
        alarm.daemon = True
        alarm.start()
        try:
            with Pool(self.jobs, "shrink", self.stop) as pool:
                try:
                    while (subject := candidate(state)) is not None and time.monotonic() - started < self.seconds:
                        if (answer := self._answer(subject)) is None:
                            self._submit(pool, state)
                            if state.subject is not written:  # while the workers run
                                self.small.write(written := state.subject)
                            pool.first([future for future, _, _ in self._running.values()])
                            self._harvest()
                            continue
                        state = advance(state, answer)
                        sizes.append(size(state.subject))
                        left = self.seconds - (time.monotonic() - started)
                        self.progress.tried(sizes[-1], sizes[0], state.calls, answer == "yes", left)
                finally:
                    alarm.cancel()
                    self._cancel_all()
                    if state.subject is not written:
                        self.small.write(state.subject)
        except KeyboardInterrupt:
            hint = f"the smallest so far is in `{self.small.path}`; the same command continues"
            raise Interrupted("interrupted", hint) from None
        return Shrunk(
            before=measure(before),
            after=measure(state.subject),
            folder=self.small.path,
            calls=state.calls,
            ran=self._ran,
            unknown=state.unknown,
            seconds=time.monotonic() - started,
            finished=candidate(state) is None,
            sizes=tuple(sizes),
        )

    def run_each(self, candidates: Sequence[tuple[str, Subject]], deadline: float) -> tuple[list[str], bool]:
        """Return the titles of the first candidates that are interesting, and whether all could be run in time."""
        found: list[str] = []
        late = False

        def timely(subject: Subject) -> Interest | None:
            nonlocal late
            late = late or time.monotonic() > deadline
            if late or len(found) >= MOST_FOUND:
                return None
            return self.answers.answer(subject) or self.evaluate(subject, self.stop)

        with Pool(self.jobs, "shrink", self.stop) as pool:
            futures = [(title, each, pool.submit(timely, each)) for title, each in candidates]
            for title, subject, future in futures:
                if answer := pool.result(future):
                    self.answers.keep(subject, answer)
                if answer == "yes":
                    found.append(title)
        return found, not late

    def _cancel_all(self) -> None:
        for _, _, cancel in tuple(self._running.values()):
            cancel.set()

    def _answer(self, subject: Subject) -> Interest | None:
        key = digest(subject)
        if key not in self._answers and (stored := self.answers.answer(subject)):
            self._answers[key] = stored
        return self._answers.get(key)

    def _submit(self, pool: Pool, state: ShrinkState[Subject]) -> None:
        """Start the candidates that are probably next, and cancel those that no longer are."""
        probable: list[str] = []
        for subject in probable_futures(state):
            key = digest(subject)
            if key not in probable and self._answer(subject) is None:
                probable.append(key)
                if len(self._running) < self.jobs and key not in self._running:
                    cancel = threading.Event()
                    self._running[key] = (pool.submit(self.evaluate, subject, cancel), subject, cancel)
            if len(probable) >= (self.jobs * AHEAD if self.jobs > 1 else 1):
                break
        rank = {key: number for number, key in enumerate(probable)}
        for key, (_, _, cancel) in self._running.items():
            if key not in rank:
                cancel.set()
        if probable[0] not in self._running:
            self._running[max(self._running, key=lambda key: rank.get(key, math.inf))][2].set()

    def _harvest(self) -> None:
        for key, (future, subject, cancel) in list(self._running.items()):
            if future.done():
                del self._running[key]
                answer = future.result()
                if not cancel.is_set() and not self.stop.is_set():
                    self._ran += 1
                    self._answers[key] = answer
                    self.answers.keep(subject, answer)
