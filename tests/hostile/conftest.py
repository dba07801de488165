"""A host with secrets and services, on which MREs that try to get out run through the real command line."""

import json
import os
import re
import subprocess
import sys
import textwrap
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.hostile.services import Services, serve
from tests.hostile.snapshot import cgroups, compare, survivors, take_snapshot
from tests.releases.caches import VERSIONS, stock
from uvmre.run.sandbox import bubblewrap

CANARY = "CANARY-5f2c"
"""In every secret of the host."""
UV = VERSIONS[0]
GOT_OUT = 42
STOPPED = 7
SYMPTOM = {"exit": GOT_OUT, "output": ["GOT OUT"]}
PRELUDE = """\
import array, ctypes, errno, glob, mmap, os, pathlib, shutil, signal, socket, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)

def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result

def text(path):
    return pathlib.Path(path).read_bytes().decode(errors="replace")
"""
ATTACK = """\
{prelude}
def attempt():
{body}

try:
    found = attempt()
except OSError as error:
    print("stopped by", errno.errorcode.get(error.errno, error))
    sys.exit(7)
if found:
    print("GOT OUT", found)
    sys.exit(42)
print("stopped")
sys.exit(7)
"""


SAMPLES = {
    "test_memory_is_that_of_all_processes_together": 2,
    "test_the_size_of_all_files_is_limited_while_a_step_runs": 2,
    "test_endless_output_is_ended": 2,
    "test_a_fork_bomb_ends_and_the_machine_stays_usable": 2,
    "test_what_uvmre_does_between_two_runs_stays_in_the_image": 8,
    "test_a_backend_in_the_tree_stays_in_the_sandbox": 8,
    "test_run_and_report_print_no_control_character_and_keep_them_in_the_evidence": 6,
}
"""Of the cases of these tests, which take seconds, `make test` runs the first few; `make test-all` runs all."""
SAMPLE = 6
"""The cases of each other attack that `make test` runs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip loudly where there is no sandbox."""
    fault = bubblewrap.find_fault()
    seen = Counter[str]()
    for item in items:
        name = getattr(item, "originalname", "")
        seen[name] += 1
        needs_it = "host" in getattr(item, "fixturenames", ())  # reading a stranger's files and text does not
        here = Path(__file__).parent in item.path.parents
        if seen[name] > SAMPLES.get(name, SAMPLE if here and needs_it else seen[name]):
            item.add_marker(pytest.mark.slow)
        if fault and needs_it and here:
            item.add_marker(pytest.mark.skip(reason=f"no sandbox here ({fault}): NO ATTACK WAS TRIED"))


@dataclass
class Host:
    """The machine around the sandbox, of this worker alone."""

    folder: Path
    services: Services
    marker: str
    variables: Mapping[str, str]
    pids: set[int] = field(default_factory=lambda: {os.getpid()})
    """The processes of uvmre."""

    @property
    def home(self) -> Path:
        """Return the home of the caller."""
        return self.folder / "home"

    @property
    def temp(self) -> Path:
        """Return the folder of temporary files."""
        return self.folder / "temp"

    @property
    def cache(self) -> Path:
        """Return the home of uvmre's cache."""
        return self.folder / "cache"

    @property
    def secret(self) -> Path:
        """Return a file that nothing may read or change."""
        return self.home / ".ssh" / "id_rsa"

    @property
    def watched(self) -> tuple[Path, ...]:
        """Return the folders in which nothing may change; the cache's other parts are uvmre's own."""
        return self.home, self.temp, self.cache / "uvmre" / "uv", self.folder / "other_mre"


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Return a host whose state after all attacks is compared with that before."""
    folder = tmp_path_factory.mktemp("host")
    for name in ("home/.ssh", "home/.config/uv", "home/.docker", "home/.aws", "temp", "other_mre"):
        (folder / name).mkdir(parents=True)
    for name in (
        ".ssh/id_rsa",
        ".netrc",
        ".git-credentials",
        ".docker/config.json",
        ".aws/credentials",
        ".bash_history",
    ):
        (folder / "home" / name).write_text(CANARY)
    (folder / "other_mre" / "mre.env").write_text(f"PASSWORD={CANARY}\n")
    stock(folder / "cache")
    marker = f"{CANARY}-{uuid.uuid4()}"
    with serve(folder / "home", marker[-12:]) as services:
        variables = {
            **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")},
            **dict.fromkeys(("GITHUB_TOKEN", "UV_PUBLISH_TOKEN", "AWS_SECRET_ACCESS_KEY", "UNREMARKABLE"), marker),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "temp"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "SSH_AUTH_SOCK": services.path,
            "DOCKER_HOST": f"unix://{services.path}",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:abstract={services.abstract}",
        }
        found = Host(folder, services, marker, variables)
        before = take_snapshot(found.watched, marker)
        yield found
        assert compare(before, found.watched, marker) == {}
        assert services.visitors == []
        assert cgroups(found.pids) == []


@dataclass
class Attack:
    """A run of an MRE that tries to get out."""

    exit: int
    data: dict[str, Any]
    stderr: str
    seconds: float
    namespaces: list[str] = field(default_factory=list)

    @property
    def base(self) -> dict[str, Any]:
        """Return the MRE itself, without its controls."""
        first: dict[str, Any] = self.data["variants"][0]
        return first

    @property
    def outcome(self) -> str:
        """Return the word of the outcome."""
        return str(self.base["outcome"])

    @property
    def reason(self) -> str:
        """Return why it has this outcome."""
        return str(self.base["reason"])

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Return the steps."""
        return list(self.base["steps"])

    @property
    def printed(self) -> str:
        """Return what the last step printed, without the name of its namespace."""
        step = self.steps[-1]
        return re.sub(r"^pid:\[\d+\]\n", "", step["stdout"]).strip() + step["stderr"]


