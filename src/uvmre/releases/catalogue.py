"""The releases of uv, their dates, and their wheels for this platform (PEP 503, 592, 691, 700, 427).

Cached as 100 KB of JSON: the page has 2.6 MB and takes a third of a second to parse.
"""

import contextlib
import json
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvmre import temp_folders
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
"""The age up to which the cached catalogue is used; PyPI sends its pages with the same `max-age`."""
ALWAYS_FETCH = timedelta(0)
OFFLINE = "`--replay` makes no requests"
HINT_OFFLINE = "run it once without `--replay` to fetch it"
HINT_ONLINE = "check the network and `HTTPS_PROXY`, and run it again"


@dataclass(frozen=True)
class Wheel:
    """The wheel of a release."""

    filename: str
    url: str
    sha256: str
    size: int = 0
    """0 where the index does not list it."""


@dataclass(frozen=True)
class Catalogue:
    """The releases of uv on PyPI at some time."""

    releases: tuple[Release, ...]
    """Oldest first."""
    wheels: Mapping[str, Wheel]
    """By version; a release without one does not support this platform."""
    fetched_at: datetime
    platform: str = ""
    etag: str = ""
    modified: str = ""
    offline: str = ""
    """Why the catalogue could not be updated; empty when it is up to date."""

    @property
    def note(self) -> str:
        """Return a note that the catalogue is outdated; empty when it is not."""
        if not self.offline:
            return ""
        return (
            f"no response from PyPI ({self.offline}): uv's releases are those of {self.fetched_at:%Y-%m-%d %H:%M} UTC"
        )

    def wheel(self, release: str) -> Wheel:
        """Return the wheel of a release for this platform.

        Raises:
            UsageError: when there is no such release.
            CannotTell: when it has no wheel for this platform, or may be newer than the catalogue.
        """
        if wheel := self.wheels.get(release):
            return wheel
        if self.offline and all(each.version != release for each in self.releases):
            raise not_available(release, self.offline)
        # A yanked release can be selected by its version.
        select(release, [replace(each, yanked=False) for each in self.releases])
        raise CannotTell(
            f"uv {release} has no wheel for this platform",
            "use another release, or run it on x86-64 or ARM Linux or on macOS",
        )


def platform() -> str:
    """Return the platform tag of wheels that run here, without versions: `manylinux_x86_64`."""
    from packaging.tags import platform_tags

    names = list(platform_tags())
    # `linux_…` does not name the libc.
    name = next((name for name in names if not name.startswith("linux_")), names[0])
    return re.sub(r"_\d+_\d+_", "_", name)


def parse_page(content_type: str, text: str, tags: "Iterable[Tag]") -> tuple[tuple[Release, ...], dict[str, Wheel]]:
    """Parse a project's page, JSON or HTML: its releases, and the best wheel of each for `tags`, best first.

    Raises:
        ValueError: when the page is neither, or lists no wheel.
    """
    ranks = {tag: rank for rank, tag in enumerate(tags)}
    files: dict[str, list[Mapping[str, Any]]] = {}
    best: dict[str, tuple[int, Wheel]] = {}
    wheels = 0
    for file in simple_formats.parse_page(content_type, text, INDEX).files:
        if not (parsed := _parse_filename(file["filename"])):
            continue
        version, tags = str(parsed[0]), parsed[1]
        files.setdefault(version, []).append(file)
        if sha256 := tags and file["hashes"].get("sha256"):
            wheels += 1
            rank = min((ranks[tag] for tag in tags if tag in ranks), default=None)
            if rank is not None and (version not in best or rank < best[version][0]):
                best[version] = rank, Wheel(file["filename"], file["url"], sha256, file.get("size") or 0)
    if not wheels:
        raise ValueError("the page lists no wheel")
    releases = sorted(_release(version, its_files) for version, its_files in files.items())
    return tuple(releases), {version: wheel for version, (_, wheel) in best.items()}


def _parse_filename(filename: str) -> "tuple[Version, Collection[Tag]] | None":
    """Return the version and the tags in a filename; an sdist has no tags."""
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
    uploaded = [
        when if when.tzinfo else when.replace(tzinfo=UTC) for file in files if (when := simple_page.upload_time(file))
    ]
    yanked = [file.get("yanked", False) for file in files]
    # PEP 592 yanks files, not releases.
    all_yanked = all(each is not False for each in yanked)
    return Release(version, min(uploaded, default=None), (yanked[0] or True) if all_yanked else False)


