"""uv's binaries, one folder a release in the cache: fetched once, verified, unpacked aside, renamed."""

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from uvmre.core.schema import RELEASE
from uvmre.errors import CannotTell, UsageError, at

if TYPE_CHECKING:
    import httpx

    from uvmre.releases.catalogue import Wheel

Told = Callable[[str, int, int], None]
"""Called with a release, the bytes that have come, and those that there are."""

TOOLS = ("uv", "uvx")
NEAR = ".uvmre/uv"
"""Where an MRE that was packed brings its release along, below its own folder."""
PLATFORM = "platform"
"""The file beside a packed release that says what it runs on."""


def get(release: str, cache: Path, told: Told, *, near: Path | None = None) -> tuple[str, Path]:
    """Return a release's version and the path of its `uv`, fetched where neither the cache nor a pack has it.

    Args:
        release: one version, or `latest`.
        cache: the folder of all that uvmre keeps.
        told: is told how the download goes.
        near: the folder of the releases that the MRE brings along, where it was packed.

    Raises:
        UsageError: when there is no such release.
        CannotTell: when PyPI does not answer, or answers with something else.
    """
    if release != "latest" and not RELEASE.match(release):
        raise UsageError(f"{release!r} is not a release of uv.", "Name one, as 0.5.21, or `latest`.")
    if (kept := _folder(cache, release) / "uv").exists():
        return release, kept
    if near and release != "latest" and (packed := _packed(near.absolute() / release)):
        return release, packed

    import httpx

    from uvmre.client import client

    try:
        with client() as http:
            return _fetch(http, release, cache, told)
    except (httpx.HTTPError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise CannotTell(
            f"uv {release} is not in the cache, and PyPI could not be asked for it ({why}).",
            "Look at the network or at HTTPS_PROXY, then run it again.",
        ) from None


def platform() -> str:
    """Return what a release must be made for to run here, as `manylinux_x86_64`: a wheel's tag without its versions."""
    from packaging.tags import platform_tags

    names = list(platform_tags())
    # `linux_…` does not say which libc there is, and uv's wheels differ in it.
    name = next((name for name in names if not name.startswith("linux_")), names[0])
    return re.sub(r"_\d+_\d+_", "_", name)


def _packed(folder: Path) -> Path | None:
    """Return the `uv` of a packed release that is for this platform."""
    uv = folder / "uv"
    try:
        made_for = (folder / PLATFORM).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if made_for != platform() or not uv.is_file():
        return None
    for tool in (folder / name for name in TOOLS):
        # Not everything that unzips keeps the executable bits.
        if tool.is_file() and not os.access(tool, os.X_OK):
            tool.chmod(0o755)
    return uv


def _folder(cache: Path, release: str) -> Path:
    return cache / "uv" / release


def _fetch(http: "httpx.Client", release: str, cache: Path, told: Told) -> tuple[str, Path]:
    from packaging.tags import sys_tags
    from packaging.version import Version

    from uvmre.core import pages
    from uvmre.releases import catalogue

    page = http.get(catalogue.INDEX, headers={"accept": pages.ACCEPT}).raise_for_status()
    found = catalogue.wheels(page.headers.get("content-type", ""), page.text)
    version = catalogue.newest(found) if release == "latest" else str(Version(release))
    folder = _folder(cache, version)
    if not (folder / "uv").exists():
        wheel = catalogue.pick(found, version, sys_tags())
        with at(folder):
            _unpack(_download(http, wheel, lambda done, total: told(version, done, total)), folder)
    return version, folder / "uv"


def _download(http: "httpx.Client", wheel: "Wheel", told: Callable[[int, int], None]) -> bytes:
    with http.stream("GET", wheel.url) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            told(len(data), total)
    if hashlib.sha256(data).hexdigest() != wheel.sha256:
        raise CannotTell(
            f"{wheel.filename} is not what PyPI says it is: its sha256 differs, which a broken proxy can do.",
            "Run it again; when it stays so, look at what stands between this machine and PyPI.",
        )
    return bytes(data)


def _unpack(wheel: bytes, folder: Path) -> None:
    """Unpack a wheel's scripts beside where they belong, and rename: nobody ever sees half a release."""
    import zipfile

    if not zipfile.is_zipfile(io.BytesIO(wheel)):
        raise CannotTell(f"The wheel of uv {folder.name} is no wheel.", "Take another release.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=".aside-") as aside,
        zipfile.ZipFile(io.BytesIO(wheel)) as zipped,
    ):
        whole = Path(aside) / "whole"
        whole.mkdir()
        for name in zipped.namelist():
            tool = name.rpartition("/")[2]
            if ".data/scripts/" in name and tool in TOOLS:
                (whole / tool).write_bytes(zipped.read(name))
                (whole / tool).chmod(0o755)
        if not (whole / "uv").exists():
            raise CannotTell(f"The wheel of uv {folder.name} has no `uv` in it.", "Take another release.")
        try:
            whole.rename(folder)
        except OSError:
            # Another process was quicker, and its folder is as good.
            if not (folder / "uv").exists():
                raise
