"""The faults of an MRE: which of them match a request, and how they change its response."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from uvmre.core.network.request import url_pattern
from uvmre.gateway.http.exchange import TEXT_PLAIN, Response, without
from uvmre.gateway.http.messages import Headers
from uvmre.gateway.recording.upstream import UpstreamAnswer, single_chunk

if TYPE_CHECKING:
    from uvmre.core.network.index import Fault

METADATA = ".metadata"
UNLOGGED = ("url", "times", "times_each", "seed", "retry_after")
TICK = 0.05
"""Seconds between two pieces of a slow body."""
DIGEST = re.compile(rb"""(#sha256=|"hashes":\s*\{\s*"sha256":\s*")([0-9a-f]{64})""")


class MatchedFaults(NamedTuple):
    """The faults that match one request, each with the number of requests it has matched so far."""

    faults: "tuple[tuple[Fault, int], ...]"
    url: str

    @property
    def reason(self) -> str:
        """Return the faults as one line."""
        return "; ".join(f"{describe(fault)}, request {nth}" for fault, nth in self.faults)

    @property
    def delay(self) -> float:
        """Return the seconds to wait before the response."""
        return sum(fault.delay for fault, _ in self.faults)

    @property
    def response(self) -> Response | None:
        """Return the response that a fault sends instead of the real one."""
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
        """Tell whether the body of the real response is changed."""
        values = ((f.drip, f.cut, f.truncate, f.corrupt or None, f.wrong_hash or None) for f, _ in self.faults)
        return any(value is not None for value in chain.from_iterable(values))

    def changed(self, answer: UpstreamAnswer) -> UpstreamAnswer:
        """Return the response as the faults change it."""
        for fault, _ in self.faults:
            if fault.wrong_hash:
                answer = answer._replace(chunks=_with_wrong_hashes(answer, fault.seed))
            if fault.corrupt:
                answer = answer._replace(chunks=_corrupted(answer, fault, self.url))
            if fault.truncate is not None:
                answer = _truncated(answer, fault.truncate)
            if fault.drip is not None:
                answer = answer._replace(chunks=_dripping(answer.chunks, fault.drip))
            if fault.cut is not None:
                answer = answer._replace(chunks=_cut(answer.chunks, fault.cut))
        return answer


class ConnectionCut(Exception):
    """The connection ends here."""


class FaultInjector:
    """The faults of one variant, with their counts, which start at zero for each variant."""

    def __init__(self, faults: "Sequence[Fault]" = ()) -> None:
        self._faults = faults
        self._counts: Counter[object] = Counter()

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._faults)

    def match(self, method: str, url: str) -> MatchedFaults | None:
        """Count a request, and return the faults that match it."""
        matched = self._match(url, lambda fault: applies(fault, method, url))
        return MatchedFaults(matched, url) if matched else None

    def count(self, key: object) -> int:
        """Count something else of the variant, and return how often it was."""
        self._counts[key] += 1
        return self._counts[key]

    def match_tls(self, host: str) -> str:
        """Count a connection, and return what is wrong with its certificate; empty if nothing is."""

        def is_flaw(fault: "Fault") -> bool:
            return (fault.expired_certificate or fault.untrusted_issuer) and matches(fault.host, host)

        matched = self._match(host, is_flaw)
        return "" if not matched else "expired" if matched[0][0].expired_certificate else "untrusted"

    def match_outage(self, host: str, scheme: str = "https") -> MatchedFaults | None:
        """Count a connection, and return the first fault that keeps it from the host."""

        def is_outage(fault: "Fault") -> bool:
            return bool(fault.outage) and matches(fault.scheme, scheme) and matches(fault.host, host)

        matched = self._match(host, is_outage)
        return MatchedFaults(matched[:1], host) if matched else None

    def _match(self, url: str, applies: "Callable[[Fault], bool]") -> "tuple[tuple[Fault, int], ...]":
        counts = [(fault, self._count(n, fault, url)) for n, fault in enumerate(self._faults) if applies(fault)]
        return tuple((fault, nth) for fault, nth in counts if nth)

    def _count(self, n: int, fault: "Fault", url: str) -> int:
        """Return the number of requests that a fault has matched; 0 where it has reached its limit."""
        self._counts[n] += 1
        self._counts[n, url] += 1
        over = fault.times is not None and self._counts[n] > fault.times
        over_each = fault.times_each is not None and self._counts[n, url] > fault.times_each
        return 0 if over or over_each else self._counts[n]


def applies(fault: "Fault", method: str, url: str) -> bool:
    """Tell whether a fault matches a request; changes of the body do not match a HEAD."""
    if (
        fault.expired_certificate
        or fault.untrusted_issuer
        or fault.outage
        or (method == "HEAD" and not (fault.status or fault.delay or fault.redirect_loop))
    ):
        return False
    if fault.missing_metadata:
        # The pattern may be that of the file itself.
        return url.endswith(METADATA) and (matches(fault.url, url) or matches(fault.url, url[: -len(METADATA)]))
    return matches(fault.url, url)


def matches(pattern: str, text: str, *, raw: bool = False) -> bool:
    """Tell whether a text matches a pattern of a URL; or one of any text, where `raw`."""
    return bool(url_pattern(f"///{pattern}" if raw else pattern).match(f"///{text}" if raw else text))


def describe(fault: "Fault") -> str:
    """Return a fault as it is in the log."""
    shown = [field for field in fields(fault) if field.name not in UNLOGGED]
    values = {f.name.replace("_", "-"): value for f in shown if (value := getattr(fault, f.name)) != f.default}
    return "fault: " + ", ".join(name if value is True else f"{name} {value}" for name, value in values.items())


def replace_hashes(body: bytes, seed: int) -> bytes:
    """Return a page with other, but always the same digests."""
    import hashlib

    def replace(match: re.Match[bytes]) -> bytes:
        return match[1] + hashlib.sha256(b"%d" % seed + match[2]).hexdigest().encode()

    return DIGEST.sub(replace, body)


async def _with_wrong_hashes(answer: UpstreamAnswer, seed: int) -> AsyncIterator[bytes]:
    yield replace_hashes(await answer.read_body(), seed)


async def _corrupted(answer: UpstreamAnswer, fault: "Fault", url: str) -> AsyncIterator[bytes]:
    import random

    size = _size(answer.headers)
    if size is None:  # a page, which is small
        body = await answer.read_body()
        answer, size = answer._replace(chunks=single_chunk(body)), len(body)
    places = sorted(random.Random(f"{fault.seed} {url}").sample(range(size), min(fault.corrupt, size)))
    start = 0
    async for chunk in answer.chunks:
        changed = bytearray(chunk)
        for place in places:
            if start <= place < start + len(chunk):
                changed[place - start] ^= 0xFF
        start += len(chunk)
        yield bytes(changed)


def _truncated(answer: UpstreamAnswer, most: int) -> UpstreamAnswer:
    size = _size(answer.headers)
    kept = without({b"content-length"}, answer.headers)
    length = [] if size is None else [(b"content-length", b"%d" % min(size, most))]

    async def chunks() -> AsyncIterator[bytes]:
        left = most
        async for chunk in answer.chunks:
            if left:
                yield chunk[:left]
                left -= len(chunk[:left])

    return answer._replace(headers=[*kept, *length], chunks=chunks())


async def _dripping(chunks: AsyncIterator[bytes], rate: int) -> AsyncIterator[bytes]:
    size = max(1, round(rate * TICK))
    async for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
            await asyncio.sleep(size / rate)


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
