"""Make an MRE smaller that shows the same symptom for the same reason, with controls that behave as before."""

import contextlib
import itertools
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, BUNDLED, MANIFEST, Mre, Step, has_fixed_port, overlay, slug
from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.outcome.matching import Outcome, match, matching_step
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.vacuous import vacuous_controls
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.search.shrink import Interest, start
from uvmre.core.secrets.redact import secrets
from uvmre.core.shrink.edits import Subject, digest
from uvmre.core.shrink.passes import mre_passes, subject_of
from uvmre.core.text.normalize import find_pattern, normalize
from uvmre.errors import CannotTell, InputError, UsageError
from uvmre.flows import housekeeping
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.judging import judging_digest
from uvmre.flows.probe.pool import is_repeatable
from uvmre.flows.probe.variant import VariantRunner, own_contexts
from uvmre.flows.run import choose_release
from uvmre.flows.scratch import scratch
from uvmre.flows.shrink_search import Shrunk, SubjectSearch, require_steady
from uvmre.flows.shrink_store import VARIANT, AnswerStore, SmallMre, job_count
from uvmre.flows.thread_pool import Pool
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import complete_mre, read_mre
from uvmre.folder.written import read_origin
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.outcomes.store import OutcomeKey, OutcomeStore
from uvmre.releases import binaries, cache_users, catalogue
from uvmre.run.backend import LOCAL, SANDBOX, Backend, RunContext
from uvmre.run.backends import choose
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import require_interpreter

SLOWER, LEAST_SECONDS = 10, 20.0
"""A step of a candidate may take so many times as long as all of the original, and at least this."""
REPEATS = 3
"""Runs of the original, which must all show the symptom."""
SMALL = "-small"

Observed = tuple[str, Observation, Outcome]
"""A variant's name, and what its run left."""


@dataclass(frozen=True)
class Baseline:
    """What every candidate must have in common with the original."""

    word: str
    """Its verdict."""
    innermost: tuple[frozenset[int], frozenset[int]]
    """The texts of the symptom in the innermost cause, and in it and the one before, by number."""
    vacuous: frozenset[str]
    """The controls that prove nothing."""
    upstream: bool
    """Whether it needs PyPI."""


