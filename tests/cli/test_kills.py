"""`kill -9` at any moment: nothing torn, nothing left, and the next call gives the same answer."""

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.test_triage import SYNC, UV, post
from tests.gateway.recording.test_store import recorded
from tests.releases.caches import VERSIONS, stock
from uvmre.errors import CannotTell
from uvmre.gateway.recording.store import Recording
from uvmre.gateway.session import Gateway
from uvmre.run.sandbox import bubblewrap

TIMES = int(os.environ.get("UVMRE_KILLS", "50"))
"""How often; more by hand: `UVMRE_KILLS=200 pytest -m slow tests/cli/test_kills.py`."""
SEED = int(os.environ.get("UVMRE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
SOON = 10.0
"""Seconds that what belongs to a killed process may take to end; it takes less than one, unless the machine is busy."""
LONG = 60.0
ANSWER = {"verdict", "reason", "exit", "variants", "name", "outcome", "first_bad", "first_good", "boundary", "version"}
ANSWER |= {"sha256", "entries"}
"""The parts of an answer that do not depend on what earlier calls have left."""
TARGETS = ("main", "group", "gateway", "both")

SEARCHED = """\
schema = 1
title = "A member stands twice"

[environment]
uv = "0.4.9"

[[step]]
role = "setup"
run = "(setsid sleep 77 &) ; sleep 0.05"

[[step]]
role = "observe"
run = "uv sync"

[symptom]
exit = 2
output = ["the member `ext` stands twice"]

[[control]]
name = "nothing"
expect = "absent"
why = "Other commands do not fail."
[[control.step]]
role = "observe"
run = "uv version"
"""
REAL = """\
schema = 1
title = "There is no such version"

[environment]
uv = "0.5.21"

[[step]]
role = "setup"
run = "(setsid sleep 77 &) ; uv pip install --target out six==1.17.0 idna==3.10"

[[step]]
role = "observe"
run = "uv pip install --target out six==99"

[symptom]
exit = 1
output = ["there is no version of six==99"]

[[control]]
name = "without a version"
expect = "absent"
why = "There is a version of six."
[[control.step]]
role = "observe"
run = "uv pip install --target out six"
"""


@dataclass
class World:
    """A machine with one user: a cache, temporary folders, an MRE, and one command line."""

    folder: Path
    command: tuple[str, ...] = ()
    backend: str = "local"
    prepare: Callable[[random.Random], object] = lambda _: None
    answer: Any = None
    seconds: float = 0.0

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def cache(self) -> Path:
        return self.home / "uvmre"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def mre(self) -> Path:
        return self.folder / "mre"

    def start(self) -> "subprocess.Popen[str]":
        self.temp.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "uvmre", *self.command],
            cwd=self.folder,
            env={**os.environ, "XDG_CACHE_HOME": str(self.home), "TMPDIR": str(self.temp)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def call(self) -> tuple[int, Any, str]:
        """Call undisturbed; return the exit code, the answer and what was printed for people."""
        process = self.start()
        stdout, stderr = process.communicate(timeout=2 * LONG)
        assert "Traceback" not in stderr, stderr
        return process.returncode, self.stable(stdout), stderr

    def stable(self, stdout: str) -> Any:
        """Return the part of an answer that does not change from one call to the next."""
        return [_stable(json.loads(line)) for line in stdout.splitlines()]

    def rehearse(self) -> None:
        """Learn the answer, and how long it takes with an empty cache."""
        started = time.monotonic()
        self.answer = self.call()[:2]
        self.seconds = time.monotonic() - started
        assert self.answer[0] in (0, 1), self.answer

    def processes(self) -> list[psutil.Process]:
        """Return the processes of this world: their environment or their command line names its folder."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                names = [*process.cmdline(), *process.environ().values()]
                if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found += [process] * any(str(self.folder) in name for name in names)
        return found

    def is_step(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return any(f"{self.temp}/uvmre_" in value for value in process.environ().values())
        return False

    def left(self, *, steps: bool) -> list[str]:
        """Wait until no process is left, but for steps where they may stay; return those that are."""
        deadline = time.monotonic() + SOON
        while True:
            found = [each for each in self.processes() if steps or not self.is_step(each)]
            if not found or time.monotonic() > deadline:
                return [f"{each.pid} {_command(each)}" for each in found]
            time.sleep(0.05)

    def temporary(self) -> list[Path]:
        """Return the temporary files and folders."""
        places = [path for root in (self.home, self.mre) if root.exists() for path in root.rglob("*")]
        return [
            *(self.temp.iterdir() if self.temp.exists() else ()),
            *(path for path in [*places, *self.folder.glob(".*")] if _is_temporary(path)),
        ]

    def torn(self) -> Iterator[str]:
        """Yield what cannot be read of what is not temporary."""
        for path in [*self.home.rglob("*"), *self.folder.glob("*.zip"), *self.mre.rglob("*")]:
            if path.is_file() and not any(_is_temporary(each) for each in (path, *path.parents)):
                try:
                    _read(path)
                except (ValueError, sqlite3.Error, zipfile.BadZipFile, AssertionError) as error:
                    yield f"{path}: {error!r}"


def _is_temporary(path: Path) -> bool:
    name = path.name
    return name.startswith((".aside-", "new-", "tmp")) or (name.startswith(".") and (path / ".uvmre-owner").exists())


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return "(ended)"


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(each) for key, each in value.items() if key in ANSWER}
    return [_stable(each) for each in value] if isinstance(value, list) else value


def _read(path: Path) -> None:
    """Read a file in its format, strictly."""
    if path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".toml":
        tomllib.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".pem":
        assert path.read_text(encoding="ascii").endswith("-----END CERTIFICATE-----\n")
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
    elif path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def mounts(world: World) -> list[str]:
    """Return what is mounted on or from folders of a world."""
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(world.folder) in line]


def listening(processes: list[psutil.Process]) -> set[int]:
    """Return the ports on which processes listen."""
    ports = set[int]()
    for process in processes:
        with suppress(psutil.Error):
            ports |= {each.laddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    return ports


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def kill(world: World, process: "subprocess.Popen[str]", target: str) -> str:
    """Kill what is named, and return what was killed: without a gateway, it is the main process."""
    gateways = [each for each in world.processes() if "uvmre.gateway" in _command(each)]
    if target == "gateway" and gateways:
        for each in gateways:
            with suppress(psutil.Error):
                each.kill()
        return "gateway"
    with suppress(ProcessLookupError):
        if target == "group":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for each in gateways if target == "both" else ():
        with suppress(psutil.Error):
            each.kill()
    return target if target != "gateway" else "main"


def kill_once(world: World, chance: random.Random, target: str, context: str) -> None:
    world.prepare(chance)
    after = chance.uniform(0.0, world.seconds * 1.1)
    process = world.start()
    time.sleep(after)
    ports = listening(world.processes())
    killed = kill(world, process, target)
    context = f"{context}, {killed} killed after {after:.3f} s of {world.seconds:.1f} s"
    try:
        stdout, stderr = process.communicate(timeout=LONG)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"{context}: still there")
    if killed == "gateway":
        # A verdict that was reached before stands; else there is none.
        assert process.returncode in (world.answer[0], 125), f"{context}: {process.returncode}\n{stderr}"
        if process.returncode != 125:
            (verdict,), (expected,) = world.stable(stdout), world.answer[1]
            assert verdict.get("verdict") == expected.get("verdict"), context
    world_left = world.left(steps=killed == "gateway" or world.backend != "local")
    assert not world_left, f"{context}: {world_left}"
    assert not [port for port in ports if answers(port)], context
    assert not mounts(world), context
    assert not list(world.torn()), f"{context}: {list(world.torn())}"
    code, answer, said = world.call()
    assert (code, answer) == world.answer, f"{context}\n{said}"
    assert not (found := world.left(steps=True)), f"{context}: {found}"
    assert not (there := world.temporary()), f"{context}: {there}"
    assert not list(world.torn()), f"{context}: {list(world.torn())}"
    assert not mounts(world), context


def forget(world: World, chance: random.Random) -> None:
    """Remove a part of what earlier calls have left, so that it is made again."""
    for path in [*world.cache.iterdir(), *world.mre.glob(".uvmre/*")]:
        if path.name not in ("uv", "releases.json") and chance.random() < 0.5:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def searched(folder: Path, backend: str, *command: str) -> World:
    """Return a world with releases that are shell scripts, and an MRE of one of them."""
    world = World(folder, command, backend)
    stock(world.home)
    for version in VERSIONS:
        (world.cache / "uv" / version / "uv").write_text(UV.format(number=version.rpartition(".")[2]))
    world.mre.mkdir()
    (world.mre / "mre.toml").write_text(SEARCHED)
    world.prepare = lambda chance: forget(world, chance)
    return world


def run_scripts(folder: Path, backend: str) -> World:
    return searched(folder, backend, "run", "mre", "--backend", backend, "--json")


def bisect(folder: Path, backend: str) -> World:
    return searched(folder, backend, "bisect", "mre", "--backend", backend, "--json")


def triage(folder: Path, backend: str) -> World:
    trust = ("--trust",) if backend == "local" else ()
    world = searched(folder, backend, "triage", "issue.md", "--bisect", "--json", *trust)
    (folder / "issue.md").write_text(post(SYNC), encoding="utf-8")
    return world


def run_real(folder: Path, backend: str) -> World:
    """Return a world with nothing: releases, catalogue and recording come from PyPI."""
    world = World(folder, ("run", "mre", "--backend", backend, "--json"), backend)
    world.mre.mkdir()
    (world.mre / "mre.toml").write_text(REAL)

    def prepare(chance: random.Random) -> None:
        forget(world, chance)
        for path in (world.cache / "uv", world.cache / "releases.json"):
            if chance.random() < 0.4:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    world.prepare = prepare
    return world


class Files(World):
    """A world whose answer is files."""

    def stable(self, stdout: str) -> Any:
        if self.command[0] == "recording":
            return super().stable(stdout)
        return {str(path): path.read_bytes() for path in sorted(self.mre.rglob("*")) if path.is_file()}


def new(folder: Path, backend: str) -> World:
    world = Files(folder, ("new", "mre", "-t", "workspace-index", "--defaults", "--force", "--json"), backend)
    other = Files(folder, (*world.command, "-d", "member=other"), backend)

    def prepare(chance: random.Random) -> None:
        shutil.rmtree(world.mre, ignore_errors=True)
        if chance.random() < 0.7:
            other.call()

    world.prepare = prepare
    return world


def pack(folder: Path, backend: str) -> World:
    world = searched(folder, backend)
    world = Files(folder, ("recording", "pack", "pack.zip", "mre", "--json"), backend)
    recording = Recording(world.mre / ".uvmre" / "recording", world.cache / "bodies")
    for number in range(20):
        recorded(recording, random.Random(number).randbytes(1_000_000), f"https://pypi.org/{number}")
    return world


NETWORK = pytest.mark.network
SANDBOX = pytest.mark.skipif(bool(bubblewrap.find_fault()), reason=f"no sandbox here: {bubblewrap.find_fault()}")
WORLDS = [
    pytest.param(run_scripts, "local", id="run"),
    pytest.param(run_real, "local", id="run-pypi", marks=NETWORK),
    pytest.param(bisect, "local", id="bisect"),
    pytest.param(triage, "local", id="triage"),
    pytest.param(new, "local", id="new"),
    pytest.param(pack, "local", id="pack"),
    pytest.param(run_scripts, "sandbox", id="run-sandbox", marks=SANDBOX),
    pytest.param(run_real, "sandbox", id="run-pypi-sandbox", marks=[NETWORK, SANDBOX]),
    pytest.param(bisect, "sandbox", id="bisect-sandbox", marks=SANDBOX),
    pytest.param(triage, "sandbox", id="triage-sandbox", marks=SANDBOX),
]


def kill_often(make: Callable[[Path, str], World], backend: str, folder: Path, times: int) -> None:
    world, chance = make(folder, backend), random.Random(SEED)
    world.rehearse()
    for number in range(times):
        kill_once(world, chance, TARGETS[number % len(TARGETS)], f"UVMRE_SEED={SEED}, kill {number}")


@pytest.mark.slow
@pytest.mark.parametrize(("make", "backend"), WORLDS)
def test_after_a_kill_at_any_moment_the_next_call_gives_the_same_answer(
    make: Callable[[Path, str], World], backend: str, tmp_path: Path
) -> None:
    kill_often(make, backend, tmp_path, TIMES)


@pytest.mark.parametrize(
    ("make", "backend", "times"), [(triage, "local", 1), (new, "local", 1), (bisect, "sandbox", 1)]
)
def test_a_few_kills(make: Callable[[Path, str], World], backend: str, times: int, tmp_path: Path) -> None:
    if backend == "sandbox" and (fault := bubblewrap.find_fault()):
        pytest.skip(f"no sandbox here: {fault}")
    kill_often(make, backend, tmp_path, times)


def test_a_gateway_that_was_killed_before_its_first_listener_is_an_error(tmp_path: Path) -> None:
    with Gateway(tmp_path / "cache", tmp_path / "recording") as gateway:
        os.kill(gateway.pid, signal.SIGKILL)
        os.waitid(os.P_PID, gateway.pid, os.WEXITED | os.WNOWAIT)
        time.sleep(0.2)
        started = time.monotonic()
        with pytest.raises(CannotTell, match="ended early"), gateway.listener():
            pytest.fail("a step would wait for minutes")
        assert time.monotonic() - started < SOON


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(max(1, len(content)))])


def empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def nuls(path: Path, chance: random.Random) -> None:
    """Write NULs from somewhere on, as file systems may after a power cut."""
    content = path.read_bytes()
    kept = chance.choice([0, chance.randrange(max(1, len(content)))])
    path.write_bytes(content[:kept] + bytes(len(content) - kept))


def folder(path: Path, _: random.Random) -> None:
    path.unlink()
    (path / "below").mkdir(parents=True)


HARMS = [cut, empty, nuls, folder]
KINDS = (
    *("releases.json", "outcomes.sqlite", "outcomes.sqlite-wal", "outcomes.sqlite-shm", "outcomes.sqlite.lock"),
    *("pruned", "users/0", "gateway/authority.pem", "gateway/leaves/*.pem", "bodies/*/*"),
    *("triage/*/mre.toml", "triage/*/pyproject.toml", "triage/*/.uvmre/written.json", "triage/*/.uvmre/.gitignore"),
    *("triage/*/.uvmre/runs/*/run.json", "triage/*/.uvmre/recording/*.json"),
    *(
        "uv/*/uv",
        "uv/*/uvx",
        "uv/*/receipt.json",
        "../../mre/.uvmre/recording/*.json",
        "../../mre/.uvmre/runs/*/*.json",
    ),
)
"""Every kind of file in the cache and of uvmre's own in an MRE."""


def damage(world: World, kinds: tuple[str, ...], harm: Callable[[Path, random.Random], None], seed: int) -> int:
    """Damage every file of some kinds; return how many."""
    chance, damaged = random.Random(seed), 0
    by_hand = not list(world.cache.glob("uv/*/receipt.json"))  # scripts of a test, which cannot be fetched again
    for kind in kinds:
        for path in sorted(world.cache.glob(kind)):
            if path.is_file() and not (by_hand and kind.startswith(("uv/", "releases.json"))):
                harm(path, chance)
                damaged += 1
    return damaged


def survives(world: World, kinds: tuple[str, ...], harm: Callable[[Path, random.Random], None]) -> None:
    if damage(world, kinds, harm, SEED):
        context = f"UVMRE_SEED={SEED}, {harm.__name__} of {kinds}"
        code, answer, said = world.call()
        assert (code, answer) == world.answer, f"{context}\n{said}"
        code, answer, said = world.call()
        assert (code, answer) == world.answer, f"{context}, the second call\n{said}"
        assert not world.temporary(), context


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(
    "make",
    [triage, pytest.param(run_real, marks=[NETWORK, pytest.mark.slow]), pytest.param(bisect, marks=pytest.mark.slow)],
)
@pytest.mark.few(1)
def test_damaged_files_are_replaced_or_ignored(
    make: Callable[[Path, str], World], harm: Callable[[Path, random.Random], None], tmp_path: Path
) -> None:
    world = make(tmp_path, "local")
    world.rehearse()
    survives(world, KINDS, harm)


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("make", [triage, pytest.param(run_real, marks=NETWORK), bisect])
def test_each_damaged_file_is_replaced_or_ignored(
    make: Callable[[Path, str], World], harm: Callable[[Path, random.Random], None], tmp_path: Path
) -> None:
    world = make(tmp_path, "local")
    world.rehearse()
    for kind in KINDS:
        survives(world, (kind,), harm)
