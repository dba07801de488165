"""How much `uvmre run` adds to what the steps take by themselves, the sandbox to that, and what `uvmre --help` takes.

And what `uvmre new` takes, beside copier with the same template.

Each figure is the median of several runs and stands beside the same steps typed by hand in the same minute.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7
UVMRE = [sys.executable, "-m", "uvmre"]
RELEASE = "0.5.21"
STEPS = {
    "a step without network (sleep 0.5)": "sleep 0.5",
    "uv venv": "uv venv",
    "uv pip install six, from PyPI": "uv venv -q && uv pip install -q six",
}
MANIFEST = """\
schema = 1
title = "A benchmark"
[environment]
uv = "{release}"
[[step]]
role = "observe"
run = "{run}"
[symptom]
output = ["what no step prints"]
"""


def timed(command: list[str], cwd: Path, environment: dict[str, str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    return time.perf_counter() - started, done.stdout


def by_hand(run: str, uv: Path, home: Path) -> float:
    """Time the step in a fresh folder, as a person would run it."""
    with tempfile.TemporaryDirectory(dir=home) as fresh:
        path = f"{uv.parent}{os.pathsep}{Path(sys.executable).resolve().parent}{os.pathsep}/usr/bin:/bin"
        kept = {name: os.environ[name] for name in ("SSL_CERT_FILE", "HTTPS_PROXY") if name in os.environ}
        return timed(["/bin/sh", "-c", run], Path(fresh), {**kept, "HOME": fresh, "PATH": path})[0]


def compare(name: str, run: str, folder: Path) -> None:
    mre = folder / "mre"
    mre.mkdir()
    (mre / "mre.toml").write_text(MANIFEST.format(release=RELEASE, run=run))
    environment = dict(os.environ)
    timed([*UVMRE, "run", "mre"], folder, environment)  # fetches the release, warms the disk
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "uvmre/uv" / RELEASE / "uv"
    whole, steps, hand, boxed = [], [], [], []
    for _ in range(RUNS):
        took, answer = timed([*UVMRE, "run", "mre", "--json"], folder, environment)
        whole.append(took)
        steps.append(json.loads(answer)["variants"][0]["seconds"])
        hand.append(by_hand(run, cache, folder))
        boxed.append(timed([*UVMRE, "run", "mre", "--backend", "sandbox", "--json"], folder, environment)[0])
    total, inside, alone, sandbox = map(statistics.median, (whole, steps, hand, boxed))
    print(f"{name}")
    print(f"  by hand {alone:.3f} s; inside uvmre run {inside:.3f} s; uvmre run in all {total:.3f} s")
    print(f"  uvmre adds {total - inside:.3f} s to its steps; {total / alone:.2f} x those by hand")
    print(
        f"  on local {total:.3f} s, in the sandbox {sandbox:.3f} s: {sandbox - total:+.3f} s, {sandbox / total:.2f} x"
    )


def scaffold(template: str) -> None:
    """Compare `uvmre new` with `copier copy`, in turns, as whole processes."""
    source = Path(__file__).parents[1] / "templates" / template
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(2 * RUNS):
            new = [*UVMRE, "new", f"ours-{i}", "-t", template, "--defaults"]
            copy = [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults", str(source), f"theirs-{i}"]
            ours.append(timed(new, Path(folder), dict(os.environ))[0])
            theirs.append(timed(copy, Path(folder), dict(os.environ))[0])
    (low, middle), (least, median) = ((min(each), statistics.median(each)) for each in (ours, theirs))
    print(
        f"uvmre new -t {template} {middle:.3f} s (min {low:.3f}), copier copy {median:.3f} s (min {least:.3f}): "
        f"{middle / median:.2f} x (min {low / least:.2f} x)"
    )


def main() -> None:
    helped = statistics.median(timed([*UVMRE, "--help"], Path.cwd(), dict(os.environ))[0] for _ in range(RUNS))
    bare = statistics.median(timed([sys.executable, "-c", ""], Path.cwd(), dict(os.environ))[0] for _ in range(RUNS))
    print(
        f"uvmre --help {helped:.3f} s, of which a Python that does nothing takes {bare:.3f} s ({helped / bare:.1f} x)"
    )
    for template in ("project", "workspace-index"):
        scaffold(template)
    for name, run in STEPS.items():
        with tempfile.TemporaryDirectory() as folder:
            compare(name, run, Path(folder))


if __name__ == "__main__":
    main()
