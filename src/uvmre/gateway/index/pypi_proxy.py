"""The rules of the public test index, https://pypi-proxy.fly.dev. Pure.

Source: astral-sh/pypi-proxy, nginx.conf at 31d67b5 (2024-11): nginx takes the longest location that is a prefix of
the path, checks the password before anything else, and replaces PyPI's file host in every body it forwards. The
routes that only the stand-in of uv's tests has (`/no-upload-time/`, `/status/…`): astral-sh/uv,
crates/uv-test/src/pypi_proxy.rs at ac92771.
"""

import base64
import binascii
import json
import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from uvmre.core.network.index import Index

FILES = "https://files.pythonhosted.org/"
PYPI = "https://pypi.org/"
SYNTHETIC_FILES = f"{FILES}packages/synthetic"
"""Where pages link to; each index has a folder below it, as two may have files of one name."""


def basic_auth(username: str, password: str) -> str:
    """Return the Authorization header with these credentials (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


HERON = basic_auth("public", "heron")
EAGLE = basic_auth("public", "eagle")


class Location(NamedTuple):
    """One location of the nginx: paths below `prefix` are forwarded to `upstream`."""

    prefix: str
    upstream: str
    authorization: str | None = None
    """The required header; None for a public location."""
    links: str | None = None
    """What replaces PyPI's file host in its pages; `{origin}` is scheme and host as the client sees them."""
    undated: bool = False
    """Whether its JSON has no upload times."""
    status: str = ""
    """The project's status in its JSON (PEP 792)."""
    reason: str = ""


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
    Location("/no-upload-time/", PYPI, undated=True),
)
STATUS = re.compile(r"(/status/([^/]+)(?:/reason/([^/]+))?/)(simple|files)/")


def locate(path: str, locations: tuple[Location, ...] = LOCATIONS) -> Location | None:
    """Return the location that nginx takes: the longest prefix; a path that only lacks its slash matches too."""
    if locations is LOCATIONS and (match := STATUS.match(path)):
        prefix, status, reason, kind = match.groups()
        if kind == "files":
            return Location(f"{prefix}files/", FILES)
        links = f"{{origin}}{prefix}files/"
        return Location(prefix, PYPI, links=links, status=unquote(status), reason=unquote(reason or ""))
    matching = (each for each in locations if path.startswith(each.prefix) or f"{path}/" == each.prefix)
    return max(matching, key=lambda each: len(each.prefix), default=None)


def index_locations(index: Index, authorization: str | None) -> tuple[Location, ...]:
    """Return the locations of a similar index at another address."""
    files = f"{index.base}/files/"
    pages = Location(f"{index.root}/", f"{PYPI}simple/", authorization, f"{{origin}}{files}")
    return (pages, Location(files, FILES, authorization))


ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
SAFE = "/:@!$&'()*+,;=~"


def normalize_path(path: str) -> str | None:
    """Return a path without its query as nginx compares it: decoded, with no empty parts and no dots.

    None where nginx refuses it: it leaves the root, or is not escaped correctly.
    """
    if "%" in path:
        if ESCAPE.search(path):
            return None
        path = unquote(path, encoding="latin-1")
    if "//" not in path and "/." not in path:
        return path
    parts: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    slash = "/" if parts and path.rpartition("/")[2] in ("", ".", "..") else ""
    return f"/{'/'.join(parts)}{slash}"


def escape_path(path: str) -> str:
    """Escape a decoded path for upstream."""
    return quote(path, safe=SAFE, encoding="latin-1")


def is_authorized(authorization: str | None, header: str | None) -> bool:
    """Tell whether a client's header has the required credentials; nginx ignores the case of the scheme."""
    if authorization is None or authorization == header:
        return True
    scheme, _, token = (header or "").partition(" ")
    return scheme.lower() == "basic" and token.strip(" ") == authorization.partition(" ")[2]


def index_header(index: Index) -> str | None:
    """Return the Authorization header that an index requires, if it does."""
    return basic_auth(index.username or index.profile.username, index.password) if index.password else None


def accepts(index: Index, sent: str | None) -> bool:
    """Tell whether an index accepts a client's header."""
    if index.password and index.profile.any_username:
        return _password(sent) == index.password
    return is_authorized(index_header(index), sent)


def _password(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    try:
        _, colon, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if scheme.lower() == "basic" and colon else None


def compresses(status: int, content_type: bytes, *, http_1_0: bool) -> bool:
    """Tell whether nginx compresses a response with replaced links: HTML only, and not for HTTP/1.0."""
    return not http_1_0 and status in (200, 403, 404) and content_type.startswith(b"text/html")


def rewrites(location: Location) -> bool:
    """Tell whether a location changes what it forwards."""
    return bool(location.links or location.undated)


def rewrite_body(body: bytes, content_type: bytes, location: Location, links: str) -> bytes:
    """Return a body as a location forwards it: with other links, and in JSON without upload times or with a status."""
    body = body.replace(FILES.encode(), links.encode("latin-1")) if links else body
    if not (location.undated or location.status) or b"json" not in content_type:
        return body
    try:
        page = json.loads(body)
        if location.undated:
            page["files"] = [{k: v for k, v in file.items() if k != "upload-time"} for file in page["files"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return body
    if location.status:
        page["project-status"] = {"status": location.status, **({"reason": location.reason} if location.reason else {})}
    return json.dumps(page).encode()
