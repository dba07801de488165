"""From a request to its answer: the faults first, then who `hosts` says, from a `source`, as its registry gives it."""

import asyncio
from typing import TYPE_CHECKING

from uvmre.core.network import simple_page
from uvmre.core.network.index import Index
from uvmre.core.network.request import AnsweredBy, Network
from uvmre.errors import cause
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.http.exchange import (
    GZIP_MIN_SIZE,
    TEXT_PLAIN,
    Exchange,
    ReadyAnswer,
    Response,
    is_fresh,
    not_modified,
    without,
)
from uvmre.gateway.index import pypi_proxy
from uvmre.gateway.index.pypi import EMPTY, PAGE, PackageSource, ProjectPage, buffered, page_answer
from uvmre.gateway.index.pypi_proxy import FILES, PYPI, Location
from uvmre.gateway.index.registry_page import render_page, storage_url
from uvmre.gateway.recording.store import Recording
from uvmre.gateway.recording.upstream import NotRecorded, Upstream, UpstreamAnswer, UpstreamUnreachable, single_chunk
from uvmre.gateway.routing.faults import ConnectionCut, FaultInjector, MatchedFaults
from uvmre.gateway.routing.hosts import BODY_LIMIT, FileRoute, ForwardRoute, Hosts, PageRoute, nginx_answer

if TYPE_CHECKING:
    from uvmre.core.network.registries import RegistryProfile
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

BUFFER_LIMIT = 4 * 1024 * 1024
"""Bytes up to which an answer of the tape is given in one, and kept."""


