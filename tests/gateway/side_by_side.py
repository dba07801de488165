"""An nginx with the rules of the public test index, and the gateway, before one synthetic PyPI on this machine.

The synthetic PyPI has what a mirror may lack: validators, ranges, compressed answers, redirects. nginx finds it by an
`upstream` that bears PyPI's name; the gateway finds it because `HTTPS_PROXY` leads every CONNECT there.
"""

import contextlib
import gzip
import json
import os
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from uvmre.gateway.session import Gateway, Listener

INDEX = "pypi-proxy.fly.dev"
JSON = "application/vnd.pypi.simple.v1+json"
FILES = "https://files.pythonhosted.org/"
WHEEL = "packages/aa/bb/cc/egret-1.0-py3-none-any.whl"
SDIST = "packages/aa/bb/cc/egret-1.0.tar.gz"

NGINX = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    default_type application/octet-stream;
    types {{ text/html html; {json} json; }}
    {temporary}

    # PyPI: what lies in a folder, with the headers that PyPI's network of caches sends: one range at a time, and ranges
    # of what is compressed or a range itself too, where nginx would not say so.
    max_ranges 1;
    map "$http_accept_encoding $http_range $http_if_range" $ranges {{ "~^gzip|^(identity)? bytes=\\d*-\\d* $" bytes; }}
    map "$http_range $http_if_range" $range {{ "~^bytes=\\d*-\\d* $" bytes; }}
    map $http_accept $form {{ default html; "~simple\\.(v1|latest)\\+json" json; }}
    server {{
        listen 127.0.0.1:{pypi} ssl;
        server_name pypi.org;
        ssl_certificate {folder}/pypi.pem;
        ssl_certificate_key {folder}/pypi.pem;
        root {folder}/site;
        absolute_redirect off;
        gzip_static on;
        gzip_http_version 1.0;
        gzip_vary on;
        add_header Cache-Control "max-age=600, public" always;
        add_header Accept-Ranges $ranges;
        add_header X-PyPI-Last-Serial 42 always;
        location ~ "^/simple/(?<name>[a-z-]+)/$" {{ try_files /simple/$name/index.$form =404; }}
        location ~ "^/simple/(?<name>[a-z-]+)$" {{ return 301 /simple/$name/; }}
        location = /simple/elsewhere/ {{ return 301 https://pypi.org/simple/egret/; }}
        location /echo/ {{ default_type text/plain; return 200 "$request_method $request_uri\\n"; }}
    }}
    server {{
        listen 127.0.0.1:{pypi} ssl;
        server_name files.pythonhosted.org;
        ssl_certificate {folder}/pypi.pem;
        ssl_certificate_key {folder}/pypi.pem;
        root {folder}/site/files;
        types {{}}
        gzip_static off;
        add_header Accept-Ranges $range;
        add_header Cache-Control "max-age=365000000, immutable, public" always;
        location /echo/ {{ default_type text/plain; return 200 "$request_method $request_uri\\n"; }}
    }}

    # The public service.
    upstream pypi.org {{ server 127.0.0.1:{pypi}; }}
    upstream files.pythonhosted.org {{ server 127.0.0.1:{pypi}; }}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {folder}/pypi.pem;
        ssl_certificate_key {folder}/pypi.pem;
        port_in_redirect off;  # this port is of no interest
        gzip on;
        proxy_ssl_server_name on;
        sub_filter_types *;
        sub_filter_once off;
        location / {{ proxy_pass https://pypi.org; }}
        location /files/ {{ proxy_pass https://files.pythonhosted.org/; }}
{locations}
    }}
}}
"""
REPLACED = """\
        location {prefix} {{
            {auth}
            proxy_pass https://pypi.org/;
            proxy_set_header Accept-Encoding "";
            sub_filter 'https://files.pythonhosted.org/' '{links}';
        }}
"""
CLOSED_FILES = """\
        location {prefix} {{
            {auth}
            proxy_pass https://files.pythonhosted.org/;
        }}
"""
PASSWORDS = {
    "heron": "public:{PLAIN}heron\n",
    "eagle": "public:{PLAIN}eagle\n",
}


def locations(folder: Path) -> str:
    def auth(password: str) -> str:
        return f'auth_basic "authenticated"; auth_basic_user_file {folder}/{password};' if password else ""

    relative = "../../../files/"
    replaced = [
        ("/relative/", "", relative),
        ("/basic-auth/", "heron", "$scheme://$host/basic-auth/files/"),
        ("/basic-auth/relative/", "heron", relative),
        ("/basic-auth-heron/", "heron", "$scheme://$host/basic-auth-heron/files/"),
        ("/basic-auth-eagle/", "eagle", "$scheme://$host/basic-auth-eagle/files/"),
    ]
    files = [
        ("/basic-auth/files/", "heron"),
        ("/basic-auth-heron/files/", "heron"),
        ("/basic-auth-eagle/files/", "eagle"),
    ]
    return "".join(
        [REPLACED.format(prefix=prefix, auth=auth(password), links=links) for prefix, password, links in replaced]
        + [CLOSED_FILES.format(prefix=prefix, auth=auth(password)) for prefix, password in files]
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def lay_site(site: Path) -> None:
    """Write the synthetic PyPI: one project of 20 files, its pages plain and compressed."""
    names = [f"egret-0.{n}-py3-none-any.whl" for n in range(18)] + ["egret-1.0-py3-none-any.whl", "egret-1.0.tar.gz"]
    urls = [f"{FILES}packages/aa/bb/cc/{name}" for name in names]
    listed = [{"filename": n, "url": u, "hashes": {"sha256": "0" * 64}} for n, u in zip(names, urls, strict=True)]
    page = {"meta": {"api-version": "1.3"}, "name": "egret", "versions": ["1.0"], "files": listed}
    anchors = "\n".join(
        f'<a href="{url}#sha256={"0" * 64}">{name}</a><br/>' for url, name in zip(urls, names, strict=True)
    )
    project = site / "simple/egret"
    project.mkdir(parents=True)
    (project / "index.json").write_text(json.dumps(page))
    (project / "index.html").write_text(f"<!DOCTYPE html>\n<html><body>\n{anchors}\n</body></html>\n")
    for form in (project / "index.json", project / "index.html"):
        form.with_name(form.name + ".gz").write_bytes(gzip.compress(form.read_bytes()))
    wheel = site / "files" / WHEEL
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(bytes(range(256)) * 1000)
    wheel.with_name(wheel.name + ".metadata").write_text(
        f"Metadata-Version: 2.4\nName: egret\nVersion: 1.0\n\n{FILES}\n" * 5
    )
    (site / "files" / SDIST).write_bytes(b"")  # nothing at all is an answer too


class ToPyPI(socketserver.ThreadingTCPServer):
    """A proxy that leads every CONNECT to one port of this machine, wherever it was to go."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        self.leads_to = port
        super().__init__(("127.0.0.1", 0), Leading)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Let them hang up as they like."""


class Leading(socketserver.StreamRequestHandler):
    server: ToPyPI

    def handle(self) -> None:
        while self.rfile.readline() not in (b"\r\n", b""):
            pass  # nothing in the head of a CONNECT changes where it leads
        with socket.create_connection(("127.0.0.1", self.server.leads_to)) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            there = threading.Thread(target=pour, args=(self.connection, upstream))
            there.start()
            pour(upstream, self.connection)
            there.join()


def pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    for side in (source, target):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Both:
    """nginx and the gateway, before one PyPI."""

    plain: int
    tls: int
    listener: Listener
    trust: ssl.SSLContext

    def nginx(self, *, over_tls: bool) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.tls if over_tls else self.plain), timeout=20)
        return self.trust.wrap_socket(connection, server_hostname=INDEX) if over_tls else connection

    def gateway(self, *, over_tls: bool) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.listener.port), timeout=20)
        if not over_tls:
            return connection
        connection.sendall(f"CONNECT {INDEX}:443 HTTP/1.1\r\nHost: {INDEX}:443\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        return self.trust.wrap_socket(connection, server_hostname=INDEX)


@contextlib.contextmanager
def side_by_side(folder: Path) -> Iterator[Both]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    issued = authority.issue_cert("pypi.org", "files.pythonhosted.org", INDEX)
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "pypi.pem"))
    lay_site(folder / "site")
    for name, line in PASSWORDS.items():
        (folder / name).write_text(line)
    folder.chmod(0o755)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    ports = {"pypi": free_port(), "plain": free_port(), "tls": free_port()}
    user = "user root;" if os.geteuid() == 0 else ""
    settings = folder / "nginx.conf"
    settings.write_text(
        NGINX.format(user=user, folder=folder, json=JSON, temporary=temporary, locations=locations(folder), **ports)
    )
    command = ["nginx", "-p", str(folder), "-c", str(settings), "-e", str(folder / "error.log")]
    leader = ToPyPI(ports["pypi"])
    threading.Thread(target=leader.serve_forever).start()
    serving = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(ports["plain"], serving)
        with pytest.MonkeyPatch.context() as patch:
            for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
                patch.setenv(name, leader.url)
            patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
            patch.delenv("SSL_CERT_DIR", raising=False)
            with Gateway(folder / "cache", folder / "recording") as gateway, gateway.listener() as listener:
                trust = ssl.create_default_context(cafile=str(folder / "authority.pem"))
                trust.load_verify_locations(cadata=gateway.certificate.decode())
                yield Both(ports["plain"], ports["tls"], listener, trust)
    finally:
        leader.shutdown()
        leader.server_close()
        serving.terminate()
        serving.communicate(timeout=20)


def wait_for(port: int, serving: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and serving.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    serving.kill()
    pytest.fail(f"nginx did not come up: {serving.communicate()[1]}")
