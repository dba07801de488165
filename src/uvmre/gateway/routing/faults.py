"""The faults that an MRE asks for: which of them meet a request, and what they make of its answer."""

import asyncio
import functools
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from uvmre.gateway.http.exchange import TEXT_PLAIN, Response
from uvmre.gateway.http.messages import Headers
from uvmre.gateway.recording.upstream import UpstreamAnswer, single_chunk

if TYPE_CHECKING:
    from uvmre.core.network.index import Fault

METADATA = ".metadata"
TICK = 0.05
"""Seconds between two drops of a drip."""
DIGEST = re.compile(rb"""(#sha256=|"hashes":\s*\{\s*"sha256":\s*")([0-9a-f]{64})""")


class MatchedFaults(NamedTuple):
    """What meets one request: each fault, and the how-manieth request it is for it."""

    faults: "tuple[tuple[Fault, int], ...]"
    url: str

    @property
    def reason(self) -> str:
        """Say it in one line."""
        return "; ".join(f"{describe(fault)}, request {nth}" for fault, nth in self.faults)

    @property
    def delay(self) -> float:
        """Return the seconds to wait before the answer."""
        return sum(fault.delay for fault, _ in self.faults)

    @property
    def answer(self) -> Response | None:
        """Return what is answered instead of asking anybody, where a fault wants that."""
        for fault, _ in self.faults:
            if fault.redirect_loop:
                return Response(302, (TEXT_PLAIN, (b"location", self.url.encode("latin-1"))), b"")
            if fault.missing_metadata and urlsplit(self.url).path.endswith(METADATA):
                return Response(404, (TEXT_PLAIN,), b"uvmre: a fault of the MRE: there is no metadata\n")
            if fault.status is not None:
                wait = ((b"retry-after", b"%d" % fault.retry_after),) if fault.retry_after is not None else ()
                return Response(fault.status, (TEXT_PLAIN, *wait), b"uvmre: a fault of the MRE\n")
        return None

    @property
    def changes(self) -> bool:
        """Tell whether the answer of somebody else is changed."""
        kinds = ((f.drip, f.cut, f.truncate, f.corrupt or None, f.wrong_hash or None) for f, _ in self.faults)
        return any(kind is not None for kinds_of_one in kinds for kind in kinds_of_one)

    def changed(self, answered: UpstreamAnswer) -> UpstreamAnswer:
        """Return an answer as the faults leave it."""
        for fault, _ in self.faults:
            if fault.wrong_hash:
                answered = answered._replace(chunks=_with_wrong_hashes(answered, fault.seed))
            if fault.corrupt:
                answered = answered._replace(chunks=_corrupted(answered, fault, self.url))
            if fault.truncate is not None:
                answered = _truncated(answered, fault.truncate)
            if fault.drip is not None:
                answered = answered._replace(chunks=_dripping(answered.chunks, fault.drip))
            if fault.cut is not None:
                answered = answered._replace(chunks=_cut(answered.chunks, fault.cut))
        return answered


class ConnectionCut(Exception):
    """The connection is to end here."""


class FaultInjector:
    """The faults of one variant, with their counts: every variant begins anew, so that each run is the same."""

    def __init__(self, faults: "Sequence[Fault]" = ()) -> None:
        self._faults = faults
        self._counts: Counter[object] = Counter()

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._faults)

    def meet(self, method: str, url: str) -> MatchedFaults | None:
        """Count a request, and return what meets it; what befalls a body does not befall a HEAD, nor counts it one."""
        fitting = [(n, fault) for n, fault in enumerate(self._faults) if applies(fault, method, url)]
        met = [(fault, nth) for n, fault in fitting if (nth := self._count(n, fault, url))]
        return MatchedFaults(tuple(met), url) if met else None

    def meet_tls(self, host: str) -> bool:
        """Count a connection, and tell whether it is to see a certificate that ran out."""
        return bool(self._meet_host(host, lambda fault: fault.expired_certificate))

    def meet_outage(self, host: str, scheme: str = "https") -> MatchedFaults | None:
        """Count a connection, and return what keeps it from the host, if anything does."""
        met = self._meet_host(
            host, lambda fault: bool(fault.outage) and _matches(fault.url.partition("://")[0], scheme)
        )
        return MatchedFaults(met[:1], host) if met else None

    def _meet_host(self, host: str, fits: "Callable[[Fault], bool]") -> "tuple[tuple[Fault, int], ...]":
        fitting = [(n, fault) for n, fault in enumerate(self._faults) if fits(fault) and _matches(fault.host, host)]
        counted = [(fault, self._count(n, fault, host)) for n, fault in fitting]  # every one, whatever the first says
        return tuple((fault, nth) for fault, nth in counted if nth)

    def _count(self, n: int, fault: "Fault", url: str) -> int:
        """Return the how-manieth request this is for a fault; 0 where it has had all of its own."""
        self._counts[n] += 1
        self._counts[n, url] += 1
        over = fault.times is not None and self._counts[n] > fault.times
        over_each = fault.times_each is not None and self._counts[n, url] > fault.times_each
        return 0 if over or over_each else self._counts[n]


