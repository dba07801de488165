"""The URLs and the proxy of uvmre's own HTTP client."""

import pytest

from uvmre import client


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        pytest.param("https://pypi.org/simple/x/", b"pypi.org", None, b"/simple/x/", id="a page"),
        pytest.param("https://pypi.org", b"pypi.org", None, b"/", id="no path"),
        pytest.param("http://127.0.0.1:8080/a?b=c", b"127.0.0.1", 8080, b"/a?b=c", id="a port and a query"),
        pytest.param("https://a.example/x;y/z", b"a.example", None, b"/x;y/z", id="a semicolon"),
        pytest.param("https://a.example/x#y", b"a.example", None, b"/x", id="a fragment"),
        pytest.param("https://a.example/%2e%2e/ä", b"a.example", None, b"/%2e%2e/\xe4", id="escapes and latin-1"),
    ],
)
def test_a_path_is_not_changed(url: str, host: bytes, port: int | None, target: bytes) -> None:
    parsed = client.httpcore_url(url)
    assert (parsed.host, parsed.port, parsed.target) == (host, port, target)


def test_the_client_identifies_itself_and_follows_redirects() -> None:
    with client.http_client() as http:
        assert http.headers["user-agent"] == client.USER_AGENT
        assert http.follow_redirects


def test_the_trust_store_is_loaded_once() -> None:
    assert client.trust_store() is client.trust_store()
