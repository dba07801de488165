"""Requests a second of a page of 20 files: the gateway, other package servers, and nginx, all asked by the same wrk."""

import base64
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import local
import synthetic_pypi
from local import Unavailable

from uvmre.gateway.session import Gateway

ROUNDS = 3
INDEX = "pypi-proxy.fly.dev"
HERON = "Basic " + base64.b64encode(b"public:heron").decode()
HEADERS = {"Host": INDEX, "Accept": synthetic_pypi.JSON, "Authorization": HERON}
WRK = ["wrk", "-t1", "-c8", "-d5"]
OTHERS = ("proxpi", "pypiserver[passlib,cache]", "gunicorn")
UVMRE = "uvmre gateway"
PUBLIC = "nginx as the public service"
DISK = "nginx from disk, plain password"
GOALS = {"proxpi": 8.0, "pypiserver": 20.0, PUBLIC: 3.0, DISK: 0.5}

NGINX = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes auto;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    default_type {json};
    types {{}}
    gzip on;
    keepalive_requests 1000000000;
    index index.json;
    server {{
        listen 127.0.0.1:{upstream};
        root {folder}/site;
    }}
    server {{
        listen 127.0.0.1:{public};
        location /basic-auth/ {{
            auth_basic "authenticated";
            auth_basic_user_file {folder}/hashed;
            proxy_pass http://127.0.0.1:{upstream}/;
            proxy_set_header Accept-Encoding "";
            sub_filter_types *;
            sub_filter_once off;
            sub_filter 'https://files.pythonhosted.org/' '$scheme://$host/basic-auth/files/';
        }}
    }}
    server {{
        listen 127.0.0.1:{disk};
        location /basic-auth/ {{
            auth_basic "authenticated";
            auth_basic_user_file {folder}/plain;
            alias {folder}/site/;
        }}
    }}
}}
"""


def main() -> None:
    if missing := [tool for tool in ("nginx", "wrk") if not shutil.which(tool)]:
        raise Unavailable(f"there is no {' and no '.join(missing)} here (apt install nginx-light wrk)")
    scripts = others()
    measured: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="uvmre-bench-") as name, contextlib.ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o755)
        ports = running.enter_context(nginx(folder, scripts))
        pages = {
            UVMRE: running.enter_context(uvmre(folder)) + "/basic-auth/simple/egret/",
            "proxpi": running.enter_context(proxpi(folder, scripts, ports["upstream"])) + "/index/egret/",
            "pypiserver": running.enter_context(pypiserver(folder, scripts)) + "/simple/egret/",
            PUBLIC: f"http://127.0.0.1:{ports['public']}/basic-auth/simple/egret/",
            DISK: f"http://127.0.0.1:{ports['disk']}/basic-auth/simple/egret/",
        }
        for _ in range(ROUNDS):
            for server, page in pages.items():
                measured.setdefault(server, []).append(wrk_speed(server, page))
    rps = {server: statistics.median(figures) for server, figures in measured.items()}
    print(f"speed: requests a second of a JSON page of 20 files ({len(synthetic_pypi.PAGE)} bytes); {' '.join(WRK)}")
    print(f"  median of {ROUNDS}; basic auth for all but proxpi, which has none; pypiserver's page is HTML")
    for server, figure in rps.items():
        print(f"  {server:32} {figure:9.0f}")
    for server, goal in GOALS.items():
        print(f"  uvmre / {server:32} {rps[UVMRE] / rps[server]:7.2f}  (goal: at least {goal:g})")


def wrk_speed(server: str, page: str) -> float:
    """Return how many requests a second were answered, all of them with 200."""
    headers = [word for name, value in HEADERS.items() for word in ("-H", f"{name}: {value}")]
    port = int(page.split(":")[2].partition("/")[0])
    path = page.partition(f":{port}")[2]
    lines = [
        f"GET {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
        "Connection: close",
        "",
        "",
    ]
    first = local.whole(port, "\r\n".join(lines).encode())  # fetches from upstream, where one is
    if b" 200 " not in first[:20] or synthetic_pypi.NAMES[-1].encode() not in first:
        raise Unavailable(f"{server} answers something else: {first[:300]!r}")
    output = subprocess.run([*WRK, *headers, page], capture_output=True, text=True, check=True).stdout
    figure = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    answered = re.search(r"(\d+) requests in .*?, ([0-9.]+)([KMG])B read", output)
    if figure is None or answered is None or "Non-2xx" in output or "Socket errors" in output:
        raise Unavailable(f"{server} did not answer all: {output}")
    each = float(answered[2]) * 1024 ** (1 + "KMG".index(answered[3])) / int(answered[1])
    if each < 0.98 * len(first.partition(b"\r\n\r\n")[2]):
        raise Unavailable(f"{server} answered with {each:.0f} bytes, not with the page: {output}")
    return float(figure[1])


@contextlib.contextmanager
def uvmre(folder: Path) -> Iterator[str]:
    """Serve the gateway, whose first answer comes from the synthetic PyPI, and all others from its recording."""
    recorded = folder / "recording"
    with synthetic_pypi.pypi(folder), Gateway(folder / "cache", recorded) as gateway, gateway.listener() as listener:
        yield listener.url


@contextlib.contextmanager
def nginx(folder: Path, scripts: Path) -> Iterator[dict[str, int]]:
    """Serve the page as the public service does, from disk, and to whoever asks as an upstream."""
    page = folder / "site/simple/egret/index.json"
    page.parent.mkdir(parents=True)
    page.write_bytes(synthetic_pypi.PAGE)
    hashing = [str(scripts / "python"), "-c", "from passlib.hash import apr_md5_crypt as h; print(h.hash('heron'))"]
    apr1 = subprocess.run(hashing, capture_output=True, text=True, check=True).stdout
    (folder / "hashed").write_text(f"public:{apr1}")
    (folder / "plain").write_text("public:{PLAIN}heron\n")
    ports = {name: local.free_port() for name in ("upstream", "public", "disk")}
    user = "user root;" if os.geteuid() == 0 else ""
    settings = folder / "nginx.conf"
    settings.write_text(NGINX.format(user=user, folder=folder, json=synthetic_pypi.JSON, **ports))
    with local.serving(["nginx", "-p", str(folder), "-c", str(settings), "-e", str(folder / "log")], ports["disk"]):
        yield ports


@contextlib.contextmanager
def proxpi(folder: Path, scripts: Path, upstream: int) -> Iterator[str]:
    """Serve proxpi as its image does, with an index that it may keep for as long as it likes."""
    port = local.free_port()
    command = [
        str(scripts / "gunicorn"),
        "--preload",
        "--threads",
        "2",
        "--bind",
        f"127.0.0.1:{port}",
        "proxpi.server:app",
    ]
    cached = folder / "proxpi"
    variables = {
        "PROXPI_INDEX_URL": f"http://127.0.0.1:{upstream}/simple/",
        "PROXPI_INDEX_TTL": "86400",
        "PROXPI_CACHE_DIR": str(cached),
        "NO_PROXY": "127.0.0.1",
    }
    with local.serving(command, port, os.environ | variables):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def pypiserver(folder: Path, scripts: Path) -> Iterator[str]:
    """Serve 20 small wheels by pypiserver, which caches its listing where watchdog is installed, as here."""
    port = local.free_port()
    wheels = folder / "wheels"
    wheels.mkdir()
    for name in synthetic_pypi.NAMES:
        with zipfile.ZipFile(wheels / name, "w") as wheel:
            wheel.writestr("egret.py", "")
    argv = ["run", "-i", "127.0.0.1", "-p", str(port), "-P", str(folder / "hashed"), "-a", "update,download,list"]
    with local.serving([str(scripts / "pypi-server"), *argv, "--server", "gunicorn", str(wheels)], port):
        yield f"http://127.0.0.1:{port}"


def others() -> Path:
    """Return the folder of the scripts of what the gateway is compared with, in an environment of their own."""
    folder = local.cache() / "others"
    done = folder / "done"
    if not done.exists() or done.read_text() != " ".join(OTHERS):
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *OTHERS],
        ):
            created = subprocess.run(command, capture_output=True, text=True, check=False)
            if created.returncode:
                raise Unavailable(f"{' and '.join(OTHERS)} cannot be had: {created.stderr[-300:]}")
        done.write_text(" ".join(OTHERS))
    return folder / "bin"