class Responder:
    """Answers for one world; the doors share it."""

    def __init__(self, config: GatewayConfig, recording: Recording, network: Network) -> None:
        self._live = network == "live"
        self.hosts = Hosts(config, live=self._live)
        self._indexes = config.indexes
        upstream = Upstream(recording, network)
        made = [_synthetic_index(n, index, config) for n, index in enumerate(config.indexes)]
        others = {_files_url(n): synthetic for n, synthetic in enumerate(made) if synthetic}
        self._sources: dict[int | None, PackageSource] = {None: PackageSource(upstream, config.day, others=others)}
        for n, index in enumerate(config.indexes):
            self._sources[n] = PackageSource(upstream, config.day, made[n], index.synthetic, others)
            if index.url.startswith(PYPI):
                self._sources[None] = self._sources[n]

    async def answer(self, exchange: Exchange, faults: FaultInjector) -> ReadyAnswer | None:
        """Answer one request, and return the answer where it can be given again."""
        if faults and exchange.origin.startswith("http://") and (met := faults.meet_outage(exchange.host, "http")):
            await exchange.fail(met.reason, silent=met.faults[0][0].timeout)
            return None
        if not self.hosts.let_through(exchange.host):
            await exchange.refuse(403, "refused", f"{exchange.host} is not a host of this MRE")
            return None
        met = faults.meet(exchange.method, exchange.url) if faults else None
        if met:
            await asyncio.sleep(met.delay)
            if answer := met.answer:
                await exchange.whole(answer, "fault", met.reason)
                return None
        try:
            kept = await self._decided(exchange, met)
        except UpstreamUnreachable as error:
            await self._failed(exchange, 502, str(error))
        except NotRecorded as error:
            await self._failed(exchange, 504, str(error))
        except OSError as error:
            await self._failed(exchange, 502, f"{exchange.url} could not be passed on ({cause(error)})")
        except ConnectionCut:
            raise
        except Exception as error:  # an answer that only looks like one must never be judged
            await self._failed(exchange, 500, f"the gateway itself failed ({error!r})")
        else:
            return None if faults or self._live else kept
        return None

    async def _failed(self, exchange: Exchange, status: int, reason: str) -> None:
        if not await exchange.refuse(status, "unreachable", reason):
            raise ConnectionCut

    async def _decided(self, exchange: Exchange, met: MatchedFaults | None) -> ReadyAnswer | None:
        decision = self.hosts.decide(exchange.origin, exchange.host, exchange.path, exchange.authorization)
        if isinstance(decision, ForwardRoute):
            return await self._forward(decision, exchange, met)
        if isinstance(decision, Response):
            return await exchange.whole(decision, "stand-in", met.reason if met else "")
        behaviour = self._indexes[decision.number].profile
        if isinstance(decision, PageRoute):
            return await self._give(exchange, await self._listed(decision, exchange, behaviour), "stand-in", met)
        return await self._filed(decision, exchange, behaviour, met)

    async def _forward(
        self, forward: ForwardRoute, exchange: Exchange, met: MatchedFaults | None
    ) -> ReadyAnswer | None:
        """Ask the source and give its answer on; the public test index puts its own links into it."""
        location = forward.location
        if location and exchange.method == "TRACE":
            return await exchange.whole(nginx_answer(405, "Not Allowed"), "stand-in")
        if location and len(exchange.body) > BODY_LIMIT:
            refused = nginx_answer(413, "Request Entity Too Large", sized=location.links is None)
            return await exchange.whole(refused, "stand-in")
        # Plain, so that one recorded answer serves every client, and links can be replaced in it.
        dropped = {b"accept-encoding"} | ({b"authorization"} if location else set())
        headers = [*without(dropped, exchange.headers), (b"accept-encoding", b"identity")]
        source = self._sources[forward.number]
        async with source.ask(exchange.method, forward.url, headers, exchange.body) as answered:
            if location:
                answered = as_nginx(answered, forward, location, exchange)  # noqa: PLW2901 - the same answer, dressed
            return await self._give(exchange, answered, "stand-in" if location else "upstream", met, forward)

    async def _listed(self, listed: PageRoute, exchange: Exchange, behaviour: "RegistryProfile") -> UpstreamAnswer:
        """Return a project's page as its registry has it."""
        from uvmre.core.network import simple_formats

        index, source = self._indexes[listed.number], self._sources[listed.number]
        wants_json = behaviour.json and simple_page.accepts_json(exchange.named.get(b"accept", b"").decode("latin-1"))
        if not listed.project:
            return page_answer(
                simple_formats.listing(source.projects, as_json=wants_json), ProjectPage(EMPTY), as_json=wants_json
            )
        found = await source.page(listed.project)
        if isinstance(found, UpstreamAnswer):
            if found.status != 404:
                return found
            if behaviour.elsewhere:
                there = behaviour.elsewhere.format(project=listed.project).encode()
                return buffered(302, b"", [(b"location", there)])
            if not behaviour.empty:
                return buffered(behaviour.missing, b"", [TEXT_PLAIN])
            found = ProjectPage(simple_page.Page({**EMPTY.data, "name": listed.project}))
        page = render_page(found.page, index, exchange.origin)
        html = simple_formats.as_html(page, behaviour.attributes, dated=behaviour.uploaded_in_html)
        answered = page_answer(simple_formats.as_json(page) if wants_json else html, found, as_json=wants_json)
        if wants_json:
            return answered
        return answered._replace(headers=[(b"content-type", behaviour.form.encode()), *answered.headers[1:]])

    async def _filed(
        self, filed: FileRoute, exchange: Exchange, behaviour: "RegistryProfile", met: MatchedFaults | None
    ) -> ReadyAnswer | None:
        """Give a file as its registry does: from its storage, in parts, or not at all."""
        index, source = self._indexes[filed.number], self._sources[filed.number]
        name = filed.filename.removesuffix(".metadata")
        known = simple_page.parse_filename(name)
        found = await source.page(known[0]) if known else None
        file = (
            next((f for f in found.page.files if f["filename"] == name), None)
            if isinstance(found, ProjectPage)
            else None
        )
        if file is None or (name != filed.filename and not behaviour.metadata):
            missing = buffered(behaviour.missing, b"", [TEXT_PLAIN])
            return await self._give(exchange, missing, "stand-in", met)
        if not filed.stored and exchange.method == "HEAD" and behaviour.head != 200:
            refused = Response(behaviour.head, (TEXT_PLAIN, (b"allow", b"GET")), b"")
            return await exchange.whole(refused, "stand-in", met.reason if met else "")
        if not filed.stored and behaviour.storage:
            there = Response(
                behaviour.storage_status, ((b"location", storage_url(file, index, filed.number).encode()),), b""
            )
            return await exchange.whole(there, "stand-in", met.reason if met else "")
        dropped = {b"accept-encoding", b"authorization"} | (set() if behaviour.ranges else {b"range", b"if-range"})
        headers = [*without(dropped, exchange.headers), (b"accept-encoding", b"identity")]
        url = file["url"] + filed.filename.removeprefix(name)
        async with source.ask(exchange.method, url, headers) as answered:
            kept = without({b"accept-ranges"}, answered.headers)
            says = [(b"accept-ranges", b"bytes")] if behaviour.says_ranges else []
            return await self._give(exchange, answered._replace(headers=[*kept, *says]), "stand-in", met)

    async def _give(
        self,
        exchange: Exchange,
        answered: UpstreamAnswer,
        by: AnsweredBy,
        met: MatchedFaults | None,
        forward: ForwardRoute | None = None,
    ) -> ReadyAnswer | None:
        """Give an answer: in one where it is a page or small and there already, else piece by piece."""
        note = "; ".join(filter(None, (answered.note, met.reason if met else "")))
        by = "stand-in" if answered.made else by
        location = forward.location if forward else None
        rewritten = location is not None and pypi_proxy.rewrites(location)
        if forward and location and rewritten:
            answered = await _rewrite(answered, forward, location)
        changed = bool(met and met.changes and exchange.method != "HEAD")  # which has no body to befall
        if met and changed:
            answered = met.changed(answered)
        named = dict(answered.headers)
        page = rewritten or (PAGE.match(forward.url.partition("?")[0]) is not None if forward else b"etag" in named)
        length = named.get(b"content-length", b"")
        small = page or (answered.replayed and length.isdigit() and int(length) <= BUFFER_LIMIT)
        known = not_modified(Response(answered.status, tuple(answered.headers), b""), exchange.method, exchange.named)
        if known.status == 304:
            return await exchange.whole(known, by, note, replayed=answered.replayed)
        if not small or (exchange.method == "HEAD" and not rewritten) or changed:
            kept = without({b"content-length"} if rewritten else (), answered.headers)
            await exchange.start(answered.status, kept, by, note, replayed=answered.replayed)
            await exchange.stream(answered.chunks)
            return None
        body = await answered.whole()
        headers = tuple(without({b"content-length"}, answered.headers))
        zips_from = GZIP_MIN_SIZE if forward and page else None  # what is passed on as it is, PyPI compresses
        if rewritten:
            form = named.get(b"content-type", b"")
            zips_from = 0 if pypi_proxy.compresses(answered.status, form, old=exchange.old) else None
        answer = Response(answered.status, headers, body, sized=not rewritten, zips_from=zips_from)
        given = await exchange.whole(answer, by, note, replayed=answered.replayed)
        return given if len(body) <= BUFFER_LIMIT else None


