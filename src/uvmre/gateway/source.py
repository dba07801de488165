"""PyPI as an index of the MRE sees it: up to the end of a day, with made-up packages before, beside or instead of it.

The calendar holds for every release of uv, whatever options it knows: pages are cut off, and a file that came later is
not there. PyPI says when a file came in JSON only, so pages are asked for as JSON and written as the client wants.
"""

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from uvmre.core import pages
from uvmre.core.index import Universe as Where
from uvmre.gateway.public import FILES, PYPI
from uvmre.gateway.tape import Headers
from uvmre.gateway.upstream import Answered, Upstream, in_one

if TYPE_CHECKING:
    from uvmre.gateway.universe import Universe

PAGE = re.compile(rf"{re.escape(PYPI)}simple/([^/?]+)/?\Z")
ROOT = f"{PYPI}simple/"
ASKED: Headers = [(b"accept", pages.ACCEPT.encode()), (b"accept-encoding", b"identity")]
# What PyPI tells caches of its pages.
CACHED = (b"cache-control", b"max-age=600, public")


class Source:
    """Answers for PyPI's pages and files."""

    def __init__(
        self,
        upstream: Upstream,
        day: date | None = None,
        universe: "Universe | None" = None,
        where: Where = "in front",
        others: "Sequence[Universe]" = (),
    ) -> None:
        """Make ready.

        Args:
            upstream: PyPI itself.
            day: the day at whose end PyPI is seen.
            universe: the made-up packages.
            where: where these stand.
            others: those of every index; a file is served under PyPI's address whichever of them has it.
        """
        self._upstream, self._day = upstream, day
        self._universe, self._where = universe, where
        self._others = others
        self._came: dict[str, datetime | None] = {}

    @property
    def projects(self) -> list[str]:
        """Return the projects that are made up: nobody wants PyPI's half a million from here."""
        return self._universe.projects() if self._universe else []

    @contextlib.asynccontextmanager
    async def ask(self, method: str, url: str, headers: Headers, body: bytes = b"") -> AsyncIterator[Answered]:
        """Ask for `url` as upstream would be asked."""
        if method in ("GET", "HEAD") and (answered := await self._own(url, dict(headers).get(b"accept", b""))):
            yield answered
            return
        async with self._upstream.ask(method, url, headers, body) as answered:
            yield answered

    async def _own(self, url: str, accept: bytes) -> Answered | None:
        """Answer for a page or a file that is other than PyPI's; None where PyPI's is as good."""
        if match := PAGE.match(url):
            if self._day or self._universe:
                return await self._written(match[1], url, accept.decode("latin-1"))
            return None
        filename = url.partition("?")[0].rpartition("/")[2]
        if url.startswith(FILES):
            for universe in self._others:
                if (content := universe.file(filename)) is not None:
                    return whole(200, content, [(b"content-type", b"application/octet-stream")])
            if self._day and (why := await self._too_new(url)):
                return whole(404, f"uvmre: {why}\n".encode(), [(b"content-type", b"text/plain")], why)
        if self._universe and self._where == "instead":
            if url.rstrip("/") == ROOT.rstrip("/"):
                wants_json = pages.wants_json(accept.decode("latin-1"))
                return rendered(pages.listing(self._universe.projects(), as_json=wants_json), wants_json)
            return whole(404, b"404 Not Found\n", [(b"content-type", b"text/plain")])
        return None

    async def _written(self, project: str, url: str, accept: str) -> Answered:
        found = await self.page(project, url)
        if isinstance(found, Answered):
            return found
        page, taped, note = found
        wants_json = pages.wants_json(accept)
        return rendered(pages.as_json(page) if wants_json else pages.as_html(page), wants_json, taped, note)

    async def page(self, project: str, url: str = "") -> Answered | tuple[pages.Page, bool, str]:
        """Return a project's page, whether it came from the tape, and what is to be noted; or why there is none.

        Args:
            project: its name, as the client writes it.
            url: its address at PyPI, where the client's own is to be kept.
        """
        made = self._universe.page(project) if self._universe else None
        if self._universe and self._where != "beside" and (made or self._where == "instead"):
            return (made, True, "") if made else whole(404, b"404 Not Found\n", [(b"content-type", b"text/plain")])
        url = url or f"{ROOT}{project}/"
        async with self._upstream.ask("GET", url, ASKED) as answered:
            body, told = await answered.whole(), dict(answered.headers)
        page = (
            self._read(url, told.get(b"content-type", b"").decode("latin-1"), body) if answered.status == 200 else None
        )
        if page is None:
            if made:
                return made, answered.taped, ""
            note = "" if answered.status != 200 else "the page could not be read, and so not be cut off at its day"
            return whole(answered.status, body, answered.headers, note, taped=answered.taped)
        kept = pages.cut(page, self._day) if self._day else page
        undated = sum(pages.uploaded(file) is None for file in kept.files) if self._day else 0
        note = f"{undated} files were kept that say no upload time" if undated else ""
        return (pages.joined(made, kept) if made else kept), answered.taped, note

    async def _too_new(self, url: str) -> str:
        """Return why a file is not there yet on that day; empty when it is, or when nobody knows when it came."""
        assert self._day is not None
        address = url.partition("?")[0].removesuffix(".metadata")
        if address not in self._came and (known := pages.named(address.rpartition("/")[2])):
            await self.page(known[0])
        came = self._came.get(address)
        if came is None or came < pages.end_of(self._day):
            return ""
        return f"it came on {came:%Y-%m-%d}, after {self._day}"

    def _read(self, url: str, content_type: str, body: bytes) -> pages.Page | None:
        try:
            page = pages.read(content_type, body.decode(), url)
        except ValueError:
            return None
        if self._day:
            self._came |= {file["url"]: pages.uploaded(file) for file in page.files}
        return page


def rendered(text: str, as_json: bool, taped: bool = True, note: str = "") -> Answered:
    """Return a page as an answer; it has the tag of its own bytes, since it is not PyPI's."""
    body = text.encode()
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'.encode()
    form = pages.JSON if as_json else pages.HTML
    return whole(200, body, [(b"content-type", form.encode()), (b"etag", etag), CACHED], note, taped=taped)


def whole(status: int, body: bytes, headers: Headers, note: str = "", *, taped: bool = True) -> Answered:
    """Return an answer that is there already."""
    return Answered(status, headers, in_one(body), taped, note)
