"""Select releases: `0.5`, `0.4.0..0.5.2`, `>=0.4,<0.5`, `@2025-01-23`, `latest`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from packaging.version import Version

from uvmre.core.network.simple_page import cutoff_time
from uvmre.core.search.release import Release, parse_version
from uvmre.errors import InputError, UsageError

SYNTAX_HINT = (
    "use 0.5.21, latest, previous, 0.5, 0.4.0..0.5.2, '>=0.4,<0.5', @2025-01-23 or all, "
    "or several of them separated by commas"
)
SPECIFIER = re.compile(r"[<>=!~]")
SERIES = re.compile(r"\A\d+(\.\d+)?\Z")
RANGE = ".."
DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def selects_several(text: str) -> bool:
    """Tell whether a selector stands for several releases; a series stands for its newest."""
    pinned = text.lstrip().startswith("==") and "*" not in text
    return "," in text or RANGE in text or text.strip() == "all" or (bool(SPECIFIER.match(text.strip())) and not pinned)


def select_one(text: str, releases: Iterable[Release], *, reported: str = "") -> Release:
    """Return the newest release that a selector matches."""
    return select(text, releases, reported=reported)[-1]


def select(text: str, releases: Iterable[Release], *, reported: str = "") -> tuple[Release, ...]:
    """Return the releases that a selector matches, oldest first.

    A yanked release matches only as the reported one or pinned by `==` (PEP 592), a pre-release only by its version.

    Args:
        text: the selector; adjacent specifiers of a list belong together, as in `>=0.4,<0.5`.
        releases: all releases.
        reported: the release of the report, to which `previous` is relative.

    Raises:
        UsageError: if the selector is not valid, or matches nothing.
    """
    known = sorted(releases)
    if not known:
        raise UsageError("the index lists no releases of uv", "check the index")
    chosen: set[Release] = set()
    faults: list[UsageError] = []
    for part in _parts(text):
        try:
            chosen.update(_select_part(part, known, reported))
        except UsageError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise InputError(f"{text!r} is not a valid release selector", [fault.message for fault in faults], SYNTAX_HINT)
    return tuple(sorted(chosen))


def _parts(text: str) -> Iterator[str]:
    """Yield the selectors of a list; adjacent specifiers are one."""
    together = ""
    for part in (word.strip() for word in text.split(",")):
        if not part:
            raise UsageError(f"{text!r} is not a valid release selector: one part is empty", SYNTAX_HINT)
        if SPECIFIER.match(part):
            together = f"{together},{part}" if together else part
            continue
        if together:
            yield together
        together = ""
        yield part
    if together:
        yield together


def _select_part(part: str, known: Sequence[Release], reported: str) -> Sequence[Release]:
    if SPECIFIER.match(part):
        return _select_specifier(part, known)
    if RANGE in part:
        return _select_range(part, known, reported)
    if part == "all":
        return _require_any(part, known, known)
    return _select_word(part, known, reported)


def _select_word(word: str, known: Sequence[Release], reported: str) -> Sequence[Release]:
    """Return the releases of a selector that may also be an end of a range."""
    if word == "latest":
        return [_latest(known)]
    if word == "previous":
        return [_previous(known, reported)]
    if word.startswith("@"):
        return [_select_date(word[1:].strip(), known)]
    if SERIES.match(word):
        series = tuple(map(int, word.split(".")))
        return _require_any(
            word, known, [each for each in known if parse_version(each.version).release[: len(series)] == series]
        )
    return [_select_version(word, known, reported)]


def _is_usual(release: Release) -> bool:
    """Tell whether a release is neither yanked nor a pre-release."""
    return release.yanked is False and not parse_version(release.version).is_prerelease


def _latest(known: Sequence[Release]) -> Release:
    return max(
        known, key=lambda r: (r.yanked is False, not parse_version(r.version).is_prerelease, parse_version(r.version))
    )


def _previous(known: Sequence[Release], reported: str) -> Release:
    start = reported or _latest(known).version
    before = [
        release for release in known if _is_usual(release) and parse_version(release.version) < parse_version(start)
    ]
    if not before:
        raise UsageError(f"there is no release of uv before {start}", f"the oldest is {known[0].version}")
    return before[-1]


def _select_date(text: str, known: Sequence[Release]) -> Release:
    """Return the newest release at the end of a day, as with `exclude-newer`."""
    try:
        day = date.fromisoformat(text) if DAY.match(text) else None
    except ValueError:
        day = None
    if day is None:
        raise UsageError(f"`@{text}` is not a date", "use a date such as @2025-01-23")
    dated = [(release.date, release) for release in known if release.date and _is_usual(release)]
    if not dated:
        raise UsageError("the index has no upload times, so no release can be selected by date", SYNTAX_HINT)
    there = [release for came, release in dated if came < cutoff_time(day)]
    if not there:
        first, release = min(dated)
        raise UsageError(
            f"uv had no release on {day}: the first one, {release.version}, was published on {first.date()}",
            "use a later date",
        )
    return there[-1]


def _select_version(word: str, known: Sequence[Release], reported: str) -> Release:
    from packaging.version import InvalidVersion

    try:
        target = parse_version(word) if word[:1].isdigit() else None
    except InvalidVersion:
        target = None
    if target is None:
        raise UsageError(f"{word!r} is not a valid release selector", SYNTAX_HINT)
    found = next((release for release in known if parse_version(release.version) == target), None)
    near = _nearest(target, known)
    if found is None:
        nearest = f": the nearest {'is' if len(near) == 1 else 'are'} {' and '.join(near)}" if near else ""
        raise UsageError(f"there is no uv {target} on PyPI{nearest}", f"the newest is {_latest(known).version}")
    if found.yanked is not False and (not reported or parse_version(reported) != target):
        raise UsageError(
            f"uv {target} is yanked on PyPI: {_status(found)}",
            f"use {' or '.join([*near, f'`=={target}`'])}, which selects it nevertheless",
        )
    return found


def _select_range(part: str, known: Sequence[Release], reported: str) -> Sequence[Release]:
    left, _, right = (word.strip() for word in part.partition(RANGE))
    if RANGE in right or any(SPECIFIER.match(end) or end == "all" for end in (left, right)):
        raise UsageError(f"{part!r} is not a valid range: each end must be a release or a series", SYNTAX_HINT)
    low = _select_word(left, known, reported)[0] if left else known[0]
    high = _select_word(right, known, reported)[-1] if right else known[-1]
    if high < low:
        raise UsageError(
            f"the range {part} is empty: {low.version} is newer than {high.version}",
            f"reverse it: {high.version}{RANGE}{low.version}",
        )
    # An explicit end is included even if it is yanked or a pre-release.
    ends = {end.version for explicit, end in ((left, low), (right, high)) if explicit}
    return _require_any(part, known, [release for release in known if low <= release <= high], ends)


def _select_specifier(part: str, known: Sequence[Release]) -> Sequence[Release]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        target = SpecifierSet(part)
    except InvalidSpecifier:
        raise UsageError(f"{part!r} is not a valid version specifier (PEP 440)", SYNTAX_HINT) from None
    early = bool(target.prereleases)
    found = [release for release in known if target.contains(release.version, prereleases=early)]
    pinned = any(each.operator in ("==", "===") and "*" not in each.version for each in target)
    explicit = {release.version for release in found if pinned or (early and release.yanked is False)}
    return _require_any(part, known, found, explicit)


def _require_any(
    what: str, known: Sequence[Release], found: Sequence[Release], explicit: Iterable[str] = ()
) -> Sequence[Release]:
    """Return the releases that are usual or explicit, or raise if there are none."""
    if selected := [release for release in found if _is_usual(release) or release.version in explicit]:
        return selected
    if found:
        listed = ", ".join(f"{each.version} ({_status(each)})" for each in found)
        raise UsageError(f"{what} selects only yanked releases or pre-releases: {listed}", "select one by its version")
    newest, oldest = _latest(known).version, known[0].version
    raise UsageError(f"there is no release of uv in {what}", f"the oldest is {oldest}, the newest {newest}")


def _nearest(target: "Version", known: Sequence[Release]) -> list[str]:
    """Return the usual releases next to a version."""
    usual = [release.version for release in known if _is_usual(release)]
    below = [version for version in usual if parse_version(version) < target]
    above = [version for version in usual if parse_version(version) > target]
    return [*below[-1:], *above[:1]]


def _status(release: Release) -> str:
    if release.yanked is False:
        return "a pre-release"
    return str(release.yanked).rstrip(". ") if isinstance(release.yanked, str) and release.yanked else "no reason given"
