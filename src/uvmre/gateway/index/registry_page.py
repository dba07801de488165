"""The pages and file links of a registry, by its profile. Pure."""

from typing import Any
from urllib.parse import quote

from uvmre.core.network import simple_page
from uvmre.core.network.index import Index
from uvmre.core.network.simple_page import Page
from uvmre.gateway.index.pypi_proxy import FILES

MISSING_DIGEST = "0" * 64
"""In links, where the index has no digest."""


def render_page(page: Page, index: Index, origin: str) -> Page:
    """Return a page as the registry of an index renders it."""
    profile = index.profile
    has = {
        "hashes": profile.hashes,
        "core-metadata": profile.metadata,
        "dist-info-metadata": profile.metadata,
        "upload-time": profile.uploaded,
        "requires-python": profile.requires_python,
        "yanked": profile.yanked,
        "size": profile.uploaded,
    }
    files = []
    for file in page.files:
        kept = {key: value for key, value in file.items() if has.get(key, True)}
        files.append({**kept, "hashes": kept.get("hashes", {}), "url": file_link(file, index, origin)})
    data = {key: value for key, value in page.data.items() if key != "versions" or profile.uploaded}
    return Page({**data, "files": files})


def file_link(file: dict[str, Any], index: Index, origin: str) -> str:
    """Return the link to a file in its project's page."""
    return _expand(index.profile.links, file, index, origin)


def storage_url(file: dict[str, Any], index: Index, number: int) -> str:
    """Return the URL at the storage to which the registry redirects; `number` is that of the index."""
    return _expand(index.profile.storage.replace("{n}", str(number)), file, index, "")


def _expand(template: str, file: dict[str, Any], index: Index, origin: str) -> str:
    filename = file["filename"]
    known = simple_page.parse_filename(filename)
    project, version = known or (filename.partition("-")[0], "")
    digest = file["hashes"].get("sha256", MISSING_DIGEST)
    short = str(version)
    if index.profile.short_version:
        short = short.removesuffix(".0").removesuffix(".0")
    if index.base == index.root:  # its pages are one level higher
        template = template.replace("../../", "../")
    return template.format(
        origin=origin,
        base=index.base,
        path=file["url"].removeprefix(FILES),
        project=project,
        version=quote(short),
        filename=quote(filename),
        sha256=digest,
        sha3=digest[:3],
        sha13=digest[3:16],
    )
