"""How long it takes to redact the output of a run, and to report it, for 5, 10 and 20 MB.

Each figure stands beside what the same run takes to read that text from disk and to count one byte in it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from uvmre.core.secrets.redact import redact

SIZES = (5, 10, 20)
MB = 1_000_000
TRIES = 3
UVMRE = [sys.executable, "-m", "uvmre"]
LOG = """\
DEBUG Found fresh response for: https://pypi.org/simple/six/
TRACE cache entry /home/me/.cache/uv/archive-v0/aB1cD2eF3gH4iJ5kL6mN7 sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071
DEBUG Adding transitive dependency for tokenizers==0.15.0: huggingface-hub>=0.16.4, <1.0
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
        text = _text(size)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "log")
            path.write_text(text)
            read = _seconds(lambda: path.read_bytes().count(b"@"))
        _print(f"redact {size} MB of a log", _seconds(lambda: redact(text)), read)
        _print(f"redact {size} MB in one line", _seconds(lambda: redact(text.replace("\n", " "))), read)
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            _report(Path(folder, str(size)), size, files=1)
        _report(Path(folder, "many"), SIZES[-1], files=9_000)


def _text(size: int) -> str:
    return (LOG * (size * MB // len(LOG) + 1))[: size * MB]


def _report(mre: Path, size: int, files: int) -> None:
    """Time the report of an MRE whose files and output are that large."""
    mre.mkdir()
    (mre / "mre.toml").write_text(MANIFEST)
    for number in range(files):
        (mre / f"{number}.txt").write_text(_text(size)[: size * MB // files])
    environment = dict(os.environ)
    subprocess.run([*UVMRE, "run", mre, "--json"], env=environment, capture_output=True, check=True)
    (result,) = mre.glob(".uvmre/runs/*/run.json")
    data = json.loads(result.read_text())
    data["variants"][0]["steps"][0]["stdout"] = _text(size)
    result.write_text(json.dumps(data))
    read = _seconds(lambda: [path.read_bytes().count(b"@") for path in mre.rglob("*") if path.is_file()])
    for option in ((), ("--json",)):
        command = [*UVMRE, "report", mre, *option]
        took = _seconds(lambda: subprocess.run(command, env=environment, capture_output=True, check=True))  # noqa: B023
        _print(
            f"report{''.join(map(' {}'.format, option))}, {size} MB of output, {size} MB in {files} files", took, read
        )


def _seconds(work: Callable[[], object]) -> float:
    took = []
    for _ in range(TRIES):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)


def _print(what: str, took: float, read: float) -> None:
    print(f"{took:6.2f} s  {what}: {took / read:.0f} times reading it and counting a byte ({read * 1000:.0f} ms)")


if __name__ == "__main__":
    main()
