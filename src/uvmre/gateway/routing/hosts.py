"""What answers a request: the public test index, an index of the MRE, the network, or nothing. Pure."""

import fnmatch
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from uvmre.core.network.index import PUBLIC_TEST_INDEX, Index
from uvmre.core.network.request import OPEN_HOSTS, PYPI_HOSTS, TEST_INDEX
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.http.exchange import TEXT_PLAIN, Response
from uvmre.gateway.http.messages import nginx_page
from uvmre.gateway.index import pypi_proxy
from uvmre.gateway.index.git_server import GITHUB, GITHUB_URLS
from uvmre.gateway.index.pypi_proxy import Location
from uvmre.gateway.routing.faults import matches

LOOPBACK = ("127.0.0.1", "localhost")
"""The gateway's own address, at which the public test index answers too, for a browser or a client without proxy."""
HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?\Z")
BODY_LIMIT = 1024 * 1024
HTML = (b"content-type", b"text/html")
XML = (b"content-type", b"application/xml")


class ForwardRoute(NamedTuple):
    """Request `url` and forward its response."""

    url: str
    number: int | None = None
    """The index of the MRE; None for PyPI itself."""
    location: Location | None = None
    """The rules of the public test index, where it answers."""
    links: str = ""
    """What replaces PyPI's file host in the response, where not empty."""
    origin: str = ""


class PageRoute(NamedTuple):
    """A project's page on an index of the MRE, or the list of all projects where `project` is empty."""

    number: int
    project: str


class FileRoute(NamedTuple):
    """A file on an index of the MRE."""

    number: int
    filename: str
    stored: bool = False
    """Whether it is requested from the storage to which the index redirects."""


Decision = ForwardRoute | PageRoute | FileRoute | Response


class Hosts:
    """Decides by host and path, for one gateway config."""

    def __init__(self, config: GatewayConfig, *, live: bool) -> None:
        self._live = live
        self._sites = [_IndexSite(n, index) for n, index in enumerate(config.indexes)]
        self._storages = {site.storage for site in self._sites if site.storage}
        self._allowed = [host.lower() for host in config.allow_hosts]
        self._declared = [answer.host for answer in config.answers]
        for hostname in (urlsplit(each.url).hostname or "" for each in config.repositories):
            self._declared += [hostname, *(GITHUB_URLS if hostname == GITHUB else ())]
        self._declared += [urlsplit(each.publish_url).hostname or "" for each in config.indexes if each.publish_url]

    def allows(self, host: str) -> bool:
        """Tell whether a step may reach this host, if only what the MRE declares at it."""
        if not HOST.match(host):
            return False
        return self.serves(host) or any(matches(pattern, host) for pattern in self._declared)

    def serves(self, host: str) -> bool:
        """Tell whether a step may reach all of this host."""
        known = host in (*OPEN_HOSTS, *LOOPBACK) or any(site.host == host for site in self._sites)
        return known or host in self._storages or any(fnmatch.fnmatchcase(host, pattern) for pattern in self._allowed)

    def headers_of(self, host: str, path: str) -> Mapping[str, str]:
        """Return the headers that the index at a URL sends with every response."""
        site = self._site(host, path.partition("?")[0])
        return site.index.headers if site else {}

    def decide(self, origin: str, host: str, path: str, authorization: str | None) -> Decision:
        """Decide what answers a request to an allowed host; several Authorization headers are joined by newlines."""
        path_only, question, query = path.partition("?")
        if site := self._site(host, path_only):
            if site.index.registry == PUBLIC_TEST_INDEX or host in OPEN_HOSTS:
                return self._public(origin, host, path_only, question + query, authorization, site=site)
            return site.decide(path_only, authorization and authorization.rpartition("\n")[2])
        if host in self._storages:
            return self._stored(host, path_only, authorization)
        if host in (TEST_INDEX, *LOOPBACK) and not self._live:
            return self._public(origin, host, path_only, question + query, authorization, site=None)
        return ForwardRoute(f"https://{host}{path}" if host in PYPI_HOSTS else f"{origin}{path}")

    def _stored(self, host: str, path: str, authorization: str | None) -> Decision:
        """Answer as the storage to which an index redirects: it only accepts signed URLs."""
        site = next((site for site in self._sites if site.storage == host and path.startswith(site.stored)), None)
        if site is None:
            return Response(404, (XML,), b"<Error><Code>NoSuchKey</Code></Error>")
        if authorization is not None and site.profile.storage_refuses:
            return Response(400, (XML,), site.profile.storage_refuses.encode())
        return FileRoute(site.number, unquote(path.rpartition("/")[2]), stored=True)

    def _site(self, host: str, path: str) -> "_IndexSite | None":
        sites = [site for site in self._sites if site.host == host and site.has(path)]
        return max(sites, key=lambda site: (site.owns(path), len(site.base)), default=None)

    def _public(
        self, origin: str, host: str, path: str, query: str, authorization: str | None, *, site: "_IndexSite | None"
    ) -> Decision:
        """Answer as the nginx of the public test index; `site` is a similar index of the MRE."""
        n = site.number if site else None
        if host in PYPI_HOSTS:
            return ForwardRoute(f"{origin}{path}{query}", n)
        compared = pypi_proxy.normalize_path(path)
        if compared is None or "\n" in (authorization or ""):
            return nginx_answer(400, "Bad Request")
        if host == TEST_INDEX:  # as nginx's $host: without port, in lower case
            origin = f"{origin.partition('://')[0]}://{host}"
        locations = site.locations if site and host != TEST_INDEX else pypi_proxy.LOCATIONS
        location = pypi_proxy.locate(compared, locations)
        if location is None:
            return nginx_answer(404, "Not Found")
        if not compared.startswith(location.prefix):  # the prefix without its slash
            url = f"{origin}{location.prefix}{query}".encode("latin-1")
            return nginx_answer(301, "Moved Permanently", (b"location", url), sized=location.links is None)
        if not pypi_proxy.is_authorized(location.authorization, authorization):
            challenge = (b"www-authenticate", b'Basic realm="authenticated"')
            return nginx_answer(401, "Authorization Required", challenge, sized=location.links is None)
        raw = (
            path.removeprefix("/")
            if location.prefix == "/"
            else pypi_proxy.escape_path(compared.removeprefix(location.prefix))
        )
        links = location.links.format(origin=origin) if location.links else ""
        return ForwardRoute(f"{location.upstream}{raw}{query}", n, location, links, origin)


