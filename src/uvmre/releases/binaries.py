"""uv's binaries, one folder a release in the cache: fetched once, verified, unpacked aside, renamed."""

import hashlib
import io
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmre import temp_folders
from uvmre.core.mre.schema import RELEASE
from uvmre.errors import CannotTell, UsageError, UvmreError, cause, naming_path
from uvmre.releases import binary_cache

if TYPE_CHECKING:
    import httpx

    from uvmre.releases.catalogue import Catalogue, Wheel

ProgressCallback = Callable[[str, int, int], None]
"""Called with a release, the bytes that have come, and those that there are."""

TOOLS = ("uv", "uvx")
BUNDLED = ".uvmre/uv"
"""Where an MRE that was packed brings its release along, below its own folder."""
PLATFORM = "platform"
"""The file beside a packed release that says what it runs on."""
MAX_PARALLEL = 4
CHUNK = 1 << 20


@dataclass(frozen=True)
class FetchedRelease:
    """How it went with one of many releases."""

    version: str
    uv: Path | None
    error: UvmreError | None = None
    """Why there is none."""


def get(
    release: str, cache: Path, told: ProgressCallback, *, bundled: Path | None = None, offline: bool = False
) -> tuple[str, Path]:
    """Return a release's version and the path of its `uv`, fetched where neither the cache nor a pack has it.

    Args:
        release: one version, or `latest`.
        cache: the folder of all that uvmre keeps.
        told: is told how the download goes.
        bundled: the folder of the releases that the MRE brings along, where it was packed.
        offline: whether PyPI is not to be asked.

    Raises:
        UsageError: when there is no such release.
        CannotTell: when PyPI does not answer, or answers with something else.
    """
    if release != "latest" and not RELEASE.match(release):
        raise UsageError(f"{release!r} is not a release of uv.", "Name one, as 0.5.21, or `latest`.")
    if here := _find_local(release, cache, bundled):
        return release, here

    import httpx

    from uvmre.client import http_client
    from uvmre.core.search.release import parse_version
    from uvmre.core.search.selector import select_one
    from uvmre.releases import catalogue

    try:
        known = catalogue.load_cached(cache)
        if offline:
            return _get_offline(release, cache, known, bundled)
        version = release if release == "latest" else str(parse_version(release))
        # What PyPI has of a release that is known stays; which is the latest does not.
        found = known if known and version in known.wheels else catalogue.fetch_catalogue(cache, known)
        version = select_one(version, found.releases).version if release == "latest" else version
        wheel = found.wheel(version)
        if here := binary_cache.acquire(cache, version):
            return version, here
        with http_client() as http:
            return version, _fetch(http, version, wheel, cache, told)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise catalogue.not_available(release, cause(error)) from None


def _get_offline(release: str, cache: Path, known: "Catalogue | None", bundled: Path | None) -> tuple[str, Path]:
    """Return a release of which only the version was open, where the cache or a pack has it."""
    from uvmre.core.search.selector import select_one
    from uvmre.releases import catalogue

    if release == "latest" and known:
        release = select_one(release, known.releases).version
        if here := _find_local(release, cache, bundled):
            return release, here
    raise catalogue.not_available(release, catalogue.OFFLINE)


def fetch(
    versions: Sequence[str],
    cache: Path,
    told: ProgressCallback,
    *,
    bundled: Path | None = None,
    found: "Catalogue | None" = None,
    stop: threading.Event | None = None,
    offline: bool = False,
) -> tuple[FetchedRelease, ...]:
    """Fetch many releases, several at once, and return how it went with each; one that fails leaves the others alone.

    Args:
        versions: what to fetch; one that is there already is not fetched again.
        cache: the folder of all that uvmre keeps.
        told: is told how each download goes, from any thread.
        bundled: the folder of the releases that the MRE brings along, where it was packed.
        found: the catalogue that the versions were chosen from; without it the cache's, or PyPI's.
        stop: set from another thread to end early.
        offline: whether PyPI is not to be asked.

    Raises:
        CannotTell: when PyPI has to be asked which releases there are, and does not answer.
    """
    wanted = list(dict.fromkeys(versions))
    there = {version: here for version in wanted if (here := _find_local(version, cache, bundled))}
    missing = [version for version in wanted if version not in there]
    done = {version: FetchedRelease(version, here) for version, here in there.items()}
    if missing and offline:
        from uvmre.releases import catalogue

        done.update(
            (each, FetchedRelease(each, None, catalogue.not_available(each, catalogue.OFFLINE))) for each in missing
        )
    elif missing:
        from uvmre.client import http_client
        from uvmre.releases import catalogue

        listed = found or catalogue.load(cache, wanted=missing)
        stop = stop or threading.Event()
        pool = ThreadPoolExecutor(MAX_PARALLEL, thread_name_prefix="fetch")
        with http_client() as http:
            coming = [pool.submit(_fetch_one, http, version, listed, cache, told, stop) for version in missing]
            try:
                done.update((one.version, one) for one in (future.result() for future in coming))
            except BaseException:
                # ^C, or a disk that is full: the rest ends by itself, and nobody waits for a network that is silent.
                stop.set()
                raise
            finally:
                pool.shutdown(wait=not stop.is_set(), cancel_futures=True)
    return tuple(done[version] for version in wanted)


