"""Which releases of uv there are, and the wheel of each for this platform (PEP 503, 691, 427)."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from uvmre.core import forms
from uvmre.errors import CannotTell, UsageError

INDEX = "https://pypi.org/simple/uv/"


@dataclass(frozen=True)
class Wheel:
    """One wheel of one release."""

    version: Version
    filename: str
    url: str
    sha256: str
    tags: frozenset[Tag]
    yanked: bool


def wheels(content_type: str, text: str) -> list[Wheel]:
    """Read the wheels from a project's page, JSON or HTML as its content type says.

    Raises:
        ValueError: when the page is neither.
    """
    found = []
    for file in forms.read(content_type, text, INDEX).files:
        with contextlib.suppress(InvalidWheelFilename, InvalidVersion):
            _, version, _, tags = parse_wheel_filename(file["filename"])
            if sha256 := file["hashes"].get("sha256"):
                yanked = file.get("yanked", False) is not False
                found.append(Wheel(version, file["filename"], file["url"], sha256, tags, yanked))
    if not found:
        raise ValueError("the page lists no wheel")
    return found


def newest(found: Iterable[Wheel]) -> str:
    """Return the newest release that is neither a pre-release nor yanked."""
    return str(max(found, key=lambda w: (not w.yanked, not w.version.is_prerelease, w.version)).version)


def pick(found: list[Wheel], release: str, platform_tags: Iterable[Tag]) -> Wheel:
    """Return the wheel of a release that suits this platform best.

    Args:
        found: all the wheels there are.
        release: one version.
        platform_tags: what this platform takes, best first.

    Raises:
        UsageError: when there is no such release.
        CannotTell: when it has no wheel for this platform.
    """
    of_release = [wheel for wheel in found if wheel.version == Version(release)]
    if not of_release:
        near = _neighbours({wheel.version for wheel in found}, Version(release))
        raise UsageError(f"There is no uv {release} on PyPI.", f"The newest is {newest(found)}, the nearest {near}.")
    for tag in platform_tags:
        for wheel in of_release:
            if tag in wheel.tags:
                return wheel
    raise CannotTell(
        f"uv {release} has no wheel for this platform on PyPI.",
        "Run it on x86-64 or ARM Linux or on macOS, or take another release.",
    )


def _neighbours(versions: set[Version], wanted: Version) -> str:
    below = max((version for version in versions if version < wanted), default=None)
    above = min((version for version in versions if version > wanted), default=None)
    return " and ".join(str(version) for version in (below, above) if version)
