"""The faults that an MRE asks for: who is met, by what, and that it is the same in every run."""

import asyncio
import collections
import contextlib
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.listeners import ALONE, HTML, JSON, SIMPLE, through
from uvmre.core.network.index import Fault, Index
from uvmre.core.network.request import Request
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.outcome.observation import Observation
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.recording.upstream import UpstreamAnswer
from uvmre.gateway.routing.faults import ConnectionCut, FaultInjector, MatchedFaults, replace_hashes
from uvmre.gateway.session import Gateway, Listener

PAGE = f"{SIMPLE}/x/"
WHEEL = "https://files.pythonhosted.org/packages/synthetic/0/x-1.0-py3-none-any.whl"
SDIST = "https://files.pythonhosted.org/packages/synthetic/0/x-1.0.tar.gz"


def met(faults: FaultInjector, *urls: str, method: str = "GET") -> list[bool]:
    return [faults.match(method, url) is not None for url in urls]


@pytest.mark.parametrize(
    ("fault", "requested", "expected"),
    [
        pytest.param(Fault("https://a/*", status=500), "xxx", "yyy", id="every request"),
        pytest.param(Fault("https://a/*", status=500, times=2), "xxyx", "yynn", id="the first two of the pattern"),
        pytest.param(Fault("https://a/*", status=500, times=2), "xyz", "yyn", id="the first two, of whatever URL"),
        pytest.param(Fault("https://a/*", status=500, times_each=1), "xyxyz", "yynny", id="the first of each URL"),
        pytest.param(
            Fault("https://a/*", status=500, times=2, times_each=1),
            "xxyz",
            "ynnn",
            id="the first two of all, and one each",
        ),
        pytest.param(Fault("https://a/x", status=500), "xyx", "yny", id="one URL"),
        pytest.param(Fault("https://a/?", status=500), "xy", "nn", id="a question mark stands for itself"),
        pytest.param(Fault("https://b/*", status=500), "xy", "nn", id="another host"),
        pytest.param(Fault("http://a/*", status=500), "xy", "nn", id="another scheme"),
        pytest.param(Fault("https://A/*", status=500), "xy", "yy", id="a host in capitals"),
        pytest.param(Fault("https://a/X", status=500), "xX", "ny", id="a path in capitals"),
        pytest.param(Fault("https://a/[xy]", status=500), "xy", "nn", id="brackets stand for themselves"),
        pytest.param(Fault("https://*", expired_certificate=True), "xy", "nn", id="of certificates only"),
    ],
)
def test_who_is_met(fault: Fault, requested: str, expected: str) -> None:
    faults = FaultInjector((fault,))
    assert met(faults, *(f"https://a/{end}" for end in requested)) == [end == "y" for end in expected]


def test_a_pattern_is_of_the_whole_url() -> None:
    fault = Fault("https://pypi.org/simple/x/", status=500)
    assert met(FaultInjector((fault,)), PAGE, f"{PAGE}y", PAGE[:-1], f"{PAGE}?a=b") == [True, False, False, False]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param({"status": 500}, True, id="a status"),
        pytest.param({"delay": 1}, True, id="a delay"),
        pytest.param({"redirect_loop": True}, True, id="a loop"),
        pytest.param({"cut": 0}, False, id="a cut"),
        pytest.param({"truncate": 0}, False, id="a truncated body"),
        pytest.param({"corrupt": 1}, False, id="a corrupted body"),
        pytest.param({"drip": 1}, False, id="a body in drops"),
        pytest.param({"wrong_hash": True}, False, id="wrong digests"),
        pytest.param({"missing_metadata": True}, False, id="missing metadata"),
    ],
)
def test_head_meets_only_what_is_no_matter_of_a_body(fault: dict[str, Any], expected: bool) -> None:
    given = Fault("*", times=1, **fault)
    faults = FaultInjector((given,))
    assert (faults.match("HEAD", f"{WHEEL}.metadata") is not None) is expected
    assert (faults.match("GET", f"{WHEEL}.metadata") is not None) is not expected, (
        "a HEAD that is left alone counts not"
    )


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        pytest.param(WHEEL, f"{WHEEL}.metadata", True, id="a pattern of the file itself"),
        pytest.param(f"{WHEEL}.metadata", f"{WHEEL}.metadata", True, id="a pattern of the metadata"),
        pytest.param("https://files.pythonhosted.org/*.whl", f"{WHEEL}.metadata", True, id="a pattern of wheels"),
        pytest.param("https://files.pythonhosted.org/*", WHEEL, False, id="the file itself is there"),
        pytest.param("https://pypi.org/*", f"{WHEEL}.metadata", False, id="another host's"),
    ],
)
def test_missing_metadata_is_of_metadata_only(pattern: str, url: str, expected: bool) -> None:
    assert met(FaultInjector((Fault(pattern, missing_metadata=True),)), url) == [expected]


