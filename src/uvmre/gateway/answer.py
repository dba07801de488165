"""From a request to its answer: the faults first, then who `hosts` says, from a `source`, as its registry gives it."""

import asyncio
from typing import TYPE_CHECKING

from uvmre.core import pages
from uvmre.core.index import Index
from uvmre.core.request import AnsweredBy, Network
from uvmre.errors import cause
from uvmre.gateway import public
from uvmre.gateway.dress import dressed, located
from uvmre.gateway.exchange import GZIP_LEAST, PLAIN, Answer, Exchange, Kept, is_newest, matched, without
from uvmre.gateway.faults import Cut, Faults, Met
from uvmre.gateway.hosts import BODY_LIMIT, Filed, Forward, Hosts, Listed, own
from uvmre.gateway.public import FILES, PYPI, Location
from uvmre.gateway.source import EMPTY, PAGE, Found, Source, rendered, whole
from uvmre.gateway.tape import Tape
from uvmre.gateway.upstream import Answered, NotOnTape, NotReached, Upstream, in_one
from uvmre.gateway.world import World

if TYPE_CHECKING:
    from uvmre.core.personality import Personality
    from uvmre.gateway.universe import Universe

WHOLE = 4 * 1024 * 1024
"""Bytes up to which an answer of the tape is given in one, and kept."""


class Answering:
    """Answers for one world; the doors share it."""

    def __init__(self, world: World, tape: Tape, network: Network) -> None:
        self._live = network == "live"
        self.hosts = Hosts(world, live=self._live)
        self._indexes = world.indexes
        upstream = Upstream(tape, network)
        made = [_universe(n, index, world) for n, index in enumerate(world.indexes)]
        others = {_where(n): universe for n, universe in enumerate(made) if universe}
        self._sources: dict[int | None, Source] = {None: Source(upstream, world.day, others=others)}
        for n, index in enumerate(world.indexes):
            self._sources[n] = Source(upstream, world.day, made[n], index.universe, others)
            if index.url.startswith(PYPI):
                self._sources[None] = self._sources[n]

    async def answer(self, exchange: Exchange, faults: Faults) -> Kept | None:
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
        except NotReached as error:
            await self._failed(exchange, 502, str(error))
        except NotOnTape as error:
            await self._failed(exchange, 504, str(error))
        except OSError as error:
            await self._failed(exchange, 502, f"{exchange.url} could not be passed on ({cause(error)})")
        except Cut:
            raise
        except Exception as error:  # an answer that only looks like one must never be judged
            await self._failed(exchange, 500, f"the gateway itself failed ({error!r})")
        else:
            return None if faults or self._live else kept
        return None

    async def _failed(self, exchange: Exchange, status: int, reason: str) -> None:
        if not await exchange.refuse(status, "unreachable", reason):
            raise Cut

    async def _decided(self, exchange: Exchange, met: Met | None) -> Kept | None:
        decision = self.hosts.decide(exchange.origin, exchange.host, exchange.path, exchange.authorization)
        if isinstance(decision, Forward):
            return await self._forward(decision, exchange, met)
        if isinstance(decision, Answer):
            return await exchange.whole(decision, "stand-in", met.reason if met else "")
        behaviour = self._indexes[decision.number].behaviour
        if isinstance(decision, Listed):
            return await self._give(exchange, await self._listed(decision, exchange, behaviour), "stand-in", met)
        return await self._filed(decision, exchange, behaviour, met)

    async def _forward(self, forward: Forward, exchange: Exchange, met: Met | None) -> Kept | None:
        """Ask the source and give its answer on; the public test index puts its own links into it."""
        location = forward.location
        if location and exchange.method == "TRACE":
            return await exchange.whole(own(405, "Not Allowed"), "stand-in")
        if location and len(exchange.body) > BODY_LIMIT:
            refused = own(413, "Request Entity Too Large", sized=location.links is None)
            return await exchange.whole(refused, "stand-in")
        # Plain, so that one recorded answer serves every client, and links can be replaced in it.
        dropped = {b"accept-encoding"} | ({b"authorization"} if location else set())
        headers = [*without(dropped, exchange.headers), (b"accept-encoding", b"identity")]
        source = self._sources[forward.number]
        async with source.ask(exchange.method, forward.url, headers, exchange.body) as answered:
            if location:
                answered = nginx(answered, forward, location, exchange)  # noqa: PLW2901 - the same answer, dressed
            return await self._give(exchange, answered, "stand-in" if location else "upstream", met, forward)

    async def _listed(self, listed: Listed, exchange: Exchange, behaviour: "Personality") -> Answered:
        """Return a project's page as its registry has it."""
        from uvmre.core import forms

        index, source = self._indexes[listed.number], self._sources[listed.number]
        wants_json = behaviour.json and pages.wants_json(exchange.named.get(b"accept", b"").decode("latin-1"))
        if not listed.project:
            return rendered(forms.listing(source.projects, as_json=wants_json), Found(EMPTY), as_json=wants_json)
        found = await source.page(listed.project)
        if isinstance(found, Answered):
            if found.status != 404:
                return found
            if behaviour.elsewhere:
                there = behaviour.elsewhere.format(project=listed.project).encode()
                return whole(302, b"", [(b"location", there)])
            if not behaviour.empty:
                return whole(behaviour.missing, b"", [PLAIN])
            found = Found(pages.Page({**EMPTY.data, "name": listed.project}))
        page = dressed(found.page, index, exchange.origin)
        html = forms.as_html(page, behaviour.attributes, dated=behaviour.uploaded_in_html)
        answered = rendered(forms.as_json(page) if wants_json else html, found, as_json=wants_json)
        if wants_json:
            return answered
        return answered._replace(headers=[(b"content-type", behaviour.form.encode()), *answered.headers[1:]])

    async def _filed(self, filed: Filed, exchange: Exchange, behaviour: "Personality", met: Met | None) -> Kept | None:
        """Give a file as its registry does: from its storage, in parts, or not at all."""
        index, source = self._indexes[filed.number], self._sources[filed.number]
        name = filed.filename.removesuffix(".metadata")
        known = pages.named(name)
        found = await source.page(known[0]) if known else None
        file = next((f for f in found.page.files if f["filename"] == name), None) if isinstance(found, Found) else None
        if file is None or (name != filed.filename and not behaviour.metadata):
            missing = whole(behaviour.missing, b"", [PLAIN])
            return await self._give(exchange, missing, "stand-in", met)
        if not filed.stored and exchange.method == "HEAD" and behaviour.head != 200:
            refused = Answer(behaviour.head, (PLAIN, (b"allow", b"GET")), b"")
            return await exchange.whole(refused, "stand-in", met.reason if met else "")
        if not filed.stored and behaviour.storage:
            there = Answer(behaviour.storage_status, ((b"location", located(file, index, filed.number).encode()),), b"")
            return await exchange.whole(there, "stand-in", met.reason if met else "")
        dropped = {b"accept-encoding", b"authorization"} | (set() if behaviour.ranges else {b"range", b"if-range"})
        headers = [*without(dropped, exchange.headers), (b"accept-encoding", b"identity")]
        url = file["url"] + filed.filename.removeprefix(name)
        async with source.ask(exchange.method, url, headers) as answered:
            kept = without({b"accept-ranges"}, answered.headers)
            says = [(b"accept-ranges", b"bytes")] if behaviour.says_ranges else []
            return await self._give(exchange, answered._replace(headers=[*kept, *says]), "stand-in", met)

    async def _give(
        self, exchange: Exchange, answered: Answered, by: AnsweredBy, met: Met | None, forward: Forward | None = None
    ) -> Kept | None:
        """Give an answer: in one where it is a page or small and there already, else piece by piece."""
        note = "; ".join(filter(None, (answered.note, met.reason if met else "")))
        by = "stand-in" if answered.made else by
        location = forward.location if forward else None
        rewritten = location is not None and public.rewrites(location)
        if forward and location and rewritten:
            answered = await _rewritten(answered, forward, location)
        changed = bool(met and met.changes and exchange.method != "HEAD")  # which has no body to befall
        if met and changed:
            answered = met.changed(answered)
        named = dict(answered.headers)
        page = rewritten or (PAGE.match(forward.url.partition("?")[0]) is not None if forward else b"etag" in named)
        length = named.get(b"content-length", b"")
        small = page or (answered.taped and length.isdigit() and int(length) <= WHOLE)
        known = matched(Answer(answered.status, tuple(answered.headers), b""), exchange.method, exchange.named)
        if known.status == 304:
            return await exchange.whole(known, by, note, taped=answered.taped)
        if not small or (exchange.method == "HEAD" and not rewritten) or changed:
            kept = without({b"content-length"} if rewritten else (), answered.headers)
            await exchange.start(answered.status, kept, by, note, taped=answered.taped)
            await exchange.stream(answered.chunks)
            return None
        body = await answered.whole()
        headers = tuple(without({b"content-length"}, answered.headers))
        zips_from = GZIP_LEAST if forward and page else None  # what is passed on as it is, PyPI compresses
        if rewritten:
            form = named.get(b"content-type", b"")
            zips_from = 0 if public.compresses(answered.status, form, old=exchange.old) else None
        answer = Answer(answered.status, headers, body, sized=not rewritten, zips_from=zips_from)
        given = await exchange.whole(answer, by, note, taped=answered.taped)
        return given if len(body) <= WHOLE else None


