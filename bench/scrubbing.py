"""How long it takes to redact the output of a run, and to report it, for 5, 10 and 20 MB.

Each figure is CPU time, beside what the same run takes to read that text from disk and to count a byte in it ten times.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from uvmre.core.secrets.redact import redact

SIZES = (5, 10, 20)
MB = 1_000_000
TRIES = 3
TICK = 1 / os.sysconf("SC_CLK_TCK")
UVMRE = [sys.executable, "-m", "uvmre"]
LOG = """\
DEBUG Found fresh response for: https://pypi.org/simple/six/
TRACE cache entry /home/me/.cache/uv/archive-v0/aB1cD2eF3gH4iJ5kL6mN7 sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b
DEBUG Adding transitive dependency for tokenizers==0.15.0: huggingface-hub>=0.16.4, <1.0
DEBUG Selecting: anyio==4.8.0 [compatible] (anyio-4.8.0-py3-none-any.whl)
DEBUG Searching for a compatible version of h11 @ file:///src/h11 (>=0.13, <0.15)
"""
SECRETS = """\
DEBUG Using credentials of https://me:hunter22@host.example/simple with UV_INDEX_ACME_PASSWORD=hunter22
"""
MANIFEST = """\
schema = 1
title = "A large output"
[environment]
uv = "0.5.21"
[[step]]
role = "observe"
run = "true"
[symptom]
exit = 0
"""


def main() -> None:
    for size in SIZES:
        _redact(size, "a log", _text(size))
        _redact(size, "a log in one line", _text(size).replace("\n", " "))
        _redact(size, "a log whose every sixth line has two secrets", _text(size, LOG + SECRETS))
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            _report(Path(folder, str(size)), size, files=1)
        _report(Path(folder, "many"), SIZES[-1], files=3_000)


def _text(size: int, log: str = LOG) -> str:
    return (log * (size * MB // len(log) + 1))[: size * MB]


def _redact(size: int, what: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        path.write_text(text)
        read = _seconds(lambda: [path.read_bytes().count(b"@") for _ in range(10)])
    _print(f"redact {size} MB of {what}", _seconds(lambda: redact(text)), read)


def _report(mre: Path, size: int, files: int) -> None:
    """Time the report of an MRE whose files are that large."""
    mre.mkdir()
    (mre / "mre.toml").write_text(MANIFEST)
    for number in range(files):
        (mre / f"{number}.txt").write_text(_text(size)[: size * MB // files])
    environment = dict(os.environ)
    subprocess.run([*UVMRE, "run", mre, "--json"], env=environment, capture_output=True, check=True)
    (result,) = mre.glob(".uvmre/runs/*/run.json")
    data = json.loads(result.read_text())
    data["variants"][0]["steps"][0]["stdout"] = _text(1)
    result.write_text(json.dumps(data))
    paths = [path for path in mre.rglob("*") if path.is_file()] * 10
    read = _seconds(lambda: [path.read_bytes().count(b"@") for path in paths])
    for option in ((), ("--json",)):
        command = [*UVMRE, "report", mre, *option]
        took = _seconds(partial(subprocess.run, command, env=environment, capture_output=True, check=True))
        form = f"report{''.join(map(' {}'.format, option))}"
        _print(f"{form}, {size} MB of files ({files}), 1 MB of output", took, read)


def _seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of some tries, that of child processes included: a busy machine does not count."""
    took = []
    for _ in range(TRIES):
        started = os.times()
        work()
        took.append(sum(os.times()[:4]) - sum(started[:4]))
    return max(min(took), TICK)


def _print(what: str, took: float, read: float) -> None:
    print(f"{took:6.2f} s  {what}: {took / read:.1f} times reading it and counting ten times ({read * 1000:.0f} ms)")


if __name__ == "__main__":
    main()
