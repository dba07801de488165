"""Make the lock files of an MRE fit its synthetic packages and repositories."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.core.network.index import Index, repository_address
from uvmre.core.network.simple_page import normalize_name, parse_filename
from uvmre.gateway.config import gateway_config
from uvmre.gateway.index.git_server import GitServer
from uvmre.gateway.index.registry_page import render_page
from uvmre.gateway.index.synthetic_files import SyntheticIndex

LOCK = "uv.lock"
COMMIT = re.compile(r"#(?P<sha>[0-9a-f]{40})\b")
PACKAGE = "[[package]]\n"
NAME = re.compile(r'(?m)^name = "(?P<name>[^"]+)"')
VERSION = re.compile(r'(?m)^version = "(?P<version>[^"]+)"')
REGISTRY = re.compile(r'(?m)^source = \{ registry = "(?P<url>[^"]+)"')
SDIST = re.compile(r"(?m)^sdist = \{.*\}$")
WHEELS = re.compile(r"(?ms)^wheels = \[$.*?^\]$")
LOCKED_FILE = re.compile(r'/(?P<filename>[^/"]+)", hash = "sha256:(?P<digest>[0-9a-f]{64})"')
WRONG = "0" * 64
"""The hash of a file that was not that of the index."""


def mark_wrong_hashes(files: tuple[File, ...], hashes: Mapping[str, str]) -> tuple[File, ...]:
    """Return files in whose lock files each hash that is not the index's is WRONG; `hashes` has those, by filename."""

    def marked(entry: re.Match[str]) -> str:
        expected = hashes.get(entry["filename"], "")
        wrong = expected and expected != entry["digest"]
        return entry[0].replace(entry["digest"], WRONG) if wrong else entry[0]

    return tuple(
        replace(file, content=LOCKED_FILE.sub(marked, file.content.decode(errors="replace")).encode())
        if file.path.rpartition("/")[2] == LOCK
        else file
        for file in files
    )


def relock(mre: Mre) -> Mre:
    """Return an MRE whose lock files name the files of its synthetic packages, and the commits of its repositories."""
    commits = _commits(mre)
    files = []
    for file in mre.files:
        if file.path.rpartition("/")[2] == LOCK:
            file = _relocked(file, mre)  # noqa: PLW2901
        files.append(file)
    return _with_commits(replace(mre, files=tuple(files)), commits)


def _commits(mre: Mre) -> dict[str, str]:
    """Return the last commit of each repository, by address."""
    server = GitServer(gateway_config(mre))
    return {repository_address(each.url): server.head(each.url) for each in mre.repositories}


def _relocked(file: File, mre: Mre) -> File:
    """Return a lock file with other files of its packages; its text stays as uv wrote it."""
    text = file.content.decode(errors="replace")
    indexes = {index.url.rstrip("/"): index for index in mre.indexes}
    head, *packages = text.split(PACKAGE)
    found = []
    for block in packages:
        registry, name = REGISTRY.search(block), NAME.search(block)
        index = indexes.get(registry["url"].rstrip("/")) if registry else None
        found.append(_use_synthetic(block, name["name"], index) if index and name else block)
    return replace(file, content=PACKAGE.join([head, *found]).encode())


def _use_synthetic(block: str, name: str, index: Index) -> str:
    """Replace the files of a locked package by those of the synthetic one; unchanged if the index lacks its version."""
    page = SyntheticIndex(index.packages, {}).page(normalize_name(name))
    version = VERSION.search(block)
    if page is None or version is None:
        return block
    url = f"{index.url.rstrip('/')}/{normalize_name(name)}/"
    parts = urlsplit(url)
    rendered = render_page(page, index, f"{parts.scheme}://{parts.netloc}")
    lines: dict[bool, list[str]] = {True: [], False: []}
    for original, file in zip(page.files, rendered.files, strict=True):
        known = parse_filename(file["filename"])
        if known and str(known[1]) == version["version"]:
            wheel = file["filename"].endswith(".whl")
            place = (WHEELS if wheel else SDIST).search(block)
            digest = WRONG if place and WRONG in place[0] else original["hashes"]["sha256"]
            link = urljoin(url, file["url"])
            lines[wheel].append(f'{{ url = "{link}", hash = "sha256:{digest}", size = {original["size"]} }}')
    if lines[False]:
        block = SDIST.sub(lambda _: f"sdist = {lines[False][0]}", block)
    if lines[True]:
        wheels = "".join(f"    {line},\n" for line in lines[True])
        block = WHEELS.sub(lambda _: f"wheels = [\n{wheels}]", block)
    return block


def _with_commits(mre: Mre, commits: Mapping[str, str]) -> Mre:
    """Replace the commits of the user's repositories, wherever they are named."""
    shas: dict[str, str] = {}
    for file in mre.files:
        text = file.content.decode(errors="replace")
        for match in COMMIT.finditer(text) if file.path.endswith(LOCK) else ():
            url = text[: match.start()].rpartition('"')[2].partition("?")[0]
            if sha := commits.get(repository_address(url)):
                shas[match["sha"]] = sha
    if not shas:
        return mre
    pattern = re.compile("|".join(map(re.escape, shas)))

    def replaced(text: str) -> str:
        return pattern.sub(lambda match: shas[match[0]], text)

    files = tuple(
        replace(file, content=replaced(file.content.decode()).encode()) if _is_text(file.content) else file
        for file in mre.files
    )
    return replace(mre, files=files, steps=tuple(replace(step, run=replaced(step.run)) for step in mre.steps))


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
