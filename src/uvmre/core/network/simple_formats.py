"""Parse and write a project's page as JSON (PEP 691, 700) and HTML (PEP 503, 592, 658, 714)."""

import json
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from uvmre.core.network.simple_page import JSON, Page


def parse_page(content_type: str, text: str, url: str) -> Page:
    """Parse a page; its URLs become absolute.

    Raises:
        ValueError: if it does not follow the PEPs.
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
        raise ValueError(f"the page does not follow PEP 691: {error!r}") from None


class Anchors(HTMLParser):
    """Collects the links of a PEP 503 page, as PEP 691 has them."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.files: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a link: its hash is in the fragment, the rest in data attributes."""
        values = {name: value or "" for name, value in attrs}
        if tag != "a" or "href" not in values:
            return
        address, _, fragment = values["href"].partition("#")
        algorithm, _, digest = fragment.partition("=")
        file: dict[str, Any] = {
            "filename": address.rpartition("/")[2],
            "url": urljoin(self._url, address),
            "hashes": {algorithm: digest} if digest else {},
        }
        if "data-requires-python" in values:
            file["requires-python"] = values["data-requires-python"]
        if "data-yanked" in values:
            file["yanked"] = values["data-yanked"] or True
        if "data-upload-time" in values:
            file["upload-time"] = values["data-upload-time"]
        metadata = values.get("data-core-metadata", values.get("data-dist-info-metadata"))
        if metadata:
            algorithm, _, digest = metadata.partition("=")
            file["core-metadata"] = {algorithm: digest} if digest else True
        self.files.append(file)


def as_json(page: Page) -> str:
    """Return a page as PEP 691 defines it."""
    return json.dumps(page.data)


def as_html(page: Page, attributes: str = "", *, dated: bool = False) -> str:
    """Return a page as PEP 503 defines it, with the attributes of PEP 592, 658 and 714.

    Args:
        page: the page.
        attributes: more attributes of every link.
        dated: include upload times, which no PEP defines for HTML.
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


def listing(projects: list[str], *, as_json: bool) -> str:
    """Return the page that lists an index's projects."""
    if as_json:
        return json.dumps({"meta": {"api-version": "1.1"}, "projects": [{"name": project} for project in projects]})
    anchors = [f'    <a href="{escape(project)}/">{escape(project)}</a><br />' for project in projects]
    head = ["<!DOCTYPE html>", "<html>", "  <head>", "    <title>Simple index</title>", "  </head>", "  <body>"]
    return "\n".join([*head, *anchors, "  </body>", "</html>", ""])
