"""Cells: one release, one interpreter and one variant each, run in fresh folders behind one gateway, and kept."""

import contextlib
import itertools
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.mre.model import BASE
from uvmre.core.network.request import Network
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import secrets
from uvmre.errors import CannotTell, UsageError
from uvmre.flows import housekeeping
from uvmre.flows.probe.target import ProbeTarget
from uvmre.flows.probe.uv_choice import ChosenReleases
from uvmre.flows.probe.variant import RunContext, observe
from uvmre.flows.scratch import scratch
from uvmre.folder import evidence
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.outcomes.store import OutcomeKey, OutcomeStore, StoredOutcome
from uvmre.releases import binaries, cache_users, catalogue
from uvmre.releases.binaries import FetchedRelease
from uvmre.run.backends import choose
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import Interpreter

LOCAL = "local"
TICK = 0.2
WAITING = 1
"""How many more run at once than there are cores: a run waits for disk and network about half of its time."""


@dataclass(frozen=True)
class ProbeResult:
    """One run of a cell."""

    kept: StoredOutcome
    complaint: str = ""
    """What is wrong with the question itself."""
    refused: tuple[str, ...] = ()
    """Hosts that were asked for and not let through."""
    repeats: bool = False
    """Whether a rerun would come to the same."""


@dataclass(frozen=True)
class RunOptions:
    """How cells are run."""

    cache: Path
    backend: str
    network: Network
    allow_hosts: tuple[str, ...] = ()
    again: bool = False
    """Whether to run what is kept from before, too."""

    @property
    def offline(self) -> bool:
        """Tell whether nothing may be asked of the network."""
        return self.network == "replay"


class ProbePool:
    """Runs cells from `with` to the end of it; every method but the ends may be called from any thread."""

    def __init__(self, target: ProbeTarget, options: RunOptions, chosen: ChosenReleases, progress: Progress) -> None:
        """Make ready; no process is started before a cell has to be run."""
        self._backend = choose(options.backend)
        if target.words and self._backend.name != LOCAL:
            raise UsageError("A script runs on this machine, not in a container.", "Take `--backend local`.")
        self.stop = threading.Event()
        self._question, self._manner, self._progress = target, options, progress
        self._store = OutcomeStore(options.cache, progress.note)
        self._fetching = _Fetching(target, options, chosen, progress, self.stop)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._gateway: Gateway | None = None
        self._rerun: set[OutcomeKey] = set()
        day = f" {datetime.now(UTC):%Y-%m-%d}" if options.network == "live" else ""
        self._network = " ".join([options.network + day, *sorted(options.allow_hosts)])

    def __enter__(self) -> "ProbePool":
        """Open what is kept."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._store)
            self._root = stack.enter_context(scratch())
            stack.callback(self._backend.clean_up, self._root)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End all that was started."""
        self.stop.set()
        self._fetching.end()
        self._stack.close()
        housekeeping.prune_later(self._manner.cache, self._progress)

    def kept(self, release: str, interpreter: Interpreter | None, variant: str) -> tuple[StoredOutcome, ...]:
        """Return the runs of a cell that are there from before."""
        key = self._key(release, interpreter, variant)
        return () if self._manner.again and key not in self._rerun else self._store.get(key)

    def soon(self, releases: Iterable[str]) -> None:
        """Fetch what may be needed next, beside what runs."""
        self._fetching.soon(releases)

    def run(self, release: str, interpreter: Interpreter | None, variant: str) -> ProbeResult:
        """Run a cell once, and keep its outcome where a rerun would repeat it.

        The MRE itself says nothing on a release where its controls do not behave, as in a run.

        Raises:
            CannotTell: when the release cannot be had.
        """
        ran = self._run_alone(release, interpreter, variant)
        if variant == BASE and ran.kept.word in ("shows", "absent") and self._question.controls:
            ran = self._with_controls(ran, release, interpreter)
        if ran.repeats:
            self._keep(self._key(release, interpreter, variant), ran.kept)
        return ran

    def _with_controls(self, base: ProbeResult, release: str, interpreter: Interpreter | None) -> ProbeResult:
        outcomes = {BASE: base.kept.outcome}
        seconds, repeats, refused = base.kept.seconds, base.repeats, dict.fromkeys(base.refused)
        for name in self._question.controls:
            if known := self.kept(release, interpreter, name):
                outcomes[name] = known[-1].outcome
                continue
            ran = self.run(release, interpreter, name)
            outcomes[name], repeats = ran.kept.outcome, repeats and ran.repeats
            seconds, refused = seconds + ran.kept.seconds, refused | dict.fromkeys(ran.refused)
        found = verdict(self._question.base, outcomes)
        kept = replace(base.kept, seconds=seconds)
        if found.word == "inconclusive":
            kept = StoredOutcome("broken", found.reason.rstrip("."), seconds)
        return ProbeResult(kept, base.complaint, tuple(refused), repeats)

    def _run_alone(self, release: str, interpreter: Interpreter | None, variant: str) -> ProbeResult:
        binary = self._fetching.get(release)
        mre = self._question.variant(variant, release)
        own = self._root / str(next(self._numbers))
        # Progress is told of cells, not of their steps.
        base, live = self._question.base, self._manner.network == "live"
        # A container has the interpreter of its image, unless another one is asked for.
        other = interpreter and self._backend.name != LOCAL and interpreter.minor != self._question.python
        python = interpreter.minor if interpreter and other else ""
        context = RunContext(
            *(self._backend, base, release, binary, interpreter, python),
            *(self._behind(), live, self.stop, Progress(), False, secrets(mre)),
        )
        left: list[Observation] = []
        judge = partial(self._question.judge, variant)
        try:
            observation, outcome = observe(
                variant, mre, context, RunDirs(own, self._question.others), judge, left.append
            )
        finally:
            self._backend.clean_up(own)
            temp_folders.delete_tree(own)
        complaint = self._question.complaint(observation)
        kept = StoredOutcome(outcome.word, outcome.reason, observation.seconds)
        refused = dict.fromkeys(request.host for request in observation.requests if request.answered_by == "refused")
        return ProbeResult(kept, complaint, tuple(refused), not complaint and _repeats(observation))

    def _behind(self) -> Gateway:
        with self._lock:
            if self._gateway is None:
                options = self._manner
                if self._question.bundled:
                    evidence.ignore_in_git(self._question.recording.parent)
                recording = self._question.recording.absolute()
                cache_users.hold(options.cache, str(recording))
                with contextlib.suppress(OSError):  # a script's is in the cache, and is pruned where it is not used
                    os.utime(recording)
                made = gateway_config(self._question.base, options.allow_hosts)
                self._gateway = self._stack.enter_context(
                    Gateway(options.cache, self._question.recording, options.network, made)
                )
            return self._gateway

    def _keep(self, key: OutcomeKey, kept: StoredOutcome) -> None:
        with self._lock:
            first = self._manner.again and key not in self._rerun
            self._rerun.add(key)
        if first:
            self._store.forget(key)
        self._store.add(key, kept)

    def _key(self, release: str, interpreter: Interpreter | None, variant: str) -> OutcomeKey:
        return OutcomeKey(
            digest=self._question.key(variant),
            release=release,
            interpreter=interpreter.version if interpreter else "",
            variant=variant,
            backend=self._backend.describe(),
            network=self._network,
            platform=catalogue.platform(),
        )


