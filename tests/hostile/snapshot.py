"""What a machine has before and after an attack: compared, not assumed."""

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SYSTEM_FILES = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.preload")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
SETTINGS = ("kernel/core_pattern", "kernel/hostname", "kernel/domainname", "vm/overcommit_memory", "fs/file-max")
OUR_PROGRAMS = ("uvmre", "bwrap")
SETTLING_SECONDS = 10.0


@dataclass(frozen=True)
class Snapshot:
    """The state of the machine, each as a set of lines."""

    processes: frozenset[str]
    mounts: frozenset[str]
    sockets: frozenset[str]
    shared_memory: frozenset[str]
    files: frozenset[str]
    system: frozenset[str]

    def differences(self, later: "Snapshot") -> dict[str, list[str]]:
        """Return what is no more the same, by kind."""
        pairs = {field.name: (getattr(self, field.name), getattr(later, field.name)) for field in fields(self)}
        # Other tests close sockets of theirs meanwhile.
        pairs["sockets"] = (frozenset(), later.sockets - self.sockets)
        return {name: sorted(before ^ after) for name, (before, after) in pairs.items() if before != after}


def take_snapshot(folders: tuple[Path, ...], marker: str) -> Snapshot:
    """Return the state of the machine; processes are ours by their parent, or by a marker in their variables."""
    sockets = _listening_sockets()
    processes, foreign_sockets = _processes(marker)
    return Snapshot(
        processes=processes,
        mounts=frozenset(_mounts()),
        sockets=frozenset((sockets & _listening_sockets()) - foreign_sockets),
        shared_memory=frozenset(_shared_memory()),
        files=frozenset(line for folder in (*folders, ROOT) for line in _hashes(folder)),
        system=frozenset(_system()),
    )


def compare(before: Snapshot, folders: tuple[Path, ...], marker: str) -> dict[str, list[str]]:
    """Return the differences, once what is ending has ended."""
    until = time.monotonic() + SETTLING_SECONDS
    while True:
        differences = before.differences(take_snapshot(folders, marker))
        if not differences or time.monotonic() > until:
            return differences
        time.sleep(0.2)


def survivors(namespace: str) -> list[int]:
    """Return the processes in a pid namespace whose uvmre has ended.

    The kernel gives the number of a namespace to the next one, which may be another test's.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if _is_in(process, namespace) and process.status() != psutil.STATUS_ZOMBIE:
                ancestors = {
                    parent.name() for parent in process.parents() if parent.pid > 1 and not _is_in(parent, namespace)
                }
                if ancestors <= {"bwrap", "systemd"}:
                    found.append(process.pid)
    return found


def _is_in(process: psutil.Process, namespace: str) -> bool:
    return Path(f"/proc/{process.pid}/ns/pid").readlink().name == namespace


def _processes(marker: str) -> tuple[frozenset[str], set[str]]:
    """Return our processes, and the sockets of all others, which are other tests'."""
    children = {process.pid for process in psutil.Process().children(recursive=True)}
    ours, foreign = set(), set[str]()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            variables, name = process.environ(), process.name()
            if process.pid in children or marker in variables.values():
                ours.add(f"{process.pid} {name}")
            elif process.pid != os.getpid():
                descriptors = Path(f"/proc/{process.pid}/fd")
                links = {str(each.readlink()) for each in descriptors.iterdir()}
                foreign |= {link[8:-1] for link in links if link.startswith("socket:[")}
    return frozenset(ours), foreign


def _listening_sockets() -> set[str]:
    """Return the inodes of listening sockets in the network of this process."""
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            rows = [line.split() for line in Path("/proc/net", name).read_text().splitlines()[1:]]
            found |= {row[9] for row in rows if row[3] == "0A" and row[9] != "0"}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return found | {row[6] for row in rows if int(row[3], 16) & 0x10000}


def _mounts() -> Iterator[str]:
    """Yield all mounts but those of container engines, which other tests use."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if "/containers/" not in line and "/buildah" not in line:
            yield " ".join(line.split()[3:6])


def cgroups(pids: set[int]) -> list[str]:
    """Return the cgroups that processes of uvmre have left."""
    found = Path("/sys/fs/cgroup").glob("**/uvmre-*/")
    return [str(path) for path in found if int(path.name.split("-")[1]) in pids]


def _shared_memory() -> Iterator[str]:
    yield from (line for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:])
    yield from (path.name for path in Path("/dev/shm").iterdir() if "uvmre" in path.name)


def _system() -> Iterator[str]:
    for device in DEVICES:
        found = Path(device).stat()
        yield f"{device} {found.st_mode:o} {found.st_uid} {found.st_gid}"
    for name in SETTINGS:
        yield f"{name} {Path('/proc/sys', name).read_text()}"
    for path in map(Path, SYSTEM_FILES):
        if os.access(path, os.R_OK):
            yield f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _hashes(folder: Path) -> Iterator[str]:
    """Yield the files below a folder; of the checkout those that are in git, or new in it."""
    if folder == ROOT:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
        ).stdout.splitlines()
        paths = [ROOT / name for name in listed]
    else:
        paths = list(folder.rglob("*"))
    for path in paths:
        with contextlib.suppress(OSError):
            state = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            link = str(path.readlink()) if path.is_symlink() else ""
            yield f"{path} {state.st_mode:o} {state.st_uid} {link}{content}"
