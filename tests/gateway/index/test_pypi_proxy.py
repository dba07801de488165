"""The routes of the public test index."""

import base64

import pytest

from uvmre.gateway.index.pypi_proxy import EAGLE, FILES, HERON, LOCATIONS, PYPI, Location, basic_auth, locate

ROUTES = [
    pytest.param("/", "/", id="the root is open"),
    pytest.param("/simple/iniconfig/", "/", id="a page at the top is open"),
    pytest.param("/pypi/iniconfig/json", "/", id="any other path at the top is open"),
    pytest.param("/relative/simple/iniconfig/", "/relative/", id="relative links, open"),
    pytest.param("/files/packages/a/b.whl", "/files/", id="files, open"),
    pytest.param("/basic-auth/simple/x/", "/basic-auth/", id="a page with heron"),
    pytest.param("/basic-auth/relative/simple/x/", "/basic-auth/relative/", id="relative links with heron"),
    pytest.param("/basic-auth/files/packages/a", "/basic-auth/files/", id="files with heron"),
    pytest.param("/basic-auth-heron/simple/x/", "/basic-auth-heron/", id="a page with heron by name"),
    pytest.param("/basic-auth-heron/files/a", "/basic-auth-heron/files/", id="files with heron by name"),
    pytest.param("/basic-auth-eagle/simple/x/", "/basic-auth-eagle/", id="a page with eagle"),
    pytest.param("/basic-auth-eagle/files/a", "/basic-auth-eagle/files/", id="files with eagle"),
    pytest.param("/basic-auth", "/basic-auth/", id="without its slash a location is meant, and sends there"),
    pytest.param("/basic-authx/simple/", "/", id="a longer name is not the location"),
    pytest.param("/basic-auth/relativex/", "/basic-auth/", id="a longer name inside is its parent's"),
    pytest.param("/BASIC-AUTH/simple/", "/", id="case counts"),
    pytest.param("/simple/?next=/basic-auth/", "/", id="a query names no location"),
    pytest.param("/simple/basic-auth/", "/", id="a location's name further inside is no location"),
    pytest.param("/basic-auth/files/?x=/relative/", "/basic-auth/files/", id="the longest wins with a query too"),
]


@pytest.mark.parametrize(("path", "prefix"), ROUTES)
def test_the_longest_prefix_is_accepted(path: str, prefix: str) -> None:
    assert locate(path).prefix == prefix


@pytest.mark.parametrize("place", LOCATIONS, ids=lambda place: f"{place.prefix} finds itself")
def test_every_location_is_found_by_its_own_prefix(place: Location) -> None:
    assert locate(place.prefix) is place
    assert locate(f"{place.prefix}packages/a/b-1.0.whl") is place


def test_no_two_locations_have_one_prefix() -> None:
    prefixes = [place.prefix for place in LOCATIONS]
    assert len(set(prefixes)) == len(prefixes)


@pytest.mark.parametrize("place", LOCATIONS, ids=lambda place: f"{place.prefix} has the upstream of its kind")
def test_files_come_from_the_file_host_and_pages_from_pypi(place: Location) -> None:
    assert place.upstream == (FILES if place.prefix.endswith("/files/") else PYPI)


@pytest.mark.parametrize(
    "place", [place for place in LOCATIONS if place.links], ids=lambda place: f"{place.prefix} leads to its own files"
)
def test_replaced_links_lead_to_a_location_for_files_that_the_same_credentials_open(place: Location) -> None:
    links = place.links or ""
    if links.startswith("{origin}"):
        files = locate(links.removeprefix("{origin}"))
    else:  # three levels up from <prefix>simple/<project>/ is the folder above the prefix
        above = place.prefix.removesuffix("relative/")
        files = locate(above + links.removeprefix("../../../"))
    assert files.prefix.endswith("/files/")
    assert files.authorization == place.authorization


@pytest.mark.parametrize(
    ("username", "password", "header"),
    [
        pytest.param("public", "heron", "Basic cHVibGljOmhlcm9u", id="heron, as curl sends it"),
        pytest.param("public", "eagle", "Basic cHVibGljOmVhZ2xl", id="eagle, as curl sends it"),
        pytest.param("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", id="the example of RFC 7617"),
        pytest.param("", "", "Basic Og==", id="nothing at all"),
        pytest.param("__token__", "a:b", "Basic X190b2tlbl9fOmE6Yg==", id="a colon in the password"),
        pytest.param("test", "123£", "Basic dGVzdDoxMjPCow==", id="RFC 7617's example in UTF-8"),
    ],
)
def test_basic_is_the_header_of_rfc_7617(username: str, password: str, header: str) -> None:
    assert basic_auth(username, password) == header
    scheme, _, value = header.partition(" ")
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", f"{username}:{password}")


def test_the_two_passwords_open_different_listeners() -> None:
    assert locate("/basic-auth/").authorization == locate("/basic-auth-heron/").authorization == HERON
    assert locate("/basic-auth-eagle/").authorization == EAGLE
    assert HERON != EAGLE
