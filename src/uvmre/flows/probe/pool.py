"""Run cells (a release, an interpreter and a variant each) behind one gateway, and store their outcomes."""

import contextlib
import itertools
import math
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.mre.model import BASE, has_fixed_port
from uvmre.core.outcome.matching import is_lack
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import pack
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact, secrets
from uvmre.errors import CannotTell, UsageError
from uvmre.flows import housekeeping
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.target import ProbeTarget
from uvmre.flows.probe.uv_choice import ChosenReleases
from uvmre.flows.probe.variant import VariantRunner, own_contexts
from uvmre.flows.scratch import scratch
from uvmre.folder import evidence
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.outcomes.store import OutcomeKey, OutcomeStore, StoredOutcome
from uvmre.releases import binaries, cache_users, catalogue
from uvmre.releases.binaries import FetchedRelease
from uvmre.run.backend import LOCAL, SANDBOX, RunContext
from uvmre.run.backends import choose
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import Interpreter

TICK = 0.2
RETRY_SECONDS = 1.0
"""Before the second and last attempt of a download."""
EXTRA_JOBS = 1
"""Parallel runs beyond the number of cores: a run waits for disk and network about half of its time."""


@dataclass(frozen=True)
class ProbeResult:
    """One run of a cell."""

    stored: StoredOutcome
    complaint: str = ""
    """What is wrong with the script itself."""
    refused: tuple[str, ...] = ()
    """Hosts that were requested and are not allowed."""
    repeatable: bool = False
    """Whether another run would have the same outcome."""


class ProbePool:
    """A context manager that runs cells; every method but its ends may be called from any thread."""

    def __init__(self, target: ProbeTarget, options: RunOptions, chosen: ChosenReleases, progress: Progress) -> None:
        self._backend = choose(options.backend, origin=options.origin or target.origin, trust=options.trust)
        if target.script and self._backend.name != LOCAL:
            raise UsageError(f"a script cannot run on `{self._backend.name}`", "use `--backend local`")
        self.stop = threading.Event()
        self._target, self._options, self._progress = target, options, progress
        self._store = OutcomeStore(options.cache, progress.note)
        self._downloads = _Downloads(target, options, chosen, progress, self.stop)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._gateway: Gateway | None = None
        self._rerun: set[OutcomeKey] = set()
        day = f" {datetime.now(UTC):%Y-%m-%d}" if options.live else ""
        self._network = " ".join([options.network + day, *sorted(options.allow_hosts)])

    def __enter__(self) -> "ProbePool":
        """Open the store and create the folder of the runs."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._store)
            self._root = stack.enter_context(scratch())
            stack.callback(self._backend.clean_up, self._root)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End all downloads and runs."""
        self.stop.set()
        self._downloads.close()
        self._stack.close()
        housekeeping.prune_later(self._options.cache, self._progress)

    @property
    def jobs(self) -> int:
        """Return how many cells run in parallel: on `local`, one if they share a port."""
        if self._backend.name == LOCAL and has_fixed_port(
            *self._target.variants.values(), *self._target.controls.values()
        ):
            return 1
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self._options.jobs or cores + EXTRA_JOBS

    def stored(self, release: str, interpreter: Interpreter | None, variant: str) -> tuple[StoredOutcome, ...]:
        """Return the stored outcomes of a cell."""
        key = self._key(release, interpreter, variant)
        return () if self._options.again and key not in self._rerun else self._store.get(key)

    def prefetch(self, releases: Iterable[str]) -> None:
        """Download releases in the background."""
        self._downloads.prefetch(releases)

    def run(self, release: str, interpreter: Interpreter | None, variant: str, limit: float = 0.0) -> ProbeResult:
        """Run a cell once, and store its outcome if it is repeatable; `limit` is the most seconds of a step, if given.

        The MRE itself counts only on a release where its controls behave.

        Raises:
            CannotTell: if the release is not available.
        """
        result = self._run_alone(release, interpreter, variant, limit)
        if variant == BASE and result.stored.word in ("shows", "absent") and self._target.controls:
            result = self._with_controls(result, release, interpreter, limit)
        if result.repeatable:
            self._save(self._key(release, interpreter, variant), result.stored)
        return result

    def _with_controls(
        self, base: ProbeResult, release: str, interpreter: Interpreter | None, limit: float
    ) -> ProbeResult:
        outcomes = {BASE: base.stored.outcome}
        seconds, repeatable, refused = base.stored.seconds, base.repeatable, dict.fromkeys(base.refused)
        for name in self._target.controls:
            if stored := self.stored(release, interpreter, name):
                outcomes[name] = stored[-1].outcome
                continue
            result = self.run(release, interpreter, name, limit)
            outcomes[name], repeatable = result.stored.outcome, repeatable and result.repeatable
            seconds, refused = seconds + result.stored.seconds, refused | dict.fromkeys(result.refused)
        # On another release a guess counts as it is: only the controls may spoil an outcome.
        base_mre = self._target.base
        judged = verdict(replace(base_mre, symptom=replace(base_mre.symptom, guess=False), deviations=()), outcomes)
        stored_outcome = replace(base.stored, seconds=seconds)
        if judged.word == "inconclusive":
            reason = redact(judged.reason.rstrip("."), self._target.secrets)  # it has the names of controls
            stored_outcome = replace(stored_outcome, word="broken", reason=reason)
        return ProbeResult(stored_outcome, base.complaint, tuple(refused), repeatable)

    def _run_alone(self, release: str, interpreter: Interpreter | None, variant: str, limit: float) -> ProbeResult:
        binary = self._downloads.get(release)
        mre = self._target.variant(variant, release)
        if limit and mre.symptom.exit != "timeout":
            mre = replace(mre, steps=tuple(replace(s, timeout=min(s.timeout, math.ceil(limit))) for s in mre.steps))
        root = self._root / str(next(self._numbers))
        # A container runs the interpreter of its image unless another one is requested.
        replaced = interpreter and not self._backend.uses_host and interpreter.minor != self._target.python
        gateway = self._open_gateway()
        context = RunContext(
            base=self._target.base,
            uv=release,
            binary=binary,
            interpreter=interpreter,
            python=interpreter.minor if interpreter and replaced else "",
            certificate=gateway.certificate,
            live=self._options.live,
            stop=self.stop,
        )
        runner = VariantRunner(
            context=context,
            contexts=own_contexts(context, self._downloads.get),
            backend=self._backend,
            gateway=gateway,
            progress=Progress(),  # cells are reported, not their steps
            secrets=secrets(mre),
        )
        judge = partial(self._target.judge, variant)
        try:
            observation, outcome = runner.observe(variant, mre, RunDirs(root, self._target.path), judge=judge)
        finally:
            self._backend.clean_up(root)
            temp_folders.delete_tree(root)
        complaint = self._target.complaint(observation)
        observed = b"" if self._target.script else pack(observation)
        stored = StoredOutcome(outcome.word, outcome.reason, observation.seconds, observed=observed)
        refused = dict.fromkeys(request.host for request in observation.requests if request.answered_by == "refused")
        repeatable = is_repeatable(observation)
        if limit and outcome.word == "broken" and any(step.timed_out for step in observation.steps):
            repeatable = False  # the limit depends on this machine's load
            stored = replace(stored, reason=f"{outcome.reason}, far longer than uv {self._target.reported} took")
        return ProbeResult(stored, complaint, tuple(refused), not complaint and repeatable)

    def _open_gateway(self) -> Gateway:
        with self._lock:
            if self._gateway is None:
                cache, recording = self._options.cache, self._target.recording
                if self._target.bundled:
                    evidence.ignore_in_git(recording.parent)
                cache_users.hold(cache, str(recording.absolute()))
                with contextlib.suppress(OSError):  # a script's recording is in the cache, and pruned when unused
                    os.utime(recording.absolute())
                sandbox = self._backend.name == SANDBOX
                config = gateway_config(self._target.base, self._options.allow_hosts, sandbox=sandbox)
                self._gateway = self._stack.enter_context(Gateway(cache, recording, self._options.network, config))
            return self._gateway

    def _save(self, key: OutcomeKey, stored: StoredOutcome) -> None:
        with self._lock:
            first = self._options.again and key not in self._rerun
            self._rerun.add(key)
        if first:
            self._store.forget(key)
        self._store.add(key, stored)

    def _key(self, release: str, interpreter: Interpreter | None, variant: str) -> OutcomeKey:
        return OutcomeKey(
            digest=self._target.key(variant),
            release=release,
            interpreter=interpreter.version if interpreter else "",
            variant=redact(variant, self._target.secrets),
            backend=self._backend.describe(),
            network=self._network,
            platform=catalogue.platform(),
        )


