"""What of the cache goes, and what stays since somebody uses it."""

import contextlib
import hashlib
import json
import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from uvmre.core.cache_limits import Limits
from uvmre.core.progress import Progress
from uvmre.flows import housekeeping
from uvmre.flows.prune import prune
from uvmre.outcomes.store import OutcomeKey, OutcomeStore, StoredOutcome
from uvmre.releases import binary_cache, cache_users
from uvmre.releases.binary_cache import Pruned

DAY = 86_400
OLD = Limits(math.inf, 30 * DAY)
KEY = OutcomeKey("d1", "0.5.21", "3.12.1", "as reported", "local", "auto", "manylinux_x86_64")


def put(path: Path, days: float, size: int = 10_000) -> Path:
    """Put something into the cache that was last used so many days ago: a file, or a folder with one."""
    folders = ("uv", "triage", "recordings")
    file = path / "file" if path.parent.name in folders else path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def body(cache: Path, text: str, days: float) -> Path:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    path = put(cache / "bodies" / sha256[:2] / sha256, days)
    path.write_text(text)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def recording(folder: Path, recorded: Path) -> Path:
    """Make a recording with one entry."""
    folder.mkdir(parents=True)
    entry = {"method": "GET", "url": "https://pypi.org/", "status": 200, "headers": [], "sha256": recorded.name}
    (folder / "entry.json").write_text(json.dumps({**entry, "size": recorded.stat().st_size}))
    return folder


def du(path: Path) -> int:
    return int(subprocess.check_output(["du", "-s", "-B1", path]).split()[0])


def pruned(cache: Path, limit: Limits) -> Pruned:
    return prune(cache, limit, lambda *_: None)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """Return a cache; what a test holds of it is let go of."""
    (tmp_path / "cache").mkdir()
    yield tmp_path / "cache"
    cache_users.release_all(tmp_path / "cache")


def everything(cache: Path, days: float) -> list[Path]:
    release = put(cache / "uv" / "0.5.21", days)
    (release / "uv").write_text("")
    os.utime(release, (time.time() - days * DAY,) * 2)
    return [
        release,
        body(cache, f"page {days}", days),
        put(cache / "triage" / "it-breaks-abc", days),
        put(cache / "recordings" / "abcdef", days),
        put(cache / "recording" / "entry.json", days),
        put(cache / "images" / "bookworm.tar", days),
        put(cache / "crash-20250101T000000Z.md", days),
        put(cache / "outcomes.sqlite.aside-20250101", days),
    ]


def test_every_kind_goes_that_was_not_used_for_long(cache: Path) -> None:
    places = everything(cache, 31)
    (cache / "releases.json").write_text("{}")
    (cache / "prune.lock").touch()
    before = du(cache)
    found = pruned(cache, OLD)
    assert not any(place.exists() for place in places)
    assert (cache / "releases.json").exists()
    assert (found.removed, found.freed) == (("0.5.21",), before - du(cache))
    assert found.others == {"bodies": 1, "images": 1, "rest": 2, "recording": 1, "recordings": 1, "triage": 1}


def test_nothing_goes_that_was_used_since_and_fits(cache: Path) -> None:
    places = everything(cache, 29)
    assert pruned(cache, OLD) == Pruned((), (), 1, 0, 0)
    assert all(place.exists() for place in places)


def test_the_least_recently_used_goes_first_whatever_it_is(cache: Path) -> None:
    oldest, older = put(cache / "triage" / "a-1", 5, 200_000), body(cache, "x" * 200_000, 4)
    newer, newest = put(cache / "recordings" / "b", 3, 200_000), put(cache / "triage" / "c-1", 2, 200_000)
    found = pruned(cache, Limits(500_000, math.inf))
    assert [each.exists() for each in (oldest, older, newer, newest)] == [False, False, True, True]
    assert binary_cache.size(cache) <= 500_000
    assert found.others == {"bodies": 1, "triage": 1}


def test_what_a_running_process_named_stays(cache: Path) -> None:
    places = everything(cache, 31)
    for name in ("uv/0.5.21", "triage/it-breaks-abc", str(cache / "recordings" / "abcdef")):
        cache_users.hold(cache, name)
    pruned(cache, Limits(0, 0))
    assert [each.exists() for each in places] == [True, False, True, True, False, False, False, False]
    cache_users.release_all(cache)
    pruned(cache, Limits(0, 0))
    assert not any(place.exists() for place in places)