def _files_url(n: int) -> str:
    """Return where pages say that the made-up files of an index are: each its own, for two may have one name."""
    return f"{FILES}packages/made/up/{n}"


def _synthetic_index(n: int, index: Index, config: GatewayConfig) -> "SyntheticIndex | None":
    """Return the made-up packages of an index; where it has none, and no PyPI either, that is a universe as well."""
    if not index.packages and index.synthetic != "replace":
        return None
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

    end = simple_page.end_of_day(config.day) if config.day else None
    there = (made for made in index.packages if not end or not made.uploaded or made.uploaded < end)
    return SyntheticIndex(tuple(there), config.files, _files_url(n))


async def _rewrite(answered: UpstreamAnswer, forward: ForwardRoute, location: Location) -> UpstreamAnswer:
    """Return an answer with the links of its location; its length is another, and so nobody's to tell."""
    content_type = dict(answered.headers).get(b"content-type", b"")
    body = pypi_proxy.rewrite_body(await answered.whole(), content_type, location, forward.links)
    return answered._replace(headers=without({b"content-length"}, answered.headers), chunks=single_chunk(body))


def as_nginx(answered: UpstreamAnswer, forward: ForwardRoute, location: Location, exchange: Exchange) -> UpstreamAnswer:
    """Return an answer with the headers that nginx leaves: where it replaces, it no longer knows tag and date."""
    asks = answered.status == 200 and exchange.method in ("GET", "HEAD")
    if asks and is_fresh(answered.headers, exchange.named):  # PyPI would say so, before anything is replaced
        left = without({b"content-type", b"content-length", b"accept-ranges"}, answered.headers)
        answered = answered._replace(status=304, headers=left, chunks=single_chunk(b""))
    gone = {b"etag", b"last-modified"} if location.links else set()
    headers = without(gone, answered.headers)
    told = dict(headers).get(b"location", b"").decode("latin-1")
    if told.startswith(location.upstream):
        here = f"{forward.origin}{location.prefix}{told.removeprefix(location.upstream)}".encode("latin-1")
        headers = [*without({b"location"}, headers), (b"location", here)]
    return answered._replace(headers=headers)
