"""Select releases of uv, and local builds by their paths."""

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

VERSION_SECONDS = 30.0


@dataclass(frozen=True)
class LocalBuild:
    """A local build of uv."""

    path: Path
    version: str
    """As it reports it."""
    sha256: str


@dataclass(frozen=True)
class ChosenReleases:
    """The releases that a selector selects."""

    releases: tuple[Release, ...]
    """Oldest first; a local build comes after the release that it reports to be."""
    catalogue: Catalogue
    local_builds: Mapping[str, Path] = field(default_factory=dict)
    """The local builds by the version that stands for each among the releases."""


def choose(text: str, cache: Path, *, reported: str = "", offline: bool = False) -> ChosenReleases:
    """Return the releases that a list of selectors and of paths to binaries selects.

    Raises:
        UsageError: if a part of it is neither a selector nor a uv binary, or there is no such release.
        CannotTell: if the list of releases is not available.
    """
    parts = [part.strip() for part in text.split(",")]
    paths = [part for part in parts if names_binary(part)]
    local_builds: dict[str, Path] = {}
    for built in (inspect_build(Path(path)) for path in dict.fromkeys(paths)):
        local_builds[local_build_version(built.version, built.sha256)] = built.path
    if selectors := ",".join(part for part in parts if part not in paths):
        releases, known = catalogue.choose(selectors, cache, reported=reported, offline=offline)
    else:
        releases, known = (), catalogue.load(cache, offline=offline)
    return ChosenReleases(tuple(sorted([*releases, *map(Release, local_builds)])), known, local_builds)


def names_binary(text: str) -> bool:
    """Return whether an argument is a path to a binary rather than a selector."""
    return is_path(text) or Path(text).is_file()


def inspect_build(path: Path) -> LocalBuild:
    """Ask a binary for its version.

    Raises:
        UsageError: if it cannot be run, or is not uv.
    """
    try:
        resolved = path.resolve(strict=True)
        finished = process.run(
            [str(resolved), "--version"],
            cwd=Path.cwd(),
            environment={},
            timeout=VERSION_SECONDS,
            stop=threading.Event(),
        )
        sha256 = hashlib.sha256(resolved.read_bytes()).hexdigest()
    except (OSError, RuntimeError) as error:
        # Before Python 3.13, a loop of symbolic links is not an OSError.
        cause = getattr(error, "strerror", None) or "its symbolic links form a loop"
        raise UsageError(
            f"failed to run `{path}`", "name the binary itself, as ./target/debug/uv", cause=cause
        ) from None
    return LocalBuild(resolved, reported_version(finished.stdout.decode(errors="replace")), sha256)