def applies(fault: "Fault", method: str, url: str) -> bool:
    """Tell whether a fault is about a request; one about metadata may name the file itself."""
    if (
        fault.expired_certificate
        or fault.outage
        or (method == "HEAD" and not (fault.status or fault.delay or fault.redirect_loop))
    ):
        return False
    if fault.missing_metadata:
        return url.endswith(METADATA) and (_matches(fault.url, url) or _matches(fault.url, url[: -len(METADATA)]))
    return _matches(fault.url, url)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern in which only `*` is more than itself; hosts know no capitals, and so neither does it there."""
    scheme, slashes, rest = text.rpartition("://")
    host, slash, path = rest.partition("/")
    return re.compile(
        ".*".join(map(re.escape, f"{scheme}{slashes}{host.lower()}{slash}{path}".split("*"))) + r"\Z", re.S
    )


def _matches(pattern: str, text: str) -> bool:
    return bool(_pattern(pattern).match(text))


def describe(fault: "Fault") -> str:
    """Name what a fault does."""
    given = {
        fault.outage: fault.outage or None,
        "status": fault.status,
        "delay": fault.delay or None,
        "drip": fault.drip,
        "cut": fault.cut,
        "truncate": fault.truncate,
        "corrupt": fault.corrupt or None,
        "wrong-hash": fault.wrong_hash or None,
        "missing-metadata": fault.missing_metadata or None,
        "redirect-loop": fault.redirect_loop or None,
    }
    return "fault: " + ", ".join(k if v in (True, k) else f"{k} {v}" for k, v in given.items() if v is not None)


def replace_hashes(body: bytes, seed: int) -> bytes:
    """Return a page whose files have other digests, always the same ones."""
    import hashlib

    def other(match: re.Match[bytes]) -> bytes:
        return match[1] + hashlib.sha256(b"%d" % seed + match[2]).hexdigest().encode()

    return DIGEST.sub(other, body)


async def _with_wrong_hashes(answered: UpstreamAnswer, seed: int) -> AsyncIterator[bytes]:
    yield replace_hashes(await answered.whole(), seed)


async def _corrupted(answered: UpstreamAnswer, fault: "Fault", url: str) -> AsyncIterator[bytes]:
    import random

    size = _size(answered.headers)
    if size is None:  # a page, which is small
        body = await answered.whole()
        answered, size = answered._replace(chunks=single_chunk(body)), len(body)
    places = sorted(random.Random(f"{fault.seed} {url}").sample(range(size), min(fault.corrupt, size)))
    at = 0
    async for chunk in answered.chunks:
        inside = [place - at for place in places if at <= place < at + len(chunk)]
        at += len(chunk)
        if inside:
            changed = bytearray(chunk)
            for place in inside:
                changed[place] ^= 0xFF
            yield bytes(changed)
        else:
            yield chunk


def _truncated(answered: UpstreamAnswer, most: int) -> UpstreamAnswer:
    size = _size(answered.headers)
    kept: Headers = [header for header in answered.headers if header[0] != b"content-length"]
    told_size = [] if size is None else [(b"content-length", b"%d" % min(size, most))]

    async def chunks() -> AsyncIterator[bytes]:
        left = most
        async for chunk in answered.chunks:
            if left:
                yield chunk[:left]
                left -= len(chunk[:left])

    return answered._replace(headers=[*kept, *told_size], chunks=chunks())


async def _dripping(chunks: AsyncIterator[bytes], rate: int) -> AsyncIterator[bytes]:
    drop = max(1, round(rate * TICK))
    async for chunk in chunks:
        for start in range(0, len(chunk), drop):
            yield chunk[start : start + drop]
            await asyncio.sleep(drop / rate)


async def _cut(chunks: AsyncIterator[bytes], after: int) -> AsyncIterator[bytes]:
    left = after
    async for chunk in chunks:
        yield chunk[:left]
        if len(chunk) >= left:
            raise ConnectionCut
        left -= len(chunk)


def _size(headers: Headers) -> int | None:
    length = dict(headers).get(b"content-length", b"")
    return int(length) if length.isdigit() else None
