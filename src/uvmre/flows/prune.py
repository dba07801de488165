"""Keep the cache within its limits."""

import contextlib
import fcntl
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from uvmre.core.cache_limits import Item, Limits, to_remove
from uvmre.flows.probe.target import SCRIPT_RECORDINGS
from uvmre.gateway.recording.store import read_entry
from uvmre.outcomes import store
from uvmre.releases import binary_cache, cache_users
from uvmre.releases.binary_cache import ProgressCallback, Pruned
from uvmre.releases.cache_users import InUse
from uvmre.run.engines import rootfs

LOCK = "prune.lock"
STORE_SHARE = 10
"""The part of the limit that the outcomes of searches may have."""
TRIAGE = "triage"
GATEWAY_RECORDING = "recording"


def prune(
    cache: Path, limit: Limits, on_progress: ProgressCallback, *, keep: int | None = None, wait: bool = True
) -> Pruned:
    """Delete what is beyond the limits, least recently used first, and what was left unfinished a day ago.

    Args:
        cache: the folder of all that uvmre keeps.
        limit: what it may become.
        on_progress: called with the progress.
        keep: how many releases stay at most, whatever the limits say.
        wait: for another process that prunes; else nothing is done where there is one.
    """
    if not cache.is_dir():
        return Pruned((), (), 0, 0, 0)
    with _locked(cache, wait=wait) as locked:
        if not locked:
            return Pruned((), (), len(binary_cache.cached_releases(cache)), 0, 0)
        first = binary_cache.prune(cache, on_progress, keep=sys.maxsize if keep is None else keep)
        now = time.time()
        rows, freed = store.prune(cache, now - limit.age, limit.size / STORE_SHARE)
        freed += first.freed
        items = list(_items(cache))
        going = to_remove(items, binary_cache.size(cache), limit, now)
        gone: Counter[str] = Counter({store.FILE: rows} if rows else {})
        removed = list(first.removed)
        latest, referred = InUse(), set[str]()
        for item in going:
            if (taken := cache_users.in_use(cache)) != latest:  # another process has started meanwhile
                latest, referred = taken, _referred(taken)
            free = not _covered(taken, cache, cache / item.path, item.used) and Path(item.path).name not in referred
            if free and binary_cache.remove(cache / item.path, item.used):
                freed += item.size
                on_progress("pruning the cache", freed, freed + sum(each.size for each in going))
                if item.kind == binary_cache.UV:
                    removed.append(Path(item.path).name)
                else:
                    gone[item.kind] += 1
        left = len(binary_cache.cached_releases(cache))
        return replace(first, removed=tuple(removed), kept=left, freed=freed, others=dict(sorted(gone.items())))


def _items(cache: Path) -> Iterator[Item]:
    """Yield what can go, each as a whole."""
    taken = cache_users.in_use(cache)
    for release in binary_cache.cached_releases(cache):
        yield Item(
            f"{binary_cache.UV}/{release.version}", binary_cache.UV, release.last_used, release.size, release.in_use
        )
    for kind in (TRIAGE, SCRIPT_RECORDINGS):
        yield from _each(cache, kind, (cache / kind).glob("*"), taken)
    yield from _each(cache, rootfs.FOLDER, (cache / rootfs.FOLDER).glob("*.tar"), taken)
    yield from _each(cache, "rest", cache.glob("crash-*.md"), taken)
    yield from _each(cache, "rest", cache.glob(f"{store.FILE}.aside-*"), taken)
    yield from _each(cache, GATEWAY_RECORDING, (cache / GATEWAY_RECORDING).glob("*.json"), taken)
    referred = _referred(taken)
    for item in _each(cache, binary_cache.BODIES, (cache / binary_cache.BODIES).glob("??/*"), taken):
        yield replace(item, in_use=item.in_use or Path(item.path).name in referred)


def _each(cache: Path, kind: str, paths: Iterator[Path], taken: InUse) -> Iterator[Item]:
    by_time = kind in (binary_cache.BODIES, GATEWAY_RECORDING, rootfs.FOLDER)
    for path in paths:
        with contextlib.suppress(OSError):
            used = path.lstat().st_mtime
            in_use = (by_time and used >= taken.since) or _covered(taken, cache, path, used)
            yield Item(str(path.relative_to(cache)), kind, used, binary_cache.size(path), in_use)


def _covered(taken: InUse, cache: Path, path: Path, used: float) -> bool:
    return taken.covers(str(path.relative_to(cache)), used) or taken.covers(str(path.absolute()), used)


def _referred(taken: InUse) -> set[str]:
    """Return the bodies that recordings in use refer to, wherever those are."""
    folders = [Path(name) for name in taken.paths if name.startswith("/")]
    entries = (read_entry(file) for folder in folders for file in folder.glob("*.json"))
    return {entry.sha256 for entry in entries if entry}


@contextlib.contextmanager
def _locked(cache: Path, *, wait: bool) -> Iterator[bool]:
    """Lock the pruning; yield whether this process holds the lock."""
    with (cache / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # a file system without locks
        yield True
