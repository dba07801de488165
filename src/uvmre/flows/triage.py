"""Triage an issue: its text is read, made an MRE, run as often as it takes, and judged."""

import contextlib
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.answer import Answer, answer
from uvmre.core.case import Case, Mistake, Trial, Wish, needed
from uvmre.core.manifest import dump
from uvmre.core.mre import MANIFEST, Control, Mre, slug
from uvmre.core.progress import Progress
from uvmre.core.redact import redact
from uvmre.core.request import Network
from uvmre.core.result import digest
from uvmre.core.verdict import verdict
from uvmre.errors import CannotTell, Interrupted, UvmreError
from uvmre.flows import housekeeping
from uvmre.flows.bisect import Wanted, bisect
from uvmre.flows.cells import Manner
from uvmre.flows.question import of_mre
from uvmre.flows.run import DEFAULT_BACKEND, run
from uvmre.flows.understand import Understood, understand
from uvmre.folder.write import write
from uvmre.releases import catalogue, users
from uvmre.report.comment import comment

FOLDER = "triage"
"""Where the MREs of issues are in the cache, with their tapes and evidence."""
SECONDS = 230.0
"""After which nothing more is started for one issue."""
RESERVE = 50.0
"""Of those, kept for what is run after a search."""
STEP_SECONDS = 80
OFTEN = 20.0
"""Seconds after which the cache may be pruned again between two issues: each may bring 100 MB."""
A_DAY = 86_400.0
UNDECIDED = ("needs_more_information", "inconclusive")


@dataclass(frozen=True)
class How:
    """What is asked of every issue."""

    cache: Path
    search: bool = False
    """Whether to search the boundaries."""
    today: bool = False
    """Whether PyPI is as it is now, instead of as it was on the post's day."""
    comments: bool = False
    network: Network = "auto"
    backend: str = DEFAULT_BACKEND
    allow_hosts: tuple[str, ...] = ()
    jobs: int = 0

    @property
    def offline(self) -> bool:
        """Tell whether nothing may be asked of the network."""
        return self.network == "replay"


def triage(issue: str, text: str, how: How, progress: Progress | None = None) -> Answer:
    """Say of an issue whether its bug shows, and since when.

    Args:
        issue: how it was asked for.
        text: what it says, in Markdown.
        how: what is asked of it.
        progress: is told how it goes.

    Raises:
        UvmreError: when something that it takes could not be had here, and it cannot be told without.
        Interrupted: on ^C; what was finished is kept.
    """
    progress = progress or Progress()
    read = understand(text, how.cache, comments=how.comments, today=how.today, offline=how.offline)
    case = Case(read.draft, read.mre, read.stated, how.search, read.lacks, _mistakes(read))
    folder = _folder(read, how.cache)
    users.hold(how.cache, f"{FOLDER}/{folder.name}")
    with contextlib.suppress(OSError):  # what is not there yet
        os.utime(folder)
    if read.mre and not (folder / MANIFEST).is_file():
        write(read.mre, folder, force=True)
    mended = tuple(found.mended for found in read.findings if found.mended)
    runner = _Runner(folder, how, mended, progress, time.monotonic())
    failed: UvmreError | None = None
    try:
        while not case.cut and (wish := needed(case)):
            try:
                case = runner.add(case, wish)
            except Interrupted:
                raise
            except UvmreError as error:
                failed, case = error, replace(case, cut=error.message.rstrip("."))
    finally:
        # The next of many issues needs other releases; together they may be more than the cache is to hold.
        users.let_go(how.cache)
        housekeeping.prune_later(how.cache, progress, every=OFTEN)
    told = answer(issue, case, uv=read.uv, folder=str(folder) if read.mre else "")
    # What could not be had here is not for the reporter to fix; what was seen before that stands.
    if told.verdict.word in UNDECIDED and (failed := failed or _no_network(case, how)):
        raise failed
    return told


def _no_network(case: Case, how: How) -> UvmreError | None:
    """Return the error that the network was not there, where a run came to nothing by that."""
    hint = catalogue.RECORD if how.offline else catalogue.ONLINE
    for trial in case.trials:
        observation = trial.result.base.observation
        silent = [request for request in observation.unanswered if request.answered_by == "unreachable"]
        if silent and trial.outcome.word == "broken":
            return CannotTell(f"It could not be run: {trial.outcome.reason}.", hint)
    return None