class _IndexSite:
    """An index of the MRE, by host and path."""

    def __init__(self, number: int, index: Index) -> None:
        self.number, self.index, self.profile = number, index, index.profile
        self.host = urlsplit(index.url).hostname or ""
        self.root, self.base = index.root, index.base
        storage = urlsplit(self.profile.storage.replace("{n}", str(number)))
        self.storage = storage.hostname or ""
        self.stored = storage.path.partition("{")[0]
        """The path of its files at its storage."""
        if index.registry == PUBLIC_TEST_INDEX:
            self.locations = tuple(pypi_proxy.index_locations(index, pypi_proxy.index_header(index)))

    def has(self, path: str) -> bool:
        """Tell whether a path is on this index."""
        below = path.startswith((f"{self.base}/", f"{self.root}/")) or path == self.root
        return below or self._is_stored(path)

    def owns(self, path: str) -> bool:
        """Tell whether a path is on this index only: below its pages, or in its part of a storage."""
        return path.startswith(f"{self.root}/") or self._is_stored(path)

    def _is_stored(self, path: str) -> bool:
        return bool(self.stored) and not self.storage and path.startswith(self.stored)

    def decide(self, path: str, authorization: str | None) -> Decision:
        """Decide by the profile of the registry."""
        profile = self.profile
        filename = unquote(path.rpartition("/")[2])
        if self._is_stored(path):
            return FileRoute(self.number, filename, stored=True)
        if not pypi_proxy.accepts(self.index, authorization):
            status = profile.denied if authorization is None else profile.wrong
            challenges = [(b"www-authenticate", value.encode()) for value in profile.challenges if status == 401]
            return Response(status, (*challenges, TEXT_PLAIN), b"")
        if FILE.search(filename):
            return FileRoute(self.number, filename)
        project = path.removeprefix(self.root).strip("/")
        if not f"{path}/".startswith(f"{self.root}/") or "/" in project:
            return Response(profile.missing, (TEXT_PLAIN,), b"")
        if profile.slash and project and not path.endswith("/"):
            return Response(profile.slash, ((b"location", f"{path}/".encode("latin-1")),), b"")
        return PageRoute(self.number, project)


FILE = re.compile(r"\.(whl|tar\.gz|tar\.bz2|zip|egg|tgz)(\.metadata)?\Z")


def nginx_answer(status: int, phrase: str, *headers: tuple[bytes, bytes], sized: bool = True) -> Response:
    """Return an error of nginx itself."""
    return Response(status, (HTML, *headers), nginx_page(status, phrase), sized)
