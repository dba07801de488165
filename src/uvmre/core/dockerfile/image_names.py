"""What the name of a base image says: the release of uv, and the Python."""

import re
from dataclasses import dataclass

from uvmre.core.search.release import parse_version

UV = re.compile(r"(?:ghcr\.io/astral-sh/uv|(?:docker\.io/)?astral/uv)(?=[:@]|$)")
PYTHON = re.compile(r"\A(?:(?:docker\.io/)?(?:library/)?python|mcr\.microsoft\.com/\S*python)(?=[:@]|$)")


@dataclass(frozen=True)
class BaseImage:
    """What an image's name tells; empty where it does not."""

    uv: str = ""
    python: str = ""
    of_uv: bool = False
    """Whether it is one of uv's own."""


def parse_image_name(name: str) -> BaseImage:
    """Read the name of an image, as `ghcr.io/astral-sh/uv:0.5.21-python3.12-bookworm` or `python:3.11-slim`."""
    tag = name.partition("@")[0].rpartition(":")[2] if ":" in name else ""
    if UV.match(name):
        release = re.match(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?(?=-|$)", tag)
        python = re.search(r"(?:^|-)python(3\.\d+)(?=-|$)", tag)
        return BaseImage(release[0] if release else "", python[1] if python else "", True)
    python = re.match(r"3\.\d+(?:\.\d+)?(?=-|$)", tag) if PYTHON.match(name) else None
    return BaseImage("", python[0] if python else "")


def slim_image(uv: str, python: str) -> str:
    """Return the name of uv's own slim image of a release, with an interpreter where one is wanted; empty before 0.4.4.

    By uv's changelog: images of Debian since 0.4.4, of its release trixie alone since 0.10.0.
    """
    release = parse_version(uv)
    if release < parse_version("0.4.4"):
        return ""
    suite = "trixie" if release >= parse_version("0.10.0") else "bookworm"
    minor = ".".join(python.split(".")[:2])
    return f"ghcr.io/astral-sh/uv:{uv}-" + (f"python{minor}-{suite}-slim" if minor else "debian-slim")
