"""Find, measure and kill processes: the descendants of one, and those that left their group."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

MANY_PROCESSES = 100
LISTENING = "0A"
"""The state in /proc/net/tcp."""
KILL_SECONDS = 1.0
"""The time that the kernel gets to remove what was killed."""


def kill_descendants(pid: int) -> None:
    """Kill the descendants of a process."""
    kill(descendants(pid))


def descendants(pid: int) -> "list[psutil.Process]":
    """Return the descendants of a process."""
    import psutil

    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def kill(processes: "Sequence[psutil.Process]") -> None:
    """Kill processes, and wait until they are gone."""
    import psutil

    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=KILL_SECONDS)


def usage(pid: int) -> tuple[int, int]:
    """Return the number of a process' descendants, and the bytes of memory in which they and it are resident."""
    import psutil

    processes, memory = descendants(pid), 0
    for process in (*processes, psutil.Process(pid)):
        with contextlib.suppress(psutil.Error):
            memory += process.memory_info().rss
    return len(processes), memory


def proportional_memory(pid: int) -> int:
    """Return the memory of a process and its descendants, counting shared pages once. Slower than `usage`.

    Of a fork bomb it is that of `usage`: hundreds of busy processes would take half a minute, and go on meanwhile.
    """
    import psutil

    processes, memory = descendants(pid), 0
    if len(processes) > MANY_PROCESSES:
        return usage(pid)[1]
    for process in (*processes, psutil.Process(pid)):
        with contextlib.suppress(psutil.Error):
            memory += process.memory_full_info().pss if psutil.LINUX else process.memory_info().rss
    return memory


def unnamed_files(pid: int) -> Iterator[os.stat_result]:
    """Yield the state of each file that descendants of a process have open and that has no name any more."""
    for process in descendants(pid):
        with contextlib.suppress(OSError):  # it has ended
            for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
                found = descriptor.stat()
                if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                    yield found


def group_is_alive(group: int) -> bool:
    """Return whether a process of a group still runs; a zombie does not."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    import psutil

    return any(_runs_in(pid, group) for pid in psutil.pids())


def _runs_in(pid: int, group: int) -> bool:
    import psutil

    try:
        return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.Error):
        return False


def end_strays(root: Path) -> None:
    """End daemons that left their group, found by a folder below `root` in a variable (PATH, HOME, TMPDIR)."""
    _kill_where(lambda variables: any(f"{root}/" in value for value in variables.values()))


def listening_ports(root: Path) -> set[int]:
    """Return the ports on which processes listen that have a folder below `root` in a variable, where /proc tells."""
    ports: set[int] = set()
    for process in _find_where(lambda variables: any(f"{root}/" in value for value in variables.values())):
        folder = Path(f"/proc/{process.pid}")
        with contextlib.suppress(OSError):
            own = {str(descriptor.readlink()) for descriptor in (folder / "fd").iterdir()}
            texts = [(folder / "net" / name).read_text(encoding="ascii") for name in ("tcp", "tcp6")]  # of its network
            rows = [line.split() for text in texts for line in text.splitlines()]
            listening = [row for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in own]
            ports |= {int(row[1].rpartition(":")[2], 16) for row in listening}
    return ports


def end_clients(gateway: str) -> None:
    """End clients of the gateway that still run, such as a container that its engine abandoned."""
    _kill_where(lambda variables: variables.get("HTTPS_PROXY", "").startswith(gateway))


def _kill_where(matches: Callable[[Mapping[str, str]], bool]) -> None:
    """Kill other processes with such variables, and their descendants."""
    kill([each for found in _find_where(matches) for each in (found, *descendants(found.pid))])


def _find_where(matches: Callable[[Mapping[str, str]], bool]) -> "list[psutil.Process]":
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and matches(process.environ()):
                found.append(process)
    return found
