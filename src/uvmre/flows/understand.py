"""Read an issue's text and make an MRE of it, on an existing release and an installed interpreter."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path

from uvmre.core.mre.model import Mre
from uvmre.core.search.release import Release
from uvmre.core.search.release import parse_version as as_version
from uvmre.core.search.selector import select
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.errors import UsageError
from uvmre.flows.bisect import FIRST
from uvmre.issue.build_mre import to_mre
from uvmre.issue.claims import rules
from uvmre.issue.read import read_hypotheses
from uvmre.issue.repairs import repair
from uvmre.issue.repairs.reworded import REWORDED
from uvmre.issue.thread import read_thread
from uvmre.lint.find import find_mistakes
from uvmre.lint.finding import Finding
from uvmre.releases import catalogue
from uvmre.run import interpreters

A_DAY = timedelta(days=1)
DISTANCES = (1, 2, 3, 5, 10, 20, 40)
"""How many releases after the reported one those are with which it is compared: most fixes come within five."""
RULE_IDS = (*(each.id for each in rules.RULES), rules.ELSEWHERE, *(each.id for each in repair.RULES), REWORDED)
"""Of the claim rules, and of the repair rules."""


@dataclass(frozen=True)
class IssueMre:
    """An issue's text and the MRE made of it, before anything runs."""

    parsed: ParsedIssue
    mre: Mre | None
    """None if there is nothing to run."""
    uv: str
    """The release it is about."""
    uv_stated: bool
    """Whether the post says so; else it is the newest before the post."""
    missing: tuple[str, ...] = ()
    """What the post says that it is about, and is not to be had here."""
    findings: tuple[Finding, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    """All readings of the post, this one first."""
    neighbours: tuple[str, ...] = ()
    """The releases after `uv` with which it is compared."""


def understand(
    text: str,
    cache: Path,
    *,
    comments: bool = False,
    today: bool = False,
    offline: bool = False,
    only: int | None = None,
    no_rules: Collection[str] = (),
) -> IssueMre:
    """Read an issue's text without running anything.

    Args:
        text: Markdown.
        cache: the cache's folder.
        comments: read the comments too.
        today: use PyPI as it is today rather than as of the post.
        offline: do not use the network.
        only: the number of the only hypothesis to keep; None for all.
        no_rules: the ids of the rules that are left out.

    Raises:
        UsageError: if there is no such hypothesis.
        CannotTell: if the list of releases is not available.
    """
    found = catalogue.load(cache, offline=offline)
    known = [each for each in select("all", found.releases) if as_version(each.version) >= as_version(FIRST)]
    days = [(release.version, release.date.date()) for release in known if release.date]
    readings = (read_thread if comments else read_hypotheses)(text, days, no_rules)
    parsed = readings[0]
    uv, stated, doubts = _release(parsed, known, cache, offline=offline)
    if only and only > (count := len(readings) if parsed.commands else 0):
        raise UsageError(
            f"there is no hypothesis {only}", f"the rules read {count} in this post; `--explain` lists those it tried"
        )
    if not parsed.commands:
        return IssueMre(parsed, None, uv, stated, doubts)
    hypotheses, missing = [], tuple[str, ...]()
    for number, reading in enumerate(readings, 1):
        mre = to_mre(reading)
        python, missing = _python(mre.environment.python)
        on = None if today else mre.environment.exclude_newer
        more = tuple(each for each in mre.environment.pythons if each != python and interpreters.find_interpreter(each))
        mre = replace(mre, environment=replace(mre.environment, uv=uv, python=python, pythons=more, exclude_newer=on))
        hypotheses.append(Hypothesis(reading, mre, number=number))
    hypotheses = [each for each in hypotheses if only in (None, each.number)]
    parsed, mre = hypotheses[0].parsed, hypotheses[0].mre
    findings = find_mistakes(mre, parsed, text)
    stable = (each for each in known if not as_version(each.version).is_prerelease)
    later = [each.version for each in stable if as_version(each.version) > as_version(uv)]
    neighbours = tuple(later[distance - 1] for distance in DISTANCES if distance <= len(later))
    return IssueMre(parsed, mre, uv, stated, (*doubts, *missing), findings, tuple(hypotheses), neighbours)


def check_rules(ids: Iterable[str]) -> None:
    """Check that there are rules with some ids.

    Raises:
        UsageError: if there is none with one of them.
    """
    if unknown := next((each for each in ids if each not in RULE_IDS), ""):
        similar = get_close_matches(unknown, RULE_IDS)
        hint = " or ".join(f"`{each}`" for each in similar) if similar else f"one of {', '.join(RULE_IDS)}"
        raise UsageError(f"there is no rule `{unknown}`", f"name {hint}")


def _release(
    parsed: ParsedIssue, known: Sequence[Release], cache: Path, *, offline: bool
) -> tuple[str, bool, tuple[str, ...]]:
    """Return the release, whether the post states it, and why a stated release is ignored."""
    moment = _moment(parsed.created)
    earlier = [release for release in known if moment is None or (release.date and release.date < moment)]
    newest = (earlier or known[:1])[-1].version
    if parsed.uv is None or not parsed.uv.line:
        return newest, False, ()
    try:
        chosen = catalogue.choose(parsed.uv.text, cache, reported=parsed.uv.text, offline=offline)[0]
    except UsageError:
        return newest, False, (f"there is no uv {parsed.uv.text}",)
    possible = [release for release in chosen if _existed(release, moment)]
    if not possible:
        return newest, False, (f"uv {parsed.uv.text} came after the post",)
    return possible[-1].version, True, ()


def _moment(created: date | None) -> datetime | None:
    """Return the time of a post: the start of its day if only that is known."""
    if created is None:
        return None
    if isinstance(created, datetime):
        return created if created.tzinfo else created.replace(tzinfo=UTC)
    return datetime.combine(created, time(), UTC)


def _existed(release: Release, moment: datetime | None) -> bool:
    """Return whether a release existed at the time of a post, in any time zone."""
    return moment is None or release.date is None or release.date < moment + A_DAY


def _python(requested: str) -> tuple[str, tuple[str, ...]]:
    """Return the requested version of the interpreter or the nearest installed one, and a note if they differ."""
    if not requested or interpreters.find_interpreter(requested):
        return requested, ()
    minor = ".".join(requested.split(".")[:2])
    if interpreters.find_interpreter(minor):
        return minor, ()
    installed = [version for version in interpreters.available() if interpreters.find_interpreter(version)]
    if not installed:
        return "", ()
    nearest = min(installed, key=lambda version: abs(_number(version) - _number(minor)))
    return nearest, (f"Python {requested} is not on this machine, and {nearest} was taken",)


def _number(version: str) -> int:
    parts = version.split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
