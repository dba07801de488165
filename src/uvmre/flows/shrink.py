"""Make an MRE smaller that shows the same symptom for the same reason, with controls that behave as before."""

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from uvmre.core.mre.model import BUNDLED, Mre, has_fixed_port
from uvmre.core.outcome.vacuous import vacuous_controls
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.search.boundary import sides
from uvmre.core.search.shrink import start
from uvmre.core.shrink.edits import Subject, digest
from uvmre.core.shrink.passes import is_companion, mre_passes, subject_of
from uvmre.errors import CannotTell, Interrupted, UsageError, UvmreError
from uvmre.flows import housekeeping
from uvmre.flows.bisect import BisectRequest, bisect
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.judging import judging_digest
from uvmre.flows.probe.pool import is_repeatable
from uvmre.flows.probe.target import of_mre
from uvmre.flows.run import choose_release
from uvmre.flows.scratch import scratch
from uvmre.flows.shrink_mre import MreTest
from uvmre.flows.shrink_search import Shrunk, SubjectSearch, require_steady
from uvmre.flows.shrink_store import VARIANT, AnswerStore, SmallMre, job_count
from uvmre.flows.thread_pool import Pool
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import read_mre
from uvmre.folder.written import read_origin
from uvmre.gateway.config import gateway_config
from uvmre.gateway.session import Gateway
from uvmre.outcomes.store import OutcomeKey, OutcomeStore
from uvmre.releases import cache_users, catalogue
from uvmre.run.backend import LOCAL, SANDBOX, RunContext
from uvmre.run.backends import choose
from uvmre.run.interpreters import require_interpreter

SLOWER, LEAST_SECONDS = 10, 20.0
"""A step of a candidate may take so many times as long as all of the original, and at least this."""
REPEATS = 3
"""Runs of the original, which must all show the symptom."""
BOUNDARY_SECONDS = 60.0
"""The time after which no further run of the search for the boundaries starts."""
SMALL = "-small"


def shrink(
    folder: Path,
    options: RunOptions,
    *,
    uv: str = "",
    output: Path | None = None,
    boundary_seconds: float = BOUNDARY_SECONDS,
    seconds: float = math.inf,
    progress: Progress | None = None,
) -> Shrunk:
    """Write the smallest MRE that shows what the one in `folder` does, into another folder.

    Args:
        folder: the MRE, which stays as it is.
        options: how it is run.
        uv: another release than that of the MRE.
        output: the folder of the result; by default, the name with `-small`.
        boundary_seconds: the time of the search for the boundaries, which must stay; 0 for those that are known.
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
        _watch_boundaries(test, folder, mre, search, boundary_seconds)
        found = search.run(start(subject, mre_passes(mre, test.normal), digest))
    housekeeping.prune_later(options.cache, progress)
    return found


def is_minimal(
    folder: Path, options: RunOptions, *, seconds: float = math.inf, progress: Progress | None = None
) -> tuple[list[str], bool]:
    """Return the titles of the first parts of an MRE that can still go, each alone, and whether all could be tried.

    A README stays, and a Dockerfile that is not what is run.

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
        _watch_boundaries(test, folder, mre, search, 0)
        candidates: dict[str, tuple[str, Subject]] = {digest(subject): ("", subject)}
        for each in mre_passes(mre, test.normal)[1:]:  # comments are no part
            for unit in each.units(subject):
                found = each.without(subject, [unit])
                # Without a key that has its default anyway, it is the same MRE.
                if found is None or (smaller := subject_of(test.read(found))) == subject:
                    continue
                changed = (path for path in subject if subject[path] != smaller.get(path))
                if not all(is_companion(mre, path) for path in changed):
                    candidates.setdefault(digest(found), (unit.title, found))
        return search.run_each(list(candidates.values())[1:], deadline)


def _watch_boundaries(test: MreTest, folder: Path, mre: Mre, search: SubjectSearch, seconds: float) -> None:
    """Find the releases beside the boundaries: a symptom that comes from something else has other ones."""
    search.progress.detail("searching the boundaries, which must stay")
    request = BisectRequest(reported=test.context.uv, seconds=seconds)
    try:
        history = bisect(of_mre(folder, mre=mre), request, test.options, progress=search.progress).history
    except Interrupted:
        raise
    except UvmreError as error:
        search.progress.note(f"the boundaries are not known, and may change: {error.summary}")
        return
    edges = ((history.boundaries.first_bad, False), (history.boundaries.first_good, True))
    found = [sides(history, edge, first_good=good) for edge, good in edges if edge and not history.unsound]
    beside = dict.fromkeys(history.releases[index].version for pair in found for index in pair or ())
    for release in beside:
        if release != test.context.uv:
            test.neighbours[release] = test.observe_base(mre, search.stop, release)[2].word
    known = " ".join(f"{release} {word}" for release, word in test.neighbours.items())
    search.answers.key = replace(search.answers.key, digest=f"{search.answers.key.digest} {known}")


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
        others = [pool.submit(lambda: [test.observe_base(mre, search.stop)]) for _ in range(REPEATS - 1)]
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
