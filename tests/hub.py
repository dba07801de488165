"""A GitHub that a test made up."""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

ISSUE = {
    "title": "it breaks",
    "created_at": "2024-09-06T22:56:03Z",
    "user": {"login": "somebody"},
    "body": "uv 0.4.6\r\n\r\nIt breaks.",
}


@dataclass
class Hub:
    """What it answers by path, and what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requested: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    """Before it answers."""
    posted: list[Any] = field(default_factory=list)
    """The JSON that was posted."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    yield from serve(monkeypatch)


@pytest.fixture
def secure_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """Return one with TLS, whose authority is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    yield from serve(monkeypatch, context)


def serve(monkeypatch: pytest.MonkeyPatch, context: ssl.SSLContext | None = None) -> Iterator[Hub]:
    made = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requested.append((self.path, self.headers.get("authorization", "")))
            time.sleep(made.seconds)
            status, data = made.answers.get(self.path, (404, {"message": "Not Found"}))
            content = data if isinstance(data, bytes) else json.dumps(data).encode()
            self.send_response(status)
            if status == 301:
                self.send_header("location", made.url + data["url"])
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            made.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        made.url = f"https://localhost:{server.server_port}"
    monkeypatch.setenv("GITHUB_API_URL", f"{made.url}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
