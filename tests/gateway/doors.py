"""What the tests of the gateway's worlds share: a client that comes through a door, and a PyPI that is only a tape."""

import contextlib
import functools
import json
import ssl
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from uvmre.core import pages
from uvmre.core.fault import Fault
from uvmre.core.index import Index
from uvmre.core.universe import Made
from uvmre.gateway.gateway import Door, Gateway
from uvmre.gateway.tape import Tape, key
from uvmre.gateway.world import World

JSON = {"accept": pages.JSON}
HTML = {"accept": "text/html"}
FILES = "https://files.pythonhosted.org/"
SIMPLE = "https://pypi.org/simple"
X = Made("x", "1.0")
ALONE = World(indexes=(Index(SIMPLE, universe="instead", packages=(X,)),))
"""A PyPI with nothing but a made-up package: nothing behind the gateway is asked."""


@functools.cache
def trusting(certificate: bytes) -> ssl.SSLContext:
    """Return a context that trusts the gateway's authority and nobody else."""
    return ssl.create_default_context(cadata=certificate.decode())


@contextlib.contextmanager
def through(gateway: Gateway, *faults: Fault, **options: Any) -> Iterator[tuple[httpx.Client, Door]]:
    """Open a door, and yield a client whose proxy it is."""
    with (
        gateway.door(faults=faults) as door,
        httpx.Client(
            proxy=door.url, verify=trusting(gateway.certificate), trust_env=False, timeout=20, **options
        ) as client,
    ):
        yield client, door


def file(name: str, content: bytes, came: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a file as PyPI's page tells it."""
    told = {"upload-time": came} if came else {}
    digest = sha256(content).hexdigest()
    return {"filename": name, "url": f"{FILES}packages/aa/bb/{name}", "hashes": {"sha256": digest}, **told, **more}


class PyPI:
    """PyPI as a tape has it."""

    def __init__(self, folder: Path, bodies: Path) -> None:
        self._tape = Tape(folder, bodies)

    def has(
        self, url: str, body: bytes, form: str = "application/octet-stream", status: int = 200, accept: str = "*/*"
    ) -> None:
        """Answer for an address."""
        name = key("GET", url, [(b"accept", accept.encode())])
        headers = [(b"content-type", form.encode()), (b"content-length", b"%d" % len(body)), (b"etag", b'"of-pypi"')]
        assert name
        with self._tape.record(name, "GET", url, status, headers) as recording:
            recording.write(body)

    def project(self, name: str, files: Sequence[dict[str, Any]], versions: Sequence[str] = (), **more: Any) -> None:
        """Answer for a project's page."""
        data = {"meta": {"api-version": "1.1"}, "name": name, "files": files, **more}
        data |= {"versions": versions} if versions else {}
        for accept in (pages.ACCEPT, pages.JSON):
            self.has(f"{SIMPLE}/{name}/", json.dumps(data).encode(), pages.JSON, accept=accept)

    def lacks(self, name: str) -> None:
        """Answer that there is no such project."""
        for accept in (pages.ACCEPT, pages.JSON, "text/html"):
            self.has(f"{SIMPLE}/{name}/", b"404 Not Found", "text/plain", 404, accept=accept)
