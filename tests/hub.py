"""A GitHub that a test made up."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
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

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("GITHUB_API_URL", f"{made.url}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
