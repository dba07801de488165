"""Static answers: which request gets which, and what an MRE cannot open with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.listeners import through
from uvmre.core.network.index import Fault, StaticAnswer
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.session import Gateway

URL = "https://static.example/list/"
ANSWERS = (
    StaticAnswer(f"{URL}once", times=1, status=503, headers={"Retry-After": "0"}),
    StaticAnswer(f"{URL}once", body="then"),
    StaticAnswer(f"{URL}moved", redirect=f"{URL}file"),
    StaticAnswer(f"{URL}file", file="a.bin", headers={"etag": '"1"'}),
    StaticAnswer(f"{URL}private", credentials="me:right", body="welcome"),
    StaticAnswer(f"{URL}private", credentials="any", status=403),
    StaticAnswer(f"{URL}private", credentials="none", status=401, headers={"www-authenticate": "Basic"}),
    StaticAnswer(f"{URL}kind", header="accept: *json*", body="{}"),
    StaticAnswer(f"{URL}kind", method="PUT", status=405),
    StaticAnswer("https://*/anywhere", body="any host"),
)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    config = GatewayConfig(answers=ANSWERS, files={"a.bin": b"\0" * 5000})
    with Gateway(tmp_path / "cache", tmp_path / "recording", "replay", config=config) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        ("GET", "moved", {}, (302, b"")),
        ("GET", "file", {}, (200, b"\0" * 5000)),
        ("HEAD", "file", {}, (200, b"")),
        ("GET", "file", {"headers": {"if-none-match": '"1"'}}, (304, b"")),
        ("GET", "private", {}, (401, b"")),
        ("GET", "private", {"auth": ("me", "wrong")}, (403, b"")),
        ("GET", "private", {"auth": ("me", "right")}, (200, b"welcome")),
        ("GET", "kind", {"headers": {"accept": "application/Json, application/json"}}, (200, b"{}")),
        ("PUT", "kind", {"headers": {"accept": "text/html"}}, (405, b"")),
    ],
)
def test_the_first_that_matches_is_sent(
    gateway: Gateway, method: str, path: str, options: dict[str, Any], expected: tuple[int, bytes]
) -> None:
    with through(gateway) as (client, listener):
        answer = client.request(method, f"{URL}{path}", **options)
        assert (answer.status_code, answer.content) == expected
        assert {request.answered_by for request in listener.requests} == {"stand-in"}


def test_counts_are_those_of_a_variant_and_a_fault_comes_first(gateway: Gateway) -> None:
    for _ in range(2):
        with through(gateway) as (client, _listener):
            assert [client.get(f"{URL}once").status_code for _ in range(3)] == [503, 200, 200]
    with through(gateway, Fault("https://static.example/*", status=500)) as (client, listener):
        assert client.get(f"{URL}once").status_code == 500
        assert listener.requests[0].answered_by == "fault"
    with through(gateway, Fault(f"{URL}file", truncate=10)) as (client, _listener):
        assert len(client.get(f"{URL}file").content) == 10


@pytest.mark.parametrize("url", [f"{URL}other", f"{URL}kind", "https://intranet.example/", "http://127.0.0.2/x"])
def test_nothing_else_of_the_host_is_reached(gateway: Gateway, url: str) -> None:
    with through(gateway) as (client, listener):
        assert client.get("https://intranet.example/anywhere").text == "any host"
        answer = client.get(url)
        assert (answer.status_code, "no `[[answer]]` or `[[git]]` matches" in answer.text) == (403, True)
        assert listener.requests[-1].answered_by == "refused"


def test_without_answers_the_host_is_refused(tmp_path: Path) -> None:
    with (
        Gateway(tmp_path / "cache", tmp_path / "recording", "replay") as gateway,
        through(gateway) as (client, _listener),
        pytest.raises(httpx.ProxyError, match="403"),
    ):
        client.get(URL)
