"""A project's page on an index: read from JSON or HTML, cut off at a day, written as either (PEP 503, 691, 700)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

if TYPE_CHECKING:
    from packaging.version import Version

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"
ACCEPT = f"{JSON}, {HTML};q=0.1"
"""JSON if it can be had; mirrors that keep one page for everybody may answer with HTML whatever is asked for."""

Files = list[dict[str, Any]]
"""As PEP 691 has them: filename, url, hashes, and what else the index says of each."""


@dataclass(frozen=True)
class Page:
    """All that an index says of a project."""

    data: Mapping[str, Any]
    """The page as PEP 691 has it."""

    @property
    def files(self) -> Files:
        """Return the files."""
        files: Files = self.data["files"]
        return files


def read(content_type: str, text: str, url: str) -> Page:
    """Read a page; addresses in it come out whole.

    Raises:
        ValueError: when it is not what the PEPs say.
    """
    try:
        if content_type.startswith(JSON):
            data = json.loads(text)
            files = [
                {**file, "url": urljoin(url, file["url"]), "hashes": dict(file["hashes"])} for file in data["files"]
            ]
            return Page({**data, "files": files})
        anchors = Anchors(url)
        anchors.feed(text)
        name = url.rstrip("/").rpartition("/")[2]
        return Page({"meta": {"api-version": "1.1"}, "name": name, "files": anchors.files})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the page is not what PEP 691 says: {error!r}") from None


class Anchors(HTMLParser):
    """Collects the links of a PEP 503 page, as PEP 691 has them."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.files: Files = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link: its hash is in the fragment, the rest in data attributes (PEP 503, 592, 658, 714)."""
        given = {name: value or "" for name, value in attrs}
        if tag != "a" or "href" not in given:
            return
        address, _, fragment = given["href"].partition("#")
        algorithm, _, digest = fragment.partition("=")
        file: dict[str, Any] = {
            "filename": address.rpartition("/")[2],
            "url": urljoin(self._url, address),
            "hashes": {algorithm: digest} if digest else {},
        }
        if "data-requires-python" in given:
            file["requires-python"] = given["data-requires-python"]
        if "data-yanked" in given:
            file["yanked"] = given["data-yanked"] or True
        if "data-upload-time" in given:
            file["upload-time"] = given["data-upload-time"]
        metadata = given.get("data-core-metadata", given.get("data-dist-info-metadata"))
        if metadata:
            algorithm, _, digest = metadata.partition("=")
            file["core-metadata"] = {algorithm: digest} if digest else True
        self.files.append(file)


def uploaded(file: Mapping[str, Any]) -> datetime | None:
    """Return when a file was uploaded, where the index says so (PEP 700)."""
    try:
        return datetime.fromisoformat(file["upload-time"])
    except (KeyError, TypeError, ValueError):
        return None


def end_of(day: date) -> datetime:
    """Return the moment at which a day is over, in UTC: what came on the day itself was there, as with uv's option."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def cut(page: Page, day: date) -> Page:
    """Return the page as it was at the end of a day. A file of which nobody says when it came is kept."""
    end = end_of(day)
    kept = [file for file in page.files if (came := uploaded(file)) is None or came < end]
    data = {**page.data, "files": kept}
    if "versions" in data:
        # PEP 700: every version that has a file; one that had none before keeps its place.
        gone = _versions(page.files) - _versions(kept)
        data["versions"] = [version for version in data["versions"] if _parsed(version) not in gone]
    return Page(data)


def named(filename: str) -> "tuple[str, Version] | None":
    """Return the project and the version in the name of a wheel or an sdist; None where it is neither's."""
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
    return {known[1] for file in files if (known := named(file["filename"]))}


def _parsed(version: str) -> "Version | None":
    from packaging.version import InvalidVersion, Version

    try:
        return Version(version)
    except InvalidVersion:
        return None


def as_json(page: Page) -> str:
    """Write a page as PEP 691 has it."""
    return json.dumps(page.data)


def as_html(page: Page, attributes: str = "", *, dated: bool = False) -> str:
    """Write a page as PEP 503 has it, with the attributes of PEP 592, 658 and 714.

    Args:
        page: what it tells.
        attributes: what else every link carries.
        dated: tell when each file came, which no PEP has for HTML.
    """
    title = f"Links for {escape(str(page.data.get('name', '')))}"
    lines = ["<!DOCTYPE html>", "<html>", "  <head>", '    <meta name="pypi:repository-version" content="1.1">']
    lines += [f"    <title>{title}</title>", "  </head>", "  <body>", f"    <h1>{title}</h1>"]
    return "\n".join(
        [*lines, *(_anchor(file, attributes, dated=dated) for file in page.files), "  </body>", "</html>", ""]
    )


def _anchor(file: Mapping[str, Any], more: str, *, dated: bool) -> str:
    fragment = next((f"#{name}={value}" for name, value in sorted(file["hashes"].items(), reverse=True)), "")
    attributes = [f'href="{escape(file["url"] + fragment)}"']
    if file.get("requires-python"):
        attributes.append(f'data-requires-python="{escape(file["requires-python"])}"')
    yanked = file.get("yanked", False)
    if yanked is not False:
        attributes.append(f'data-yanked="{escape("" if yanked is True else yanked)}"')
    metadata = file.get("core-metadata", file.get("dist-info-metadata", False))
    if metadata:
        value = "true" if metadata is True else next(f"{name}={digest}" for name, digest in metadata.items())
        attributes += [f'data-dist-info-metadata="{value}"', f'data-core-metadata="{value}"']
    if dated and file.get("upload-time"):
        attributes.append(f'data-upload-time="{escape(file["upload-time"])}"')
    if more:
        attributes.append(more)
    return f"    <a {' '.join(attributes)}>{escape(file['filename'])}</a><br />"


def wants_json(accept: str) -> bool:
    """Tell whether a client that accepts this is given JSON."""
    return JSON in accept or "vnd.pypi.simple.latest+json" in accept


def joined(first: Page, second: Page) -> Page:
    """Return one page with the files of both; of two of one name, the first's."""
    taken = {file["filename"] for file in first.files}
    files = [*first.files, *(file for file in second.files if file["filename"] not in taken)]
    versions = [*first.data.get("versions", ()), *second.data.get("versions", ())]
    return Page({**second.data, "files": files, **({"versions": list(dict.fromkeys(versions))} if versions else {})})


def listing(projects: list[str], *, as_json: bool) -> str:
    """Write the page that lists an index's projects."""
    if as_json:
        return json.dumps({"meta": {"api-version": "1.1"}, "projects": [{"name": project} for project in projects]})
    anchors = [f'    <a href="{escape(project)}/">{escape(project)}</a><br />' for project in projects]
    head = ["<!DOCTYPE html>", "<html>", "  <head>", "    <title>Simple index</title>", "  </head>", "  <body>"]
    return "\n".join([*head, *anchors, "  </body>", "</html>", ""])
