"""Who uses the binaries in the cache, and which of them go."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from uvmre.releases import binary_cache

HOUR = 60 * 60
DAY = 24 * HOUR
TAKE = (
    "import sys, time; from pathlib import Path; from uvmre.releases import binary_cache; "
    "print(binary_cache.acquire(Path(sys.argv[1]), sys.argv[2]), flush=True); time.sleep(60)"
)


def put(cache: Path, version: str, age: float, size: int = 1000) -> Path:
    """Put a release of some bytes into the cache that was last used so many seconds ago."""
    folder = cache / "uv" / version
    folder.mkdir(parents=True)
    (folder / "uv").write_bytes(b"x" * (size - 10))
    (folder / "uvx").write_bytes(b"x" * 10)
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def old(path: Path, age: float = 2 * DAY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    os.utime(path, (time.time() - age,) * 2)
    return path


def du(*paths: Path) -> int:
    """Return what `du` says."""
    return sum(int(subprocess.check_output(["du", "-s", "-B1", path]).split()[0]) for path in paths)


def prune(cache: Path, keep: int = 20) -> binary_cache.Pruned:
    return binary_cache.prune(cache, lambda *_: None, keep=keep)


def versions(cache: Path) -> list[str]:
    return [each.version for each in binary_cache.cached_releases(cache)]


def test_those_used_last_come_first(tmp_path: Path) -> None:
    for version, age in (("0.5.20", 3 * HOUR), ("0.5.21", 2 * HOUR), ("0.4.0", 5 * HOUR)):
        put(tmp_path, version, age)
    assert versions(tmp_path) == ["0.5.21", "0.5.20", "0.4.0"]
    assert [each.size for each in binary_cache.cached_releases(tmp_path)] == [du(tmp_path / "uv" / "0.5.20")] * 3


def test_what_is_no_release_is_not_listed(tmp_path: Path) -> None:
    put(tmp_path, "0.5.21", 0)
    put(tmp_path, ".aside-abc", 0)
    (tmp_path / "uv" / "0.5.22").mkdir()
    (tmp_path / "uv" / "notes").write_text("mine")
    assert versions(tmp_path) == ["0.5.21"]


def test_an_empty_cache_has_nothing_to_prune(tmp_path: Path) -> None:
    assert prune(tmp_path / "none") == binary_cache.Pruned((), (), 0, 0, 0)
    assert not (tmp_path / "none").exists()


def test_the_ones_not_used_for_longest_go(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"0.5.{number}", (number + 2) * HOUR, size=10_000 * number + 10)
    freed = du(*(tmp_path / "uv" / f"0.5.{number}" for number in (2, 3, 4)))
    pruned = prune(tmp_path, keep=2)
    assert pruned == binary_cache.Pruned(("0.5.2", "0.5.3", "0.5.4"), (), 2, 0, freed)
    assert sorted(os.listdir(tmp_path / "uv")) == ["0.5.0", "0.5.1"]  # noqa: PTH208 - what is hidden counts
    assert prune(tmp_path, keep=2) == binary_cache.Pruned((), (), 2, 0, 0)


def test_without_locks_one_that_was_used_within_the_hour_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "0.5.20", 2 * HOUR)
    put(tmp_path, "0.5.21", HOUR / 2)
    (tmp_path / "users").mkdir()

    def unlockable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unlockable)
    pruned = prune(tmp_path, keep=0)
    assert (pruned.removed, pruned.skipped) == (("0.5.20",), ("0.5.21",))
    assert versions(tmp_path) == ["0.5.21"]


def test_to_take_one_is_to_use_it(tmp_path: Path) -> None:
    folder = put(tmp_path, "0.5.21", 9 * DAY)
    assert binary_cache.acquire(tmp_path, "0.5.21") == folder / "uv"
    (release,) = binary_cache.cached_releases(tmp_path)
    assert time.time() - release.last_used < 60
    assert binary_cache.acquire(tmp_path, "0.5.22") is None


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_one_that_a_process_has_accepted_stays_until_that_is_gone(tmp_path: Path, end: signal.Signals) -> None:
    folder = put(tmp_path, "0.5.21", 0)
    with subprocess.Popen([sys.executable, "-c", TAKE, tmp_path, "0.5.21"], stdout=subprocess.PIPE, text=True) as user:
        try:
            assert user.stdout
            assert user.stdout.readline().strip() == str(folder / "uv")
            os.utime(folder, (time.time() - 5 * HOUR,) * 2)  # a run that takes long
            assert prune(tmp_path, keep=0).skipped == ("0.5.21",)
            assert [each.in_use for each in binary_cache.cached_releases(tmp_path)] == [True]
        finally:
            user.send_signal(end)
    assert prune(tmp_path, keep=0).removed == ("0.5.21",)


def test_the_files_that_say_who_uses_what_do_not_grow_in_number(tmp_path: Path) -> None:
    put(tmp_path, "0.5.21", 0)
    code = TAKE.replace("time.sleep(60)", "None")
    for _ in range(3):
        subprocess.run([sys.executable, "-c", code, tmp_path, "0.5.21"], check=True, capture_output=True, timeout=60)
    (users,) = (tmp_path / "users").iterdir()
    assert re.fullmatch(r"since [0-9.]+\nuv/0\.5\.21\n", users.read_text())


def test_one_that_is_accepted_while_it_goes_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, "0.5.21", 2 * HOUR)
    rename = Path.rename

    def taken_first(path: Path, target: Path) -> Path:
        if path == folder:
            assert binary_cache.acquire(tmp_path, "0.5.21")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", taken_first)
    assert prune(tmp_path, keep=0).removed == ()
    assert os.listdir(tmp_path / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts
    assert (folder / "uv").exists()


def test_two_who_prune_at_once_do_no_harm(tmp_path: Path) -> None:
    for number in range(40):
        put(tmp_path, f"0.5.{number}", (number + 2) * HOUR)
    with ThreadPoolExecutor(4) as pool:
        pruned = list(pool.map(lambda _: prune(tmp_path, keep=10), range(4)))
    assert versions(tmp_path) == [f"0.5.{number}" for number in range(10)]
    removed = [version for each in pruned for version in each.removed]
    assert sorted(removed) == sorted(f"0.5.{number}" for number in range(10, 40))


def test_what_was_left_unfinished_a_day_ago_goes(tmp_path: Path) -> None:
    left = [
        old(tmp_path / ".aside-json"),
        old(tmp_path / "bodies" / ".aside-body"),
        old(tmp_path / "gateway" / "tmpabc"),
        old(tmp_path / "gateway" / "leaves" / "tmpdef"),
    ]
    half = put(tmp_path, ".aside-half", 2 * DAY)
    freed = du(*left, half)
    stay = [
        old(tmp_path / "bodies" / ".aside-now", age=HOUR),
        old(tmp_path / "bodies" / "ab" / "abcdef"),
        old(tmp_path / "gateway" / "authority.pem"),
        old(tmp_path / "releases.json"),
        old(tmp_path / "crash-1.md"),
        put(tmp_path, ".aside-coming", HOUR),
    ]
    assert prune(tmp_path) == binary_cache.Pruned((), (), 0, 5, freed)
    assert not any(path.exists() for path in (*left, half))
    assert all(path.exists() for path in stay)


def test_progress_is_reported(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, f"0.5.{number}", 2 * HOUR)
    size = du(tmp_path / "uv" / "0.5.0")
    calls: list[tuple[str, int, int]] = []
    binary_cache.prune(tmp_path, lambda *now: calls.append(now), keep=1)
    assert calls == [("pruning the cache", size, 2 * size), ("pruning the cache", 2 * size, 2 * size)]


def test_a_link_is_measured_as_a_link(tmp_path: Path) -> None:
    big = put(tmp_path, "0.5.21", 0, size=100_000)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "folder").symlink_to(big)
    (tmp_path / "links" / "file").symlink_to(big / "uv")
    (tmp_path / "links" / "nowhere").symlink_to("nowhere")
    files, size = binary_cache.measure([tmp_path / "links", tmp_path / "none"])
    assert (files, size) == (3, du(tmp_path / "links"))
    assert size < 100_000


def test_what_has_two_names_is_measured_once(tmp_path: Path) -> None:
    big = put(tmp_path, "0.5.21", 0, size=100_000)
    os.link(big / "uv", big / "again")
    assert binary_cache.measure([tmp_path]) == (3, du(tmp_path))


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere: not tested here")
def test_a_cache_that_cannot_be_written_is_used_all_the_same(tmp_path: Path) -> None:
    folder = put(tmp_path, "0.5.21", 0)
    for path in (folder, tmp_path / "uv", tmp_path):
        path.chmod(0o555)
    try:
        assert binary_cache.acquire(tmp_path, "0.5.21") == folder / "uv"
    finally:
        for path in (tmp_path, tmp_path / "uv", folder):
            path.chmod(0o755)
        shutil.rmtree(folder)
