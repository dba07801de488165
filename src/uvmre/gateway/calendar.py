"""The calendar: PyPI as it was at the end of a day, for every release of uv, whatever options it knows.

Index pages are cut off at that day, and a file that came later is not there. PyPI says when a file came in JSON only,
so pages are asked for as JSON and written in the form that the client wants.
"""

import re
from datetime import date, datetime

from uvmre.core import pages
from uvmre.gateway import index
from uvmre.gateway.tape import Headers
from uvmre.gateway.upstream import Answered, Upstream, in_one

PAGE = re.compile(rf"{re.escape(index.PYPI)}simple/[^/?]+/?\Z")
ASKED: Headers = [(b"accept", pages.ACCEPT.encode()), (b"accept-encoding", b"identity")]


class Calendar:
    """Answers for PyPI's pages and files as of one day."""

    def __init__(self, day: date, upstream: Upstream) -> None:
        self._day = day
        self._upstream = upstream
        self._came: dict[str, datetime | None] = {}

    def covers(self, method: str, url: str) -> bool:
        """Tell whether a request is for a project's page."""
        return method in ("GET", "HEAD") and bool(PAGE.match(url))

    async def page(self, url: str, accept: str) -> tuple[Answered, str]:
        """Return a project's page as it was, in the form that the client accepts, and what is to be noted of it."""
        async with self._upstream.ask("GET", url, ASKED, b"") as answered:
            body, headers = await answered.whole(), dict(answered.headers)
            page = self._read(url, headers.get(b"content-type", b"").decode("latin-1"), body)
            if answered.status != 200 or page is None:
                note = "" if answered.status != 200 else "the page could not be read, and so not be cut off at its day"
                return Answered(answered.status, answered.headers, in_one(body), answered.taped), note
        kept = pages.cut(page, self._day)
        wants_json = pages.JSON in accept or "vnd.pypi.simple.latest+json" in accept
        written = pages.as_json(kept) if wants_json else pages.as_html(kept)
        form = pages.JSON if wants_json else pages.HTML
        undated = sum(pages.uploaded(file) is None for file in kept.files)
        note = f"{undated} files were kept that say no upload time" if undated else ""
        return Answered(200, [(b"content-type", form.encode())], in_one(written.encode()), answered.taped), note

    async def too_new(self, url: str) -> str:
        """Return why a file is not there yet on that day; empty when it is, or when nobody knows when it came."""
        address = url.partition("?")[0].removesuffix(".metadata")
        if not address.startswith(index.FILES):
            return ""
        if address not in self._came and (known := pages.named(address.rpartition("/")[2])):
            await self.page(f"{index.PYPI}simple/{known[0]}/", pages.JSON)
        came = self._came.get(address)
        if came is None or came < pages.end_of(self._day):
            return ""
        return f"it came on {came:%Y-%m-%d}, after {self._day}"

    def _read(self, url: str, content_type: str, body: bytes) -> pages.Page | None:
        try:
            page = pages.read(content_type, body.decode(), url)
        except ValueError:
            return None
        self._came |= {file["url"]: pages.uploaded(file) for file in page.files}
        return page