def test_every_fault_counts_for_itself() -> None:
    faults = FaultInjector((Fault("*/x/", status=503, times=1), Fault("*", status=429, times=3)))
    observed = [faults.match("GET", url) for url in (PAGE, PAGE, SIMPLE, SIMPLE)]
    statuses = [one.response.status if one and one.response else None for one in observed]
    assert statuses == [503, 429, 429, None]
    assert [[nth for _, nth in one.faults] if one else [] for one in observed] == [[1, 1], [2], [3], []]


def test_each_set_of_faults_counts_anew() -> None:
    given = (Fault("*", status=503, times=1),)
    assert [met(FaultInjector(given), PAGE, PAGE) for _ in range(2)] == [[True, False]] * 2


URLS = st.lists(st.sampled_from(["https://a/1", "https://a/2", "https://b/1"]), max_size=12)
COUNTED = st.builds(
    Fault,
    st.sampled_from(["*", "https://a/*", "https://b/1"]),
    times=st.none() | st.integers(1, 4),
    times_each=st.none() | st.integers(1, 3),
    status=st.just(500),
)


@given(URLS, COUNTED)
def test_a_fault_meets_never_more_than_it_says(urls: list[str], fault: Fault) -> None:
    faults = FaultInjector((fault,))
    found = [url for url in urls if faults.match("GET", url)]
    assert fault.times is None or len(found) <= fault.times
    assert fault.times_each is None or all(found.count(url) <= fault.times_each for url in found)
    if fault.times is None:  # then the order in which they come changes nothing
        other = FaultInjector((fault,))
        assert sorted(found) == sorted(url for url in reversed(urls) if other.match("GET", url))


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        pytest.param("https://a.example/*", "a.example", True, id="its own"),
        pytest.param("https://a.example:8443/*", "a.example", True, id="with a port"),
        pytest.param("https://*.example/simple/x/", "a.example", True, id="a host by a pattern"),
        pytest.param("https://*", "a.example", True, id="every host"),
        pytest.param("https://b.example/*", "a.example", False, id="another"),
    ],
)
def test_a_certificate_runs_out_by_the_host_of_the_pattern(pattern: str, host: str, expected: bool) -> None:
    assert FaultInjector((Fault(pattern, expired_certificate=True),)).match_tls(host) == "expired" * expected
    assert FaultInjector((Fault(pattern, status=500),)).match_tls(host) == ""


def test_connections_are_counted() -> None:
    faults = FaultInjector((Fault("https://*", expired_certificate=True, times=3, times_each=2),))
    assert [faults.match_tls(host) for host in "aaaab"] == ["expired", "expired", "", "", ""]


def answered_by(*faults: Fault, url: str = PAGE) -> tuple[int, dict[bytes, bytes]] | None:
    answer = MatchedFaults(tuple((fault, 1) for fault in faults), url).response
    return (answer.status, dict(answer.headers)) if answer else None


