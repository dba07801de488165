"""The forms of a project's page: JSON (PEP 691, 700) and HTML (PEP 503, 592, 658, 714), read and written."""

import json
from collections.abc import Mapping
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from uvmre.core.network.simple_page import JSON, Page


def parse_page(content_type: str, text: str, url: str) -> Page:
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
        self.files: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link: its hash is in the fragment, the rest in data attributes (PEP 503, 592, 658, 714)."""
        attributes_by_name = {name: value or "" for name, value in attrs}
        if tag != "a" or "href" not in attributes_by_name:
            return
        address, _, fragment = attributes_by_name["href"].partition("#")
        algorithm, _, digest = fragment.partition("=")
        file: dict[str, Any] = {
            "filename": address.rpartition("/")[2],
            "url": urljoin(self._url, address),
            "hashes": {algorithm: digest} if digest else {},
        }
        if "data-requires-python" in attributes_by_name:
            file["requires-python"] = attributes_by_name["data-requires-python"]
        if "data-yanked" in attributes_by_name:
            file["yanked"] = attributes_by_name["data-yanked"] or True
        if "data-upload-time" in attributes_by_name:
            file["upload-time"] = attributes_by_name["data-upload-time"]
        metadata = attributes_by_name.get("data-core-metadata", attributes_by_name.get("data-dist-info-metadata"))
        if metadata:
            algorithm, _, digest = metadata.partition("=")
            file["core-metadata"] = {algorithm: digest} if digest else True
        self.files.append(file)


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


def listing(projects: list[str], *, as_json: bool) -> str:
    """Write the page that lists an index's projects."""
    if as_json:
        return json.dumps({"meta": {"api-version": "1.1"}, "projects": [{"name": project} for project in projects]})
    anchors = [f'    <a href="{escape(project)}/">{escape(project)}</a><br />' for project in projects]
    head = ["<!DOCTYPE html>", "<html>", "  <head>", "    <title>Simple index</title>", "  </head>", "  <body>"]
    return "\n".join([*head, *anchors, "  </body>", "</html>", ""])
