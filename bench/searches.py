"""What searches over all releases take beside a plain one in the same minutes, and a table on one core and on two.

The step takes a second on every release: all of it waiting, or 0.4 s of it work of uv and Python, which two cores can
only share; in the table half a second of the waiting is left out.
Which release it "shows" on is a matter of its number, so that every boundary can be asked for. Releases are fetched
first (5 GB, once); the cold search fetches its own into an empty cache. The cores are those of `taskset`, on Linux.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from uvmre.releases import binaries

UVMRE = [sys.executable, "-m", "uvmre"]
WORK = "uv venv -q; python3 -c 'for _ in range(4): sum(range(1000000))'; sleep 0.6"
KINDS = {"waits": "sleep 1", "works for 0.4 s of it": WORK}
IN_TABLE = "sleep 0.1"
STEP = """\
#!/bin/sh
{step}
case " {bad} " in *" $UVMRE_UV "*) exit 0 ;; esac
exit 1
"""
SEARCHES = 2
SEED = 4


def uvmre(*argv: str, home: Path | None = None, cores: str = "") -> tuple[float, dict]:
    """Run a search; return how long it took and what it answered."""
    environment = {**os.environ, **({"XDG_CACHE_HOME": str(home)} if home else {})}
    pinned = ["taskset", "-c", cores] if cores else []
    started = time.perf_counter()
    done = subprocess.run([*pinned, *UVMRE, *argv, "--json"], env=environment, stdout=subprocess.PIPE, check=True)
    return time.perf_counter() - started, json.loads(done.stdout)


def cache(home: Path | None = None) -> Path:
    """Return where the releases are."""
    argv = [*UVMRE, "cache", "dir"]
    environment = {**os.environ, **({"XDG_CACHE_HOME": str(home)} if home else {})}
    return Path(subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


class Plain:
    """A search as one would write it in a minute: the three ends, then one release after the other."""

    def __init__(self, script: Path, releases: list[str], folder: Path) -> None:
        self.script, self.releases, self.folder, self.runs = script, releases, folder, 0

    def shows(self, index: int) -> bool:
        """Run the script on a release."""
        version = self.releases[index]
        self.runs += 1
        with tempfile.TemporaryDirectory() as fresh:
            path = os.pathsep.join([str(self.folder / "uv" / version), os.environ["PATH"]])
            environment = {"PATH": path, "HOME": fresh, "UVMRE_UV": version}
            return (
                subprocess.run([self.script], cwd=fresh, env=environment, check=False, capture_output=True).returncode
                == 0
            )

    def search(self, reported: int) -> tuple[int, int]:
        """Return the indexes of the first bad one and of the first good one after it."""
        assert self.shows(reported)
        assert not self.shows(0)
        assert not self.shows(len(self.releases) - 1)
        low, bad = 0, reported
        while bad - low > 1:
            middle = (low + bad) // 2
            low, bad = (low, middle) if self.shows(middle) else (middle, bad)
        last, good = reported, len(self.releases) - 1
        while good - last > 1:
            middle = (last + good) // 2
            last, good = (middle, good) if self.shows(middle) else (last, middle)
        return bad, good


def scripts(folder: Path, step: str, releases: list[str]) -> list[tuple[Path, int, int, int]]:
    """Write scripts, each with a history of one step on each side; return them with first bad, reported, first good."""
    chosen, written = random.Random(SEED), []
    for _ in range(SEARCHES):
        bad, reported, good = sorted(chosen.sample(range(1, len(releases) - 1), 3))
        script = folder / f"step{len(list(folder.iterdir()))}.sh"
        script.write_text(STEP.format(step=step, bad=" ".join(releases[bad:good])))
        script.chmod(0o755)
        written.append((script, bad, reported, good))
    return written


def warm(kind: str, written: list[tuple[Path, int, int, int]], releases: list[str]) -> None:
    ratios = []
    for script, bad, reported, good in written:
        argv = ("bisect", "--command", str(script), "--uv", releases[reported], "--again")
        uvmre(*argv)  # brings the binaries from the disk into memory, for both
        took, found = uvmre(*argv, cores="0,1")
        assert (found["first_bad"]["version"], found["first_good"]["version"]) == (releases[bad], releases[good])
        plain, started = Plain(script, releases, cache()), time.perf_counter()
        assert plain.search(reported) == (bad, good)
        by_hand = time.perf_counter() - started
        ratios.append(took / by_hand)
        print(
            f"  {releases[bad]} … {releases[good]}: {took:.1f} s, {found['ran']} runs; "
            f"plain {by_hand:.1f} s, {plain.runs} runs"
        )
    print(
        f"both boundaries, {len(releases)} releases, warm, 2 cores, a step that {kind}: "
        f"{statistics.median(ratios):.0%} of a plain search (goal 60 %)"
    )


def cold(script: Path, reported: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        took, found = uvmre("bisect", "--command", str(script), "--uv", reported, home=Path(home))
        used = [probe["release"] for probe in found["probes"]]
        alone = {}
        for how, parts in (("one after the other", [[each] for each in used]), ("four at once", [used])):
            shutil.rmtree(cache(Path(home)) / "uv")
            started = time.perf_counter()
            fetch(parts, Path(home))
            alone[how] = time.perf_counter() - started
    beside = ", ".join(f"{took / seconds:.2f} × {how} ({seconds:.1f} s)" for how, seconds in alone.items())
    print(f"the same, nothing fetched yet: {took:.1f} s, beside fetching its {len(used)} releases: {beside} (goal 1.3)")


def fetch(parts: list[list[str]], home: Path) -> None:
    """Fetch releases with nothing else to do: one part after the other, what is in a part four at a time."""
    for part in parts:
        assert all(each.uv for each in binaries.fetch(part, cache(home), lambda *_: None))


def table(script: Path, releases: list[str]) -> None:
    script.write_text(script.read_text().replace("sleep 0.6", IN_TABLE))
    took = {}
    for jobs, cores in (("1", "0"), ("2", "0,1")):
        took[jobs], found = uvmre(
            "matrix", "--command", str(script), "--uv", "all", "--again", "--jobs", jobs, cores=cores
        )
        assert len(found["cells"]) >= len(releases)
    print(
        f"a table of {len(found['cells'])} releases: {took['1']:.0f} s on one core, {took['2']:.0f} s on two, "
        f"{took['1'] / took['2']:.2f} × faster (goal 1.8)"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        quick = Path(scratch) / "quick.sh"
        quick.write_text("#!/bin/sh\nexit 0\n")
        quick.chmod(0o755)
        _, every = uvmre("matrix", "--command", str(quick), "--uv", "0.1.0..latest")
        releases = [cell["release"] for cell in every["cells"]]
        for kind, step in KINDS.items():
            written = scripts(Path(scratch), step, releases)
            warm(kind, written, releases)
        cold(written[0][0], releases[written[0][2]])
        table(written[0][0], releases)


if __name__ == "__main__":
    main()
