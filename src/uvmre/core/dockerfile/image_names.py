"""Parse the release of uv and the Python version in the name of a base image."""

import re
from dataclasses import dataclass

from uvmre.core.search.release import parse_version
from uvmre.errors import UsageError

UV = re.compile(r"(?:ghcr\.io/astral-sh/uv|(?:docker\.io/)?astral/uv)(?=[:@]|$)")
PYTHON = re.compile(r"\A(?:(?:docker\.io/)?(?:library/)?python|mcr\.microsoft\.com/\S*python)(?=[:@]|$)")


@dataclass(frozen=True)
class BaseImage:
    """The versions in an image's name; empty if it has none."""

    uv: str = ""
    python: str = ""
    of_uv: bool = False
    """Whether it is an image of uv."""


def parse_image_name(name: str) -> BaseImage:
    """Parse the name of an image, such as `ghcr.io/astral-sh/uv:0.5.21-python3.12-bookworm` or `python:3.11-slim`."""
    tag = name.partition("@")[0].rpartition(":")[2] if ":" in name else ""
    if UV.match(name):
        release = re.match(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?(?=-|$)", tag)
        python = re.search(r"(?:^|-)python(3\.\d+)(?=-|$)", tag)
        return BaseImage(release[0] if release else "", python[1] if python else "", True)
    python = re.match(r"3\.\d+(?:\.\d+)?(?=-|$)", tag) if PYTHON.match(name) else None
    return BaseImage("", python[0] if python else "")


def slim_image(uv: str, python: str) -> str:
    """Return the name of uv's slim image of a release, optionally with a Python version; empty before 0.4.4.

    By uv's changelog: images of Debian since 0.4.4, of trixie only since 0.10.0.
    """
    if not uv[:1].isdigit():
        raise UsageError(f"a Dockerfile needs a release of uv, not `{uv}`", "name it in `environment.uv`")
    release = parse_version(uv)
    if release < parse_version("0.4.4"):
        return ""
    suite = "trixie" if release >= parse_version("0.10.0") else "bookworm"
    minor = ".".join(python.split(".")[:2])
    return f"ghcr.io/astral-sh/uv:{uv}-" + (f"python{minor}-{suite}-slim" if minor else "debian-slim")