def is_repeatable(observation: Observation) -> bool:
    """Return whether a run ended by itself, rather than by an interrupt, the network or a full disk."""
    if observation.obstacle and not is_lack(observation.obstacle):
        return False
    if any(request.answered_by == "unreachable" for request in observation.unanswered):
        return False
    return not any("No space left on device" in step.stderr for step in observation.steps)


class _Downloads:
    """Binaries being downloaded, each of them once for all threads that wait for it."""

    def __init__(
        self,
        target: ProbeTarget,
        options: RunOptions,
        chosen: ChosenReleases,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._bundled, self._options, self._progress, self._stop = target.bundled, options, progress, stop
        self._chosen = chosen
        self._pool = ThreadPoolExecutor(binaries.MAX_PARALLEL, thread_name_prefix="fetching")
        self._futures: dict[str, Future[FetchedRelease]] = {}
        self._lock = threading.Lock()

    def prefetch(self, releases: Iterable[str]) -> None:
        """Start the downloads that have not started yet."""
        for release in releases:
            self._begin(release)

    def get(self, release: str) -> Path:
        """Wait for a release's binary."""
        future = self._begin(release)
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                fetched = future.result(TICK)
                if fetched.uv:
                    return fetched.uv
                with self._lock:
                    self._futures.pop(release, None)  # a later attempt may succeed
                raise fetched.error or CannotTell(f"failed to download uv {release}", "run the command again")
        raise CannotTell(f"the download of uv {release} was interrupted", "run the command again")

    def close(self) -> None:
        """Cancel what has not started."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, release: str) -> "Future[FetchedRelease]":
        with self._lock:
            if release not in self._futures:
                self._futures[release] = self._pool.submit(self._fetch, release)
            return self._futures[release]

    def _fetch(self, release: str) -> FetchedRelease:
        if local_build := self._chosen.local_builds.get(release):
            return FetchedRelease(release, local_build)
        fetch = partial(
            binaries.fetch,
            [release],
            self._options.cache,
            self._progress.downloading,
            bundled=self._bundled,
            found=self._chosen.catalogue,
            stop=self._stop,
            offline=self._options.offline,
        )
        (fetched,) = fetch()
        if not (fetched.uv or self._options.offline or self._stop.wait(RETRY_SECONDS)):
            (fetched,) = fetch()
        return fetched
