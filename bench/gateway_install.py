"""`uv pip install` of a tree of packages with nothing in uv's cache: from the gateway's recording, and from PyPI."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import local
from local import Unavailable

from uvmre.errors import CannotTell
from uvmre.flows.gateway import gateway
from uvmre.flows.options import RunOptions
from uvmre.releases import binaries

RUNS = 5
RELEASE = "0.13.9"
TREE = ("jupyter-client", "ipykernel", "click")
KEPT = ("SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY")


def main() -> None:
    try:
        _, uv = binaries.get(RELEASE, local.cache(), lambda *_: None)
    except CannotTell as error:
        raise Unavailable(str(error)) from None
    through: list[float] = []
    direct: list[float] = []
    counts: set[int] = set()
    with tempfile.TemporaryDirectory(prefix="uvmre-bench-") as name:
        folder = Path(name)
        own = {"PATH": os.environ["PATH"], "HOME": name}
        straight = own | {variable: os.environ[variable] for variable in KEPT if variable in os.environ}
        with gateway(None, RunOptions(cache=folder / "cache")) as served:
            install(uv, folder, own | served.variables)  # record
            recorded = len(served.listener.requests)
            for _ in range(RUNS):
                for took, environment in ((through, own | served.variables), (direct, straight)):
                    seconds, count = install(uv, folder, environment)
                    took.append(seconds)
                    counts.add(count)
            unrecorded = sum(not request.replayed for request in served.listener.requests[recorded:])
    print(f"install: seconds of `uv pip install {' '.join(TREE)}` (uv {RELEASE}), cold cache; median of {RUNS}")
    print(
        f"  packages installed: {' or '.join(map(str, sorted(counts)))}; requests that were not recorded: {unrecorded}"
    )
    ours, theirs = statistics.median(through), statistics.median(direct)
    print(f"  through the gateway, from its recording {ours:.3f} ({min(through):.3f} to {max(through):.3f})")
    print(f"  from PyPI                          {theirs:.3f} ({min(direct):.3f} to {max(direct):.3f})")
    print(f"  ratio {ours / theirs:.2f}  (goal: at most 1)")


def install(uv: Path, folder: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Install the tree into a fresh environment with a fresh cache; return the seconds and how many packages it is."""
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        venv = Path(fresh) / "venv"
        argv = [
            "pip",
            "install",
            "--python",
            str(venv),
            "--cache-dir",
            f"{fresh}/cache",
            "--no-compile-bytecode",
            *TREE,
        ]
        created = [str(uv), "venv", "--quiet", "--python", sys.executable, str(venv)]
        subprocess.run(created, env=environment, check=True)
        started = time.perf_counter()
        done = subprocess.run([str(uv), *argv], env=environment, capture_output=True, text=True, check=False)
        took = time.perf_counter() - started
        if done.returncode:
            raise Unavailable(f"the install failed: {done.stderr[-500:]}")
        return took, len(list(venv.glob("lib/*/site-packages/*.dist-info")))
