import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from uvmre.capture.configured import ConfiguredIndex
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.progress import Progress
from uvmre.project.index_metadata import read_index

METADATA = b"Metadata-Version: 2.1\nName: corp-a\nVersion: 1.0\nRequires-Dist: six\n"


class Index(BaseHTTPRequestHandler):
    """A page whose links name this server by the host in `linked`, and its metadata."""

    linked = ""
    sent: list[tuple[str, str]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.sent.append((self.path, self.headers.get("authorization", "")))
        port = self.server.server_address[1]
        link = f'<a href="http://{self.linked}:{port}/corp_a-1.0-py3-none-any.whl" data-core-metadata="true">x</a>'
        body = METADATA if self.path.endswith(".metadata") else link.encode()
        self.send_response(404 if self.path == "/simple/pip/" else 200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.setattr(Index, "sent", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(("linked", "sent"), [("127.0.0.1", True), ("localhost", False)])
def test_credentials_are_sent_to_the_host_of_the_index_alone(
    port: int, monkeypatch: pytest.MonkeyPatch, linked: str, sent: bool
) -> None:
    monkeypatch.setattr(Index, "linked", linked)
    index = ConfiguredIndex(f"http://127.0.0.1:{port}/simple", username="ann", password="s3cret")
    facts = read_index(index, {"corp-a": frozenset()}, frozenset({"six"}), Progress())
    assert facts.packages == {"corp-a": [SyntheticPackage("corp-a", "1.0", requires=("six",), sdist=False)]}
    header = f"Basic {base64.b64encode(b'ann:s3cret').decode()}"
    assert dict(Index.sent)["/simple/corp-a/"] == header
    assert dict(Index.sent)["/corp_a-1.0-py3-none-any.whl.metadata"] == (header if sent else "")
