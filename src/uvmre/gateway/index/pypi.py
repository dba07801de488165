"""PyPI as an index of the MRE: up to the cutoff date, overridden by, merged with or replaced by synthetic packages.

The cutoff date holds for every release of uv, whatever options it knows: later files are left out of the pages, and do
not exist. PyPI has upload times in JSON only, so pages are requested as JSON and written as the client accepts them.
"""

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from uvmre.core.network import simple_page
from uvmre.core.network.index import Synthetic as Layering
from uvmre.gateway.http.exchange import TEXT_PLAIN
from uvmre.gateway.http.messages import Headers
from uvmre.gateway.index.pypi_proxy import FILES, PYPI
from uvmre.gateway.recording.upstream import Upstream, UpstreamAnswer, parse_range, range_headers, single_chunk

if TYPE_CHECKING:
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

PAGE = re.compile(rf"{re.escape(PYPI)}simple/([^/?]+)/?\Z")
ROOT = f"{PYPI}simple/"
REQUEST_HEADERS: Headers = [(b"accept", simple_page.ACCEPT.encode()), (b"accept-encoding", b"identity")]
CACHE_CONTROL = (b"cache-control", b"max-age=600, public")
"""As PyPI sends it with its pages."""
TIMELESS = frozenset({"uv", "uv-build"})
"""uv's own releases are chosen by the run, not by the cutoff date, and uv requires the build backend of its version."""
EMPTY = simple_page.Page({"meta": {"api-version": "1.1"}, "name": "", "files": []})


class ProjectPage(NamedTuple):
    """A project's page."""

    page: simple_page.Page
    replayed: bool = False
    note: str = ""
    synthetic: bool = False
    """Whether nothing of it comes from PyPI."""


