"""The backend `sandbox`: every step runs in namespaces of its own, which end with it."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uvmre.run import environment, process, process_tree
from uvmre.run.backend import SANDBOX, StepRequest
from uvmre.run.cgroups import control_group
from uvmre.run.environment import RunDirs
from uvmre.run.interpreters import base_interpreter, require_interpreter
from uvmre.run.limits import LimitWatch
from uvmre.run.local import Local
from uvmre.run.local_image import CannotRunStep
from uvmre.run.process import Finished
from uvmre.run.sandbox import bubblewrap
from uvmre.run.sandbox.bubblewrap import OwnFolders

if TYPE_CHECKING:
    import subprocess

PREFIX_PARTS = ("bin", "lib", "lib64", "include", "share")
FIRST_USER = 2_000_000_000
"""From here on systemd's table of user ids has no use for them (https://systemd.io/UIDS-GIDS/)."""
NO_GATEWAY = -1
ETC = {
    "hosts": "127.0.0.1 localhost uvmre\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "passwd": "user:x:{user}:{group}::/tmp:/bin/sh\n",
    "group": "user:x:{group}:\n",
}


@dataclass(frozen=True)
class Sandbox(Local):
    """bubblewrap."""

    name: str = SANDBOX

    def available(self) -> str:
        """Return why this backend cannot be used here; empty when it can."""
        return bubblewrap.find_fault()

    def clean_up(self, root: Path) -> None:
        """Do nothing: no process outlives its step."""

    def execute(
        self,
        command: Sequence[str],
        cwd: Path,
        variables: Mapping[str, str],
        timeout: int,
        request: StepRequest,
        *,
        idle_timeout: int = 0,
    ) -> Finished:
        """Execute a command in a sandbox, within the limits.

        Raises:
            CannotRunStep: when the sandbox cannot be made.
        """
        dirs, port = request.dirs, int(request.gateway.rpartition(":")[2])
        user, group = os.geteuid(), os.getegid()
        if bubblewrap.is_root():
            user = group = FIRST_USER + port  # another one for each variant, whose processes are counted
        own = _own_folders(dirs, user, group)
        written = (dirs.writable, own.temp, own.shared_memory)
        if bubblewrap.is_root() and not request.network:
            _give_to(user, written)
        limited = self.limits.shell(command, timeout, own_user=True)
        with contextlib.ExitStack() as stack:
            network = _Network(stack, request)
            limits = {"memory": self.limits.memory, "pids": self.limits.processes}
            control = stack.enter_context(control_group(limits))
            watch = LimitWatch(self.limits, written, idle_timeout, request.count_requests, control.exceeded)
            started, started_there = os.pipe()
            stack.callback(os.close, started)
            with os.fdopen(started_there, "wb", buffering=0) as reports_start:
                variables_file = _open_file(stack, "\0".join(f"{name}={value}" for name, value in variables.items()))
                filter_file = _open_file(stack, bubblewrap.system_call_filter())
                sandbox = [
                    *(*network.join, bubblewrap.find_program(), *bubblewrap.namespaces(network=not network.join)),
                    *network.options,
                    *bubblewrap.mounts(own, _read_only(request), dirs.writable),
                    *("--chdir", str(cwd), "--seccomp", str(filter_file)),
                    *(str(base_interpreter()), "-I", "-S", str(bubblewrap.INIT)),
                    *(str(network.gateway), str(reports_start.fileno()), str(variables_file), str(port)),
                ]
                finished = process.run(
                    control.enter([*sandbox, *bubblewrap.become(user), *limited]),
                    cwd=Path("/"),
                    environment={},
                    timeout=timeout,
                    stop=request.context.stop,
                    watch=watch,
                    descriptors=[*network.inherited, reports_start.fileno(), variables_file, filter_file],
                    end=_end,
                    on_start=network.publish,
                )
            if not os.read(started, 1) and not (finished.timed_out or request.context.stop.is_set()):
                raise CannotRunStep(f"the sandbox did not start: {process.failure(finished)}")
            return watch.judge(finished, timeout)


