"""Made-up packages: they exist only for one MRE. Their TOML is shaped as packse's scenarios are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uvmre.core.checks import Mistake, Path


@dataclass(frozen=True)
class Made:
    """One version of a made-up package."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    """Requirements, as PEP 508 has them."""
    requires_python: str | None = None
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each extra's requirements."""
    wheel: bool = True
    wheel_tags: tuple[str, ...] = ("py3-none-any",)
    """One wheel for each."""
    sdist: bool = True
    build_backend: str = ""
    """What builds the sdist, as hatchling; where empty a backend of its own, which needs nothing."""
    yanked: bool | str = False
    """Whether, or why."""
    uploaded: datetime | None = None
    description: str = ""
    file: str = ""
    """A wheel or sdist in the MRE's folder that is served as it is, instead of one that is made."""


def check_packages(table: Any, path: Path) -> Iterator[Mistake]:
    """Find every mistake of a `packages` table."""
    yield from ()


def read_packages(table: Mapping[str, Any]) -> tuple[Made, ...]:
    """Read a `packages` table that has no mistakes."""
    return ()


def dump_packages(packages: tuple[Made, ...]) -> dict[str, Any]:
    """Write packages as the table that `read_packages` reads back."""
    return {}