def at_once(jobs: int) -> int:
    """Return how many cells to run side by side where so many were asked for, 0 for what suits the cores."""
    if jobs:
        return jobs
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + WAITING


def _repeats(observation: Observation) -> bool:
    """Tell whether a rerun would come to the same: not where somebody or the network ended it, or the disk was full."""
    if observation.obstacle or any(request.answered_by == "unreachable" for request in observation.unanswered):
        return False
    return not any("No space left on device" in step.stderr for step in observation.steps)


class _Fetching:
    """Binaries on their way: each of them once, whoever waits for it."""

    def __init__(
        self,
        target: ProbeTarget,
        options: RunOptions,
        chosen: ChosenReleases,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._near, self._manner, self._progress, self._stop = target.bundled, options, progress, stop
        self._chosen = chosen
        self._pool = ThreadPoolExecutor(binaries.MAX_PARALLEL, thread_name_prefix="fetching")
        self._coming: dict[str, Future[FetchedRelease]] = {}
        self._lock = threading.Lock()

    def soon(self, releases: Iterable[str]) -> None:
        """Begin with what is not there yet."""
        for release in releases:
            self._begin(release)

    def get(self, release: str) -> Path:
        """Wait for one."""
        future = self._begin(release)
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                fetched = future.result(TICK)
                if fetched.uv:
                    return fetched.uv
                with self._lock:
                    self._coming.pop(release, None)  # the next who asks may have more luck
                raise fetched.error or CannotTell(f"uv {release} could not be fetched.", "Run it again.")
        raise CannotTell(f"uv {release} was not fetched: it was interrupted.", "Run it again.")

    def end(self) -> None:
        """Wait for nobody."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, release: str) -> "Future[FetchedRelease]":
        with self._lock:
            if release not in self._coming:
                self._coming[release] = self._pool.submit(self._fetch, release)
            return self._coming[release]

    def _fetch(self, release: str) -> FetchedRelease:
        if built := self._chosen.local_builds.get(release):
            return FetchedRelease(release, built)
        found, told = self._chosen.found, self._progress.downloading
        (fetched,) = binaries.fetch(
            *([release], self._manner.cache, told),
            bundled=self._near,
            found=found,
            stop=self._stop,
            offline=self._manner.offline,
        )
        return fetched
