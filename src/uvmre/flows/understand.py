"""Read an issue's text and make an MRE of it, on a release that there is and an interpreter of this machine."""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from uvmre.core.mre.model import Mre
from uvmre.core.search.release import Release
from uvmre.core.search.release import parse_version as as_version
from uvmre.core.search.selector import select
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.errors import UsageError
from uvmre.flows.bisect import FIRST
from uvmre.inbox.github import Inbox
from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_issue
from uvmre.lint.find import find_mistakes
from uvmre.lint.finding import Finding
from uvmre.releases import catalogue
from uvmre.run import interpreters, process

A_DAY = timedelta(days=1)
GH_SECONDS = 20.0


@dataclass(frozen=True)
class IssueMre:
    """What an issue's text comes to, before anything runs."""

    parsed: ParsedIssue
    mre: Mre | None
    """None where there is nothing to run."""
    uv: str
    """The release that it is about."""
    uv_stated: bool
    """Whether the post says so; else it is the newest before the post."""
    missing: tuple[str, ...] = ()
    """What the post says that it is about, and is not to be had here."""
    findings: tuple[Finding, ...] = ()


def inbox(stdin: Callable[[], bytes], *, comments: bool = False, offline: bool = False) -> Inbox:
    """Return where issues come from; GitHub is asked as whoever `GITHUB_TOKEN`, or else `gh`, says."""
    return Inbox(stdin, _token, comments, offline)


def _token() -> str:
    given = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
    gh = None if given else shutil.which("gh")
    if gh is None:
        return given or ""
    asked = process.run(
        [gh, "auth", "token"], cwd=Path.cwd(), environment=os.environ, timeout=GH_SECONDS, stop=threading.Event()
    )
    return "" if asked.exit else asked.stdout.decode(errors="replace").strip()


def understand(
    text: str, cache: Path, *, comments: bool = False, today: bool = False, offline: bool = False
) -> IssueMre:
    """Read an issue's text; nothing of it is run.

    Args:
        text: Markdown.
        cache: where the catalogue of releases is.
        comments: read what others have answered, too.
        today: PyPI is as it is now, instead of as it was on the post's day.
        offline: PyPI is not to be asked.

    Raises:
        CannotTell: when there is no catalogue of releases.
    """
    found = catalogue.load(cache, offline=offline)
    known = [each for each in select("all", found.releases) if as_version(each.version) >= as_version(FIRST)]
    days = [(release.version, release.date.date()) for release in known if release.date]
    parsed = read_issue(text, days, comments=comments)
    uv, stated, doubts = _release(parsed, known, cache, offline=offline)
    if not parsed.commands:
        return IssueMre(parsed, None, uv, stated, doubts)
    mre = to_mre(parsed)
    python, missing = _python(mre.environment.python)
    on = None if today else mre.environment.exclude_newer
    mre = replace(mre, environment=replace(mre.environment, uv=uv, python=python, exclude_newer=on))
    return IssueMre(parsed, mre, uv, stated, (*doubts, *missing), find_mistakes(mre, parsed, text))


def _release(
    parsed: ParsedIssue, known: Sequence[Release], cache: Path, *, offline: bool
) -> tuple[str, bool, tuple[str, ...]]:
    """Return the release, whether the post names it, and what of that is not believed."""
    moment = _moment(parsed.created)
    there = [release for release in known if moment is None or (release.date and release.date < moment)]
    newest = (there or known[:1])[-1].version
    if parsed.uv is None or not parsed.uv.line:
        return newest, False, ()
    try:
        chosen = catalogue.choose(parsed.uv.text, cache, reported=parsed.uv.text, offline=offline)[0]
    except UsageError:
        return newest, False, (f"there is no uv {parsed.uv.text}",)
    believed = [release for release in chosen if _was_there(release, moment)]
    if not believed:
        return newest, False, (f"uv {parsed.uv.text} came after the post",)
    return believed[-1].version, True, ()


def _moment(created: date | None) -> datetime | None:
    """Return when a post was written: at the start of its day, where only that is known."""
    if created is None:
        return None
    if isinstance(created, datetime):
        return created if created.tzinfo else created.replace(tzinfo=UTC)
    return datetime.combine(created, time(), UTC)


def _was_there(release: Release, moment: datetime | None) -> bool:
    """Tell whether a release can be meant: a post may have been written where its day was already the next."""
    return moment is None or release.date is None or release.date < moment + A_DAY


def _python(wanted: str) -> tuple[str, tuple[str, ...]]:
    """Return an interpreter's version that is on this machine, the wanted one or the nearest, and what is amiss."""
    if not wanted or interpreters.find_interpreter(wanted):
        return wanted, ()
    minor = ".".join(wanted.split(".")[:2])
    if interpreters.find_interpreter(minor):
        return minor, ()
    there = [version for version in interpreters.available() if interpreters.find_interpreter(version)]
    if not there:
        return "", ()
    nearest = min(there, key=lambda version: abs(_number(version) - _number(minor)))
    return nearest, (f"Python {wanted} is not on this machine, and {nearest} was taken",)


def _number(version: str) -> int:
    parts = version.split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
