"""Listening sockets of other networks, which a listener of the gateway serves as its own."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateway.listeners import ALONE, SIMPLE, trusting
from uvmre.core.network.index import Fault
from uvmre.gateway.session import Gateway

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


def get(gateway: Gateway, listening: socket.socket, path: str = "/x/") -> httpx.Response:
    proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
    verify = trusting(gateway.certificate)
    with httpx.Client(proxy=proxy, verify=verify, trust_env=False, timeout=CLIENT_SECONDS) as client:
        return client.get(SIMPLE + path)


def test_its_requests_are_the_listener_s_with_the_same_faults(gateway: Gateway) -> None:
    fault = Fault("https://pypi.org/*", status=503, times=1)
    with gateway.listener(faults=(fault,)) as listener:
        statuses = []
        for _ in range(2):  # each step has a sandbox of its own
            with listener.connect() as descriptor, socket.create_server(("127.0.0.1", 0)) as listening:
                hand_over(descriptor, listening)
                statuses.append(get(gateway, listening).status_code)
        requests = listener.requests
    assert statuses == [503, 200]
    assert [request.status for request in requests] == [503, 200]


def test_a_sandbox_that_fails_sends_nothing_and_harms_nothing(gateway: Gateway) -> None:
    with gateway.listener() as listener:
        with listener.connect():
            pass
        with socket.create_server(("127.0.0.1", 0)) as listening, listener.connect() as descriptor:
            hand_over(descriptor, listening)
            assert get(gateway, listening).status_code == 200


def test_what_was_handed_over_ends_with_its_listener(gateway: Gateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with gateway.listener() as listener, listener.connect() as descriptor:
            hand_over(descriptor, listening)
            assert get(gateway, listening).status_code == 200
        port = listening.getsockname()[1]
    deadline = time.monotonic() + CLIENT_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    pytest.fail("the gateway still listens")