@dataclass
class MreTest:
    """Runs candidates as `uvmre run` does, behind one gateway."""

    options: RunOptions
    context: RunContext
    backend: Backend
    gateway: Gateway
    root: Path
    executables: frozenset[str]
    bundled: Path
    origin: str = ""
    """Where the MRE came from, if that is outside."""
    baseline: Baseline | None = None
    seconds: float = math.inf
    """The time limit of a step."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def read(self, subject: Subject) -> Mre:
        """Return the MRE of a candidate.

        Raises:
            InputError: if it is none.
        """
        files = tuple(File(path, each, path in self.executables) for path, each in subject.items() if path != MANIFEST)
        text = subject[MANIFEST].decode()
        mre = manifest.parse(text, dockerfile="Dockerfile" in subject)
        return complete_mre(replace(mre, files=files), MANIFEST)

    def normal(self, subject: Subject) -> Subject | None:
        """Return a candidate as uvmre writes it; None if it is not valid."""
        try:
            mre = self.read(subject)
        except (InputError, CannotTell, UnicodeDecodeError):
            return None
        return {**subject, MANIFEST: manifest.dump(mre).encode()} if mre.steps else None

    def evaluate(self, subject: Subject, stop: threading.Event) -> Interest:
        """Return whether a candidate shows the same, and its controls do."""
        mre = self.read(subject)
        runs = list[Observed]()
        for run in self.observe(mre, stop):
            runs.append(run)
            if not is_repeatable(run[1]):
                return "unknown"
            if len(runs) == 1 and run[2].word != "shows":
                return "no"
        found, baseline = self.summarize(mre, runs), self.baseline
        assert baseline
        same = found.word == baseline.word and found.vacuous <= baseline.vacuous
        same = same and all(old <= new for old, new in zip(baseline.innermost, found.innermost, strict=True))
        # What needs PyPI may be another example tomorrow.
        online = found.upstream and not baseline.upstream
        return "yes" if same and not online else "no"

    def observe(self, mre: Mre, stop: threading.Event, *, base_only: bool = False) -> Iterator[Observed]:
        """Yield what the MRE shows, then its controls."""
        context = replace(self.context, base=mre, stop=stop)
        sandbox = self.backend.name == SANDBOX
        runner = VariantRunner(
            context=context,
            contexts=own_contexts(context, self._binary),
            backend=self.backend,
            gateway=self.gateway,
            progress=Progress(),  # candidates are reported, not their steps
            secrets=secrets(mre),
            network=gateway_config(mre, self.options.allow_hosts, sandbox=sandbox),
        )
        root = self.root / str(next(self._numbers))
        variants = [(BASE, mre), *((each.name, overlay(mre, each)) for each in mre.controls if not base_only)]
        try:
            for name, variant in variants:
                limited = replace(variant, steps=tuple(self._limited(step) for step in variant.steps))
                judge = partial(match, variant.symptom, expected=variant.expected)
                dirs = RunDirs(root / slug(name).replace("-", "_"))
                yield name, *runner.observe(name, limited, dirs, judge=judge)
        finally:
            self.backend.clean_up(root)
            temp_folders.delete_tree(root)

    def _limited(self, step: Step) -> Step:
        return step if math.isinf(self.seconds) else replace(step, timeout=min(step.timeout, math.ceil(self.seconds)))

    def _binary(self, release: str) -> Path:
        return binaries.get(
            release, self.options.cache, Progress().downloading, bundled=self.bundled, offline=self.options.offline
        )[1]

    def summarize(self, mre: Mre, runs: list[Observed]) -> Baseline:
        """Return what runs of all variants have that must stay."""
        outcomes = {name: outcome for name, _, outcome in runs}
        vacuous = vacuous_controls(mre, runs)
        base = runs[0][1]
        step = matching_step(mre.symptom, base)
        cause = innermost_cause(step.stderr.strip() or step.stdout) if step else None
        links = cause.links if cause else ()
        one, two = (_texts_in(mre, "\n".join(links[-count:])) for count in (1, 2))
        upstream = any(request.answered_by == "upstream" for _, each, _ in runs for request in each.requests)
        return Baseline(verdict(mre, outcomes, vacuous).word, (one, two), frozenset(vacuous), upstream)


def _texts_in(mre: Mre, text: str) -> frozenset[int]:
    """Return the numbers of the symptom's texts that a text has."""
    normalized = normalize(text)
    return frozenset(n for n, each in enumerate(mre.symptom.texts) if find_pattern(each, normalized) is not None)


def shrink(
    folder: Path,
    options: RunOptions,
    *,
    uv: str = "",
    output: Path | None = None,
    seconds: float = math.inf,
    progress: Progress | None = None,
) -> Shrunk:
    """Write the smallest MRE that shows what the one in `folder` does, into another folder.

    Args:
        folder: the MRE, which stays as it is.
        options: how it is run.
        uv: another release than that of the MRE.
        output: the folder of the result; by default, the name with `-small`.
        seconds: the time after which no further candidate starts.
        progress: a progress callback.

    Raises:
        UsageError: if it is no MRE, the result cannot be written, or the symptom does not show.
        CannotTell: if something needed to run it is not available, or it differs from run to run.
        Interrupted: on ^C; the smallest so far is on disk.
    """
    progress = progress or Progress()
    mre = read_mre(folder)
    target = output or folder.resolve().with_name(f"{folder.resolve().name}{SMALL}")
    with _opened(folder, mre, options, uv, progress) as (test, answers):
        subject = subject_of(mre)
        jobs = 1 if test.backend.name == LOCAL and has_fixed_port(mre) else job_count(options)
        small = SmallMre(target, test.read, test.origin, folder)
        search = SubjectSearch(test.evaluate, answers, small, jobs, seconds, progress)
        small.write(subject)
        _require_symptom(test, mre, search)
        found = search.run(start(subject, mre_passes(mre, test.normal), digest))
    housekeeping.prune_later(options.cache, progress)
    return found