def _where(n: int) -> str:
    """Return where pages say that the made-up files of an index are: each its own, for two may have one name."""
    return f"{FILES}packages/made/up/{n}"


def _universe(n: int, index: Index, world: World) -> "Universe | None":
    """Return the made-up packages of an index; where it has none, and no PyPI either, that is a universe as well."""
    if not index.packages and index.universe != "instead":
        return None
    from uvmre.gateway.universe import Universe

    end = pages.end_of(world.day) if world.day else None
    there = (made for made in index.packages if not end or not made.uploaded or made.uploaded < end)
    return Universe(tuple(there), world.files, _where(n))


async def _rewritten(answered: Answered, forward: Forward, location: Location) -> Answered:
    """Return an answer with the links of its location; its length is another, and so nobody's to tell."""
    content_type = dict(answered.headers).get(b"content-type", b"")
    body = public.rewritten(await answered.whole(), content_type, location, forward.links)
    return answered._replace(headers=without({b"content-length"}, answered.headers), chunks=in_one(body))


def nginx(answered: Answered, forward: Forward, location: Location, exchange: Exchange) -> Answered:
    """Return an answer with the headers that nginx leaves: where it replaces, it no longer knows tag and date."""
    asks = answered.status == 200 and exchange.method in ("GET", "HEAD")
    if asks and is_newest(answered.headers, exchange.named):  # PyPI would say so, before anything is replaced
        left = without({b"content-type", b"content-length", b"accept-ranges"}, answered.headers)
        answered = answered._replace(status=304, headers=left, chunks=in_one(b""))
    gone = {b"etag", b"last-modified"} if location.links else set()
    headers = without(gone, answered.headers)
    told = dict(headers).get(b"location", b"").decode("latin-1")
    if told.startswith(location.upstream):
        here = f"{forward.origin}{location.prefix}{told.removeprefix(location.upstream)}".encode("latin-1")
        headers = [*without({b"location"}, headers), (b"location", here)]
    return answered._replace(headers=headers)
