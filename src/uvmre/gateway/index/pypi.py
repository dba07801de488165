"""PyPI as an index of the MRE sees it: up to the end of a day, with made-up packages before, beside or instead of it.

The calendar holds for every release of uv, whatever options it knows: pages are cut off, and a file that came later is
not there. PyPI says when a file came in JSON only, so pages are asked for as JSON and written as the client wants.
"""

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from uvmre.core.network import simple_page
from uvmre.core.network.index import Synthetic as Where
from uvmre.gateway.http.messages import Headers
from uvmre.gateway.index.pypi_proxy import FILES, PYPI
from uvmre.gateway.recording.upstream import Upstream, UpstreamAnswer, parse_range, range_headers, single_chunk

if TYPE_CHECKING:
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

PAGE = re.compile(rf"{re.escape(PYPI)}simple/([^/?]+)/?\Z")
ROOT = f"{PYPI}simple/"
REQUEST_HEADERS: Headers = [(b"accept", simple_page.ACCEPT.encode()), (b"accept-encoding", b"identity")]
# What PyPI tells caches of its pages.
CACHE_CONTROL = (b"cache-control", b"max-age=600, public")


TIMELESS = frozenset({"uv", "uv-build"})
"""uv's own releases: the run chooses them, not the calendar, and one asks for the backend of its own version."""
EMPTY = simple_page.Page({"meta": {"api-version": "1.1"}, "name": "", "files": []})
PLAIN = (b"content-type", b"text/plain")


class ProjectPage(NamedTuple):
    """A project's page."""

    page: simple_page.Page
    replayed: bool = False
    note: str = ""
    made: bool = False
    """Whether it is made up from its first line to its last."""