def platform() -> str:
    """Return what a release must be made for to run here, as `manylinux_x86_64`: a wheel's tag without its versions."""
    from uvmre.releases import catalogue

    return catalogue.platform()


def _find_local(release: str, cache: Path, bundled: Path | None) -> Path | None:
    """Return the `uv` of a release that needs no network."""
    if release == "latest":
        return None
    return binary_cache.acquire(cache, release) or (_find_bundled(bundled.absolute() / release) if bundled else None)


def _find_bundled(folder: Path) -> Path | None:
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


def _fetch_one(
    http: "httpx.Client", version: str, listed: "Catalogue", cache: Path, told: ProgressCallback, stop: threading.Event
) -> FetchedRelease:
    import httpx

    from uvmre.releases import catalogue

    try:
        if stop.is_set():
            raise CannotTell(f"uv {version} was not fetched: it was interrupted.", "Run it again.")
        # Another process may have been quicker since.
        uv = binary_cache.acquire(cache, version) or _fetch(http, version, listed.wheel(version), cache, told, stop)
        return FetchedRelease(version, uv)
    except UvmreError as error:
        return FetchedRelease(version, None, error)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return FetchedRelease(version, None, catalogue.not_available(version, cause(error)))


def _fetch(
    http: "httpx.Client",
    version: str,
    wheel: "Wheel",
    cache: Path,
    told: ProgressCallback,
    stop: threading.Event | None = None,
) -> Path:
    folder = binary_cache.folder(cache, version)
    with naming_path(folder):
        _unpack(_download(http, version, wheel, told, stop), folder)
    return binary_cache.acquire(cache, version) or folder / "uv"


def _download(
    http: "httpx.Client", version: str, wheel: "Wheel", told: ProgressCallback, stop: threading.Event | None
) -> bytearray:
    # The whole wheel: `uv` is 99 % of it, so that ranges would save nothing, and only of the whole there is a hash.
    with http.stream("GET", wheel.url) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0)) or wheel.size
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            told(version, len(data), total)
            if stop and stop.is_set():
                raise CannotTell(f"uv {version} was not fetched: it was interrupted.", "Run it again.")
    if hashlib.sha256(data).hexdigest() != wheel.sha256:
        raise CannotTell(
            f"{wheel.filename} is not what PyPI says it is: its sha256 differs, which a broken proxy can do.",
            "Run it again; when it stays so, look at what stands between this machine and PyPI.",
        )
    return data


def _unpack(wheel: bytearray, folder: Path) -> None:
    """Unpack a wheel's scripts beside where they belong, and rename: nobody ever sees half a release."""
    import shutil
    import zipfile

    if not zipfile.is_zipfile(io.BytesIO(wheel)):
        raise CannotTell(f"The wheel of uv {folder.name} is no wheel.", "Take another release.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        temp_folders.temporary(folder.parent, binary_cache.ASIDE) as aside,
        zipfile.ZipFile(io.BytesIO(wheel)) as zipped,
    ):
        whole = aside / "whole"
        whole.mkdir()
        for name in zipped.namelist():
            tool = name.rpartition("/")[2]
            if ".data/scripts/" in name and tool in TOOLS:
                with zipped.open(name) as packed, (whole / tool).open("wb") as file:
                    shutil.copyfileobj(packed, file, CHUNK)
                (whole / tool).chmod(0o755)
        if not (whole / "uv").exists():
            raise CannotTell(f"The wheel of uv {folder.name} has no `uv` in it.", "Take another release.")
        try:
            whole.rename(folder)
        except OSError:
            # Another process was quicker, and its folder is as good.
            if not (folder / "uv").exists():
                raise
