"""A page and a file as a registry gives them: which links and what beside them, by the registry's table. Pure."""

from typing import Any
from urllib.parse import quote, urlsplit

from uvmre.core.network import simple_page
from uvmre.core.network.index import Index
from uvmre.core.network.simple_page import Page
from uvmre.gateway.index.pypi_proxy import FILES

MISSING_DIGEST = "0" * 64
"""Stands for a digest that the index does not tell."""


def render_page(page: Page, index: Index, origin: str) -> Page:
    """Return a page as the registry of an index has it."""
    behaviour = index.profile
    dropped = {
        "hashes": behaviour.hashes,
        "core-metadata": behaviour.metadata,
        "dist-info-metadata": behaviour.metadata,
        "upload-time": behaviour.uploaded,
        "requires-python": behaviour.requires_python,
        "yanked": behaviour.yanked,
        "size": behaviour.uploaded,
    }
    files = []
    for file in page.files:
        kept = {key: value for key, value in file.items() if dropped.get(key, True)}
        files.append({**kept, "hashes": kept.get("hashes", {}), "url": file_link(file, index, origin)})
    data = {key: value for key, value in page.data.items() if key != "versions" or behaviour.uploaded}
    return Page({**data, "files": files})


def file_link(file: dict[str, Any], index: Index, origin: str) -> str:
    """Return a file's address, as the registry writes it."""
    return _expand(index.profile.links, file, index, origin)


def storage_url(file: dict[str, Any], index: Index, number: int) -> str:
    """Return the address at the storage to which the registry sends its clients; `number` tells the index there."""
    return _expand(index.profile.storage.replace("{n}", str(number)), file, index, "")


def _expand(template: str, file: dict[str, Any], index: Index, origin: str) -> str:
    filename = file["filename"]
    known = simple_page.parse_filename(filename)
    project, version = known or (filename.partition("-")[0], "")
    digest = file["hashes"].get("sha256", MISSING_DIGEST)
    told = str(version)
    if index.profile.short_version:
        told = told.removesuffix(".0").removesuffix(".0")
    root = urlsplit(index.url).path.rstrip("/")
    base = root.removesuffix("/simple").removesuffix("/+simple")
    if base == root:  # its pages lie one level higher
        template = template.replace("../../", "../")
    return template.format(
        origin=origin,
        base=base,
        path=file["url"].removeprefix(FILES),
        project=project,
        version=quote(told),
        filename=quote(filename),
        sha256=digest,
        sha3=digest[:3],
        sha13=digest[3:16],
    )
