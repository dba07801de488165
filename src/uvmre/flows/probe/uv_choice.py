"""Which uv is meant: releases by selector, and binaries that somebody built by their paths."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from uvmre.core.search.release import Release, is_path, local_build_version, reported_version
from uvmre.errors import UsageError
from uvmre.releases import catalogue
from uvmre.releases.catalogue import Catalogue
from uvmre.run import process

ASKING_SECONDS = 30.0


@dataclass(frozen=True)
class LocalBuild:
    """A binary that somebody built."""

    path: Path
    version: str
    """As it says itself."""
    content: str
    """Its hash."""


@dataclass(frozen=True)
class ChosenReleases:
    """What a selector means."""

    releases: tuple[Release, ...]
    """Oldest first; a head comes after the release that it says it is."""
    found: Catalogue
    local_builds: Mapping[str, Path] = field(default_factory=dict)
    """Binaries that somebody built, by the version that stands for each among the releases."""


def choose(text: str, cache: Path, *, reported: str = "", offline: bool = False) -> ChosenReleases:
    """Return what is meant by a list of selectors and of paths to binaries.

    Raises:
        UsageError: when a part of it is no selector and no binary of uv, or there is no such release.
        CannotTell: when PyPI has to be asked, and does not answer, or is not to be asked.
    """
    parts = [part.strip() for part in text.split(",")]
    paths = [part for part in parts if names_binary(part)]
    local_builds: dict[str, Path] = {}
    for built in (ask(Path(path)) for path in dict.fromkeys(paths)):
        local_builds[local_build_version(built.version, built.content)] = built.path
    if others := ",".join(part for part in parts if part not in paths):
        releases, found = catalogue.choose(others, cache, reported=reported, offline=offline)
    else:
        releases, found = (), catalogue.load(cache, offline=offline)
    return ChosenReleases(tuple(sorted([*releases, *map(Release, local_builds)])), found, local_builds)


def names_binary(text: str) -> bool:
    """Tell whether a word on the command line is a path to a binary, and no selector."""
    return is_path(text) or Path(text).is_file()


def ask(path: Path) -> LocalBuild:
    """Ask a binary which uv it is.

    Raises:
        UsageError: when it cannot be run, or is no uv.
    """
    try:
        whole = path.resolve(strict=True)
        asked = process.run(
            [str(whole), "--version"], cwd=Path.cwd(), environment={}, timeout=ASKING_SECONDS, stop=threading.Event()
        )
        content = hashlib.sha256(whole.read_bytes()).hexdigest()
    except (OSError, RuntimeError) as error:
        # Before Python 3.13, links that lead round in a circle are no error of the system.
        why = getattr(error, "strerror", None) or "its symbolic links lead round in a circle"
        raise UsageError(f"{path} cannot be run: {why}.", "Name the binary itself, as ./target/debug/uv.") from None
    return LocalBuild(whole, reported_version(asked.stdout.decode(errors="replace")), content)
