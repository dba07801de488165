"""Which releases of uv there are, when each came, and its wheel for this platform (PEP 503, 592, 691, 700, 427).

Kept in the cache: the page is 2.6 MB and takes a third of a second to read, what a run needs of it is 100 KB.
"""

import contextlib
import json
import re
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmre.core.network import simple_formats, simple_page
from uvmre.core.search.release import Release
from uvmre.core.search.selector import select
from uvmre.errors import CannotTell, UsageError, UvmreError, cause

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.version import Version

INDEX = "https://pypi.org/simple/uv/"
FILE = "releases.json"
SCHEMA = 1
MAX_AGE = timedelta(minutes=10)
"""How long what PyPI said is taken as it is; it says the same of its pages to every cache."""
ALWAYS_FETCH = timedelta(0)
OFFLINE = "`--replay` asks no network"
HINT_OFFLINE = "Run it once without `--replay`, which fetches what is missing."
HINT_ONLINE = "Look at the network or at HTTPS_PROXY, then run it again."


@dataclass(frozen=True)
class Wheel:
    """The file that a release is fetched from."""

    filename: str
    url: str
    sha256: str
    size: int = 0
    """0 where the index does not say."""


@dataclass(frozen=True)
class Catalogue:
    """The releases of uv as PyPI told them at some time."""

    releases: tuple[Release, ...]
    """Oldest first."""
    wheels: Mapping[str, Wheel]
    """By version; a release without one does not run here."""
    fetched_at: datetime
    platform: str = ""
    etag: str = ""
    modified: str = ""
    offline: str = ""
    """Why PyPI could not be asked just now, where it could not."""

    @property
    def note(self) -> str:
        """Return what whoever relies on this has to know: that it is old, and why."""
        if not self.offline:
            return ""
        return (
            f"no response from PyPI ({self.offline}): uv's releases are those of {self.fetched_at:%Y-%m-%d %H:%M} UTC"
        )

    def wheel(self, release: str) -> Wheel:
        """Return the wheel of a release for this platform.

        Raises:
            UsageError: when there is no such release.
            CannotTell: when it has no wheel for this platform, or may have come since PyPI could be asked.
        """
        if wheel := self.wheels.get(release):
            return wheel
        if self.offline and all(each.version != release for each in self.releases):
            raise not_available(release, self.offline)
        # A yanked one is as good as any to whoever names it, so only whether it is there is asked.
        select(release, [replace(each, yanked=False) for each in self.releases])
        raise CannotTell(
            f"uv {release} has no wheel for this platform on PyPI.",
            "Run it on x86-64 or ARM Linux or on macOS, or take another release.",
        )


def platform() -> str:
    """Return what a release must be made for to run here, as `manylinux_x86_64`: a wheel's tag without its versions."""
    from packaging.tags import platform_tags

    names = list(platform_tags())
    # `linux_…` does not say which libc there is, and uv's wheels differ in it.
    name = next((name for name in names if not name.startswith("linux_")), names[0])
    return re.sub(r"_\d+_\d+_", "_", name)


def parse_page(content_type: str, text: str, tags: "Iterable[Tag]") -> tuple[tuple[Release, ...], dict[str, Wheel]]:
    """Read a project's page, JSON or HTML as its content type says: its releases, and the best wheel of each.

    What this platform takes stands in `tags`, best first.

    Raises:
        ValueError: when the page is neither, or lists no wheel.
    """
    ranks = {tag: rank for rank, tag in enumerate(tags)}
    files: dict[str, list[Mapping[str, Any]]] = {}
    suiting: dict[str, tuple[int, Wheel]] = {}
    wheels = 0
    for file in simple_formats.parse_page(content_type, text, INDEX).files:
        if not (named := _parse_filename(file["filename"])):
            continue
        version, tags = str(named[0]), named[1]
        files.setdefault(version, []).append(file)
        if sha256 := tags and file["hashes"].get("sha256"):
            wheels += 1
            rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
            if rank is not None and (version not in suiting or rank < suiting[version][0]):
                suiting[version] = rank, Wheel(file["filename"], file["url"], sha256, file.get("size") or 0)
    if not wheels:
        raise ValueError("the page lists no wheel")
    releases = sorted(_release(version, of_it) for version, of_it in files.items())
    return tuple(releases), {version: wheel for version, (_, wheel) in suiting.items()}


