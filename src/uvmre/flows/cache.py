"""The cache: what it has, how much room it takes, and what of it can go."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uvmre.flows.question import TAPES
from uvmre.releases import shelf
from uvmre.releases.shelf import Kept, Pruned, Told
from uvmre.triage import store

KINDS = {
    shelf.UV: "releases of uv",
    shelf.BODIES: "bodies of recorded answers",
    "tape": "tape of `uvmre gateway`",
    "gateway": "certificates",
    TAPES: "tapes of the scripts that searches ask",
    store.FILE: "outcomes of searches",
}
"""What each folder of the cache has."""
REST = "what else there is"


@dataclass(frozen=True)
class Kind:
    """How much there is of one kind."""

    name: str
    what: str
    files: int
    size: int


def ls(cache: Path) -> list[Kept]:
    """Return the releases in the cache, the one that was used last before all others."""
    return shelf.kept(cache)


def sizes(cache: Path) -> list[Kind]:
    """Return how much there is of each kind."""
    return list(_kinds(cache))


def prune(cache: Path, *, keep: int, told: Told) -> Pruned:
    """Delete the releases beyond the `keep` that were used last, and what was left unfinished a day ago."""
    return shelf.prune(cache, told, keep=keep)


def _kinds(cache: Path) -> Iterator[Kind]:
    for name, what in KINDS.items():
        yield Kind(name, what, *shelf.measured([cache / name]))
    rest = [path for path in cache.glob("*") if path.name not in KINDS]
    yield Kind("rest", REST, *shelf.measured(rest))
