"""Metadata of packages in the user's cache of uv, for when their index cannot be reached."""

from collections.abc import Collection
from pathlib import Path

from uvmre.capture.packages import from_metadata
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.network.synthetic import SyntheticPackage

UNPACKED = "archive-v*/*/*.dist-info/METADATA"
"""Where uv keeps the wheels that it has installed."""


def cached_packages(cache: Path, names: Collection[str]) -> dict[str, list[SyntheticPackage]]:
    """Return the versions of some packages that are unpacked in uv's cache, by normalized name."""
    found: dict[str, dict[str, SyntheticPackage]] = {}
    for path in cache.glob(UNPACKED):
        stem = path.parent.name.removesuffix(".dist-info")
        if normalize_name(stem.partition("-")[0]) in names:
            package = from_metadata(path.read_text(encoding="utf-8", errors="replace"), [f"{stem}-py3-none-any.whl"])
            if package:
                found.setdefault(normalize_name(package.name), {})[package.version] = package
    return {name: list(versions.values()) for name, versions in found.items()}
