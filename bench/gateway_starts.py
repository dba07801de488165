"""How long it takes until the gateway answers its first request."""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import local

from uvmre.gateway.session import Gateway

RUNS = 10
GOAL = 0.150
FIRST = b"GET http://pypi-proxy.fly.dev/basic-auth/simple/x/ HTTP/1.1\r\nHost: pypi-proxy.fly.dev\r\n\r\n"


def main() -> None:
    print(f"starts: seconds until the first request is answered (401); median of {RUNS}, and the longest")
    with tempfile.TemporaryDirectory(prefix="uvmre-bench-") as warm:
        library(Path(warm))
        process(Path(warm))
        show("Gateway as a library, warm cache", lambda: library(Path(warm)), f"  (goal: {GOAL:.3f})")
        show("Gateway as a library, fresh cache", lambda: fresh(library), f"  (goal: {GOAL:.3f})")
        show("process of `uvmre gateway`, warm cache", lambda: process(Path(warm)))
        show("process of `uvmre gateway`, fresh cache", lambda: fresh(process))
    show("python -c ''", lambda: bare(""))
    show("python -c 'import asyncio'", lambda: bare("import asyncio"))


def show(name: str, run: Callable[[], float], goal: str = "") -> None:
    took = [run() for _ in range(RUNS)]
    print(f"  {name:42} {statistics.median(took):.3f}  {max(took):.3f}{goal}", flush=True)


def fresh(run: Callable[[Path], float]) -> float:
    with tempfile.TemporaryDirectory(prefix="uvmre-bench-") as folder:
        return run(Path(folder))


def library(cache: Path) -> float:
    """Time from `with Gateway(…)`; making one, which may make an authority first, is not in it."""
    gateway = Gateway(cache / "uvmre", cache / "uvmre/recording")
    started = time.perf_counter()
    with gateway, gateway.listener() as listener:
        return answered(listener.port, started)


def process(cache: Path) -> float:
    """Time from the start of the process: imports, the authority, the gateway's own process and all."""
    port = local.free_port()
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    argv = [sys.executable, "-m", "uvmre", "gateway", "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            return answered(port, started)
        finally:
            with contextlib.suppress(ProcessLookupError):
                running.terminate()


def answered(port: int, started: float) -> float:
    first = local.answer(port, FIRST)
    took = time.perf_counter() - started
    if b" 401 " not in first[:20]:
        raise local.Unavailable(f"the gateway answers something else: {first[:300]!r}")
    return took


def bare(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started
