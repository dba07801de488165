"""The cache: what it has, how much room it takes, and what of it can go."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uvmre.flows.probe.target import SCRIPT_RECORDINGS
from uvmre.outcomes import store
from uvmre.releases import binary_cache
from uvmre.releases.binary_cache import CachedRelease
from uvmre.run.engines import availability, rootfs
from uvmre.run.engines.availability import ClearedEngine

KINDS = {
    binary_cache.UV: "releases of uv",
    binary_cache.BODIES: "bodies of recorded responses",
    "recording": "recording of `uvmre gateway`",
    "gateway": "certificates",
    rootfs.FOLDER: "root file systems and interpreters of stand-in images",
    SCRIPT_RECORDINGS: "recordings of scripts",
    store.FILE: "outcomes of searches",
    "triage": "MREs of issues, with their recordings and evidence",
}
"""What each folder of the cache has."""
REST = "other files"


@dataclass(frozen=True)
class Kind:
    """How much there is of one kind."""

    name: str
    what: str
    files: int
    size: int


def ls(cache: Path) -> list[CachedRelease]:
    """Return the releases in the cache, the one that was used last before all others."""
    return binary_cache.cached_releases(cache)


def sizes(cache: Path) -> list[Kind]:
    """Return how much there is of each kind."""
    return list(_kinds(cache))


def prune_images(cache: Path) -> tuple[tuple[ClearedEngine, ...], int]:
    """Remove what uvmre made on the engines of this machine, and of what it made it; return the bytes of the latter."""
    # Of podman and buildah, which share their images, each sees containers that the other does not.
    cleared = tuple(availability.clear(engine) for engine in availability.detect_all() if not engine.why)
    folder = cache / rootfs.FOLDER
    _, freed = binary_cache.measure([folder])
    shutil.rmtree(folder, ignore_errors=True)
    return cleared, freed


def _kinds(cache: Path) -> Iterator[Kind]:
    for name, what in KINDS.items():
        yield Kind(name, what, *binary_cache.measure([cache / name]))
    rest = [path for path in cache.glob("*") if path.name not in KINDS]
    yield Kind("rest", REST, *binary_cache.measure(rest))
