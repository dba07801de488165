"""What `uv publish` sends to an index of the MRE: PyPI's upload API, and trusted publishing.

Source: pypi/warehouse, warehouse/forklift/legacy.py and warehouse/oidc/views.py, with #16488 and #20197. For the
listener that received it, an upload is a package like the synthetic ones; for others it does not exist.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uvmre.core.network.index import Index
from uvmre.core.network.simple_page import normalize_name, parse_filename
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.http.exchange import TEXT_PLAIN, Exchange, Response
from uvmre.gateway.index.pypi_proxy import accepts, basic_auth, is_authorized

if TYPE_CHECKING:
    from uvmre.gateway.index.synthetic_files import SyntheticIndex

AUDIENCE = "pypi"
RECEIVED_LIMIT = 512 * 1024 * 1024
"""The uploads are in memory."""
HELP = "See https://pypi.org/help/#{} for more information."
JSON = (b"content-type", b"application/json")
"""Without a charset, as PyPI sends it: uv compares the whole value."""


class UploadServer:
    """Answers for the upload URLs of a gateway config."""

    def __init__(self, indexes: "Iterable[tuple[Index, SyntheticIndex | None]]") -> None:
        self._targets = [(index, files) for index, files in indexes if index.publish_url and files]
        self._received = 0

    def answer(self, exchange: Exchange) -> Response | None:
        """Return the response of an upload URL, or of trusted publishing at its host; None for any other URL."""
        call = (exchange.method, exchange.path.partition("?")[0])
        on_host = [target for target in self._targets if urlsplit(target[0].publish_url).hostname == exchange.host]
        for index, files in on_host:
            if call == ("POST", urlsplit(index.publish_url).path or "/"):
                self._received += len(exchange.request.body)
                if self._received > RECEIVED_LIMIT:
                    return _failure(413, "The uploads of a variant are too large.", exchange)
                return _upload(index, files, exchange)
        publishers = [index for index, _ in on_host if index.publish_token]
        if publishers and call == ("GET", "/_/oidc/audience"):
            return _json(200, {"audience": AUDIENCE})
        if publishers and call == ("POST", "/_/oidc/mint-token"):
            return _mint(publishers, bytes(exchange.request.body))
        if publishers and call == ("POST", "/_/oidc/burn-token"):
            # Without an effect: the next token that is minted is the same.
            return Response(204, (), b"")
        known = on_host and call[1].startswith("/_/oidc/")
        return Response(404, (TEXT_PLAIN,), b"404 Not Found\n") if known else None


def _upload(index: Index, files: "SyntheticIndex", exchange: Exchange) -> Response:
    if not _is_authorized(index, exchange.authorization):
        return _denied(index, exchange)
    fields, filename, content = _read_form(exchange.fields.get(b"content-type", b""), bytes(exchange.request.body))
    if fields.get(":action") != "file_upload" or not filename:
        return _failure(400, "Upload payload does not have a file.", exchange)
    known, name = parse_filename(filename), normalize_name(fields.get("name", ""))
    if known is None:
        return _failure(400, f"Invalid distribution filename: {filename}", exchange)
    if known[0] != name:
        return _failure(400, f"Start filename for {name!r} with {name.replace('-', '_')!r}.", exchange)
    blake = blake2b(content, digest_size=32).hexdigest()
    digests = {"sha256_digest": sha256(content).hexdigest(), "blake2_256_digest": blake}
    if any(fields.get(field, digest).lower() != digest for field, digest in digests.items()):
        mismatch = "The digest supplied does not match a digest calculated from the uploaded file."
        return _failure(400, mismatch, exchange)
    present = files.file(filename)
    if present is not None and present != content:
        duplicate = f"File already exists ({filename!r}, with blake2_256 hash {blake!r})."
        return _failure(400, f"{duplicate} {HELP.format('file-name-reuse')}", exchange)
    if present is None:
        package = SyntheticPackage(name, str(known[1]), uploaded=datetime.now(UTC), file=filename)
        files.add(package, {filename: content})
    return Response(200, (TEXT_PLAIN,), b"")


def _is_authorized(index: Index, sent: str | None) -> bool:
    if not index.publish_token:
        return accepts(index, sent)
    by_token = sent is not None and is_authorized(basic_auth("__token__", index.publish_token), sent)
    return by_token or (bool(index.password) and accepts(index, sent))


def _denied(index: Index, exchange: Exchange) -> Response:
    """Return the response to wrong credentials: PyPI's where uploads need a token, else that of the registry."""
    if index.publish_token:
        invalid = "Invalid or non-existent authentication information."
        return _failure(403, f"{invalid} {HELP.format('invalid-auth')}", exchange)
    profile = index.profile
    status = profile.denied if exchange.authorization is None else profile.wrong
    challenges = [(b"www-authenticate", value.encode()) for value in profile.challenges if status == 401]
    return Response(status, (*challenges, TEXT_PLAIN), b"")


def _failure(status: int, message: str, exchange: Exchange) -> Response:
    """Return an error of PyPI, whose reason uv reads from its JSON."""
    if b"json" not in exchange.fields.get(b"accept", b""):
        return Response(status, (TEXT_PLAIN,), f"{status} {message}\n".encode())
    return _json(status, {"message": message, "code": f"{status} {message}", "title": HTTPStatus(status).phrase})


def _mint(publishers: list[Index], body: bytes) -> Response:
    """Exchange the ID token of a repository for the token for uploads; its signature is not checked."""
    code, description = "invalid-token", "malformed or invalid token"
    try:
        payload = json.loads(body)["token"].split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        audience, repository = claims["aud"], claims.get("repository") or claims.get("project_path")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        audience = repository = None
    if audience == AUDIENCE:
        for index in publishers:
            if index.trusted_publisher and index.trusted_publisher == repository:
                return _json(200, {"success": True, "token": index.publish_token})
        code, description = "invalid-publisher", "valid token, but no corresponding publisher"
        description += " (Publisher with matching claims was not found)"
    errors = [{"code": code, "description": description}]
    return _json(422, {"message": "Token request failed", "errors": errors})


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(status, (JSON,), json.dumps(body).encode())


def _read_form(content_type: bytes, body: bytes) -> tuple[dict[str, str], str, bytes]:
    """Return the fields of a form, the name of its file and the file (RFC 7578); nothing where it is no form."""
    from email.parser import BytesHeaderParser

    parse = BytesHeaderParser().parsebytes
    boundary = parse(b"Content-Type: " + content_type).get_boundary()
    fields: dict[str, str] = {}
    filename, content = "", b""
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode()) if boundary else []
    for part in parts[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = parse(head)
        name = str(headers.get_param("name", "", "content-disposition"))
        if name == "content":
            filename, content = headers.get_filename() or "", value
        else:
            fields.setdefault(name, value.decode(errors="replace"))
    return fields, filename, content
