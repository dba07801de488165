"""Who answers for which host."""

import pytest

from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.http.exchange import Response
from uvmre.gateway.index.pypi_proxy import EAGLE, HERON, LOCATIONS, Location, basic_auth
from uvmre.gateway.routing.hosts import Decision, ForwardRoute, Hosts

INDEX = "pypi-proxy.fly.dev"
FILE = "packages/ab/cd/x-1.0.tar.gz"

PLAIN = {live: Hosts(GatewayConfig(), live=live) for live in (False, True)}


def decide(origin: str, host: str, path: str, authorization: str | None, *, live: bool = False) -> Decision:
    return PLAIN[live].decide(origin, host, path, authorization)


def asks_for_credentials(decided: Decision) -> bool:
    challenge = (b"www-authenticate", b'Basic realm="authenticated"')
    return isinstance(decided, Response) and decided.status == 401 and challenge in decided.headers


CLOSED = [place for place in LOCATIONS if place.authorization]
WRONG = [
    pytest.param(None, id="no credentials"),
    pytest.param("", id="an empty header"),
    pytest.param("Basic", id="a scheme without credentials"),
    pytest.param(basic_auth("public", "wrong"), id="a wrong password"),
    pytest.param(basic_auth("other", "heron"), id="a wrong name"),
    pytest.param(basic_auth("public", ""), id="a name without its password"),
    pytest.param(f"Bearer {HERON.partition(' ')[2]}", id="the right value under another scheme"),
    pytest.param(f"{HERON}x", id="the right header with more behind it"),
]
ROUTES = [
    # path, credentials, upstream, links
    pytest.param("/simple/x/", None, "https://pypi.org/simple/x/", None, id="the open index"),
    pytest.param(
        "/relative/simple/x/", None, "https://pypi.org/simple/x/", "../../../files/", id="the open index, relative"
    ),
    pytest.param(f"/files/{FILE}", None, f"https://files.pythonhosted.org/{FILE}", None, id="an open file"),
    pytest.param(
        "/basic-auth/simple/x/", HERON, "https://pypi.org/simple/x/", "{origin}/basic-auth/files/", id="heron's index"
    ),
    pytest.param(
        "/basic-auth/relative/simple/x/",
        HERON,
        "https://pypi.org/simple/x/",
        "../../../files/",
        id="heron's index, relative",
    ),
    pytest.param(
        f"/basic-auth/files/{FILE}", HERON, f"https://files.pythonhosted.org/{FILE}", None, id="heron's files"
    ),
    pytest.param(
        "/basic-auth-heron/simple/x/",
        HERON,
        "https://pypi.org/simple/x/",
        "{origin}/basic-auth-heron/files/",
        id="heron's other index",
    ),
    pytest.param(
        f"/basic-auth-heron/files/{FILE}",
        HERON,
        f"https://files.pythonhosted.org/{FILE}",
        None,
        id="heron's other files",
    ),
    pytest.param(
        "/basic-auth-eagle/simple/x/",
        EAGLE,
        "https://pypi.org/simple/x/",
        "{origin}/basic-auth-eagle/files/",
        id="eagle's index",
    ),
    pytest.param(
        f"/basic-auth-eagle/files/{FILE}", EAGLE, f"https://files.pythonhosted.org/{FILE}", None, id="eagle's files"
    ),
    pytest.param("/simple/x/?a=b&c", None, "https://pypi.org/simple/x/?a=b&c", None, id="a query goes along"),
    pytest.param(
        "/files/a%2Bb%20c/", None, "https://files.pythonhosted.org/a+b%20c/", None, id="escapes are nginx's own"
    ),
    pytest.param("/no-upload-time/simple/x/", None, "https://pypi.org/simple/x/", None, id="undated"),
    pytest.param(
        "/simple/x/", basic_auth("any", "body"), "https://pypi.org/simple/x/", None, id="open to credentials too"
    ),
]


@pytest.mark.parametrize("origin", [f"https://{INDEX}", f"http://{INDEX}"])
@pytest.mark.parametrize(("path", "authorization", "upstream", "links"), ROUTES)
def test_a_request_with_the_right_credentials_is_forwarded(
    origin: str, path: str, authorization: str | None, upstream: str, links: str | None
) -> None:
    decided = decide(origin, INDEX, path, authorization)
    assert isinstance(decided, ForwardRoute)
    assert decided.location in LOCATIONS
    assert (decided.url, decided.links) == (upstream, (links or "").replace("{origin}", origin))


