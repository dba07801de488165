"""From a request to its response: the faults first, then the decision of `Hosts`, rendered by the registry."""

import asyncio
from typing import TYPE_CHECKING

from uvmre.core.network import simple_page
from uvmre.core.network.index import Index
from uvmre.core.network.request import PYPI_HOSTS, AnsweredBy, Network
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
from uvmre.gateway.http.messages import BODILESS
from uvmre.gateway.index import pypi_proxy
from uvmre.gateway.index.git_server import GitServer
from uvmre.gateway.index.pypi import EMPTY, PAGE, PackageSource, ProjectPage, buffered, page_answer
from uvmre.gateway.index.pypi_proxy import FILES, PYPI, SYNTHETIC_FILES, Location
from uvmre.gateway.index.registry_page import render_page, storage_url
from uvmre.gateway.index.uploads import UploadServer
from uvmre.gateway.recording.store import Recording
from uvmre.gateway.recording.upstream import NotRecorded, Upstream, UpstreamAnswer, UpstreamUnreachable, single_chunk
from uvmre.gateway.routing.answers import static_answer
from uvmre.gateway.routing.faults import ConnectionCut, FaultInjector, MatchedFaults
from uvmre.gateway.routing.hosts import BODY_LIMIT, FileRoute, ForwardRoute, Hosts, PageRoute, nginx_answer

if TYPE_CHECKING:
    from uvmre.core.network.registries import RegistryProfile
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

BUFFER_LIMIT = 4 * 1024 * 1024
"""The size up to which a replayed response is sent at once, and kept in memory."""
NO_FAULTS = MatchedFaults((), "")


