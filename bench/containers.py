"""How much `uvmre run --backend` adds to the same build typed by hand, on every engine that is there.

The steps are the RUNs of the Dockerfile, which is what is built by hand. Both are measured in turn, several times, and
the medians stand beside each other.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
UVMRE = [sys.executable, "-m", "uvmre"]
STATE = Path(os.environ.get("UVMRE_ENGINES") or Path.home() / ".cache/uvmre-engines")
MANIFEST = """\
schema = 1
title = "A benchmark"
[environment]
uv = "0.5.21"
[[step]]
run = "sleep 0.5"
[[step]]
role = "observe"
run = "sleep 1"
[symptom]
output = ["what no step prints"]
"""
DOCKERFILE = "FROM python:3.11-slim-bookworm\nCOPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /bin/\n"
RUNNING = "WORKDIR /app\nCOPY . .\nRUN sleep 0.5\nRUN sleep 1\n"


def daemon(name: str, buildkit: str) -> dict[str, str]:
    own = {"DOCKER_HOST": f"unix://{STATE}/sock/{name}.sock", "DOCKER_CONFIG": str(STATE / "config")}
    return {**os.environ, **own, "DOCKER_BUILDKIT": buildkit}


def engines() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return how each is typed by hand, and with which variables."""
    here = dict(os.environ)
    found = {
        "podman": (["podman", "build", "--layers=false"], here),
        "buildah": (["buildah", "bud", "--layers=false"], here),
        "docker": (["docker", "build"], here),
    }
    for name, buildkit in (("classic", "0"), ("buildkit", "1")):
        if (STATE / f"sock/{name}.sock").exists():
            found[f"docker, {name}"] = (["docker", "build"], daemon(name, buildkit))
    return found


def timed(command: list[str], cwd: Path, environment: dict[str, str]) -> tuple[float, subprocess.CompletedProcess[str]]:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    return time.perf_counter() - started, done


def compare(title: str, command: list[str], environment: dict[str, str], folder: Path) -> None:
    mre = folder / "mre"
    mre.mkdir()
    (mre / "mre.toml").write_text(MANIFEST)
    (mre / "Dockerfile").write_text(DOCKERFILE + RUNNING)
    run = [*UVMRE, "run", "mre", "--backend", command[0], "--json"]
    _, first = timed(run, folder, environment)
    answer = json.loads(first.stdout or "{}")
    if answer.get("verdict") != "not_reproducible":
        print(f"{title}: not to be measured here: {answer.get('reason') or answer.get('error') or first.stderr[-200:]}")
        return
    hand = [*command, "--network", "host", "--no-cache", "-t", "uvmre-bench", "."]
    whole, alone = [], []
    for _ in range(RUNS):
        alone.append(timed(hand, mre, environment)[0])
        whole.append(timed(run, folder, environment)[0])
    subprocess.run([command[0], "rmi", "--force", "uvmre-bench"], env=environment, capture_output=True, check=False)
    ours, theirs = statistics.median(whole), statistics.median(alone)
    print(f"{title}: by hand {theirs:.2f} s, uvmre run {ours:.2f} s: {ours - theirs:+.2f} s, {ours / theirs:.2f} x")


def main() -> None:
    for title, (command, environment) in engines().items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                compare(title, command, environment, Path(folder))
            except FileNotFoundError:
                print(f"{title}: not installed")


if __name__ == "__main__":
    main()
