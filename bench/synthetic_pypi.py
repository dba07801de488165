"""A synthetic PyPI with one page of 20 files, which the gateway finds because `HTTPS_PROXY` leads there."""

import contextlib
import json
import os
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import trustme

JSON = "application/vnd.pypi.simple.v1+json"
NAMES = [f"egret-0.{number}-py3-none-any.whl" for number in range(20)]
URL = "https://files.pythonhosted.org/packages/00/11/" + "2" * 60
FILES = [
    {
        "filename": name,
        "hashes": {"sha256": "0" * 64},
        "requires-python": ">=3.8",
        "size": 11053,
        "url": f"{URL}/{name}",
    }
    for name in NAMES
]
PAGE = json.dumps({"meta": {"api-version": "1.1"}, "name": "egret", "versions": ["0.1"], "files": FILES}).encode()
HEAD = f"HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\ncontent-length: {len(PAGE)}\r\nconnection: close\r\n\r\n"


class Proxy(socketserver.ThreadingTCPServer):
    """Takes every CONNECT for one to PyPI, and answers everything there with the page."""

    daemon_threads = True

    def __init__(self, trust: ssl.SSLContext) -> None:
        self.trust = trust
        super().__init__(("127.0.0.1", 0), Answering)


class Answering(socketserver.BaseRequestHandler):
    """One connection."""

    server: Proxy

    def handle(self) -> None:
        """Read CONNECT, then a request in TLS, neither of which matters."""
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self.server.trust.wrap_socket(self.request, server_side=True) as inside:
            inside.recv(65536)
            inside.sendall(HEAD.encode() + PAGE)


@contextlib.contextmanager
def pypi(folder: Path) -> Iterator[None]:
    """Stand for PyPI, for the processes that are started in the `with`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "pypi.pem"))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pypi.org", "files.pythonhosted.org").configure_cert(trust)
    before = dict(os.environ)
    with Proxy(trust) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_address[1]}"
        os.environ.update({"HTTPS_PROXY": url, "https_proxy": url, "SSL_CERT_FILE": str(folder / "pypi.pem")})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            proxy.shutdown()