RunAttack = Callable[..., Attack]


@pytest.fixture
def attack(host: Host, tmp_path: Path) -> RunAttack:
    """Return a function that runs an MRE in the sandbox, and checks that the host is as before."""

    def run(
        *bodies: str,
        files: Mapping[str, str | bytes] | None = None,
        backend: str = "sandbox",
        prelude: str = "",
        **manifest: Any,
    ) -> Attack:
        folder = tmp_path / f"mre{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, content in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        steps = [{"role": "observe", **_step(folder, number, body, prelude)} for number, body in enumerate(bodies)]
        timeout = manifest.pop("timeout", 60)
        options = manifest.pop("options", ())
        data = {
            "schema": 1,
            "title": "attack",
            "environment": {"uv": UV, **manifest.pop("environment", {})},
            **({"step": [{"timeout": timeout, **step} for step in steps]} if steps else {}),
            "symptom": {**SYMPTOM, **manifest.pop("symptom", {})},
            **manifest,
        }
        (folder / "mre.toml").write_text(tomli_w.dumps(data))
        return run_attack(host, folder, backend, *options)

    return run


def _step(folder: Path, number: int, body: str, prelude: str) -> dict[str, str]:
    """Return a step; a body that starts with `$` is a shell command, and another one is Python."""
    show = "readlink /proc/self/ns/pid\n"
    if body.startswith("$ "):
        return {"run": show + body[2:], "name": f"attack {number}"}
    script = ATTACK.format(prelude=PRELUDE + prelude, body=textwrap.indent(textwrap.dedent(body).strip("\n"), "    "))
    (folder / f"attack{number}.py").write_text(script)
    return {"run": f"{show}exec python attack{number}.py", "name": f"attack {number}"}


def run_attack(host: Host, folder: Path, backend: str, *options: str) -> Attack:
    """Run an MRE, and check that nothing of it is left and that the host's secrets are as before."""
    started = time.perf_counter()
    done = call_uvmre(host, "run", folder, "--backend", backend, "--json", *options)
    assert done.stdout, done.stderr
    found = Attack(done.returncode, json.loads(done.stdout), done.stderr, time.perf_counter() - started)
    assert "variants" in found.data, found.data
    for step in (step for variant in found.data["variants"] for step in variant["steps"]):
        found.namespaces += re.findall(r"^pid:\[\d+\]", step["stdout"])
    if backend == "sandbox":
        check_host(host, found)
    return found


def check_host(host: Host, found: Attack) -> None:
    """Check that nothing of an attack is left, and that no secret of the host got in."""
    assert {name: survivors(name) for name in found.namespaces} == {name: [] for name in found.namespaces}
    assert list(host.temp.iterdir()) == []
    assert host.secret.read_text() == CANARY
    assert host.services.visitors == []
    printed = [
        step[stream]
        for variant in found.data["variants"]
        for step in variant["steps"]
        for stream in ("stdout", "stderr")
    ]
    assert CANARY not in json.dumps([printed, [variant["files"] for variant in found.data["variants"]]])
    assert found.outcome != "shows"


def call_uvmre(
    host: Host, *arguments: str | Path, timeout: float = 120, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the real command line as a user with secrets."""
    command = [sys.executable, "-m", "uvmre", *map(str, arguments)]
    with subprocess.Popen(
        command,
        cwd=host.folder,
        env={**host.variables, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        host.pids.add(process.pid)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
