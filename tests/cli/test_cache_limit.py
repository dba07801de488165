"""The cache stays within its limit while several triages fill it, and none of them loses what it uses."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.releases.caches import VERSIONS, stock
from uvmre.releases import binary_cache

ISSUES = int(os.environ.get("UVMRE_CACHE_ISSUES", "24"))
"""How many are triaged; more by hand: `UVMRE_CACHE_ISSUES=300 pytest -m slow tests/cli/test_cache_limit.py`."""
AT_ONCE = 2
MEGABYTE = 1_000_000
LIMIT = 60 * MEGABYTE
"""Of which the releases that are never asked for take 36 MB, those that are 4 MB, and each recorded body 1 MB."""
ASKED = ("0.4.9", VERSIONS[-1])
UV = """\
#!/bin/sh
case "$1" in
--version) echo "uv {version}" ;;
sync) sleep 0.2; echo 'error: Failed to build the workspace' >&2; echo '  Caused by: the member `m{{}}` is there twice' >&2; exit 2 ;;
esac
"""
POST = """\
# uv sync fails for the {number}th time
<!-- somebody/something#{number} created 2024-10-10T10:00:00Z -->

With this `pyproject.toml`:

```toml
[project]
name = "root{number}"
version = "0.1.0"
requires-python = ">=3.8"
```

This fails:

```console
$ uv sync
error: Failed to build the workspace
  Caused by: the member `m{{}}` is there twice
```

### Version

uv 0.4.9
"""


def stocked(home: Path) -> Path:
    """Return a cache whose releases take 2 MB each; most were used long ago."""
    cache = stock(home)
    for number, version in enumerate(VERSIONS):
        folder = cache / "uv" / version
        (folder / "uv").write_text(UV.format(version=version))
        (folder / "pad").write_bytes(os.urandom(2 * MEGABYTE))
        if version not in ASKED:  # those cannot be fetched again here, and are used all the time from now on
            os.utime(folder, (time.time() - (100 - number) * 3600,) * 2)
    return cache


def started(home: Path, posts: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "uvmre", "triage", str(posts), "--jobs", "1", "--json"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(home), "UVMRE_CACHE_SIZE": str(LIMIT)}
    # Files, as nobody reads a pipe while it runs.
    with posts.with_suffix(".out").open("w") as out, posts.with_suffix(".err").open("w") as err:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=err, text=True)


def body(cache: Path, number: int, start: float) -> None:
    """Put a recorded body into the cache, as another command would that ended an hour ago."""
    name = hashlib.sha256(str(number).encode()).hexdigest()
    path = cache / "bodies" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(MEGABYTE))
    os.utime(path, (start - 3600 + number / 1000,) * 2)


@pytest.mark.slow
def test_the_cache_stays_within_its_limit_and_nothing_in_use_is_lost(tmp_path: Path) -> None:
    home, posts = tmp_path / "home", [tmp_path / f"posts-{n}" for n in range(AT_ONCE)]
    cache = stocked(home)
    for folder in posts:
        folder.mkdir()
    for number in range(ISSUES):
        (posts[number % AT_ONCE] / f"{number}.md").write_text(POST.format(number=number))
    triages = [started(home, folder) for folder in posts]
    sizes, environment = [], {**os.environ, "XDG_CACHE_HOME": str(home), "UVMRE_CACHE_SIZE": str(LIMIT)}
    numbers, start = itertools.count(), time.time()
    # Far more often than it would be pruned by itself.
    while any(triage.poll() is None for triage in triages):
        for _ in range(20):
            body(cache, next(numbers), start)
        done = subprocess.run(
            [sys.executable, "-m", "uvmre", "cache", "prune", "--json"], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        sizes.append(binary_cache.size(cache))
    answers: list[dict[str, Any]] = []
    for triage, folder in zip(triages, posts, strict=True):
        assert triage.returncode == 0, folder.with_suffix(".err").read_text()
        answers += [json.loads(line) for line in folder.with_suffix(".out").read_text().splitlines()]
    figures = f"{next(numbers)} MB came, {max(sizes) / MEGABYTE:.1f} MB stayed at most"
    (tmp_path / "figures").write_text(figures)
    assert len(answers) == ISSUES
    arguments = [(answer["verdict"], answer["reason"]) for answer in answers]
    assert {word for word, _ in arguments} == {"reproducible"}, arguments
    assert next(numbers) > LIMIT / MEGABYTE  # far more came than there is room for
    assert max(sizes) <= LIMIT, figures