def _parse_filename(filename: str) -> "tuple[Version, Collection[Tag]] | None":
    """Return the version and the tags in a file's name, without tags where it is an sdist."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    if not filename.endswith(".whl"):
        sdist = simple_page.parse_filename(filename)
        return sdist and (sdist[1], ())
    try:
        _, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return version, tags


def _release(version: str, files: Collection[Mapping[str, Any]]) -> Release:
    came = [
        when if when.tzinfo else when.replace(tzinfo=UTC) for file in files if (when := simple_page.upload_time(file))
    ]
    yanked = [file.get("yanked", False) for file in files]
    # A release is what its files are: PEP 592 yanks them one by one.
    whole = all(each is not False for each in yanked)
    return Release(version, min(came, default=None), (yanked[0] or True) if whole else False)


def load_cached(cache: Path) -> Catalogue | None:
    """Return what the cache has; None where that is nothing, or of no use on this platform."""
    try:
        data = json.loads((cache / FILE).read_text(encoding="utf-8"))
        if (data["schema"], data["platform"]) != (SCHEMA, platform()):
            return None
        return Catalogue(
            releases=tuple(
                Release(version, datetime.fromisoformat(came) if came else None, yanked)
                for version, came, yanked in data["releases"]
            ),
            wheels={version: Wheel(**wheel) for version, wheel in data["wheels"].items()},
            fetched_at=datetime.fromisoformat(data["asked"]),
            platform=data["platform"],
            etag=data["etag"],
            modified=data["modified"],
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def fetch_catalogue(cache: Path, known: Catalogue | None = None) -> Catalogue:
    """Ask PyPI which releases there are, and keep what it says.

    Args:
        cache: the folder of all that uvmre keeps.
        known: what is kept; PyPI may say that it is still so.

    Raises:
        httpx.HTTPError: when PyPI does not answer.
        ValueError: when it answers with something else.
    """
    from packaging.tags import sys_tags

    from uvmre.client import http_client

    headers = {"accept": simple_page.ACCEPT}
    if known and known.etag:
        headers["if-none-match"] = known.etag
    if known and known.modified:
        headers["if-modified-since"] = known.modified
    now = datetime.now(UTC)
    with http_client() as http:
        page = http.get(INDEX, headers=headers)
    if known and page.status_code == 304:
        found = replace(known, fetched_at=now, offline="")
    else:
        page.raise_for_status()
        releases, wheels = parse_page(page.headers.get("content-type", ""), page.text, sys_tags())
        found = Catalogue(
            releases=tuple(_with_known_dates(releases, known)),
            wheels=wheels,
            fetched_at=now,
            platform=platform(),
            etag=page.headers.get("etag", ""),
            modified=page.headers.get("last-modified", ""),
        )
    # It is kept for the next time only: a cache that cannot be written must not end this one.
    with contextlib.suppress(OSError):
        save(cache, found)
    return found


def load(
    cache: Path, *, wanted: Collection[str] = (), max_age: timedelta = MAX_AGE, offline: bool = False
) -> Catalogue:
    """Return the releases of uv: as they are kept where that is enough, else as PyPI tells them.

    Where PyPI cannot be asked, what is kept has to do; its `note` says so.

    Args:
        cache: the folder of all that uvmre keeps.
        wanted: versions; where all of them are known, nobody is asked, since what PyPI has of a release stays.
        max_age: how old what is kept may be, where nothing is wanted by its version.
        offline: whether PyPI is not to be asked.

    Raises:
        CannotTell: when PyPI cannot be asked, and nothing is kept.
    """
    known = load_cached(cache)
    if known:
        versions = {release.version for release in known.releases}
        enough = versions.issuperset(wanted) if wanted else abs(datetime.now(UTC) - known.fetched_at) < max_age
        if enough:
            return known
    import httpx

    try:
        if offline:
            raise httpx.ConnectError(OFFLINE)
        return fetch_catalogue(cache, known)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        if known:
            return replace(known, offline=cause(error))
        raise CannotTell(
            f"Which releases of uv there are is not in the cache, and PyPI could not be asked ({cause(error)}).",
            HINT_OFFLINE if offline else HINT_ONLINE,
        ) from None


def choose(
    text: str, cache: Path, *, reported: str = "", offline: bool = False
) -> tuple[tuple[Release, ...], Catalogue]:
    """Return the releases that a selector means, oldest first, and the catalogue that they are from.

    PyPI is asked again before anybody is told that there is no such release: it may have come a minute ago; not where
    `offline` says that it is not to be asked.
    Raises what `select` and `load` do.
    """
    start = datetime.now(UTC)
    found = load(cache, offline=offline)
    try:
        return select(text, found.releases, reported=reported), found
    except UsageError as error:
        if found.offline:
            error.hint = f"{error.hint} {found.note}."
        if offline or found.offline or found.fetched_at >= start:
            raise
    found = load(cache, max_age=ALWAYS_FETCH)
    return select(text, found.releases, reported=reported), found


def not_available(release: str, why: str) -> CannotTell:
    """Return the error for a release that has to be asked for, and cannot be."""
    hint = HINT_OFFLINE if why == OFFLINE else HINT_ONLINE
    return CannotTell(f"uv {release} is not in the cache, and PyPI could not be asked for it ({why}).", hint)


def _with_known_dates(releases: Iterable[Release], known: Catalogue | None) -> Iterable[Release]:
    """Yield releases with the days that are known of them where this page has none: HTML need not tell them."""
    days = {release.version: release.date for release in known.releases} if known else {}
    for release in releases:
        yield release if release.date else replace(release, date=days.get(release.version))


def save(cache: Path, found: Catalogue) -> None:
    """Write a catalogue aside and rename it: nobody ever reads half of one."""
    data = {
        "schema": SCHEMA,
        "platform": found.platform,
        "asked": found.fetched_at.isoformat(),
        "etag": found.etag,
        "modified": found.modified,
        "releases": [
            (each.version, each.date.isoformat() if each.date else "", each.yanked) for each in found.releases
        ],
        "wheels": {version: asdict(wheel) for version, wheel in found.wheels.items()},
    }
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=cache, prefix=".aside-", encoding="utf-8", delete=False) as file:
        aside = Path(file.name)
        try:
            json.dump(data, file)
            file.close()
            aside.rename(cache / FILE)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


def ping(seconds: float) -> tuple[str, float]:
    """Ask PyPI for the head of a page; return why it does not answer (empty where it does), and the seconds."""
    import httpx

    from uvmre.client import http_client

    began = time.monotonic()
    try:
        with http_client() as http:
            answer = http.head(INDEX, timeout=seconds)
            answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError, UvmreError) as error:
        return cause(error), time.monotonic() - began
    return "", time.monotonic() - began