PLAIN = {b"content-type": b"text/plain"}


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param([Fault("*", status=503)], (503, PLAIN), id="a status"),
        pytest.param(
            [Fault("*", status=429, retry_after=0)], (429, PLAIN | {b"retry-after": b"0"}), id="a wait of no seconds"
        ),
        pytest.param(
            [Fault("*", redirect_loop=True)], (302, PLAIN | {b"location": PAGE.encode()}), id="a loop leads to itself"
        ),
        pytest.param([Fault("*", delay=1), Fault("*", status=500)], (500, PLAIN), id="the first that answers"),
        pytest.param([Fault("*", status=404), Fault("*", status=500)], (404, PLAIN), id="the first of two"),
        pytest.param([Fault("*", missing_metadata=True)], None, id="metadata, where it is not asked for"),
        pytest.param(
            [Fault("*", delay=1, drip=1, cut=1, truncate=1, corrupt=1, wrong_hash=True)], None, id="what changes a body"
        ),
        pytest.param([], None, id="none"),
    ],
)
def test_what_is_answered_instead(faults: list[Fault], expected: tuple[int, dict[bytes, bytes]] | None) -> None:
    assert answered_by(*faults) == expected


def test_metadata_that_is_missing_is_404() -> None:
    assert answered_by(Fault("*", missing_metadata=True), url=f"{WHEEL}.metadata") == (404, PLAIN)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Fault("*", status=503, times=2), "fault: status 503, request 1", id="a status"),
        pytest.param(Fault("*", cut=0), "fault: cut 0, request 1", id="a cut at the very start"),
        pytest.param(Fault("*", wrong_hash=True), "fault: wrong-hash, request 1", id="a yes"),
        pytest.param(Fault("*", delay=0.5, drip=9), "fault: delay 0.5, drip 9, request 1", id="two things"),
    ],
)
def test_a_fault_is_reported_in_one_line(fault: Fault, expected: str) -> None:
    one = FaultInjector((fault,)).match("GET", PAGE)
    assert one
    assert one.reason == expected


def test_delays_add_up() -> None:
    one = FaultInjector((Fault("*", delay=0.5), Fault("*", delay=2, status=500))).match("GET", PAGE)
    assert one
    assert one.delay == 2.5


BODY = bytes(range(256)) * 8


def left(
    fault: Fault, body: bytes = BODY, *, url: str = PAGE, sized: bool = True, block: int = 100
) -> tuple[list[bytes], dict[bytes, bytes], bool]:
    """Return what a fault leaves of an answer: its pieces, its headers, and whether it broke off."""

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), block):
            yield body[start : start + block]

    async def read() -> tuple[list[bytes], dict[bytes, bytes], bool]:
        headers = [(b"content-type", b"text/plain"), *([(b"content-length", b"%d" % len(body))] if sized else [])]
        one = MatchedFaults(((fault, 1),), url)
        assert one.changes
        changed = one.changed(UpstreamAnswer(200, headers, chunks(), replayed=False))
        got: list[bytes] = []
        try:
            async for chunk in changed.chunks:
                got.append(chunk)
        except ConnectionCut:
            return got, dict(changed.headers), True
        return got, dict(changed.headers), False

    return asyncio.run(read())


def body_left(fault: Fault, body: bytes = BODY, **options: Any) -> bytes:
    return b"".join(left(fault, body, **options)[0])