@pytest.mark.parametrize(
    ("origin", "host", "observed"),
    [
        pytest.param(f"https://{INDEX}:443", INDEX, f"https://{INDEX}", id="nginx leaves the port out"),
        pytest.param(f"http://{INDEX.upper()}", INDEX, f"http://{INDEX}", id="and writes small letters"),
        pytest.param("http://127.0.0.1:8080", "127.0.0.1", "http://127.0.0.1:8080", id="here the port is needed"),
    ],
)
def test_links_and_redirects_lead_to_the_host_as_nginx_knows_it(origin: str, host: str, observed: str) -> None:
    decided = decide(origin, host, "/basic-auth/simple/x/", HERON)
    assert isinstance(decided, ForwardRoute)
    assert decided.links == f"{observed}/basic-auth/files/"
    redirected = decide(origin, host, "/basic-auth?a=b", None)
    assert isinstance(redirected, Response)
    assert (redirected.status, redirected.sized) == (301, False)
    assert (b"location", f"{observed}/basic-auth/?a=b".encode()) in redirected.headers


@pytest.mark.parametrize("path", ["/simple/x/", "/basic-auth/simple/x/"])
def test_credentials_given_twice_are_a_bad_request(path: str) -> None:
    decided = decide(f"https://{INDEX}", INDEX, path, f"{HERON}\n{HERON}")
    assert isinstance(decided, Response)
    assert decided.status == 400


def test_the_routes_above_are_all_there_are() -> None:
    paths = [str(route.values[0]) for route in ROUTES]
    for place in LOCATIONS:
        assert any(path.startswith(place.prefix) for path in paths), f"{place.prefix} is not in the table"


@pytest.mark.parametrize("authorization", WRONG)
@pytest.mark.parametrize("place", CLOSED, ids=lambda place: place.prefix)
def test_other_credentials_are_answered_with_401(place: Location, authorization: str | None) -> None:
    assert asks_for_credentials(decide(f"https://{INDEX}", INDEX, f"{place.prefix}simple/x/", authorization))


@pytest.mark.parametrize(
    ("path", "authorization"),
    [
        pytest.param("/basic-auth/simple/x/", EAGLE, id="eagle at heron's"),
        pytest.param("/basic-auth/files/x", EAGLE, id="eagle at heron's files"),
        pytest.param("/basic-auth-heron/simple/x/", EAGLE, id="eagle at heron's other"),
        pytest.param("/basic-auth-eagle/simple/x/", HERON, id="heron at eagle's"),
        pytest.param("/basic-auth-eagle/files/x", HERON, id="heron at eagle's files"),
    ],
)
def test_the_other_password_does_not_open_a_location(path: str, authorization: str) -> None:
    assert asks_for_credentials(decide(f"https://{INDEX}", INDEX, path, authorization))


@pytest.mark.parametrize("authorization", [None, HERON, basic_auth("public", "wrong")])
@pytest.mark.parametrize("path", ["/", "/simple/x/", "/basic-auth/simple/x/", "/basic-auth/files/x?y=z"])
def test_live_asks_the_index_itself(path: str, authorization: str | None) -> None:
    decided = decide(f"https://{INDEX}", INDEX, path, authorization, live=True)
    assert decided == ForwardRoute(f"https://{INDEX}{path}")


@pytest.mark.parametrize("live", [False, True], ids=["with the stand-in", "live"])
@pytest.mark.parametrize("host", ["pypi.org", "files.pythonhosted.org"])
def test_pypi_is_passed_on_as_it_is(host: str, live: bool) -> None:
    for path in ("/simple/x/?y", "/basic-auth/simple/x/"):
        assert decide(f"https://{host}", host, path, None, live=live) == ForwardRoute(f"https://{host}{path}")


@pytest.mark.parametrize(
    ("host", "through"),
    [
        pytest.param("pypi-proxy.fly.dev", True, id="the public test index"),
        pytest.param("pypi.org", True, id="PyPI"),
        pytest.param("files.pythonhosted.org", True, id="PyPI's files"),
        pytest.param("github.com", False, id="any other host"),
        pytest.param("test.pypi.org", False, id="a name below PyPI's"),
        pytest.param("pypi.org.example.com", False, id="a name that begins as PyPI's"),
        pytest.param("notpypi.org", False, id="a name that ends as PyPI's"),
        pytest.param("127.0.0.1", True, id="the gateway by its own address"),
        pytest.param("localhost", True, id="the gateway by its own name"),
        pytest.param("169.254.169.254", False, id="a cloud's metadata"),
        pytest.param("", False, id="no host"),
    ],
)
def test_only_the_hosts_of_an_mre_are_allows(host: str, through: bool) -> None:
    assert PLAIN[False].allows(host) is through
    assert PLAIN[True].allows(host) is through
