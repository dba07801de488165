"""Triage an issue: read its text, make an MRE of it, run that as often as needed, and judge it."""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Mre, slug
from uvmre.core.outcome.result import digest
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact
from uvmre.core.triage.answer import TriageAnswer, build_answer
from uvmre.core.triage.decide import choose, decide
from uvmre.core.triage.state import TriageState
from uvmre.errors import CannotTell, Interrupted, UvmreError
from uvmre.flows import housekeeping
from uvmre.flows.attempts import Attempts
from uvmre.flows.new import ISSUE
from uvmre.flows.options import RunOptions
from uvmre.flows.other_readers import IssueFacts, OtherReader, ReaderProgram, read_folder
from uvmre.flows.planned_runs import PlannedRuns
from uvmre.flows.shrink import shrink
from uvmre.flows.understand import IssueMre, understand
from uvmre.folder.write import recover, write_mre
from uvmre.folder.written import is_unchanged
from uvmre.inbox.github import is_on_github
from uvmre.releases import cache_users, catalogue
from uvmre.report.comment import comment

FOLDER = "triage"
"""The cache's folder of issues' MREs, with their recordings and evidence."""
PRUNE_INTERVAL = 20.0
"""Seconds between two prunings of the cache: each issue may add 100 MB."""
SHRINK_SECONDS = 120.0
"""The time after which no further candidate of a smaller MRE starts."""
UNDECIDED = ("needs_more_information", "inconclusive")


@dataclass(frozen=True, kw_only=True)
class TriageOptions:
    """How an issue is triaged."""

    run: RunOptions
    search: bool = False
    """Whether to search the boundaries."""
    today: bool = False
    """Whether to use PyPI as it is today rather than as of the post."""
    comments: bool | None = None
    """Whether to read the comments too; None for those of an issue on GitHub."""
    mre: Path | None = None
    """The folder of an MRE that somebody made of the issue; the rules' own are not tried then."""
    reader: ReaderProgram | None = None
    """A program that proposes MREs where the rules reach no verdict."""
    hypothesis: int | None = None
    """The number of the only hypothesis to try; None for all."""
    shrink: bool = False
    """Whether to search a smaller MRE where the bug shows."""
    no_rules: frozenset[str] = frozenset()
    """The ids of the claim and repair rules that are left out."""


def triage(issue: str, text: str, options: TriageOptions, progress: Progress | None = None) -> TriageAnswer:
    """Return whether an issue's bug shows, and on request since which release.

    Args:
        issue: its name.
        text: its text, in Markdown.
        options: how it is triaged.
        progress: a progress callback.

    Raises:
        UvmreError: if something needed for the verdict is not available here.
        Interrupted: on ^C; finished runs are stored.
    """
    progress, cache = progress or Progress(), options.run.cache
    options = replace(options, run=replace(options.run, origin=ISSUE))
    read = understand_with(options, issue, text)
    facts = IssueFacts(read, text, comments=_with_comments(options, issue), today=options.today)
    given = read_folder(facts, options.mre, progress) if options.mre else None
    first = given[0].mre if given else read.mre
    folder = _folder(read, first, cache)
    cache_users.hold(cache, f"{FOLDER}/{folder.name}")
    with contextlib.suppress(OSError):  # it may not exist yet
        os.utime(folder)
    recover(folder)
    if first and not is_unchanged(folder):
        with contextlib.suppress(FileNotFoundError):
            aside = folder.rename(folder.with_name(f"{folder.name}.aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"))
            progress.note(f"the MRE of an earlier triage was changed, and is now in `{aside}`")
        write_mre(first, folder, force=True, origin=ISSUE)
    planned_runs = PlannedRuns(folder, options.run, progress, time.monotonic())
    tried = Attempts(read, text, planned_runs, search=options.search, no_rules=options.no_rules)
    try:
        tried.run(given)
        if options.reader and not given and not tried.failed and _is_undecided(tried.attempts):
            tried.run_reader(OtherReader(options.reader, facts, issue, cache, progress))
    finally:
        # The next issue may need other releases; together they may exceed the cache's limit.
        cache_users.release_all(cache)
        housekeeping.prune_later(cache, progress, every=PRUNE_INTERVAL)
    attempts = tried.attempts or [tried.state_of(None)]
    state = choose(attempts)
    if state.mre and state.runs:
        _keep(state, folder)
    triaged = build_answer(issue, text, state, attempts, uv=read.uv, folder=str(folder) if state.mre else "")
    if options.shrink and triaged.verdict.word == "reproducible":
        triaged = replace(triaged, small=_shrink(folder, triaged, options.run, progress))
    # The reporter cannot fix what is missing here; a verdict reached before stands.
    if triaged.verdict.word in UNDECIDED and (failed := tried.failed or _no_network(state, options.run)):
        raise failed
    return triaged


def _shrink(folder: Path, triaged: TriageAnswer, options: RunOptions, progress: Progress) -> str:
    """Return the folder of the smaller MRE; empty where none can be searched."""
    release = triaged.main_run.result.uv if triaged.main_run else ""
    try:
        return str(shrink(folder, options, uv=release, seconds=SHRINK_SECONDS, progress=progress).folder)
    except Interrupted:
        raise
    except UvmreError as error:
        progress.note(f"the MRE was not shrunk: {error.summary}")
        return ""


def _is_undecided(attempts: Sequence[TriageState]) -> bool:
    return not attempts or decide(choose(attempts)).word in UNDECIDED


def _keep(state: TriageState, folder: Path) -> None:
    """Write the MRE of the answer into the folder, where a search has not written it already."""
    if state.mre and state.history is None and (folder / MANIFEST).read_text(encoding="utf-8") != dump(state.mre):
        write_mre(state.mre, folder, force=True, origin=ISSUE)


def understand_with(options: TriageOptions, issue: str, text: str) -> IssueMre:
    """Read an issue's text as the options say; nothing is run."""
    run = options.run
    return understand(
        text,
        run.cache,
        comments=_with_comments(options, issue),
        today=options.today,
        offline=run.offline,
        only=options.hypothesis,
        no_rules=options.no_rules,
    )


def _with_comments(options: TriageOptions, issue: str) -> bool:
    return is_on_github(issue) if options.comments is None else options.comments


def _no_network(state: TriageState, options: RunOptions) -> UvmreError | None:
    """Return an error if a run failed for lack of network."""
    for past in state.runs:
        unanswered = past.result.base.observation.unanswered
        if past.outcome.word == "broken" and any(request.answered_by == "unreachable" for request in unanswered):
            hint = catalogue.HINT_OFFLINE if options.offline else catalogue.HINT_ONLINE
            return CannotTell("failed to run the MRE", hint, cause=past.outcome.reason)
    return None


def as_comment(triaged: TriageAnswer) -> str:
    """Return an answer as a comment to paste below its issue."""
    return comment(triaged)


def _folder(read: IssueMre, mre: Mre | None, cache: Path) -> Path:
    name = digest(mre)[:12] if mre else "none"
    return cache / FOLDER / f"{slug(redact(read.parsed.title))}-{name}"
