"""Control groups: the kernel's limits on the memory and the number of all processes of a step together.

They are used where this user may create some: as root, or below a user's systemd. Elsewhere the watch of limits.py has
to do. Both versions are read, since the controllers may still be those of version 1.
"""

import contextlib
import functools
import os
import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PREFIX = "uvmre-"
ABANDONED_SECONDS = 60
REMOVE_SECONDS = 1.0
TICK = 0.001
MOUNT = re.compile(r"^\S+ \S+ \S+ (\S+) (\S+) .* - (cgroup2?) \S+ (\S+)$", re.MULTILINE)
LIMIT_FILES = {"memory": ("memory.max", "memory.limit_in_bytes"), "pids": ("pids.max",)}
"""Those of version 2 and of version 1."""
EVENTS = {"memory": ("memory.events", "memory.oom_control"), "pids": ("pids.events",)}
EXCEEDED = {key: re.compile(rf"^{word} [1-9]", re.MULTILINE) for key, word in (("memory", "oom_kill"), ("pids", "max"))}


@dataclass(frozen=True)
class ControlGroup:
    """The folders of one group by controller: the same one for all in version 2."""

    folders: Mapping[str, Path]

    def enter(self, command: Sequence[str]) -> list[str]:
        """Return a command that joins the group, and executes another one."""
        folders = dict.fromkeys(self.folders.values())
        joins = [f"echo $$ >{shlex.quote(str(folder / 'cgroup.procs'))}" for folder in folders]
        return ["/bin/sh", "-c", " && ".join([*joins, 'exec "$@"']), "sh", *command] if joins else list(command)

    def exceeded(self) -> str:
        """Return the controller that killed a process or refused one; empty if none."""
        for controller, folder in self.folders.items():
            for file in EVENTS[controller]:
                with contextlib.suppress(OSError):
                    if EXCEEDED[controller].search((folder / file).read_text(encoding="ascii")):
                        return controller
        return ""


@contextlib.contextmanager
def control_group(limits: Mapping[str, int]) -> Iterator[ControlGroup]:
    """Create a group, and remove it in the end.

    Args:
        limits: the limit of each controller: `memory` in bytes, and `pids`. One that is not available here is left out.
    """
    name = f"{PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
    created = set[Path]()
    folders = {}
    try:
        for controller, limit in limits.items():
            with contextlib.suppress(OSError):
                folder = _parent(controller) / name
                if folder not in created:
                    _remove_abandoned(folder.parent)
                    folder.mkdir()
                    created.add(folder)
                file = next(path for each in LIMIT_FILES[controller] if (path := folder / each).exists())
                file.write_text(str(limit), encoding="ascii")
                folders[controller] = folder
        yield ControlGroup(folders)
    finally:
        deadline = time.monotonic() + REMOVE_SECONDS
        for folder in created:
            # The kernel may still count a process that was reaped.
            while not _removed(folder) and time.monotonic() < deadline:
                time.sleep(TICK)


@functools.cache
def _parent(controller: str) -> Path:
    """Return the folder in which a group can get a controller.

    Raises:
        OSError: when there is none.
    """
    mounts = MOUNT.findall(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        for root, target, kind, options in mounts:
            own = Path(os.path.normpath(f"{target}/{os.path.relpath(path, root)}"))
            if kind == "cgroup" and controller in controllers.split(",") and controller in options.split(","):
                return own
            if kind == "cgroup2" and not controllers:
                # A group with processes of its own cannot give controllers to another one below it.
                for parent in (own.parent, own):
                    enabled = parent / "cgroup.subtree_control"
                    if enabled.exists() and controller in enabled.read_text(encoding="ascii").split():
                        return parent
    raise FileNotFoundError(controller)


def _remove_abandoned(parent: Path) -> None:
    """Remove the groups of processes that were killed; a group with processes cannot be removed."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                folder.rmdir()


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
