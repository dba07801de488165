"""Read the pages and the metadata of private packages from their own index, with the user's credentials."""

import io
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uvmre.capture.configured import ConfiguredIndex
from uvmre.capture.packages import by_version, from_metadata
from uvmre.client import http_client
from uvmre.core.network.simple_formats import parse_page
from uvmre.core.network.simple_page import ACCEPT, normalize_name
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.progress import Progress

if TYPE_CHECKING:
    import httpx

MOST_VERSIONS = 12
"""Of a package, the newest first, besides those of the lock file."""
LARGEST = 20_000_000
"""Bytes of a file that is fetched for its metadata."""
THREADS = 8
PYPI = "https://pypi.org/simple"
PROBE = "pip"
"""Every mirror of PyPI has it."""
NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
CONTROL_FILES = re.compile(r"[^/]+\.dist-info/METADATA|[^/]+/PKG-INFO")


@dataclass
class IndexFacts:
    """What an index answered."""

    reachable: bool = False
    denied: bool = False
    """Whether it rejects the credentials that uv would send."""
    mirrors_pypi: bool = False
    packages: dict[str, list[SyntheticPackage]] = field(default_factory=dict)
    """The versions of the packages that are not PyPI's, by normalized name."""
    hashes: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of each file, by filename."""


def on_pypi(names: Iterable[str]) -> dict[str, frozenset[str]] | None:
    """Return the versions of each project that PyPI has; None if PyPI cannot be reached."""
    import httpx

    def versions(name: str) -> frozenset[str] | None:
        response = client.get(f"{PYPI}/{normalize_name(name)}/", headers={"accept": ACCEPT})
        if response.status_code == 404:
            return None
        response.raise_for_status()
        page = parse_page(response.headers.get("content-type", ""), response.text, str(response.url))
        return frozenset(by_version(page.files))

    unique = sorted({normalize_name(name) for name in names})
    with http_client() as client, ThreadPoolExecutor(THREADS) as pool:
        try:
            found = dict(zip(unique, pool.map(versions, unique), strict=True))
        except (httpx.HTTPError, OSError):
            return None
    return {name: known for name, known in found.items() if known is not None}


def read_index(
    index: ConfiguredIndex, needed: Mapping[str, frozenset[str]], public: frozenset[str], progress: Progress
) -> IndexFacts:
    """Read the needed projects of an index, and those that they require and PyPI lacks.

    Args:
        index: the index, with the user's credentials.
        needed: the versions that are needed of each project, besides its newest.
        public: the normalized names of packages of PyPI, which are not read.
        progress: a progress callback.
    """
    import httpx

    facts, pending, visited = IndexFacts(), dict(needed), set[str]()
    with http_client() as client:
        if index.password or index.username:
            client.auth = httpx.BasicAuth(index.username, index.password)
        try:
            probe = _get(client, f"{index.url.rstrip('/')}/{PROBE}/")
            facts.reachable, facts.denied = True, probe.status_code in (401, 403)
            own = probe.url.host == httpx.URL(index.url).host  # GitLab redirects to PyPI for what it lacks
            facts.mirrors_pypi = own and probe.status_code == 200 and PROBE in probe.text
            while pending and not facts.denied:
                name, versions = pending.popitem()
                visited.add(name)
                progress.detail(f"reading `{name}` from its index")
                for package in _project(client, index, name, versions, facts):
                    facts.packages.setdefault(name, []).append(package)
                    required = {normalize_name(match[1]) for each in package.requires if (match := NAME.match(each))}
                    pending |= {each: frozenset[str]() for each in required - public - visited}
        except (httpx.HTTPError, OSError, ValueError):
            pass
    return facts


def _get(client: "httpx.Client", url: str) -> "httpx.Response":
    return client.get(url, headers={"accept": ACCEPT})


def _project(
    client: "httpx.Client", index: ConfiguredIndex, name: str, needed: frozenset[str], facts: IndexFacts
) -> Iterable[SyntheticPackage]:
    response = _get(client, f"{index.url.rstrip('/')}/{name}/")
    facts.denied = facts.denied or response.status_code in (401, 403)
    if response.status_code != 200 or response.url.host == "pypi.org":
        return
    page = parse_page(response.headers.get("content-type", ""), response.text, str(response.url))
    facts.hashes |= {file["filename"]: file["hashes"].get("sha256", "") for file in page.files}
    versions = by_version(page.files)
    for number, (version, files) in enumerate(versions.items()):
        if number < MOST_VERSIONS or version in needed:
            text = _metadata(client, files, index.host)
            package = from_metadata(text, [file["filename"] for file in files], yanked=_yanked(files)) if text else None
            if package:
                yield package


def _yanked(files: list[Mapping[str, Any]]) -> bool | str:
    value = files[0].get("yanked", False)
    return value if isinstance(value, bool | str) else False


def _metadata(client: "httpx.Client", files: list[Mapping[str, Any]], host: str) -> str:
    """Return the metadata of a version, from beside a wheel or from in a file; empty if there is none.

    The credentials are sent to the `host` of the index alone: its pages may link to others.
    """
    for file in sorted(files, key=lambda each: not each["filename"].endswith(".whl")):
        auth = client.auth if urlsplit(file["url"]).netloc == host else None
        if file.get("core-metadata") or file.get("dist-info-metadata"):
            response = client.get(f"{file['url']}.metadata", auth=auth)
            if response.status_code == 200:
                return response.text
        with client.stream("GET", file["url"], auth=auth) as stream:
            if stream.status_code != 200 or int(stream.headers.get("content-length", 0)) > LARGEST:
                continue
            content = stream.read()
        if text := _inside(file["filename"], content):
            return text
    return ""


def _inside(filename: str, content: bytes) -> str:
    """Return the metadata in a wheel or sdist; empty if it has none, or is damaged."""
    try:
        if filename.endswith((".whl", ".zip")):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                name = next(each for each in archive.namelist() if CONTROL_FILES.fullmatch(each))
                return archive.read(name).decode(errors="replace")
        with tarfile.open(fileobj=io.BytesIO(content)) as sources:
            found = next(each for each in sources if CONTROL_FILES.fullmatch(each.name))
            file = sources.extractfile(found)
            return file.read().decode(errors="replace") if file else ""
    except (OSError, StopIteration, zipfile.BadZipFile, tarfile.TarError):
        return ""