def test_what_the_recording_of_a_running_process_needs_stays(cache: Path, tmp_path: Path) -> None:
    needed, other = body(cache, "needed", 40), body(cache, "other", 40)
    project = recording(tmp_path / "project" / ".uvmre" / "recording", needed)
    cache_users.hold(cache, str(project))
    pruned(cache, Limits(0, 0))
    assert (needed.exists(), other.exists()) == (True, False)
    cache_users.release_all(cache)
    pruned(cache, Limits(0, 0))
    assert not needed.exists()


def test_a_body_that_was_used_since_a_running_process_began_stays(cache: Path) -> None:
    old = body(cache, "old", 1)
    cache_users.hold(cache, "triage/anything")
    new = body(cache, "new", 0)
    pruned(cache, Limits(0, 0))
    assert (old.exists(), new.exists()) == (False, True)


def test_one_that_is_named_while_others_go_stays(cache: Path) -> None:
    first, second = put(cache / "triage" / "a-1", 50), put(cache / "triage" / "b-1", 40)
    prune(cache, Limits(0, 0), lambda *_: cache_users.hold(cache, "triage/b-1"))
    assert (first.exists(), second.exists()) == (False, True)


def test_outcomes_go_by_their_last_use(cache: Path) -> None:
    long_ago = "2020-01-01T00:00:00+00:00"
    with OutcomeStore(cache, lambda _: None) as store:
        for digest in ("unused", "used"):
            store.add(
                OutcomeKey(digest, *list(vars(KEY).values())[1:]), StoredOutcome("shows", "so it is", 1.0, long_ago)
            )
    with contextlib.closing(sqlite3.connect(cache / "outcomes.sqlite")) as database, database:
        database.execute("DELETE FROM used")
    with OutcomeStore(cache, lambda _: None) as store:
        assert store.get(OutcomeKey("used", *list(vars(KEY).values())[1:]))
    found = pruned(cache, OLD)
    assert found.others == {"outcomes.sqlite": 1}
    with OutcomeStore(cache, lambda _: None) as store:
        kept = [bool(store.get(OutcomeKey(digest, *list(vars(KEY).values())[1:]))) for digest in ("unused", "used")]
    assert kept == [False, True]


def test_too_many_outcomes_go_too(cache: Path) -> None:
    with OutcomeStore(cache, lambda _: None) as store:
        for number in range(2000):
            store.add(
                OutcomeKey(f"d{number:04}", *list(vars(KEY).values())[1:]), StoredOutcome("shows", "x" * 200, 1.0)
            )
    size = binary_cache.size(cache)
    pruned(cache, Limits(size * 5, math.inf))
    assert size / 4 < binary_cache.size(cache) < size * 0.7


def test_only_one_prunes_at_a_time(cache: Path) -> None:
    place = put(cache / "triage" / "a-1", 50)
    code = (
        "import fcntl, sys, time; lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX); "
        "print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, cache / "prune.lock"], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        assert prune(cache, OLD, lambda *_: None, wait=False) == Pruned((), (), 0, 0, 0)
        other.kill()
    assert place.exists()
    assert prune(cache, OLD, lambda *_: None, wait=False).others == {"triage": 1}


def pruning(cache: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    progress = Progress()
    monkeypatch.setattr(progress, "note", said.append)
    housekeeping.prune_later(cache, progress)
    return said


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "uvmre").mkdir()
    return tmp_path / "uvmre"


def test_it_is_pruned_in_the_background_once_an_hour(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = put(own / "triage" / "a-1", 40)
    pruning(own, monkeypatch)
    assert (own / "pruned").exists()  # a new cache has nothing to prune: this is when the hour begins
    os.utime(own / "pruned", (time.time() - 3599,) * 2)
    pruning(own, monkeypatch)
    time.sleep(0.5)
    assert place.exists()
    os.utime(own / "pruned", (time.time() - 3601,) * 2)
    pruning(own, monkeypatch)
    assert time.time() - (own / "pruned").stat().st_mtime < 60
    deadline = time.monotonic() + 60
    while place.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not place.exists()


def test_no_limits_prune_nothing_and_a_wrong_one_is_reported(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(own / "pruned", 1)
    monkeypatch.setattr(housekeeping.process, "start_detached", lambda _: pytest.fail("it was started"))
    assert pruning(own, monkeypatch, UVMRE_CACHE_SIZE="none", UVMRE_CACHE_AGE="none") == []
    put(own / "pruned", 1)
    (said,) = pruning(own, monkeypatch, UVMRE_CACHE_SIZE="much")
    assert "`UVMRE_CACHE_SIZE` is not valid: `much`" in said
