"""What stand-ins are made of, as archives in the cache: a Debian by debootstrap, an interpreter of this machine."""

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
"""Where the archives lie in the cache."""
ASIDE = ".aside-"
"""How what is written aside is named until it is whole; what is left of it is swept with the rest of the cache."""
TIMEOUT = 900.0
LIBRARIES = ("ca-certificates", "netbase", "tzdata", "zlib1g", "libbz2-1.0", "liblzma5", "libsqlite3-0", "libffi8")
LIBRARIES_BY_SUITE = {
    "bookworm": ("libssl3", "libreadline8", "libncursesw6", "libuuid1", "libexpat1", "libnsl2", "libtirpc3"),
    "trixie": ("libssl3t64", "libreadline8t64", "libncursesw6", "libuuid1", "libexpat1", "libnsl2", "libtirpc3t64"),
}
"""What a CPython links to, as each release of Debian calls it."""
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
"""What a build does not need of an interpreter, and what this machine has installed into it; pip comes anew."""
SYSTEM_PREFIXES = (Path("/usr"), Path("/"))

Notify = Callable[[str], None]
"""Called with a sentence about what takes its time."""


def debian(suite: str, cache: Path, said: Notify) -> Path:
    """Return the archive of a small Debian, made where the cache has none.

    Raises:
        CannotTell: when it cannot be made here.
    """
    archive = cache / FOLDER / f"{suite}.tar"
    if _is_cached(archive):
        return archive
    program = shutil.which("debootstrap")
    if not program or os.geteuid() != 0:
        what = "the user root" if program else "debootstrap"
        raise CannotTell(
            f"A root of Debian {suite} cannot be made here: that takes {what}.",
            "Run it as root." if program else "Install it: `apt-get install debootstrap`.",
        )
    with _staged(archive) as (folder, whole):
        if archive.exists():
            return archive
        said(f"Debian {suite}: a root is made by debootstrap, which takes about a minute the first time")
        included = ",".join((*LIBRARIES, *LIBRARIES_BY_SUITE[suite]))
        root = folder / "root"
        # It mounts within the root while it works; in a namespace of its own that ends with it, however it ends.
        apart = ["unshare", "--mount"] if shutil.which("unshare") else []
        _run_tool([*apart, program, "--variant=minbase", f"--include={included}", suite, str(root)], "debootstrap")
        root.chmod(0o755)
        _pack(
            root, ["."], whole, [f"./{pattern}" for pattern in DEBIAN_EXCLUDES], "--numeric-owner", "--one-file-system"
        )
    return archive


def interpreter(wanted: str, cache: Path, said: Notify) -> tuple[str, Path]:
    """Return the version and the archive of an interpreter of this machine, laid out as below /usr/local.

    Raises:
        CannotTell: when there is none of that version, or only the system's own, which is spread over its root.
    """
    found = interpreters.find_interpreter(wanted)
    prefix = found.path.resolve().parent.parent if found else Path("/")
    if not found or prefix in SYSTEM_PREFIXES or not (prefix / f"lib/python{found.minor}/os.py").is_file():
        there = ", ".join(interpreters.available()) or "none"
        why = "the only one is the system's own, which cannot be copied" if found else f"this machine has {there}"
        raise CannotTell(
            f"There is no Python {wanted} to put into an image: {why}.",
            f"`uv python install {wanted}` or `pyenv install {wanted}` brings one that can.",
        )
    archive = cache / FOLDER / f"python-{found.version}.tar"
    if not _is_cached(archive):
        said(f"Python {found.version}: copied from this machine")
        inner = [f"bin/python{found.minor}", f"lib/python{found.minor}", f"include/python{found.minor}"]
        inner += [f"lib/{file.name}" for file in prefix.glob("lib/libpython*.so*")]
        with _staged(archive) as (_, whole):
            _pack(
                prefix,
                [part for part in inner if (prefix / part).exists()],
                whole,
                PYTHON_EXCLUDES,
                "--owner=0",
                "--group=0",
            )
    return found.version, archive


def _is_cached(archive: Path) -> bool:
    """Tell whether an archive is there, and note that it is used: what was not for long is pruned."""
    with contextlib.suppress(OSError):
        os.utime(archive)
    return archive.exists()


@contextlib.contextmanager
def _staged(archive: Path) -> Iterator[tuple[Path, Path]]:
    """Give a folder and the path of an archive to write there; it is renamed when it is whole.

    Whoever wants the same at the same time waits, and then finds it there: the lock goes with its process.
    """
    with naming_path(archive):
        archive.parent.mkdir(parents=True, exist_ok=True)
        with (
            archive.with_suffix(".lock").open("w") as lock,
            temp_folders.temporary(archive.parents[1], ASIDE) as aside,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            whole = aside / archive.name
            yield aside, whole
            if whole.exists():
                whole.replace(archive)


def _pack(root: Path, names: Sequence[str], archive: Path, left_out: Sequence[str], *options: str) -> None:
    excluded = [f"--exclude={pattern}" for pattern in left_out]
    _run_tool(["tar", "-C", str(root), *options, *excluded, "-cf", str(archive), *names], "tar")


def _run_tool(command: Sequence[str], name: str) -> None:
    done = process.run(command, cwd=Path("/"), environment=dict(os.environ), timeout=TIMEOUT, stop=threading.Event())
    if done.exit:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        why = "its time was up" if done.timed_out else said[-1] if said else f"exit code {done.exit}"
        raise CannotTell(f"{name} could not make what an image needs: {why}.", "Run it again where its sources answer.")
