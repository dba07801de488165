"""The evidence of runs in `.uvmre/runs`: output and requests as files, the result as JSON."""

import contextlib
import dataclasses
import fcntl
import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from uvmre import files, temp_folders
from uvmre.core.mre.model import slug
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import Result, from_data, to_data
from uvmre.errors import UsageError

OWN = ".uvmre"
RUNS = f"{OWN}/runs"
RESULT = "run.json"
SEARCH = f"{OWN}/search.json"
RESULT_LIMIT = 1_000_000_000
KEPT = 10
"""Runs kept per MRE."""
NAME = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z-uv-[^/]*")
_locks: dict[Path, int] = {}
"""The unfinished runs of this process, with the descriptors of their locks."""


def begin_run(folder: Path, release: str, now: datetime) -> Path:
    """Create the folder of a new run."""
    runs = folder / RUNS
    runs.mkdir(parents=True, exist_ok=True)
    ignore_in_git(runs.parent)
    run = runs / f"{now:%Y%m%dT%H%M%S.%fZ}-uv-{release}-{os.urandom(2).hex()}"
    run.mkdir()
    _lock(run)
    _prune(runs, run)
    return run


def forget_runs(folder: Path) -> None:
    """Remove the evidence and the recording of another MRE that was in a folder, which may be private."""
    for path in (folder / RUNS, folder / RECORDING):
        temp_folders.delete_tree(path)
    (folder / SEARCH).unlink(missing_ok=True)


def _lock(run: Path) -> None:
    """Lock the folder of a run until it is finished or this process ends."""
    with contextlib.suppress(OSError):
        descriptor = os.open(run, os.O_RDONLY)
        _locks[run] = descriptor
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _prune(runs: Path, new: Path) -> None:
    """Remove all runs but the last ones, the newest finished one, and those of other processes."""
    found = sorted((path for path in runs.iterdir() if NAME.fullmatch(path.name)), reverse=True)
    newest = next((path for path in found if (path / RESULT).is_file()), None)
    for run in found[KEPT:]:
        if run in (new, newest):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(run, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                temp_folders.delete_tree(run)
            finally:
                os.close(descriptor)


def ignore_in_git(folder: Path) -> None:
    """Create `.uvmre`, ignored by git."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ".gitignore").is_dir():
        temp_folders.delete_tree(folder / ".gitignore")
    (folder / ".gitignore").write_text("*\n")


def write_observation(run: Path, observation: Observation) -> None:
    """Write the evidence of one variant."""
    folder = run / slug(observation.variant)
    folder.mkdir(exist_ok=True)
    for i, step in enumerate(observation.steps, 1):
        for stream, text in (("stdout", step.stdout), ("stderr", step.stderr)):
            (folder / f"{i}-{slug(step.title)}.{stream}").write_text(text, encoding="utf-8")
    (folder / "requests.log").write_text(
        "".join(f"{request.line}\n" for request in observation.requests), encoding="utf-8"
    )
    for name, text in observation.artifacts:
        (folder / name).write_text(text, encoding="utf-8")
    data = dataclasses.asdict(dataclasses.replace(observation, artifacts=()))
    _write_atomically(folder / "observation.json", json.dumps(data, indent=1))


def finish_run(run: Path, result: Result | None) -> None:
    """Write the result of a run; the sides of a boundary have none, and are no run to report."""
    if result:
        _write_atomically(run / RESULT, json.dumps(to_data(result), indent=1))
    if (descriptor := _locks.pop(run, None)) is not None:
        os.close(descriptor)


def latest_result(folder: Path) -> Result | None:
    """Return the result of the newest finished run."""
    found = [path for path in (folder / RUNS).glob(f"*/{RESULT}") if path.is_file()]
    for path in sorted(found, key=lambda path: path.parent.name, reverse=True):
        # Another version of uvmre may have written it.
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError):
            return from_data(json.loads(files.read_bytes(path, limit=RESULT_LIMIT, follow=False)))
    return None


def write_search(folder: Path, data: dict[str, Any]) -> None:
    """Write the result of the last search over releases, with the digest of the MRE."""
    ignore_in_git(folder / OWN)
    _write_atomically(folder / SEARCH, json.dumps(data, indent=1))


def latest_search(folder: Path, digest: str) -> dict[str, Any] | None:
    """Return the result of the last search over releases, unless it is of another MRE."""
    # Another version of uvmre may have written it.
    with contextlib.suppress(OSError, ValueError, RecursionError, UsageError):
        data = json.loads(files.read_bytes(folder / SEARCH, limit=RESULT_LIMIT, follow=False))
        if isinstance(data, dict) and data.get("digest") == digest:
            return data
    return None


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.temporary")
    temporary.write_text(text, encoding="utf-8")
    temporary.rename(path)


RECORDING = ".uvmre/recording"
