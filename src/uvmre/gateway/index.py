"""The rules of the public test index, https://pypi-proxy.fly.dev, as its nginx has them. Pure.

Source: astral-sh/pypi-proxy, nginx.conf at 31d67b5 (2024-11). nginx takes the longest location that is a prefix of
the path, checks the password before anything else, and replaces PyPI's file host in every body it passes on.
"""

import base64
from dataclasses import dataclass

FILES = "https://files.pythonhosted.org/"
PYPI = "https://pypi.org/"


def basic(username: str, password: str) -> str:
    """Return the Authorization header that carries these credentials (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


HERON = basic("public", "heron")
EAGLE = basic("public", "eagle")


@dataclass(frozen=True)
class Location:
    """One location of the nginx: what lies below `prefix` is asked for below `upstream`."""

    prefix: str
    upstream: str
    authorization: str | None = None
    """The whole header that opens it; None for a location open to everybody."""
    links: str | None = None
    """What stands for PyPI's file host in its pages; `{origin}` is scheme and host as the client sees them."""


LOCATIONS = (
    Location("/", PYPI),
    Location("/relative/", PYPI, links="../../../files/"),
    Location("/files/", FILES),
    Location("/basic-auth/", PYPI, HERON, "{origin}/basic-auth/files/"),
    Location("/basic-auth/relative/", PYPI, HERON, "../../../files/"),
    Location("/basic-auth/files/", FILES, HERON),
    Location("/basic-auth-heron/", PYPI, HERON, "{origin}/basic-auth-heron/files/"),
    Location("/basic-auth-heron/files/", FILES, HERON),
    Location("/basic-auth-eagle/", PYPI, EAGLE, "{origin}/basic-auth-eagle/files/"),
    Location("/basic-auth-eagle/files/", FILES, EAGLE),
)


def locate(path: str) -> Location:
    """Return the location that nginx would take: the longest prefix."""
    found = (place for place in LOCATIONS if path.startswith(place.prefix))
    return max(found, key=lambda place: len(place.prefix), default=LOCATIONS[0])