class PackageSource:
    """Answers for PyPI's pages and files."""

    def __init__(
        self,
        upstream: Upstream,
        day: date | None = None,
        synthetic: "SyntheticIndex | None" = None,
        where: Where = "override",
        others: "Mapping[str, SyntheticIndex] | None" = None,
    ) -> None:
        """Make ready.

        Args:
            upstream: PyPI itself.
            day: the day at whose end PyPI is seen.
            synthetic: the made-up packages.
            where: where these stand.
            others: those of every index, by the address of their files, which lie at PyPI's file host.
        """
        self._upstream, self._day = upstream, day
        self._universe, self._where = synthetic, where
        self._others = others or {}
        self._came: dict[str, datetime | None] = {}

    @property
    def projects(self) -> list[str]:
        """Return the projects that are made up: nobody wants PyPI's half a million from here."""
        return self._universe.projects() if self._universe else []

    @contextlib.asynccontextmanager
    async def ask(self, method: str, url: str, headers: Headers, body: bytes = b"") -> AsyncIterator[UpstreamAnswer]:
        """Ask for `url` as upstream would be asked."""
        if method in ("GET", "HEAD") and (answered := await self._own(url, dict(headers))):
            yield answered
            return
        async with self._upstream.ask(method, url, headers, body) as answered:
            yield answered

    async def _own(self, url: str, asked: dict[bytes, bytes]) -> UpstreamAnswer | None:
        """Answer for a page or a file that is other than PyPI's; None where PyPI's is as good."""
        accept = asked.get(b"accept", b"").decode("latin-1")
        address = url.partition("?")[0]
        if match := PAGE.match(address):
            if self._day or self._universe:
                return await self._written(match[1], url, accept)
            return None
        filename = unquote(address.rpartition("/")[2])
        if url.startswith(FILES):
            for where, synthetic in self._others.items():
                if url.startswith(f"{where}/"):
                    content = synthetic.file(filename)
                    return synthetic_404() if content is None else synthetic_file(content, asked.get(b"range", b""))
            if self._day and (why := await self._too_new(url)):
                return buffered(404, f"uvmre: {why}\n".encode(), [PLAIN], why)
        if self._universe and self._where == "replace" and url.startswith((PYPI, FILES)):
            if address.rstrip("/") == ROOT.rstrip("/"):
                wants_json = simple_page.accepts_json(accept)
                from uvmre.core.network import simple_formats

                text = simple_formats.listing(self._universe.projects(), as_json=wants_json)
                return page_answer(text, ProjectPage(EMPTY, made=True), as_json=wants_json)
            return synthetic_404()
        return None

    async def _written(self, project: str, url: str, accept: str) -> UpstreamAnswer:
        found = await self.page(project, url)
        if isinstance(found, UpstreamAnswer):
            return found
        from uvmre.core.network import simple_formats

        wants_json = simple_page.accepts_json(accept)
        text = simple_formats.as_json(found.page) if wants_json else simple_formats.as_html(found.page)
        return page_answer(text, found, as_json=wants_json)

    async def page(self, project: str, url: str = "") -> "UpstreamAnswer | ProjectPage":
        """Return a project's page, or why there is none.

        Args:
            project: its name, as the client writes it.
            url: its address at PyPI, where the client's own is to be kept.
        """
        made = self._universe.page(project) if self._universe else None
        if self._universe and self._where != "merge" and (made or self._where == "replace"):
            return ProjectPage(made, made=True) if made else synthetic_404()
        url = url or f"{ROOT}{project}/"
        async with self._upstream.ask("GET", url, REQUEST_HEADERS) as answered:
            body, told = await answered.whole(), dict(answered.headers)
        page = (
            self._read(url, told.get(b"content-type", b"").decode("latin-1"), body) if answered.status == 200 else None
        )
        if page is None:
            if made and answered.status in (404, 410):
                return ProjectPage(made, answered.replayed, made=True)
            note = "" if answered.status != 200 else "the page could not be read, and so not be cut off at its day"
            return buffered(answered.status, body, answered.headers, note, replayed=answered.replayed)
        day = None if re.sub(r"[-_.]+", "-", project).lower() in TIMELESS else self._day
        kept = simple_page.apply_cutoff(page, day) if day else page
        undated = sum(simple_page.upload_time(file) is None for file in kept.files) if day else 0
        note = f"{undated} files were kept that say no upload time" if undated else ""
        return ProjectPage(simple_page.merge_pages(made, kept) if made else kept, answered.replayed, note)

    async def _too_new(self, url: str) -> str:
        """Return why a file is not there yet on that day; empty when it is, or when nobody knows when it came."""
        assert self._day is not None
        address = url.partition("?")[0].removesuffix(".metadata")
        known = simple_page.parse_filename(address.rpartition("/")[2])
        if known and known[0] in TIMELESS:
            return ""
        if address not in self._came and known:
            await self.page(known[0])
        came = self._came.get(address)
        if came is None or came < simple_page.end_of_day(self._day):
            return ""
        return f"it came on {came:%Y-%m-%d}, after {self._day}"

    def _read(self, url: str, content_type: str, body: bytes) -> simple_page.Page | None:
        from uvmre.core.network import simple_formats

        try:
            page = simple_formats.parse_page(content_type, body.decode(), url)
        except ValueError:
            return None
        if self._day:
            self._came |= {file["url"]: simple_page.upload_time(file) for file in page.files}
        return page


def page_answer(text: str, found: ProjectPage, *, as_json: bool) -> UpstreamAnswer:
    """Return a page as an answer; it has the tag of its own bytes, since it is not PyPI's."""
    import hashlib

    body = text.encode()
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'.encode()
    form = simple_page.JSON if as_json else simple_page.HTML
    headers = [(b"content-type", form.encode()), (b"etag", etag), CACHE_CONTROL]
    return buffered(200, body, headers, found.note, replayed=found.replayed, made=found.made)


def synthetic_file(content: bytes, wanted: bytes) -> UpstreamAnswer:
    """Return a made-up file, or the part of it that a Range header wants."""
    span = parse_range(wanted, len(content)) or (0, len(content))
    status, told = (
        range_headers(span, len(content)) if parse_range(wanted, len(content)) else (200, [content_length(content)])
    )
    headers = [(b"content-type", b"application/octet-stream"), (b"accept-ranges", b"bytes"), *told]
    return buffered(status, content[slice(*span)], headers, made=True)


def synthetic_404() -> UpstreamAnswer:
    """Return that there is no such thing among what is made up."""
    return buffered(404, b"404 Not Found\n", [PLAIN], made=True)


def content_length(content: bytes) -> tuple[bytes, bytes]:
    """Return the header that tells the length of a body."""
    return (b"content-length", b"%d" % len(content))


def buffered(
    status: int, body: bytes, headers: Headers, note: str = "", *, replayed: bool = False, made: bool = False
) -> UpstreamAnswer:
    """Return an answer that is there already."""
    return UpstreamAnswer(status, headers, single_chunk(body), replayed, note, made)
