"""Which hosts the gateway connects to for a sandbox, with a real server on this machine."""

import asyncio
import socketserver
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler

import httpcore
import pytest

from uvmre import client


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("0.0.0.0", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def get(host: str, port: int, private_hosts: Sequence[str]) -> int:
    async def status() -> int:
        async with client.connection_pool(1, private_hosts) as pool:
            url = httpcore.URL(scheme=b"http", host=host.encode(), port=port, target=b"/")
            return (await pool.request("GET", url, extensions={"timeout": {"connect": 5, "read": 5}})).status

    return asyncio.run(status())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.9.9", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "localhost", "::ffff:127.0.0.1"],
)
def test_a_private_address_is_refused_however_it_is_written(host: str, port: int) -> None:
    with pytest.raises(httpcore.ConnectError, match="is on a private network"):
        get(host, port, ("pypi.org", "*.example"))


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "192.168.1.1", "::1", "fe80::1", "fc00::1"])
def test_addresses_of_other_networks_are_refused_too(host: str) -> None:
    with pytest.raises(httpcore.ConnectError, match="is on a private network"):
        get(host, 80, ())


@pytest.mark.parametrize("private_hosts", [("127.0.0.1",), ("x.example", "127.*"), ("*",)])
def test_a_host_that_may_be_private_is_reached(private_hosts: Sequence[str], port: int) -> None:
    assert get("127.0.0.1", port, private_hosts) == 204


def test_a_name_without_an_address_fails_as_such() -> None:
    with pytest.raises(httpcore.ConnectError) as raised:
        get("no-such-host.invalid", 80, ())
    assert "private" not in str(raised.value)