class Responder:
    """Answers for one gateway config, on all listeners."""

    def __init__(self, config: GatewayConfig, recording: Recording, network: Network) -> None:
        self._live = network == "live"
        self.hosts = Hosts(config, live=self._live)
        self._indexes = config.indexes
        self._answers, self._files, self._git = config.answers, config.files, GitServer(config)
        upstream, cutoff = Upstream(recording, network, config.private_hosts), config.exclude_newer
        synthetic = [_synthetic_index(n, index, config) for n, index in enumerate(config.indexes)]
        self._uploads = UploadServer(zip(config.indexes, synthetic, strict=True))
        self.is_shared = not any(index.publish_url for index in config.indexes)
        """Whether it answers alike for all variants; an upload of one does not exist for the others."""
        others = {f"{SYNTHETIC_FILES}/{n}": index for n, index in enumerate(synthetic) if index}
        self._sources: dict[int | None, PackageSource] = {None: PackageSource(upstream, cutoff, others=others)}
        for n, index in enumerate(config.indexes):
            self._sources[n] = PackageSource(upstream, cutoff, synthetic[n], index.synthetic, others)
            if index.url.startswith(PYPI):
                self._sources[None] = self._sources[n]

    async def answer(self, exchange: Exchange, faults: FaultInjector) -> ReadyAnswer | None:
        """Answer one request, and return the response where it can be sent again."""
        outage = faults.match_outage(exchange.host, "http") if exchange.origin.startswith("http://") else None
        if outage:
            exchange.fault = outage.reason
            await exchange.fail(outage.reason, silent=outage.faults[0][0].timeout)
            return None
        if not self.hosts.allows(exchange.host):
            await exchange.refuse(403, "refused", f"{exchange.host} is not a host of this MRE")
            return None
        matched = faults.match(exchange.method, exchange.url) or NO_FAULTS
        exchange.fault = matched.reason
        if matched.delay:
            await asyncio.sleep(matched.delay)
        if response := matched.response:
            await exchange.send(response, "fault", matched.reason)
            return None
        try:
            declared = static_answer(self._answers, self._files, exchange, faults) or self._git.answer(exchange)
            declared = declared or self._uploads.answer(exchange)
            if declared:
                length = [] if declared.status in BODILESS else [(b"content-length", b"%d" % len(declared.body))]
                answer = buffered(declared.status, declared.body, [*declared.headers, *length], synthetic=True)
                await self._send(exchange, answer, "stand-in", matched)
                return None
            if not self.hosts.serves(exchange.host):
                reason = f"no `[[answer]]` or `[[git]]` matches {exchange.method} {exchange.url}"
                await exchange.refuse(403, "refused", reason)
                return None
            ready = await self._respond(exchange, matched)
        except UpstreamUnreachable as error:
            await self._fail(exchange, 502, str(error))
        except NotRecorded as error:
            await self._fail(exchange, 504, str(error))
        except OSError as error:
            await self._fail(exchange, 502, f"{exchange.url} could not be forwarded ({cause(error)})")
        except ConnectionCut:
            raise
        except Exception as error:  # must never be judged as a response
            await self._fail(exchange, 500, f"the gateway itself failed ({error!r})")
        else:
            return None if faults or self._answers or self._live else ready
        return None

    async def _fail(self, exchange: Exchange, status: int, reason: str) -> None:
        if not await exchange.refuse(status, "unreachable", reason):
            raise ConnectionCut

    async def _respond(self, exchange: Exchange, matched: MatchedFaults) -> ReadyAnswer | None:
        decision = self.hosts.decide(exchange.origin, exchange.host, exchange.path, exchange.authorization)
        exchange.own_headers = self.hosts.headers_of(exchange.host, exchange.path)
        if isinstance(decision, ForwardRoute):
            return await self._forward(decision, exchange, matched)
        if isinstance(decision, Response):
            return await exchange.send(decision, "stand-in", matched.reason)
        profile = self._indexes[decision.number].profile
        if isinstance(decision, PageRoute):
            return await self._send(exchange, await self._page(decision, exchange, profile), "stand-in", matched)
        return await self._file(decision, exchange, profile, matched)

    async def _forward(self, route: ForwardRoute, exchange: Exchange, matched: MatchedFaults) -> ReadyAnswer | None:
        """Request the source and forward its response; the public test index replaces links in it."""
        location = route.location
        if location and exchange.method == "TRACE":
            return await exchange.send(nginx_answer(405, "Not Allowed"), "stand-in")
        if location and len(exchange.request.body) > BODY_LIMIT:
            too_large = nginx_answer(413, "Request Entity Too Large", sized=location.links is None)
            return await exchange.send(too_large, "stand-in")
        # Without a content coding, so that one recorded response serves every client, and links can be replaced.
        dropped = {b"accept-encoding"} | ({b"authorization"} if location else set())
        headers = [*without(dropped, exchange.request.headers), (b"accept-encoding", b"identity")]
        source = self._sources[route.number]
        async with source.request(exchange.method, route.url, headers, bytes(exchange.request.body)) as answer:
            if location is None:
                return await self._send(exchange, answer, "upstream", matched, route)
            return await self._send(exchange, as_nginx(answer, route, location, exchange), "stand-in", matched, route)

    async def _page(self, route: PageRoute, exchange: Exchange, profile: "RegistryProfile") -> UpstreamAnswer:
        """Return a project's page as its registry renders it."""
        from uvmre.core.network import simple_formats

        index, source = self._indexes[route.number], self._sources[route.number]
        accept = exchange.fields.get(b"accept", b"").decode("latin-1")
        as_json = profile.json and simple_page.accepts_json(accept)
        if not route.project:
            listing = simple_formats.listing(source.projects, as_json=as_json)
            return page_answer(listing, ProjectPage(EMPTY), as_json=as_json)
        found = await source.page(route.project)
        if isinstance(found, UpstreamAnswer):
            if found.status != 404:
                return found
            if profile.elsewhere:
                url = profile.elsewhere.format(project=route.project).encode()
                return buffered(302, b"", [(b"location", url)])
            if not profile.empty:
                return buffered(profile.missing, b"", [TEXT_PLAIN])
            found = ProjectPage(simple_page.Page({**EMPTY.data, "name": route.project}))
        page = render_page(found.page, index, exchange.origin)
        dropped = set() if profile.cache_control else {b"cache-control"}
        if as_json:
            answer = page_answer(simple_formats.as_json(page), found, as_json=True)
            return answer._replace(headers=without(dropped, answer.headers))
        html = simple_formats.as_html(page, profile.attributes, dated=profile.uploaded_in_html)
        answer = page_answer(html, found, as_json=False)
        headers = without(dropped, answer.headers[1:])
        return answer._replace(headers=[(b"content-type", profile.form.encode()), *headers])

    async def _file(
        self, route: FileRoute, exchange: Exchange, profile: "RegistryProfile", matched: MatchedFaults
    ) -> ReadyAnswer | None:
        """Send a file as its registry does: from its storage, in ranges, or not at all."""
        index, source = self._indexes[route.number], self._sources[route.number]
        name = route.filename.removesuffix(".metadata")
        known = simple_page.parse_filename(name)
        found = await source.page(known[0]) if known else None
        files = found.page.files if isinstance(found, ProjectPage) else ()
        file = next((file for file in files if file["filename"] == name), None)
        if file is None or (name != route.filename and not profile.metadata):
            return await self._send(exchange, buffered(profile.missing, b"", [TEXT_PLAIN]), "stand-in", matched)
        if not route.stored and exchange.method == "HEAD" and profile.head != 200:
            refused = Response(profile.head, (TEXT_PLAIN, (b"allow", b"GET")), b"")
            return await exchange.send(refused, "stand-in", matched.reason)
        if not route.stored and profile.storage:
            url = storage_url(file, index, route.number).encode()
            redirect = Response(profile.storage_status, ((b"location", url),), b"")
            return await exchange.send(redirect, "stand-in", matched.reason)
        dropped = {b"accept-encoding", b"authorization"} | (set() if profile.ranges else {b"range", b"if-range"})
        headers = [*without(dropped, exchange.request.headers), (b"accept-encoding", b"identity")]
        url = file["url"] + route.filename.removeprefix(name)
        async with source.request(exchange.method, url, headers) as answer:
            kept = without({b"accept-ranges"}, answer.headers)
            accepts = [(b"accept-ranges", b"bytes")] if profile.says_ranges else []
            return await self._send(exchange, answer._replace(headers=[*kept, *accepts]), "stand-in", matched)

    async def _send(
        self,
        exchange: Exchange,
        answer: UpstreamAnswer,
        by: AnsweredBy,
        matched: MatchedFaults,
        route: ForwardRoute | None = None,
    ) -> ReadyAnswer | None:
        """Send a response: at once where it is a page, or small and in memory or replayed; else as a stream."""
        note = "; ".join(filter(None, (answer.note, matched.reason)))
        by = "stand-in" if answer.synthetic else by
        location = route.location if route else None
        rewritten = location is not None and pypi_proxy.rewrites(location)
        if route and location and rewritten:
            answer = await _rewrite(answer, route, location)
        changed = matched.changes and exchange.method != "HEAD"  # which has no body
        if changed:
            answer = matched.changed(answer)
        fields = dict(answer.headers)
        page = rewritten or (PAGE.match(route.url.partition("?")[0]) is not None if route else b"etag" in fields)
        length = fields.get(b"content-length", b"")
        small = page or (answer.replayed and length.isdigit() and int(length) <= BUFFER_LIMIT)
        known = not_modified(Response(answer.status, tuple(answer.headers), b""), exchange.method, exchange.fields)
        if known.status == 304:
            return await exchange.send(known, by, note, replayed=answer.replayed)
        if not small or (exchange.method == "HEAD" and not rewritten) or changed:
            headers = without({b"content-length"} if rewritten else (), answer.headers)
            await exchange.start(answer.status, headers, by, note, replayed=answer.replayed)
            await exchange.stream(answer.chunks)
            return None
        body = await answer.read_body()
        if page and exchange.origin == f"http://{PYPI_HOSTS[0]}":  # a client without TLS can fetch no other files
            body = body.replace(FILES.encode(), FILES.replace("https:", "http:").encode())
        gzip_min_size = GZIP_MIN_SIZE if route and page else None  # PyPI compresses its pages
        if rewritten:
            content_type = fields.get(b"content-type", b"")
            compressed = pypi_proxy.compresses(answer.status, content_type, http_1_0=exchange.request.http_1_0)
            gzip_min_size = 0 if compressed else None
        headers = without({b"content-length"}, answer.headers)
        response = Response(answer.status, tuple(headers), body, sized=not rewritten, gzip_min_size=gzip_min_size)
        ready = await exchange.send(response, by, note, replayed=answer.replayed)
        return ready if len(body) <= BUFFER_LIMIT else None


