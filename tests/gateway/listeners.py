"""What the tests of the gateway's gateway configs share: a client that comes through a listener, and a PyPI that is only a recording."""

import contextlib
import functools
import json
import ssl
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from uvmre.core.network import simple_page
from uvmre.core.network.index import Fault, Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.config import GatewayConfig
from uvmre.gateway.recording.store import Recording, entry_key
from uvmre.gateway.session import Gateway, Listener

JSON = {"accept": simple_page.JSON}
HTML = {"accept": "text/html"}
FILES = "https://files.pythonhosted.org/"
SIMPLE = "https://pypi.org/simple"
X = SyntheticPackage("x", "1.0")
ALONE = GatewayConfig(indexes=(Index(SIMPLE, synthetic="replace", packages=(X,)),))
"""A PyPI with nothing but a synthetic package: nothing behind the gateway is asked."""


@functools.cache
def trusting(certificate: bytes) -> ssl.SSLContext:
    """Return a context that trusts the gateway's authority and nobody else."""
    return ssl.create_default_context(cadata=certificate.decode())


@contextlib.contextmanager
def through(gateway: Gateway, *faults: Fault, **options: Any) -> Iterator[tuple[httpx.Client, Listener]]:
    """Open a listener, and yield a client whose proxy it is."""
    with (
        gateway.listener(faults=faults) as listener,
        httpx.Client(
            proxy=listener.url, verify=trusting(gateway.certificate), trust_env=False, timeout=20, **options
        ) as client,
    ):
        yield client, listener


def file(name: str, content: bytes, came: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a file as PyPI's page tells it."""
    actual = {"upload-time": came} if came else {}
    digest = sha256(content).hexdigest()
    return {"filename": name, "url": f"{FILES}packages/aa/bb/{name}", "hashes": {"sha256": digest}, **actual, **more}


class PyPI:
    """PyPI as a recording has it."""

    def __init__(self, folder: Path, bodies: Path) -> None:
        self._tape = Recording(folder, bodies)

    def has(
        self, url: str, body: bytes, form: str = "application/octet-stream", status: int = 200, accept: str = "*/*"
    ) -> None:
        """Answer for an address."""
        name = entry_key("GET", url, [(b"accept", accept.encode())])
        headers = [(b"content-type", form.encode()), (b"content-length", b"%d" % len(body)), (b"etag", b'"of-pypi"')]
        assert name
        with self._tape.start_entry(name, "GET", url, status, headers) as writer:
            writer.write(body)

    def project(self, name: str, files: Sequence[dict[str, Any]], versions: Sequence[str] = (), **more: Any) -> None:
        """Answer for a project's page."""
        data = {"meta": {"api-version": "1.1"}, "name": name, "files": files, **more}
        data |= {"versions": versions} if versions else {}
        for accept in (simple_page.ACCEPT, simple_page.JSON):
            self.has(f"{SIMPLE}/{name}/", json.dumps(data).encode(), simple_page.JSON, accept=accept)

    def missing(self, name: str) -> None:
        """Answer that there is no such project."""
        for accept in (simple_page.ACCEPT, simple_page.JSON, "text/html"):
            self.has(f"{SIMPLE}/{name}/", b"404 Not Found", "text/plain", 404, accept=accept)
