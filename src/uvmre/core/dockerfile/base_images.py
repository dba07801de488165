"""Recipes of stand-ins for base images, derived from their names and tags."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uvmre.core.dockerfile.expansion import expand_if_valid
from uvmre.core.dockerfile.image_names import PYTHON, parse_image_name
from uvmre.core.dockerfile.parser import Instruction, Stage, stages
from uvmre.errors import UsageError

DEBIAN = re.compile(r"(?:docker\.io/)?(?:library/)?debian(?=[:@]|$)")
SUITE = "bookworm"
"""The default Debian release."""
SUITES = {"12": "bookworm", "bookworm": "bookworm", "13": "trixie", "trixie": "trixie"}
NEUTRAL_PARTS = frozenset({"", "debian", "slim", "latest", "stable"})
UNSUPPORTED = re.compile(r"alpine|windowsservercore|nanoserver|rc\d|buster|bullseye|stretch|sid|forky")
HINT = "stand-ins exist for tags of ghcr.io/astral-sh/uv, python and debian, with bookworm or trixie"


@dataclass(frozen=True)
class Recipe:
    """The contents of a stand-in."""

    image: str
    """Its name, as in the Dockerfile."""
    suite: str = ""
    """The Debian release; empty for an image with uv's files only."""
    python: str = ""
    """The Python version in /usr/local, such as `3.11`, if any."""
    uv: str = ""
    """The release of uv, or `latest`, if any."""


def recipe(name: str) -> Recipe:
    """Return the recipe of an image's stand-in.

    Raises:
        UsageError: if stand-ins do not support the image.
    """
    bare, at, _ = name.partition("@")
    if at:
        raise UsageError(f"`{name}` is pinned by digest, which no stand-in can have", "use the tag alone")
    tag = bare.rpartition(":")[2] if ":" in bare else ""
    tag_parts = parse_image_name(name)
    if odd := UNSUPPORTED.search(tag):
        raise UsageError(f"there is no stand-in for `{name}`: {odd[0]!r} is not supported", HINT)
    if tag_parts.of_uv:
        release = tag_parts.uv or ("" if re.match(r"\d", tag) else "latest")
        rest = tag.removeprefix(tag_parts.uv or "latest").removeprefix("-")
        if not release:
            raise UsageError(
                f"there is no stand-in for `{name}`: its tag names no full release", "use a release such as 0.5.21"
            )
        if not rest:
            return Recipe(name, uv=release)
        return Recipe(name, _suite(name, re.sub(r"python3\.\d+", "", rest)), tag_parts.python, release)
    if PYTHON.match(name) and not name.startswith("mcr."):
        if not tag_parts.python:
            raise UsageError(
                f"there is no stand-in for `{name}`: its tag names no Python version", "use a version such as 3.11"
            )
        return Recipe(name, _suite(name, tag.removeprefix(tag_parts.python)), tag_parts.python)
    if DEBIAN.match(name):
        return Recipe(name, _suite(name, re.sub(r"-\d{8}|(?<=\d)\.\d+", "", tag)))
    raise UsageError(f"there is no stand-in for `{name}`", HINT)


def _suite(name: str, rest: str) -> str:
    """Return the Debian release in the rest of a tag."""
    parts = [part for part in rest.split("-") if part not in NEUTRAL_PARTS]
    if not parts:
        return SUITE
    if len(parts) > 1 or parts[0] not in SUITES:
        raise UsageError(
            f"there is no stand-in for `{name}`: {'-'.join(parts)!r} is not a supported Debian release", HINT
        )
    return SUITES[parts[0]]


def referenced_images(instructions: Sequence[Instruction]) -> tuple[str, ...]:
    """Return the images that a Dockerfile builds on or copies from, in order, without its stages."""
    return tuple(dict.fromkeys(_image_names(*stages(instructions))))


def _image_names(before: Sequence[Instruction], found: Sequence[Stage]) -> Iterator[str]:
    variables: dict[str, str] = {}
    for each in before:
        for name, value in each.pairs if each.name == "ARG" else ():
            variables[name] = expand_if_valid(value or "", variables)
    own = {"scratch", ""}
    for stage in found:
        base = expand_if_valid(stage.image, variables)
        if base.lower() not in own:
            yield base
        own |= {stage.name, str(stage.number)}
        for instruction in stage.instructions:
            for source in _sources(instruction):
                if source.lower() not in own:
                    yield source


def _sources(instruction: Instruction) -> Iterator[str]:
    """Yield the images that a COPY copies from or a RUN mounts."""
    if instruction.name in ("COPY", "ADD") and (source := instruction.flag("from")):
        yield source
    for flag in instruction.flags:
        if instruction.name == "RUN" and flag.startswith("--mount="):
            yield from re.findall(r"(?:^|[,=])from=([^,]+)", flag.removeprefix("--mount"))