def differing(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return sum(a != b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("most", [0, 1, 99, 100, 101, 250, len(BODY), len(BODY) + 1])
@pytest.mark.parametrize("sized", [True, False])
def test_a_truncated_body_is_short_and_says_so(most: int, sized: bool) -> None:
    chunks, headers, broke_off = left(Fault("*", truncate=most), sized=sized)
    assert b"".join(chunks) == BODY[:most]
    assert not broke_off
    assert headers.get(b"content-length") == (b"%d" % min(most, len(BODY)) if sized else None)


@pytest.mark.parametrize("after", [0, 1, 99, 100, 101, 250])
def test_a_cut_body_breaks_off_and_does_not_say_so(after: int) -> None:
    chunks, headers, broke_off = left(Fault("*", cut=after))
    assert (b"".join(chunks), broke_off) == (BODY[:after], True)
    assert headers[b"content-length"] == b"%d" % len(BODY)


@pytest.mark.parametrize("count", [1, 2, 10, 1000])
@pytest.mark.parametrize("block", [1, 100, 10_000])
def test_exactly_so_many_bytes_are_other_ones(count: int, block: int) -> None:
    assert differing(body_left(Fault("*", corrupt=count), block=block), BODY) == count


def test_a_body_that_is_shorter_than_its_corruption_has_no_byte_left() -> None:
    assert differing(body_left(Fault("*", corrupt=50), b"abc"), b"abc") == 3


@pytest.mark.parametrize("size", [3, 300, 5000])
def test_so_many_bytes_are_other_ones_where_the_length_is_unknown(size: int) -> None:
    body = (BODY * 3)[:size]
    assert differing(body_left(Fault("*", corrupt=3), body, sized=False), body) == 3


def test_corruption_repeats_and_follows_from_the_seed_and_the_url() -> None:
    one = body_left(Fault("*", corrupt=10, seed=1))
    assert body_left(Fault("*", corrupt=10, seed=1)) == one
    assert body_left(Fault("*", corrupt=10, seed=1), block=7) == one
    assert body_left(Fault("*", corrupt=10, seed=2)) != one
    assert body_left(Fault("*", corrupt=10, seed=1), url=WHEEL) != one


@pytest.mark.parametrize("rate", [1000, 4000])
def test_a_body_drips(rate: int) -> None:
    started = time.monotonic()
    chunks, headers, _ = left(Fault("*", drip=rate), BODY[:500], block=10_000)
    took = time.monotonic() - started
    assert b"".join(chunks) == BODY[:500]
    assert max(map(len, chunks)) <= rate * 0.05 + 1
    assert 500 / rate * 0.9 <= took <= 500 / rate * 1.5 + 0.5
    assert headers[b"content-length"] == b"500"


def test_one_byte_at_a_time_is_slow_from_the_first() -> None:
    started = time.monotonic()
    assert body_left(Fault("*", drip=10), b"abc") == b"abc"
    assert 0.2 <= time.monotonic() - started <= 1


def test_several_things_happen_to_one_body() -> None:
    chunks, headers, broke_off = left(Fault("*", corrupt=len(BODY), truncate=500, cut=300))
    assert (b"".join(chunks), broke_off) == (bytes(byte ^ 0xFF for byte in BODY[:300]), True)
    assert headers[b"content-length"] == b"500"


DIGESTS = [sha256(b"%d" % n).hexdigest() for n in range(4)]
FORMS = [
    pytest.param(f'<a href="a.whl#sha256={{}}" data-core-metadata="sha256={DIGESTS[3]}">a</a>', id="HTML"),
    pytest.param(f'{{"hashes": {{"sha256": "{{}}"}}, "core-metadata": {{"sha256": "{DIGESTS[3]}"}}}}', id="JSON"),
    pytest.param(f'{{"hashes":{{"sha256":"{{}}"}},"core-metadata":{{"sha256":"{DIGESTS[3]}"}}}}', id="dense JSON"),
]


@pytest.mark.parametrize("form", FORMS)
def test_wrong_digests_are_other_ones_and_always_the_same(form: str) -> None:
    text = "\n".join(form.replace("{}", digest).replace("{{", "{").replace("}}", "}") for digest in DIGESTS[:2])
    one = replace_hashes(text.encode(), 0).decode()
    assert len(one) == len(text)
    assert DIGESTS[0] not in one
    assert DIGESTS[1] not in one
    assert one.count(DIGESTS[3]) == 2, "the metadata's stay"
    found = re.findall(r"[0-9a-f]{64}", one)
    assert len(set(found)) == 3, "each file has its own"
    assert replace_hashes(text.encode(), 0).decode() == one
    assert replace_hashes(text.encode(), 1).decode() != one


def test_a_page_of_wrong_digests_comes_whole() -> None:
    body = f'<a href="a.whl#sha256={DIGESTS[0]}">a</a>'.encode() * 50
    assert body_left(Fault("*", wrong_hash=True), body, block=7) == replace_hashes(body, 0)


# Through a listener.

PRIVATE = "https://private.example.com/simple"
DEVPI = "https://devpi.example.com/root/pypi/+simple"


@pytest.fixture(scope="module")
def gateway(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    packages = (SyntheticPackage("x", "1.0"),)
    indexes = (
        *ALONE.indexes,
        Index(PRIVATE, synthetic="replace", packages=packages),
        Index(DEVPI, "devpi", synthetic="replace", packages=packages),
    )
    with Gateway(cache, tmp_path_factory.mktemp("recording"), "replay", GatewayConfig(indexes=indexes)) as gateway:
        yield gateway


def fault(url: str = "*", **does: Any) -> Fault:
    return Fault(url, **does)


def all_answered(listener: Listener) -> bool:
    return not unanswered(listener.requests)


def unanswered(requests: tuple[Request, ...]) -> tuple[Request, ...]:
    return Observation("as reported", "0.13.9", "3.11.0", "local", "linux", (), requests).unanswered


def test_only_the_first_requests_are_met(gateway: Gateway) -> None:
    with through(gateway, fault("https://pypi.org/simple/*", status=503, times=2)) as (client, listener):
        assert [client.get(PAGE).status_code for _ in range(4)] == [503, 503, 200, 200]
        assert client.get(WHEEL).status_code == 200
    assert [(r.status, r.answered_by, r.reason) for r in listener.requests[:3]] == [
        (503, "fault", "fault: status 503, request 1"),
        (503, "fault", "fault: status 503, request 2"),
        (200, "stand-in", ""),
    ]
    assert all_answered(listener)


def test_a_last_answer_that_is_a_fault_is_an_answer(gateway: Gateway) -> None:
    with through(gateway, fault(status=503)) as (client, listener):
        assert client.get(PAGE).status_code == 503
        assert client.head(PAGE).status_code == 503
    assert [r.answered_by for r in listener.requests] == ["fault", "fault"]
    assert all_answered(listener)


def test_two_listeners_count_each_for_itself(gateway: Gateway) -> None:
    once = fault(status=503, times=1)
    with through(gateway, once) as (one, _), through(gateway, once) as (other, _), through(gateway) as (free, _):
        found = [[client.get(PAGE).status_code for _ in range(2)] for client in (one, other, free)]
    assert found == [[503, 200], [503, 200], [200, 200]]


def test_an_answer_that_was_kept_for_others_does_not_hide_a_fault(gateway: Gateway) -> None:
    with through(gateway) as (client, _):
        assert [client.get(PAGE).status_code for _ in range(2)] == [200, 200]
    with through(gateway, fault(status=503, times=1)) as (client, _):
        assert [client.get(PAGE).status_code for _ in range(2)] == [503, 200]
    with through(gateway, fault(wrong_hash=True)) as (client, _):
        wrong = client.get(PAGE, headers=JSON).text
    with through(gateway) as (client, _):
        assert client.get(PAGE, headers=JSON).text != wrong


def test_too_many_requests_say_when_to_come_again(gateway: Gateway) -> None:
    with through(gateway, fault(status=429, retry_after=7, times_each=1)) as (client, _):
        answers = [client.get(url) for url in (PAGE, WHEEL, PAGE, WHEEL)]
    assert [answer.status_code for answer in answers] == [429, 429, 200, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None, None]


def test_a_delay_is_waited_before_the_answer(gateway: Gateway) -> None:
    with through(gateway, fault(delay=0.4, times=1)) as (client, listener):
        started = time.monotonic()
        assert client.get(PAGE).status_code == 200
        assert time.monotonic() - started >= 0.4
        started = time.monotonic()
        assert client.get(PAGE).status_code == 200
        assert time.monotonic() - started < 0.3
    [late, soon] = listener.requests
    assert (late.answered_by, late.reason, late.seconds >= 0.4) == ("stand-in", "fault: delay 0.4, request 1", True)
    assert soon.reason == ""
    assert all_answered(listener)


def test_head_is_late_and_else_left_alone(gateway: Gateway) -> None:
    with through(gateway, fault(delay=0.1, cut=0, truncate=1, times=1)) as (client, _):
        late, soon = client.head(WHEEL), client.head(WHEEL)
        assert late.elapsed.total_seconds() >= 0.1
        assert late.headers["content-length"] == soon.headers["content-length"]
        assert "connection" not in late.headers


@pytest.mark.parametrize("url", [WHEEL, PAGE], ids=["a file", "a page"])
@pytest.mark.parametrize("after", [0, 100])
def test_a_cut_body_is_reported_as_an_early_end(gateway: Gateway, url: str, after: int) -> None:
    with through(gateway, fault(cut=after, times=1)) as (client, listener):
        got = bytearray()
        with client.stream("GET", url) as answer:
            assert answer.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                collections.deque(map(got.extend, answer.iter_raw()), maxlen=0)
        whole = client.get(url).content
    assert got == whole[:after]
    assert listener.requests[0].reason == f"fault: cut {after}, request 1"
    assert all_answered(listener)


@pytest.mark.parametrize("url", [WHEEL, PAGE], ids=["a file", "a page"])
def test_a_truncated_body_is_a_whole_answer(gateway: Gateway, url: str) -> None:
    with through(gateway, fault(truncate=100, times=1)) as (client, listener):
        short, whole = client.get(url), client.get(url)
    assert (short.status_code, short.content) == (200, whole.content[:100])
    assert len(whole.content) > 100
    assert [r.reason for r in listener.requests] == ["fault: truncate 100, request 1", ""]
    assert all_answered(listener)


@pytest.mark.parametrize("url", [WHEEL, PAGE], ids=["a file", "a page"])
def test_a_corrupted_body_is_the_same_behind_every_listener(gateway: Gateway, url: str) -> None:
    bodies = []
    for _ in range(2):
        with through(gateway, fault(corrupt=5, seed=3, times=1)) as (client, _):
            bodies.append((client.get(url).content, client.get(url).content))
    (bad, good), again = bodies
    assert (bad, good) == again
    assert differing(bad, good) == 5


def test_a_body_drips_through_a_listener(gateway: Gateway) -> None:
    with through(gateway, fault(drip=2000)) as (client, _):
        started = time.monotonic()
        size = len(client.get(WHEEL).content)
        took = time.monotonic() - started
    assert size / 2000 * 0.8 <= took <= size / 2000 * 1.5 + 1


def links(answer: httpx.Response) -> dict[str, tuple[str, str | None]]:
    """Return each file of a page, with its address and its sha256."""
    return {
        file["filename"]: (str(answer.url.join(file["url"])), file["hashes"].get("sha256"))
        for file in answer.json()["files"]
    }


@pytest.mark.parametrize("index", [SIMPLE, PRIVATE, DEVPI])
def test_a_wrong_digest_is_not_that_of_the_file(gateway: Gateway, index: str) -> None:
    with through(gateway, fault(f"{index}/*", wrong_hash=True, times=1)) as (client, _):
        wrong, right = (client.get(f"{index}/x/", headers=JSON) for _ in range(2))
        assert links(wrong).keys() == links(right).keys()
        for name, (url, digest) in links(right).items():
            assert sha256(client.get(url).content).hexdigest() == digest
            assert links(wrong)[name][1] not in (digest, None)


@pytest.mark.parametrize("form", [JSON, HTML], ids=["JSON", "HTML"])
@pytest.mark.parametrize("does", [{"wrong_hash": True}, {"drip": 100_000}, {"delay": 0.01}], ids=str)
@pytest.mark.parametrize("index", [SIMPLE, PRIVATE, DEVPI, "https://pypi-proxy.fly.dev/relative/simple"])
def test_a_fault_leaves_the_rest_of_a_page_as_it_is(
    gateway: Gateway, index: str, form: dict[str, str], does: dict[str, Any]
) -> None:
    with through(gateway, fault(times=1, **does)) as (client, _):
        one, other = (client.get(f"{index}/x/", headers=form) for _ in range(2))
    plain = [re.sub(r"[0-9a-f]{64}", "DIGEST", answer.text) for answer in (one, other)]
    if index != DEVPI:  # its links have the digest in them
        assert plain[0] == plain[1]
    assert one.headers["content-type"] == other.headers["content-type"]


def test_missing_metadata_is_a_404_beside_a_page_that_tells_of_it(gateway: Gateway) -> None:
    with through(gateway, fault("https://files.pythonhosted.org/*.whl", missing_metadata=True)) as (client, listener):
        page = client.get(PAGE, headers=JSON).json()
        assert any(file.get("core-metadata") for file in page["files"])
        assert [client.get(url).status_code for url in (f"{WHEEL}.metadata", WHEEL, SDIST)] == [404, 200, 200]
    assert [r.answered_by for r in listener.requests] == ["stand-in", "fault", "stand-in", "stand-in"]
    assert all_answered(listener)


def test_a_redirect_loop_does_not_end(gateway: Gateway) -> None:
    loop = fault("https://pypi.org/*", redirect_loop=True)
    with through(gateway, loop, follow_redirects=True) as (client, listener), pytest.raises(httpx.TooManyRedirects):
        client.get(f"{PAGE}?a=b")
    assert {(r.path, r.status, r.answered_by) for r in listener.requests} == {("/simple/x/?a=b", 302, "fault")}
    assert all_answered(listener)


def test_an_expired_certificate_is_reported_as_such_and_is_no_rejected_ca(gateway: Gateway) -> None:
    with through(gateway, fault(f"{PRIVATE}/*", expired_certificate=True)) as (client, listener):
        with pytest.raises(httpx.ConnectError, match="expired"):
            client.get(f"{PRIVATE}/x/")
        assert client.get(PAGE).status_code == 200
    actual = [(r.method, r.host, r.status, r.answered_by) for r in listener.requests]
    assert actual == [("TLS", "private.example.com", 0, "fault"), ("GET", "pypi.org", 200, "stand-in")]
    assert all_answered(listener)


def test_an_untrusted_issuer_is_reported_as_such_and_is_no_rejected_ca(gateway: Gateway) -> None:
    with through(gateway, fault(f"{PRIVATE}/*", untrusted_issuer=True)) as (client, listener):
        with pytest.raises(httpx.ConnectError, match="unable to get local issuer certificate"):
            client.get(f"{PRIVATE}/x/")
        assert client.get(PAGE).status_code == 200
    assert next((r.host, r.answered_by, r.reason) for r in listener.requests) == (
        "private.example.com",
        "fault",
        "fault: untrusted-issuer",
    )
    assert all_answered(listener)


def test_a_certificate_is_expired_for_the_first_connection_only(gateway: Gateway) -> None:
    with through(gateway, fault(f"{PRIVATE}/*", expired_certificate=True, times=1)) as (client, listener):
        with pytest.raises(httpx.ConnectError, match="expired"):
            client.get(f"{PRIVATE}/x/")
        assert client.get(f"{PRIVATE}/x/").status_code == 200
    assert all_answered(listener)


def test_a_client_that_looks_at_no_certificate_is_answered(gateway: Gateway) -> None:
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with (
        gateway.listener(faults=(fault(f"{PRIVATE}/*", expired_certificate=True),)) as listener,
        httpx.Client(proxy=listener.url, verify=blind, trust_env=False) as client,
    ):
        assert client.get(f"{PRIVATE}/x/").status_code == 200
    assert [r.answered_by for r in listener.requests] == ["fault", "stand-in"]


def test_plain_http_has_no_certificate(gateway: Gateway) -> None:
    with through(gateway, fault("http*://private.example.com/*", expired_certificate=True)) as (client, _):
        assert client.get(f"{PRIVATE}/x/".replace("https:", "http:")).status_code == 200


def test_a_host_that_is_refused_meets_no_fault(gateway: Gateway) -> None:
    with through(gateway, fault("http://example.com/*", status=503)) as (client, listener):
        assert client.get("http://example.com/").status_code == 403
    assert [r.answered_by for r in listener.requests] == ["refused"]
    assert [r.host for r in unanswered(listener.requests)] == ["example.com"]


def test_what_is_not_on_the_recording_stays_unanswered_whatever_faults_match_it(cache: Path, tmp_path: Path) -> None:
    befalls = fault(delay=0.01, truncate=10)
    with Gateway(cache, tmp_path, "replay") as gateway, through(gateway, befalls) as (client, listener):
        assert client.get(PAGE).status_code == 504
    assert [(request.host, request.path) for request in unanswered(listener.requests)] == [("pypi.org", "/simple/x/")]


def test_a_cut_is_no_traceback(cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Gateway(cache, tmp_path / "recording", "replay", ALONE) as gateway:
        with through(gateway, fault(cut=10)) as (client, _), pytest.raises(httpx.RemoteProtocolError):
            client.get(WHEEL)
        with through(gateway) as (client, _):
            assert client.get(WHEEL).status_code == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("fault", "requested", "expected"),
    [
        pytest.param(Fault("https://a.com/*", refused=True), ["https a.com", "https a.com"], "yy", id="its host"),
        pytest.param(Fault("https://a.com/x/*", timeout=True), ["https a.com"], "y", id="whatever the path"),
        pytest.param(Fault("https://a.com:8443/*", timeout=True), ["https a.com"], "y", id="whatever the port"),
        pytest.param(
            Fault("https://*.a.com/*", refused=True), ["https x.a.com", "https a.com"], "yn", id="below a name"
        ),
        pytest.param(Fault("https://[::1]:8080/*", refused=True), ["https ::1"], "y", id="an address"),
        pytest.param(Fault("https://a.com/*", refused=True), ["https b.com", "http a.com"], "nn", id="nothing else"),
        pytest.param(Fault("http://a.com/*", refused=True), ["https a.com", "http a.com"], "ny", id="without TLS"),
        pytest.param(Fault("https://a.com/*", refused=True, times=2), ["https a.com"] * 3, "yyn", id="for a while"),
        pytest.param(Fault("https://a.com/*", status=500), ["https a.com"], "n", id="a host that answers"),
    ],
)
def test_which_hosts_cannot_be_reached(fault: Fault, requested: list[str], expected: str) -> None:
    faults = FaultInjector((fault,))
    pairs = [one.split() for one in requested]
    assert [faults.match_outage(host, scheme) is not None for scheme, host in pairs] == [e == "y" for e in expected]


def test_what_cannot_be_reached_meets_no_request() -> None:
    assert met(FaultInjector((Fault("*", refused=True),)), PAGE) == [False]


@pytest.mark.parametrize("url", ["https://elsewhere.example.com/", "http://elsewhere.example.com/"])
@pytest.mark.parametrize(
    ("does", "raised", "within"),
    [
        pytest.param({"refused": True}, (httpx.ConnectError, httpx.ReadError), (0, 1), id="refused"),
        pytest.param({"unresolvable": True}, (httpx.ConnectError, httpx.ReadError), (0, 1), id="unresolvable"),
        pytest.param({"timeout": True}, (httpx.TimeoutException,), (0.9, 3), id="timeout"),
    ],
)
def test_a_host_that_is_not_allowed_fails_as_it_must(
    gateway: Gateway, url: str, does: dict[str, Any], raised: tuple[type[Exception], ...], within: tuple[float, float]
) -> None:
    with through(gateway, fault(f"{url}*", **does)) as (client, listener):
        started = time.monotonic()
        with pytest.raises(raised) as failed:
            client.get(url, timeout=1)
        took = time.monotonic() - started
        assert client.get(PAGE).status_code == 200, "other hosts answer"
    assert within[0] <= took <= within[1]
    assert "timeout" in does or "reset" in str(failed.value)
    first, *_ = listener.requests
    kind = next(iter(does))
    assert (first.host, first.status, first.answered_by) == ("elsewhere.example.com", 0, "fault")
    assert first.reason == f"fault: {kind}, request 1"
    assert all_answered(listener)


def test_a_host_is_there_again_after_a_while(gateway: Gateway) -> None:
    with through(gateway, fault("https://pypi.org/*", refused=True, times=2)) as (client, listener):
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                client.get(PAGE)
        assert client.get(PAGE).status_code == 200
    assert [r.answered_by for r in listener.requests] == ["fault", "fault", "stand-in"]


def test_a_client_that_waits_for_a_host_keeps_no_gateway_from_ending(cache: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    with (
        contextlib.ExitStack() as clients,
        Gateway(cache, tmp_path, "replay") as gateway,
        gateway.listener(faults=(fault("http*://*", timeout=True),)) as listener,
    ):
        for head in (b"CONNECT a:443 HTTP/1.1\r\n\r\n", b"GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n"):
            waiting = clients.enter_context(socket.create_connection(("127.0.0.1", listener.port)))
            waiting.sendall(head)
            waiting.settimeout(0.5)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
    assert time.monotonic() - started < 5
    assert [request.reason for request in listener.requests] == [
        "fault: timeout, request 1",
        "fault: timeout, request 2",
    ]
