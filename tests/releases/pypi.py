"""A made-up PyPI below the real client, with releases of uv that are shell scripts."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from uvmre.core.network import simple_page
from uvmre.releases import catalogue

FILES = "https://files.pythonhosted.org/packages"


def wheel(release: str) -> bytes:
    """Return a wheel with the scripts that uv's has, which say their release, and with what else is in one."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for tool in ("uv", "uvx", "uvw.exe"):
            zipped.writestr(f"uv-{release}.data/scripts/{tool}", f"#!/bin/sh\necho {tool} {release}\n")
        zipped.writestr("uv/__init__.py", "")
        zipped.writestr("uv/uv", "of the package, not the script")
        zipped.writestr(f"uv-{release}.dist-info/METADATA", f"Name: uv\nVersion: {release}\n")
    return content.getvalue()


def named(release: str) -> str:
    return f"uv-{release}-py3-none-any.whl"


WHEELS = {named(release): wheel(release) for release in ("0.5.20", "0.5.21", "0.6.0rc1")}


def listed(name: str, sha256: str) -> dict[str, object]:
    return {"filename": name, "url": f"{FILES}/{name}", "hashes": {"sha256": sha256}}


def json_of(wheels: dict[str, bytes]) -> str:
    files = [listed(name, hashlib.sha256(content).hexdigest()) for name, content in wheels.items()]
    return json.dumps({"files": files})


@dataclass
class Network:
    """PyPI as it answers here; a test changes what it has."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(WHEELS))
    requested: list[str] = field(default_factory=list)
    index: Callable[[httpx.Request], httpx.Response] | None = None
    before_file: Callable[[], object] = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requested.append(str(request.url))
        if str(request.url) == catalogue.INDEX:
            if self.index is not None:
                return self.index(request)
            return httpx.Response(200, headers={"content-type": simple_page.JSON}, text=json_of(WHEELS))
        name = request.url.path.rpartition("/")[2]
        self.before_file()
        return httpx.Response(200, content=self.files[name]) if name in self.files else httpx.Response(404)


def below_httpx(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Put a network of ours below httpx, whose client is the real one."""
    network = Network()
    below = httpx.MockTransport(network.answer)
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda _, request: below.handle_request(request))
    return network


def unanswered(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno -2] Name or service not known", request=request)


def slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)
