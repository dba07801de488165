"""Listening sockets of other networks, which a listener of the gateway serves as its own."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateway.listeners import ALONE, SIMPLE, trusting
from uvmre.core.network.index import Fault
from uvmre.core.network.request import Request
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.recording.store import Recording
from uvmre.gateway.routing.faults import FaultInjector
from uvmre.gateway.routing.respond import Responder
from uvmre.gateway.server.connection import MAX_CONNECTIONS, MAX_REQUESTS, Session
from uvmre.gateway.session import Gateway, Listener

CLIENT_SECONDS = 20


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path / "cache", tmp_path / "recording", "replay", ALONE) as opened:
        yield opened


def hand_over(descriptor: int, listening: socket.socket) -> None:
    """Send a listening socket as the first process in a sandbox does."""
    sender = socket.socket(fileno=descriptor)
    socket.send_fds(sender, [b"\0"], [listening.fileno()])
    sender.detach()


def get(gateway: Gateway, place: socket.socket | Listener) -> int:
    port = place.port if isinstance(place, Listener) else place.getsockname()[1]
    verify = trusting(gateway.certificate)
    options = {"verify": verify, "trust_env": False, "timeout": CLIENT_SECONDS}
    with httpx.Client(proxy=f"http://127.0.0.1:{port}", **options) as client:
        return client.get(f"{SIMPLE}/x/").status_code


def test_its_requests_are_the_listener_s_with_the_same_faults(gateway: Gateway) -> None:
    fault = Fault("https://pypi.org/*", status=503, times=1)
    with gateway.listener(faults=(fault,)) as listener:
        statuses = []
        for _ in range(2):  # each step has a sandbox of its own
            with listener.connect() as descriptor, socket.create_server(("127.0.0.1", 0)) as listening:
                hand_over(descriptor, listening)
                statuses.append(get(gateway, listening))
        requests = listener.requests
    assert statuses == [503, 200]
    assert [request.status for request in requests] == [503, 200]


def test_a_sandbox_that_fails_sends_nothing_and_harms_nothing(gateway: Gateway) -> None:
    with gateway.listener() as listener:
        with listener.connect():
            pass
        with socket.create_server(("127.0.0.1", 0)) as listening, listener.connect() as descriptor:
            hand_over(descriptor, listening)
            assert get(gateway, listening) == 200


def test_what_was_handed_over_ends_with_its_listener(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with gateway.listener() as listener, listener.connect() as descriptor:
            hand_over(descriptor, listening)
            assert get(gateway, listening) == 200
        port = listening.getsockname()[1]
    deadline = time.monotonic() + CLIENT_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    pytest.fail("the gateway still listens")


def refusals(listener: Listener) -> list[str]:
    return [request.reason for request in listener.requests if request.answered_by == "refused"]


def test_a_flood_of_connections_ends_the_listener_and_is_named(gateway: Gateway) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * MAX_CONNECTIONS:
        pytest.skip(f"this machine allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with gateway.listener() as listener, contextlib.ExitStack() as stack:
            assert get(gateway, listener) == 200
            with contextlib.suppress(ConnectionError):
                for _ in range(MAX_CONNECTIONS + 2):
                    stack.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=5))
            deadline = time.monotonic() + CLIENT_SECONDS
            while not (refused := refusals(listener)) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert refused == [f"the step opens over {MAX_CONNECTIONS:,} connections at once"]
        with gateway.listener() as another:
            assert get(gateway, another) == 200
            assert not refusals(another)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_flood_of_requests_ends_the_listener_and_is_named(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "recording", tmp_path / "bodies")
    session = Session(FaultInjector(()), Responder(GatewayConfig(), recording, "replay"))
    request = Request("GET", "pypi.org", "/simple/x/", 200, False, "stand-in", 0.0)
    for _ in range(MAX_REQUESTS - 1):
        session.log(request)
    assert not session.is_closed
    for _ in range(100):
        session.log(request)
    assert session.is_closed
    assert len(session.requests) == MAX_REQUESTS
    assert session.requests[-1].answered_by == "refused"
    assert f"over {MAX_REQUESTS:,} requests" in session.requests[-1].reason
