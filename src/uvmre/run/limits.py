"""What one step may use: as limits of the kernel for each process, and as a watch over all of them and their files."""

import itertools
import os
import signal
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from uvmre.run import process_tree
from uvmre.run.process import TIMEOUT, Finished

MB, GB = 10**6, 10**9
BLOCK = 512
"""Bytes in a block of `ulimit -f` and of `st_blocks`."""
CPU_GRACE = 2
"""Seconds of CPU time between SIGXCPU, which names the limit, and SIGKILL."""
PAUSE = 5
"""A walk through the files is followed by at least so many times its duration without one."""


@dataclass(frozen=True, kw_only=True)
class StepLimits:
    """The limits of a step; docs/security.md says which backend keeps which."""

    memory: int = min(4 * GB, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    """Bytes of all its processes together."""
    processes: int = 512
    open_files: int = 4096
    """Per process."""
    file_size: int = 4 * GB
    folder_size: int = 8 * GB
    """Bytes on the disk of all files that it writes."""
    files: int = 500_000
    output: int = 100 * MB

    def shell(self, command: Sequence[str], seconds: int, *, own_user: bool) -> list[str]:
        """Return a command that sets the limits of each process, with `seconds` of CPU time, and executes another one.

        Processes can be counted only for a user of its own; elsewhere they are counted with the caller's.
        """
        limits = [
            f"-S -t {seconds}",
            f"-H -t {seconds + CPU_GRACE}",
            f"-f {self.file_size // BLOCK}",
            f"-n {self.open_files}",
            "-c 0",
        ]
        lines = [f"ulimit {limit} 2>/dev/null" for limit in limits]
        if own_user:
            # The letter differs between bash and dash. Twice as many, so that the watch sees that there are too many.
            lines.append(f"{{ ulimit -u {2 * self.processes} || ulimit -p {2 * self.processes}; }} 2>/dev/null")
        return ["/bin/sh", "-c", "; ".join([*lines, 'exec "$@"']), "sh", *command]

    def of_exit(self, code: int, seconds: int) -> str:
        """Return the limit whose signal made a process end with an exit code; empty if none."""
        by_signal = {signal.SIGXCPU: f"{seconds} s of CPU time", signal.SIGXFSZ: size(self.file_size, "per file")}
        return by_signal.get(code - 128, "")  # type: ignore[call-overload,no-any-return]

    def of_controller(self, name: str) -> str:
        """Return the limit that a control group kept; empty if none."""
        words = {"memory": size(self.memory, "of memory"), "pids": f"{self.processes} processes"}
        return words.get(name, "")

    def engine_options(self, seconds: int) -> list[str]:
        """Return the options of a container engine's build for the same limits of each process."""
        values = {"fsize": self.file_size, "nofile": self.open_files, "nproc": self.processes, "core": 0}
        limits = [f"cpu={seconds}:{seconds + CPU_GRACE}", *(f"{name}={value}" for name, value in values.items())]
        return [word for limit in limits for word in ("--ulimit", limit)]


class LimitWatch:
    """Called while a step runs, and when it has failed; returns the limit that it exceeds."""

    def __init__(
        self,
        limits: StepLimits,
        folders: Sequence[Path],
        idle_timeout: int = 0,
        count_requests: Callable[[], int] = lambda: 0,
        exceeded: Callable[[], str] = lambda: "",
    ) -> None:
        self._limits, self._folders, self._exceeded = limits, folders, exceeded
        self._idle_timeout, self._count_requests = idle_timeout, count_requests
        self._progress, self._progressed = (0, 0), time.monotonic()
        self._first = self._free = _free(folders[0])
        self._next_walk = 0.0

    def __call__(self, pid: int, output: int) -> str:
        """Return the limit that a running step exceeds; empty if none."""
        limits = self._limits
        requests = self._count_requests() if self._idle_timeout else 0  # asking a busy gateway takes time
        if (progress := (output, requests)) != self._progress:
            self._progress, self._progressed = progress, time.monotonic()
        elif self._idle_timeout and time.monotonic() - self._progressed > self._idle_timeout:
            return TIMEOUT
        if output > limits.output:
            return size(limits.output, "of output")
        # The kernel may have killed one of several processes, for which the others wait.
        if self._exceeded() == "memory":
            return limits.of_controller("memory")
        processes, memory = process_tree.usage(pid)
        if processes > limits.processes:
            return limits.of_controller("pids")
        if memory > limits.memory and process_tree.proportional_memory(pid) > limits.memory:
            return limits.of_controller("memory")
        # Counting thousands of files takes longer than most steps, and cannot be needed while the disk does not fill.
        free = _free(self._folders[0])
        steps = (limits.folder_size // 16, limits.files // 16)
        if time.monotonic() > self._next_walk and any(
            old - new > step for old, new, step in zip(self._free, free, steps, strict=True)
        ):
            self._free = free
            return self._walk({file.st_ino: file for file in process_tree.unnamed_files(pid)}.values())
        return ""

    def judge(self, finished: Finished, seconds: int) -> Finished:
        """Return an ended step with the limit that ended it, or how long it had been idle when its time was up."""
        idle = time.monotonic() - self._progressed if finished.timed_out else 0.0
        return replace(finished, limit=self.after(finished, seconds), idle=idle)

    def after(self, finished: Finished, seconds: int) -> str:
        """Return the limit that ended a step."""
        limit = finished.limit or self._limits.of_controller(self._exceeded())
        if limit or not finished.exit:
            return limit
        return self._limits.of_exit(finished.exit, seconds) or self._walk()

    def _walk(self, unnamed: Iterable[os.stat_result] = ()) -> str:
        began = time.monotonic()
        total, count, largest, hidden = 0, 0, 0, list[str]()
        for entry in itertools.chain(unnamed, _entries(self._folders, hidden)):
            total, count, largest = total + entry.st_blocks * BLOCK, count + 1, max(largest, entry.st_size)
        if hidden:
            total = max(total, self._first[0] - _free(self._folders[0])[0])
        self._next_walk = time.monotonic() + PAUSE * (time.monotonic() - began)
        if largest >= self._limits.file_size:
            return size(self._limits.file_size, "per file")
        if total > self._limits.folder_size:
            return size(self._limits.folder_size, "of files")
        return f"{self._limits.files:,} files" if count > self._limits.files else ""


def size(number: int, what: str) -> str:
    """Return a limit in words."""
    return f"{number / GB:.3g} GB {what}" if number >= GB else f"{number / MB:.3g} MB {what}"


def _free(folder: Path) -> tuple[int, int]:
    """Return the bytes and the files for which the disk has room."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_favail


def _entries(folders: Sequence[Path], hidden: list[str]) -> Iterator[os.stat_result]:
    """Yield the state of everything below folders, each file once, however many names it has.

    Folders that cannot be read, since they are nested too deeply or have no permissions, are added to `hidden`.
    """
    left, linked = [str(folder) for folder in folders], set[tuple[int, int]]()
    while left:
        folder = left.pop()
        try:
            entries = list(os.scandir(folder))
        except FileNotFoundError:
            continue
        except OSError:
            hidden.append(folder)
            continue
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError:
                hidden.append(entry.path)
                continue
            if stat.S_ISDIR(found.st_mode):
                left.append(entry.path)
            elif found.st_nlink > 1:
                if (found.st_dev, found.st_ino) in linked:
                    continue
                linked.add((found.st_dev, found.st_ino))
            yield found