def load_cached(cache: Path) -> Catalogue | None:
    """Return the cached catalogue; None where there is none for this platform."""
    try:
        data = json.loads((cache / FILE).read_text(encoding="utf-8"))
        if (data["schema"], data["platform"]) != (SCHEMA, platform()):
            return None
        return Catalogue(
            releases=tuple(
                Release(version, datetime.fromisoformat(uploaded) if uploaded else None, yanked)
                for version, uploaded, yanked in data["releases"]
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
    """Fetch the catalogue from PyPI and cache it; `known` makes the request conditional.

    Raises:
        httpx.HTTPError: when there is no response.
        ValueError: when the response is not a project's page.
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
    # A cache that cannot be written is no reason to fail.
    with contextlib.suppress(OSError):
        save(cache, found)
    return found


def load(
    cache: Path, *, versions: Collection[str] = (), max_age: timedelta = MAX_AGE, offline: bool = False
) -> Catalogue:
    """Return the catalogue from the cache where that is enough, and else from PyPI.

    Without a response from PyPI it is the cached one, with a `note`.

    Args:
        cache: the cache of uvmre.
        versions: the cached catalogue is enough where it has all of them.
        max_age: up to this age it is enough, where no versions are given.
        offline: make no requests to PyPI.

    Raises:
        CannotTell: when there is no response from PyPI, and nothing is cached.
    """
    known = load_cached(cache)
    if known:
        known_versions = {release.version for release in known.releases}
        enough = (
            known_versions.issuperset(versions) if versions else abs(datetime.now(UTC) - known.fetched_at) < max_age
        )
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
            "the releases of uv are not in the cache and cannot be fetched from PyPI",
            HINT_OFFLINE if offline else HINT_ONLINE,
            cause=cause(error),
        ) from None


def choose(
    text: str, cache: Path, *, reported: str = "", offline: bool = False
) -> tuple[tuple[Release, ...], Catalogue]:
    """Return the releases of a selector, oldest first, and their catalogue.

    Where it selects none, the catalogue is updated first, unless `offline`. Raises what `select` and `load` do.
    """
    start = datetime.now(UTC)
    found = load(cache, offline=offline)
    try:
        return select(text, found.releases, reported=reported), found
    except UsageError as error:
        if found.offline:
            error.hint = f"{error.hint}; {found.note}" if error.hint else found.note
        if offline or found.offline or found.fetched_at >= start:
            raise
    found = load(cache, max_age=ALWAYS_FETCH)
    return select(text, found.releases, reported=reported), found


def resolve(uv: str, cache: Path, *, offline: bool = False) -> tuple[str, str]:
    """Return the release that a manifest means by "latest" or by a day, and a sentence on that. Raises as `choose`."""
    if not uv or uv[:1].isdigit():
        return uv, ""
    selected, found = choose(uv, cache, offline=offline)
    return selected[-1].version, f"`{uv}` is uv {selected[-1].version}, as of {found.fetched_at:%Y-%m-%d}"


def not_available(release: str, why: str) -> CannotTell:
    """Return the error for a release that is not cached and cannot be fetched."""
    hint = HINT_OFFLINE if why == OFFLINE else HINT_ONLINE
    return CannotTell(f"uv {release} is not in the cache and cannot be fetched from PyPI", hint, cause=why)


def _with_known_dates(releases: Iterable[Release], known: Catalogue | None) -> Iterable[Release]:
    """Yield releases with the known dates where the page has none, as HTML may."""
    days = {release.version: release.date for release in known.releases} if known else {}
    for release in releases:
        yield release if release.date else replace(release, date=days.get(release.version))


def save(cache: Path, found: Catalogue) -> None:
    """Cache a catalogue atomically."""
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
    temp_folders.write_file(cache / FILE, json.dumps(data))


def ping(seconds: float) -> tuple[str, float]:
    """Send PyPI a HEAD request; return the error, empty where there is none, and the seconds."""
    import httpx

    from uvmre.client import http_client

    start = time.monotonic()
    try:
        with http_client() as http:
            response = http.head(INDEX, timeout=seconds)
            response.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError, UvmreError) as error:
        return cause(error), time.monotonic() - start
    return "", time.monotonic() - start
