"""A cache with a catalogue and releases of uv that are shell scripts: searches without any network."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from uvmre.core.search.release import Release
from uvmre.releases import catalogue
from uvmre.releases.catalogue import Catalogue, Wheel

VERSIONS = tuple(f"0.4.{number}" for number in range(20))
UV = '#!/bin/sh\n[ "$1" = fail ] && echo "error: it broke in two" >&2 && exit 2\necho "uv {version}"\n'


def stock(home: Path, *, gone: tuple[str, ...] = ()) -> Path:
    """Put them into the cache below `home`; for those that are gone there is neither binary nor wheel."""
    cache = home / "uvmre"
    born = datetime(2024, 8, 1, tzinfo=UTC)
    releases = tuple(Release(version, born + timedelta(days=7 * n)) for n, version in enumerate(VERSIONS))
    wheels = {version: Wheel(f"uv-{version}.whl", "https://nowhere.invalid", "0" * 64) for version in VERSIONS}
    wheels = {version: wheel for version, wheel in wheels.items() if version not in gone}
    catalogue.save(cache, Catalogue(releases, wheels, datetime.now(UTC), catalogue.platform()))
    for version in wheels:
        folder = cache / "uv" / version
        folder.mkdir(parents=True)
        (folder / "uv").write_text(UV.format(version=version))
        (folder / "uv").chmod(0o755)
    return cache