def is_minimal(
    folder: Path, options: RunOptions, *, seconds: float = math.inf, progress: Progress | None = None
) -> list[str]:
    """Return the titles of the parts of an MRE that can still go, each alone; empty if it is minimal.

    Raises:
        UsageError: as `shrink` does.
        CannotTell: as `shrink` does.
    """
    progress, mre = progress or Progress(), read_mre(folder)
    deadline = time.monotonic() + seconds
    with _opened(folder, mre, options, "", progress) as (test, answers):
        subject = subject_of(mre)
        jobs = 1 if test.backend.name == LOCAL and has_fixed_port(mre) else job_count(options)
        search = SubjectSearch(test.evaluate, answers, SmallMre(folder, test.read, "", folder), jobs, progress=progress)
        _require_symptom(test, mre, search)
        candidates: dict[str, tuple[str, Subject]] = {digest(subject): ("", subject)}
        for each in mre_passes(mre, test.normal):
            for unit in each.units(subject):
                found = each.without(subject, [unit])
                # Without a key that has its default anyway, it is the same MRE.
                if found is not None and subject_of(test.read(found)) != subject:
                    candidates.setdefault(digest(found), (unit.title, found))
        return search.run_each(list(candidates.values())[1:], deadline)


@contextlib.contextmanager
def _opened(
    folder: Path, mre: Mre, options: RunOptions, uv: str, progress: Progress
) -> "Iterator[tuple[MreTest, AnswerStore]]":
    """Prepare what all runs share: a release, an interpreter, the gateway, the store."""
    named, _ = catalogue.resolve(mre.environment.uv, options.cache, offline=options.offline)
    cache_users.hold(options.cache, str((folder / RECORDING).absolute()))
    origin = options.origin or read_origin(folder)
    backend = choose(options.backend, origin=origin, trust=options.trust)
    sandbox = backend.name == SANDBOX
    config = gateway_config(mre, options.allow_hosts, sandbox=sandbox)
    with (
        Gateway(options.cache, folder / RECORDING, options.network, config) as gateway,
        OutcomeStore(options.cache, progress.note) as outcomes,
        scratch() as root,
    ):
        interpreter = require_interpreter(options.python or mre.environment.python) if backend.uses_host else None
        release, binary = choose_release(uv, named, folder / BUNDLED, options, progress)
        context = RunContext(
            base=mre,
            uv=release,
            binary=binary,
            interpreter=interpreter,
            python=options.python,
            certificate=gateway.certificate,
            live=options.live,
            stop=threading.Event(),
        )
        executables = frozenset(file.path for file in mre.files if file.executable)
        test = MreTest(options, context, backend, gateway, root, executables, folder / BUNDLED, origin)
        python = interpreter.version if interpreter else ""
        original = digest(subject_of(mre))
        key = OutcomeKey(
            digest=f"{original} {judging_digest()}",
            release=release,
            interpreter=python,
            variant=VARIANT,
            backend=backend.describe(),
            network=" ".join([options.network, *sorted(options.allow_hosts)]),
            platform=catalogue.platform(),
        )
        yield test, AnswerStore(outcomes, key, options.again)
        backend.clean_up(root)


def _require_symptom(test: MreTest, mre: Mre, search: SubjectSearch) -> None:
    """Run the original several times, once with its controls, and keep what candidates must have in common with it."""
    search.progress.detail("running the original")
    with Pool(search.jobs, "original", search.stop) as pool:
        first = pool.submit(lambda: list(test.observe(mre, search.stop)))
        others = [pool.submit(lambda: list(test.observe(mre, search.stop, base_only=True))) for _ in range(REPEATS - 1)]
        runs = [pool.result(each) for each in (first, *others)]
    outcomes = [run[0][2] for run in runs]
    shows = sum(outcome.word == "shows" for outcome in outcomes)
    if shows == 0:
        outcome = outcomes[0]
        if not is_repeatable(runs[0][0][1]):
            raise CannotTell("failed to run the MRE", "run it with `uvmre run`", cause=outcome.reason)
        raise UsageError("the symptom does not show in the MRE", "run it with `uvmre run`", cause=outcome.reason)
    require_steady(shows, REPEATS)
    test.baseline = test.summarize(mre, runs[0])
    if test.baseline.word == "inconclusive":
        outcomes_by_name = {name: outcome for name, _, outcome in runs[0]}
        reason = verdict(mre, outcomes_by_name, vacuous_controls(mre, runs[0])).reason
        raise UsageError("the MRE is not sound", "fix its controls first: see `uvmre run`", cause=reason.rstrip("."))
    test.seconds = max(LEAST_SECONDS, SLOWER * max(run[0][1].seconds for run in runs))