def as_comment(told: Answer) -> str:
    """Return an answer as a comment that can be pasted below its issue."""
    return comment(told)


def _mistakes(read: Understood) -> tuple[Mistake, ...]:
    return tuple(
        Mistake(found.rule, found.where, found.why, found.mended.name if found.mended else "", found.question)
        for found in read.findings
    )


def _folder(read: Understood, cache: Path) -> Path:
    name = digest(read.mre)[:12] if read.mre else "none"
    return cache / FOLDER / f"{slug(redact(read.draft.title))}-{name}"


@dataclass(frozen=True)
class _Runner:
    """Runs what is wished for, while there is time."""

    folder: Path
    how: How
    mended: tuple[Control, ...]
    progress: Progress
    started: float

    def add(self, case: Case, wish: Wish) -> Case:
        """Run it, and return the case with what came out."""
        left = SECONDS - (time.monotonic() - self.started)
        if left <= 0:
            return replace(case, cut=f"not all could be run in {SECONDS:.0f} s")
        if wish.kind == "history":
            return self._searched(case, wish, left)
        return replace(case, trials=(*case.trials, self._trial(case, wish, left)))

    def _trial(self, case: Case, wish: Wish, left: float) -> Trial:
        uv = self._release(wish)
        mre = _hurried(replace(wish.mre, environment=replace(wish.mre.environment, uv=uv)), left)
        # Beside the MRE itself, so that it takes no time of its own.
        extra = self.mended if wish.kind in ("reported", "day", "today") and wish.mre.controls == _own(case) else ()
        result = run(
            self._place(wish),
            cache=self.how.cache,
            uv=uv,
            backend=self.how.backend,
            network=self.how.network,
            allow_hosts=self.how.allow_hosts,
            mre=replace(mre, controls=(*mre.controls, *extra)),
            progress=self.progress,
        )
        outcomes = {variant.name: variant.outcome for variant in result.variants}
        # What works for the reporter may fail here for reasons of its own; only one that shows it too speaks against.
        telling = tuple(control for control in mre.controls if outcomes[control.name].word in ("shows", "absent"))
        mre = replace(mre, controls=telling)
        return Trial(replace(wish, mre=mre), result, verdict(mre, outcomes))

    def _place(self, wish: Wish) -> Path:
        """Return where a run's tape is: PyPI as it is today is not on one of long ago."""
        now = datetime.now(UTC)
        if wish.kind != "today" or now.timestamp() - (self.folder / MANIFEST).stat().st_mtime < A_DAY:
            return self.folder
        return self.folder / f"today-{now:%Y-%m-%d}"

    def _release(self, wish: Wish) -> str:
        """Return the release that is meant."""
        named = wish.uv or wish.mre.environment.uv
        if named == "latest" or named.startswith("@"):
            return catalogue.choose(named, self.how.cache, offline=self.how.offline)[0][-1].version
        return named

    def _searched(self, case: Case, wish: Wish, left: float) -> Case:
        mre = _hurried(wish.mre, 2 * STEP_SECONDS)
        mre = replace(mre, environment=replace(mre.environment, uv=wish.uv))
        # The folder gets the MRE that is searched, so that `uvmre bisect` finds the same boundaries in it.
        if (self.folder / MANIFEST).read_text(encoding="utf-8") != dump(mre):
            write(mre, self.folder, force=True)
        question = of_mre(self.folder, mre=mre)
        manner = Manner(self.how.cache, self.how.backend, self.how.network, self.how.allow_hosts)
        wanted = Wanted(reported=wish.uv, seconds=max(left - RESERVE, left / 2))
        found = bisect(question, wanted, manner, jobs=self.how.jobs, progress=self.progress)
        cut = "" if found.history.boundaries.done else f"the search did not end in {SECONDS:.0f} s"
        return replace(case, history=found.history, cut=cut)


def _own(case: Case) -> tuple[Control, ...]:
    return case.mre.controls if case.mre else ()


def _hurried(mre: Mre, left: float) -> Mre:
    """Give no step more time than there is."""
    most = int(max(10, min(STEP_SECONDS, left / 2)))
    return replace(mre, steps=tuple(replace(step, timeout=min(step.timeout, most)) for step in mre.steps))
