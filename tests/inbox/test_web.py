"""Files from URLs, by a server with TLS on this machine."""

import pytest

from tests.hub import Hub
from uvmre import files
from uvmre.errors import CannotTell, UsageError
from uvmre.inbox.web import fetch_file

LOCAL = ("localhost",)


@pytest.fixture(autouse=True)
def own_trust(secure_hub: Hub) -> None:
    """Load the authority of the server."""
    from uvmre.client import trust_store

    trust_store.cache_clear()


def test_a_file_is_read_over_tls(secure_hub: Hub) -> None:
    secure_hub.answers |= {"/x.zip": (200, b"PK\x03"), "/moved": (301, {"url": "/x.zip"})}
    assert fetch_file(f"{secure_hub.url}/x.zip", LOCAL) == b"PK\x03"
    assert fetch_file(f"{secure_hub.url}/moved", LOCAL) == b"PK\x03"
    assert secure_hub.requested == [("/x.zip", ""), ("/moved", ""), ("/x.zip", "")]


def test_a_private_address_is_not_read(secure_hub: Hub) -> None:
    with pytest.raises(CannotTell, match="failed to fetch") as raised:
        fetch_file(f"{secure_hub.url}/x.zip")
    assert "private network" in raised.value.cause
    assert secure_hub.requested == []


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        pytest.param("/none", "HTTP status 404", id="no such file"),
        pytest.param("/circle", "more than 5 redirects", id="a circle"),
    ],
)
def test_what_is_not_there_is_an_error(secure_hub: Hub, path: str, cause: str) -> None:
    secure_hub.answers["/circle"] = (301, {"url": "/circle"})
    with pytest.raises(UsageError) as raised:
        fetch_file(secure_hub.url + path, LOCAL)
    assert raised.value.cause == cause


def test_a_redirect_does_not_leave_https(secure_hub: Hub) -> None:
    plain = secure_hub.url.replace("https", "http")
    secure_hub.answers["/moved"] = (301, {"url": ""})
    secure_hub.url, url = plain, secure_hub.url
    with pytest.raises(UsageError, match="is not an HTTPS URL"):
        fetch_file(f"{url}/moved", LOCAL)


def test_a_large_file_is_not_read_whole(secure_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LIMIT", 1_000_000)
    secure_hub.answers["/x"] = (200, b"x" * 1_000_001)
    with pytest.raises(UsageError, match="is larger than 1 MB"):
        fetch_file(f"{secure_hub.url}/x", LOCAL)


@pytest.mark.parametrize(
    ("url", "fetched"),
    [
        ("https://gist.github.com/me/0a1b2c#file-x", "https://gist.githubusercontent.com/me/0a1b2c/raw"),
        ("https://github.com/o/r/blob/main/x.zip", "https://github.com/o/r/raw/main/x.zip"),
    ],
)
def test_a_page_of_github_stands_for_its_text(monkeypatch: pytest.MonkeyPatch, url: str, fetched: str) -> None:
    requested: list[str] = []

    async def fetch(url: str, hosts: object) -> bytes:
        requested.append(url)
        return b""

    monkeypatch.setattr("uvmre.inbox.web._fetch", fetch)
    fetch_file(url)
    assert requested == [fetched]
