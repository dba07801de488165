"""Who answers for which host: the decision about one request. Pure."""

from dataclasses import dataclass

from uvmre.gateway import index

STAND_IN = "pypi-proxy.fly.dev"
PASSED_ON = ("pypi.org", "files.pythonhosted.org")


@dataclass(frozen=True)
class Forward:
    """Ask `url` and give its answer on, with `FILES` replaced by `links` where that is not None."""

    url: str
    links: str | None = None
    stand_in: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer that the gateway gives itself."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


UNAUTHORIZED = Answer(
    401,
    (("content-type", "text/html"), ("www-authenticate", 'Basic realm="authenticated"')),
    b"<html>\r\n<head><title>401 Authorization Required</title></head>\r\n"
    b"<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n"
    b"<hr><center>nginx/1.25.4</center>\r\n</body>\r\n</html>\r\n",
)


def let_through(host: str) -> bool:
    """Tell whether a step may reach this host at all."""
    return host == STAND_IN or host in PASSED_ON


def decide(origin: str, host: str, path: str, authorization: str | None, *, live: bool) -> Forward | Answer:
    """Decide who answers a request to a host that is let through.

    Args:
        origin: scheme and host as the client sees them, for links.
        host: the name asked for, without port.
        path: the raw path, with its query.
        authorization: the client's header, compared whole.
        live: ask the public test index itself instead of its stand-in.
    """
    if host != STAND_IN or live:
        return Forward(f"{origin}{path}")
    place = index.locate(path)
    if place.authorization not in (None, authorization):
        return UNAUTHORIZED
    links = place.links.format(origin=origin) if place.links else None
    return Forward(place.upstream + path.removeprefix(place.prefix), links, stand_in=True)