class PackageSource:
    """Answers for PyPI's pages and files."""

    def __init__(
        self,
        upstream: Upstream,
        cutoff: date | None = None,
        synthetic: "SyntheticIndex | None" = None,
        layering: Layering = "override",
        others: "Mapping[str, SyntheticIndex] | None" = None,
    ) -> None:
        """Prepare; `others` are the synthetic packages of all indexes, by the base URL of their files."""
        self._upstream, self._cutoff = upstream, cutoff
        self._synthetic, self._layering = synthetic, layering
        self._others = others or {}
        self._uploaded: dict[str, datetime | None] = {}

    @property
    def projects(self) -> list[str]:
        """Return the synthetic projects; a list of PyPI's half a million is of no use."""
        return self._synthetic.projects() if self._synthetic else []

    @contextlib.asynccontextmanager
    async def request(
        self, method: str, url: str, headers: Headers, body: bytes = b""
    ) -> AsyncIterator[UpstreamAnswer]:
        """Request `url`, with the cutoff date and the synthetic packages applied."""
        if method in ("GET", "HEAD") and (answer := await self._answer(url, dict(headers))):
            yield answer
            return
        async with self._upstream.request(method, url, headers, body) as answer:
            yield answer

    async def _answer(self, url: str, fields: dict[bytes, bytes]) -> UpstreamAnswer | None:
        """Answer for a page or a file that differs from PyPI's; None where PyPI answers."""
        wants_json = simple_page.accepts_json(fields.get(b"accept", b"").decode("latin-1"))
        address = url.partition("?")[0]
        if match := PAGE.match(address):
            if not self._cutoff and not self._synthetic:
                return None
            found = await self.page(match[1], url)
            if isinstance(found, UpstreamAnswer):
                return found
            from uvmre.core.network import simple_formats

            text = simple_formats.as_json(found.page) if wants_json else simple_formats.as_html(found.page)
            return page_answer(text, found, as_json=wants_json)
        filename = unquote(address.rpartition("/")[2])
        if url.startswith(FILES):
            for files_url, synthetic in self._others.items():
                if url.startswith(f"{files_url}/"):
                    content = synthetic.file(filename)
                    return not_found() if content is None else file_answer(content, fields.get(b"range", b""))
            if self._cutoff and (reason := await self._too_new(url, self._cutoff)):
                return buffered(404, f"uvmre: {reason}\n".encode(), [TEXT_PLAIN], reason)
        if self._synthetic and self._layering == "replace" and url.startswith((PYPI, FILES)):
            if address.rstrip("/") == ROOT.rstrip("/"):
                from uvmre.core.network import simple_formats

                text = simple_formats.listing(self._synthetic.projects(), as_json=wants_json)
                return page_answer(text, ProjectPage(EMPTY, synthetic=True), as_json=wants_json)
            return not_found()
        return None

    async def page(self, project: str, url: str = "") -> "UpstreamAnswer | ProjectPage":
        """Return a project's page, or the response where there is none; `url` is the client's own for it."""
        synthetic = self._synthetic.page(project) if self._synthetic else None
        if self._synthetic and self._layering != "merge" and (synthetic or self._layering == "replace"):
            return ProjectPage(synthetic, synthetic=True) if synthetic else not_found()
        url = url or f"{ROOT}{project}/"
        async with self._upstream.request("GET", url, REQUEST_HEADERS) as answer:
            body, content_type = await answer.read_body(), dict(answer.headers).get(b"content-type", b"")
        page = self._parse(url, content_type.decode("latin-1"), body) if answer.status == 200 else None
        if page is None:
            if synthetic and answer.status in (404, 410):
                return ProjectPage(synthetic, answer.replayed, synthetic=True)
            note = "" if answer.status != 200 else "the page is invalid, so the cutoff date is not applied"
            return buffered(answer.status, body, answer.headers, note, replayed=answer.replayed)
        cutoff = None if simple_page.normalize_name(project) in TIMELESS else self._cutoff
        kept = simple_page.apply_cutoff(page, cutoff) if cutoff else page
        undated = sum(simple_page.upload_time(file) is None for file in kept.files) if cutoff else 0
        note = f"{undated} files without an upload time are kept" if undated else ""
        times = (simple_page.upload_time(file) for file in page.files) if self._cutoff and not cutoff else ()
        if self._cutoff and any(each and each >= simple_page.cutoff_time(self._cutoff) for each in times):
            note = f"files after the cutoff date are kept: the release of uv decides which {project} it needs"
        return ProjectPage(simple_page.merge_pages(synthetic, kept) if synthetic else kept, answer.replayed, note)

    async def _too_new(self, url: str, cutoff: date) -> str:
        """Return why a file does not exist yet; empty where it does, or its upload time is not known."""
        address = url.partition("?")[0].removesuffix(".metadata")
        known = simple_page.parse_filename(address.rpartition("/")[2])
        if known and known[0] in TIMELESS:
            return ""
        if address not in self._uploaded and known:
            await self.page(known[0])
        uploaded = self._uploaded.get(address)
        if uploaded is None or uploaded < simple_page.cutoff_time(cutoff):
            return ""
        return f"it was uploaded on {uploaded:%Y-%m-%d}, after {cutoff}"

    def _parse(self, url: str, content_type: str, body: bytes) -> simple_page.Page | None:
        from uvmre.core.network import simple_formats

        try:
            page = simple_formats.parse_page(content_type, body.decode(), url)
        except ValueError:
            return None
        if self._cutoff:
            self._uploaded |= {file["url"]: simple_page.upload_time(file) for file in page.files}
        return page


def page_answer(text: str, source: ProjectPage, *, as_json: bool) -> UpstreamAnswer:
    """Return a page as a response; its tag is of its own bytes, which are not PyPI's."""
    import hashlib

    body = text.encode()
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'.encode()
    content_type = simple_page.JSON if as_json else simple_page.HTML
    headers = [(b"content-type", content_type.encode()), (b"etag", etag), CACHE_CONTROL]
    return buffered(200, body, headers, source.note, replayed=source.replayed, synthetic=source.synthetic)


def file_answer(content: bytes, range_header: bytes) -> UpstreamAnswer:
    """Return a synthetic file, or the range of it that is asked for."""
    status, sizes = 200, [(b"content-length", b"%d" % len(content))]
    if span := parse_range(range_header, len(content)):
        status, sizes = range_headers(span, len(content))
        content = content[slice(*span)]
    headers = [(b"content-type", b"application/octet-stream"), (b"accept-ranges", b"bytes"), *sizes]
    return buffered(status, content, headers, synthetic=True)


def not_found() -> UpstreamAnswer:
    """Return the 404 for what is not among the synthetic packages."""
    return buffered(404, b"404 Not Found\n", [TEXT_PLAIN], synthetic=True)


def buffered(
    status: int, body: bytes, headers: Headers, note: str = "", *, replayed: bool = False, synthetic: bool = False
) -> UpstreamAnswer:
    """Return a response that is in memory already."""
    return UpstreamAnswer(status, headers, single_chunk(body), replayed, note, synthetic)