def _synthetic_index(n: int, index: Index, config: GatewayConfig) -> "SyntheticIndex | None":
    """Return the synthetic packages of an index; there may be none where they replace PyPI."""
    if not index.packages and index.synthetic != "replace" and not index.publish_url:
        return None
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

    end = simple_page.cutoff_time(config.exclude_newer) if config.exclude_newer else None
    packages = (each for each in index.packages if not end or not each.uploaded or each.uploaded < end)
    return SyntheticIndex(tuple(packages), config.files, f"{SYNTHETIC_FILES}/{n}")


async def _rewrite(answer: UpstreamAnswer, route: ForwardRoute, location: Location) -> UpstreamAnswer:
    """Return a response with the links of its location, and without the length, which is another."""
    content_type = dict(answer.headers).get(b"content-type", b"")
    body = pypi_proxy.rewrite_body(await answer.read_body(), content_type, location, route.links)
    return answer._replace(headers=without({b"content-length"}, answer.headers), chunks=single_chunk(body))


def as_nginx(answer: UpstreamAnswer, route: ForwardRoute, location: Location, exchange: Exchange) -> UpstreamAnswer:
    """Return a response with the headers that nginx keeps: no tag and date where it replaces links."""
    conditional = answer.status == 200 and exchange.method in ("GET", "HEAD")
    if conditional and is_fresh(answer.headers, exchange.fields):  # PyPI answers so, before links are replaced
        left = without({b"content-type", b"content-length", b"accept-ranges"}, answer.headers)
        answer = answer._replace(status=304, headers=left, chunks=single_chunk(b""))
    headers = without({b"etag", b"last-modified"} if location.links else (), answer.headers)
    redirect = dict(headers).get(b"location", b"").decode("latin-1")
    if redirect.startswith(location.upstream):
        url = f"{route.origin}{location.prefix}{redirect.removeprefix(location.upstream)}".encode("latin-1")
        headers = [*without({b"location"}, headers), (b"location", url)]
    return answer._replace(headers=headers)
