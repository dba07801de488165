"""A project's page on an index as a value, with a cutoff date or merged with another (PEP 503, 691, 700)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.version import Version

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"
ACCEPT = f"{JSON}, {HTML};q=0.1"
"""Prefers JSON; some mirrors respond with HTML regardless."""

Files = list[dict[str, Any]]
"""As in PEP 691: filename, url, hashes and more."""


@dataclass(frozen=True)
class Page:
    """The page of a project."""

    data: Mapping[str, Any]
    """The page as PEP 691 defines it."""

    @property
    def files(self) -> Files:
        """Return the files."""
        files: Files = self.data["files"]
        return files


def upload_time(file: Mapping[str, Any]) -> datetime | None:
    """Return the upload time of a file, if the index has it (PEP 700)."""
    try:
        return datetime.fromisoformat(file["upload-time"])
    except (KeyError, TypeError, ValueError):
        return None


def cutoff_time(cutoff: date | datetime) -> datetime:
    """Return the time of a cutoff: the end of a day in UTC, as uv's `--exclude-newer` includes the day itself."""
    if isinstance(cutoff, datetime):
        return cutoff
    return datetime.combine(cutoff + timedelta(days=1), time(), UTC)


def describe_cutoff(cutoff: date | datetime) -> str:
    """Return when PyPI is as it was, to follow “PyPI as”."""
    return f"at {cutoff}" if isinstance(cutoff, datetime) else f"at the end of {cutoff}"


def apply_cutoff(page: Page, day: date) -> Page:
    """Return the page as it was at a cutoff; files without an upload time are kept."""
    end = cutoff_time(day)
    kept = [file for file in page.files if (came := upload_time(file)) is None or came < end]
    data = {**page.data, "files": kept}
    if "versions" in data:
        # PEP 700: a version that had no file before is kept.
        gone = _versions(page.files) - _versions(kept)
        data["versions"] = [version for version in data["versions"] if _parsed(version) not in gone]
    return Page(data)


def normalize_name(name: str) -> str:
    """Return the normalized name of a project (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_filename(filename: str) -> "tuple[str, Version] | None":
    """Return the project and version of a wheel's or sdist's filename; None for any other."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        project, version, *_ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        try:
            project, version = parse_sdist_filename(filename)
        except InvalidSdistFilename:
            return None
    return project, version


def _versions(files: Files) -> "set[Version]":
    return {known[1] for file in files if (known := parse_filename(file["filename"]))}


def _parsed(version: str) -> "Version | None":
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version)
    except InvalidVersion:
        return None


def accepts_json(accept: str) -> bool:
    """Tell whether an Accept header includes JSON."""
    return JSON in accept or "vnd.pypi.simple.latest+json" in accept


def merge_pages(first: Page, second: Page) -> Page:
    """Return a page with the files of both; the first page wins for equal names."""
    taken = {file["filename"] for file in first.files}
    files = [*first.files, *(file for file in second.files if file["filename"] not in taken)]
    versions = [*first.data.get("versions", ()), *second.data.get("versions", ())]
    return Page({**second.data, "files": files, **({"versions": list(dict.fromkeys(versions))} if versions else {})})