class _Network:
    """The network of a sandbox: its own, or that of its variant, which the first sandbox makes and opens."""

    def __init__(self, stack: contextlib.ExitStack, request: StepRequest) -> None:
        self._shared, self._pipes = request.network, tuple[int, ...]()
        self.options, self.join = list[str](), list[str]()
        if self._shared:
            if not Path(bubblewrap.NSENTER).exists():
                raise CannotRunStep(f"the sandbox needs `{bubblewrap.NSENTER}`, which is a part of util-linux")
            self.gateway, self.inherited, self.join = NO_GATEWAY, self._shared, bubblewrap.join(*self._shared)
            return
        self.gateway = stack.enter_context(request.connect())
        self.inherited = [self.gateway]
        if self._shared is not None:
            self._pipes = (*os.pipe(), *os.pipe())  # it tells its first process, and waits until that is known
            self.options = ["--info-fd", str(self._pipes[1]), "--block-fd", str(self._pipes[2])]
            self.inherited += self._pipes[1:3]

    def publish(self) -> None:
        """Open the network that others will join, once its sandbox starts."""
        if self._pipes and self._shared is not None:
            for descriptor in self._pipes[1:3]:
                os.close(descriptor)
            with os.fdopen(self._pipes[0], "rb") as info, contextlib.suppress(ValueError, OSError):  # it failed
                network = os.open(f"/proc/{json.load(info)['child-pid']}/ns/net", os.O_RDONLY)
                self._shared += network, fcntl.ioctl(network, bubblewrap.OWNER_OF_NAMESPACE)
            os.close(self._pipes[3])


def _open_file(stack: contextlib.ExitStack, content: str | bytes) -> int:
    """Return an open file in memory with a content."""
    data = content.encode(errors="surrogateescape") if isinstance(content, str) else content
    descriptor = os.memfd_create("uvmre")
    stack.callback(os.close, descriptor)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _own_folders(dirs: RunDirs, user: int, group: int) -> OwnFolders:
    """Create the folders of the sandbox itself, once for all steps of a variant."""
    folder = dirs.root / SANDBOX
    own = OwnFolders(folder / "etc", folder / "tmp", folder / "shm")
    if not folder.exists():
        for each in own:
            each.mkdir(parents=True)
        for name, text in ETC.items():
            (own.etc / name).write_text(text.format(user=user, group=group), encoding="ascii")
        bubblewrap.copy_configuration(own.etc)
    return own


def _give_to(user: int, folders: Sequence[Path]) -> None:
    """Make a user the owner of all that is in some folders; nothing of the variant runs meanwhile."""
    left = [str(folder) for folder in folders]
    while left:
        folder = left.pop()
        # A step may nest folders more deeply than a path can name; those are its own already.
        with contextlib.suppress(OSError):
            os.chown(folder, user, user, follow_symlinks=False)
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    elif entry.stat(follow_symlinks=False).st_uid != user:
                        os.lchown(entry.path, user, user)


def _read_only(request: StepRequest) -> list[Path]:
    """Return what a step may read besides the system: its tools, and what they are links to."""
    context, uv = request.context, request.context.binary
    interpreters = [base_interpreter(), *([context.interpreter.path] if context.interpreter else [])]
    interpreters += [require_interpreter(version).path for version in request.mre.environment.pythons]
    found = [
        *(request.dirs.root / name for name in ("lib", "include")),
        request.dirs.downloads,
        request.dirs.tools,
        request.dirs.authority,
        uv,
        uv.with_name("uvx"),
        bubblewrap.INIT,
    ]
    for interpreter in interpreters:
        found += _installation(interpreter)
    found += [clock] if request.mre.environment.clock and (clock := environment.find_clock()) else []
    return [path for path in dict.fromkeys(found) if path.exists()]


def _installation(interpreter: Path) -> Iterator[Path]:
    """Yield the folders of an interpreter, which may be in a home that is not to be seen."""
    real = interpreter.resolve()
    if not real.is_relative_to("/usr"):
        yield from (real.parents[1] / part for part in PREFIX_PARTS)
    if interpreter.parent != real.parent and not interpreter.is_relative_to("/usr"):
        yield interpreter


def _end(running: "subprocess.Popen[bytes]") -> None:
    """End the first process in the sandbox, with which all others end, and wait until the last one is gone."""
    if running.poll() is None:
        process_tree.kill_descendants(running.pid)
    process.end_group(running)
