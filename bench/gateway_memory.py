"""How much memory the gateway's process takes while a big file passes through it to a client in no hurry."""

import hashlib
import os
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from local import Unavailable

from uvmre.gateway.session import Gateway, Listener

PROJECT = "https://pypi.org/simple/nvidia-cusparse-cu12/"
WHEEL = "nvidia_cusparse_cu12-12.1.0.106-py3-none-manylinux1_x86_64.whl"
PIECE = 1024 * 1024
PAUSE = 0.01
"""After each piece: at most 100 MB a second, which is less than a recording delivers."""
MB = 1e6


class Watch(threading.Thread):
    """Looks at a process's memory again and again."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.most = 0

    def run(self) -> None:
        """Look, until told that it is enough."""
        while not self._ended.wait(0.005):
            self.most = max(self.most, self._process.memory_info().rss)

    def end(self) -> None:
        """It is enough."""
        self._ended.set()
        self.join()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="uvmre-bench-") as name:
        folder = Path(name)
        url, sha256, size = look_up()
        print(f"memory: RSS of the gateway's process in MB while a file of {size / MB:.0f} MB passes through it")
        for what in ("live, recorded as it passes", "from the recording"):
            with started(folder) as (listener, trust, process):
                with httpx.Client(proxy=listener.url, verify=trust, trust_env=False, timeout=120) as client:
                    client.get("https://pypi-proxy.fly.dev/basic-auth/simple/x/")  # all that it imports is there
                    before = process.memory_info().rss
                    watch = Watch(process)
                    watch.start()
                    begun = time.perf_counter()
                    got = take(client, url)
                    took = time.perf_counter() - begun
                    watch.end()
                after = process.memory_info().rss
            if got != sha256:
                raise Unavailable(f"{url} came with another content")
            print(
                f"  {what:28} before {before / MB:5.1f}, at most {watch.most / MB:5.1f}, after {after / MB:5.1f}"
                f" ({took:.1f} s, {size / took / MB:.0f} MB/s)",
                flush=True,
            )


@contextmanager
def started(folder: Path) -> Iterator[tuple[Listener, ssl.SSLContext, psutil.Process]]:
    """Start a gateway; its process is the one that this one did not have before."""
    before = set(psutil.Process().children())
    with Gateway(folder / "cache", folder / "recording") as gateway, gateway.listener() as listener:
        [process] = set(psutil.Process().children()) - before
        yield listener, ssl.create_default_context(cadata=gateway.certificate.decode()), process


def look_up() -> tuple[str, str, int]:
    """Return the big file's address, sha256 and size, as PyPI tells them."""
    try:
        page = httpx.get(PROJECT, headers={"accept": "application/vnd.pypi.simple.v1+json"}, verify=trust(), timeout=60)
        [file] = [file for file in page.raise_for_status().json()["files"] if file["filename"] == WHEEL]
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"PyPI does not tell of {WHEEL} ({error!r})") from None
    return file["url"], file["hashes"]["sha256"], file["size"]


def trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))


def take(client: httpx.Client, url: str) -> str:
    """Take a file slowly and keep none of it."""
    sha256 = hashlib.sha256()
    with client.stream("GET", url) as answer:
        answer.raise_for_status()
        for block in answer.iter_bytes(PIECE):
            sha256.update(block)
            time.sleep(PAUSE)
    return sha256.hexdigest()
