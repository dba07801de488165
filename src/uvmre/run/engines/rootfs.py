"""The parts of stand-ins, as archives in the cache: a Debian by debootstrap, and an interpreter of this machine."""

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from uvmre import temp_folders
from uvmre.errors import CannotTell, naming_path
from uvmre.run import interpreters, process

FOLDER = "images"
"""The archives' folder in the cache."""
TIMEOUT = 900.0
LIBRARIES = ("ca-certificates", "netbase", "tzdata", "zlib1g", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libffi8")
LIBRARIES_BY_SUITE = {
    "bookworm": ("libssl3", "libreadline8", "libncursesw6", "libuuid1", "libexpat1", "libnsl2", "libtirpc3"),
    "trixie": ("libssl3t64", "libreadline8t64", "libncursesw6", "libuuid1", "libexpat1", "libnsl2", "libtirpc3t64"),
}
"""The libraries that a CPython links to, as each suite names them."""
DEBIAN_EXCLUDES = (
    "dev/*",
    "proc/*",
    "sys/*",
    "tmp/*",
    "var/cache/apt/archives/*.deb",
    "var/lib/apt/lists/*",
    "var/log/*",
)
PYTHON_EXCLUDES = ("site-packages/*", "dist-packages", "test", "idle_test", "__pycache__", "*.a")
"""What a build does not need of an interpreter, and the packages installed into it."""
SYSTEM_PREFIXES = (Path("/usr"), Path("/"))

Notify = Callable[[str], None]
"""Called with a message before slow work."""


def debian(suite: str, cache: Path, notify: Notify) -> Path:
    """Return the archive of a small Debian, created where the cache has none.

    Raises:
        CannotTell: when it cannot be created here.
    """
    archive = cache / FOLDER / f"{suite}.tar"
    if _is_cached(archive):
        return archive
    program = shutil.which("debootstrap")
    if not program or os.geteuid() != 0:
        missing = "root privileges" if program else "`debootstrap`"
        raise CannotTell(
            f"cannot create a root file system of Debian {suite} without {missing}",
            "run it as root" if program else "install it with `apt-get install debootstrap`",
        )
    with _staged(archive) as (folder, partial):
        if archive.exists():
            return archive
        notify(f"creating a root file system of Debian {suite} with debootstrap (about a minute)")
        included = ",".join((*LIBRARIES, *LIBRARIES_BY_SUITE[suite]))
        root = folder / "root"
        # A mount namespace of its own removes debootstrap's mounts however it ends.
        unshare = ["unshare", "--mount"] if shutil.which("unshare") else []
        _run_tool([*unshare, program, "--variant=minbase", f"--include={included}", suite, str(root)], "debootstrap")
        root.chmod(0o755)
        _pack(
            root,
            ["."],
            partial,
            [f"./{pattern}" for pattern in DEBIAN_EXCLUDES],
            "--numeric-owner",
            "--one-file-system",
        )
    return archive


def interpreter(version: str, cache: Path, notify: Notify) -> tuple[str, Path]:
    """Return the version and the archive of an interpreter of this machine, as it is below /usr/local.

    Raises:
        CannotTell: when there is none of that version, or only the system's, which has no folder of its own.
    """
    found = interpreters.find_interpreter(version)
    prefix = found.path.resolve().parent.parent if found else Path("/")
    if not found or prefix in SYSTEM_PREFIXES or not (prefix / f"lib/python{found.minor}/os.py").is_file():
        others = ", ".join(interpreters.available()) or "none"
        raise CannotTell(
            f"no interpreter found for Python {version} that can be copied into an image",
            f"install one with `uv python install {version}` or `pyenv install {version}`",
            cause="the system's interpreter cannot be copied" if found else f"available: {others}",
        )
    archive = cache / FOLDER / f"python-{found.version}.tar"
    if not _is_cached(archive):
        notify(f"copying Python {found.version} of this machine")
        paths = [f"bin/python{found.minor}", f"lib/python{found.minor}", f"include/python{found.minor}"]
        paths += [f"lib/{file.name}" for file in prefix.glob("lib/libpython*.so*")]
        paths = [path for path in paths if (prefix / path).exists()]
        with _staged(archive) as (_, partial):
            _pack(prefix, paths, partial, PYTHON_EXCLUDES, "--owner=0", "--group=0")
    return found.version, archive


def _is_cached(archive: Path) -> bool:
    """Return whether an archive exists, and mark it as used."""
    with contextlib.suppress(OSError):
        os.utime(archive)
    return archive.exists()


@contextlib.contextmanager
def _staged(archive: Path) -> Iterator[tuple[Path, Path]]:
    """Give a temporary folder and the path of an archive to write in it, which is moved into place afterwards.

    Other processes that need the same archive wait meanwhile.
    """
    with naming_path(archive):
        archive.parent.mkdir(parents=True, exist_ok=True)
        with (
            archive.with_suffix(".lock").open("w") as lock,
            temp_folders.temporary(archive.parents[1], temp_folders.ASIDE) as folder,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            partial = folder / archive.name
            yield folder, partial
            if partial.exists():
                partial.replace(archive)


def _pack(root: Path, names: Sequence[str], archive: Path, left_out: Sequence[str], *options: str) -> None:
    excluded = [f"--exclude={pattern}" for pattern in left_out]
    _run_tool(["tar", "-C", str(root), *options, *excluded, "-cf", str(archive), *names], "tar")


def _run_tool(command: Sequence[str], name: str) -> None:
    result = process.run(command, cwd=Path("/"), environment=dict(os.environ), timeout=TIMEOUT, stop=threading.Event())
    if result.exit:
        raise CannotTell(f"`{name}` failed", "check the network and try again", cause=process.failure(result))
