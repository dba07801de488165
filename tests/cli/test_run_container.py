"""`uvmre run --backend` on real engines: the seed's mistake, and what can go wrong with an engine."""

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.available_engines import ENGINES, AtHand
from tests.conftest import CommandLine

pytestmark = [pytest.mark.engine]
IMAGES = ("python:3.11-slim-bookworm", "ghcr.io/astral-sh/uv:0.5.21")
FROM = "FROM python:3.11-slim-bookworm\nCOPY --from=ghcr.io/astral-sh/uv:0.5.21 /uv /bin/\n"
MANIFEST = """\
schema = 1
title = "t"
[environment]
uv = "0.5.21"
[[step]]
run = "echo first"
[[step]]
role = "observe"
run = "{run}"
timeout = 5
[symptom]
{symptom}
"""
SEED = (
    "Failed to build `foo-workspace-member @ file:///app/packages/foo-workspace-member`",
    "Failed to resolve requirements from `build-system.requires`",
    "No solution found when resolving: `hatchling`",
    "401 Unauthorized",
)


@functools.cache
def stocked(variables: tuple[tuple[str, str], ...], images: tuple[str, ...] = IMAGES) -> None:
    """Have what the Dockerfiles begin with on an engine; kept in the user's own cache, for it takes a minute to make."""
    command = [sys.executable, "-m", "uvmre", "images", "prepare", *images]
    done = subprocess.run(command, env={**os.environ, **dict(variables)}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def images(request: pytest.FixtureRequest) -> None:
    """Prepare the images of whichever engine a test is for."""
    values = request.node.callspec.params.values() if hasattr(request.node, "callspec") else ()
    for engine in (value for value in values if isinstance(value, AtHand)):
        if engine.answers:
            stocked(tuple(engine.variables.items()))


def left(engine: AtHand, kept: Path) -> list[str]:
    """Return the images and containers that an engine still has of the run whose evidence is in `kept`."""
    text = "".join(path.read_text() for name in ("Dockerfile", "build.log") for path in kept.glob(f"*/{name}"))
    found = []
    for name in sorted(set(re.findall(r"org\.uvmre\.run=\"?([\w.]+)", text))):
        for listing in (["images", "--all", "--quiet"], ["ps", "--all", "--quiet"]):
            if engine.name == "buildah" and listing[0] == "ps":
                continue
            command = [engine.name, *listing, "--filter", f"label=org.uvmre.run={name}"]
            environment = {**os.environ, **engine.variables}
            completed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
            assert completed.returncode == 0, completed.stderr
            found += completed.stdout.split()
    return found


def create(folder: Path, run: str, dockerfile: str = "", symptom: str = 'output = ["401 Unauthorized"]') -> Path:
    folder.mkdir()
    (folder / "mre.toml").write_text(MANIFEST.format(run=run, symptom=symptom))
    (folder / "Dockerfile").write_text(dockerfile or f"{FROM}RUN echo first\nRUN {run}\n")
    return folder


def ran(uvmre: CommandLine, engine: AtHand, folder: Path, *words: str) -> dict[str, Any]:
    ended = uvmre("run", folder, "--backend", engine.name, "--json", *words, **engine.variables)
    assert ended.stdout, ended.stderr
    data: dict[str, Any] = json.loads(ended.stdout)
    assert "variants" in data, data
    assert not left(engine, folder.parent / data["evidence"])
    return data


def words(data: dict[str, Any]) -> dict[str, str]:
    return {variant["name"]: variant["outcome"] for variant in data["variants"]}


def test_what_only_processes_of_this_machine_can_do_is_an_obstacle(
    uvmre: CommandLine, engine: AtHand, tmp_path: Path
) -> None:
    folder = create(tmp_path / "mre", "uv sync")
    text = (folder / "mre.toml").read_text()
    (folder / "mre.toml").write_text(f'{text}[[service]]\nname = "a"\nrun = "serve"\n')
    data = ran(uvmre, engine, folder)
    assert words(data) == {"as reported": "broken"}
    assert "`service` works on the backends `local` and `sandbox` only" in data["reason"]


VARIANTS = {
    "run-export": (["-d", "dockerfile=run-export"], "shows"),
    "env": (["-d", "dockerfile=env"], "absent"),
    "same-run": (["-d", "dockerfile=same-run"], "absent"),
    "secret": (["-d", "dockerfile=secret"], "absent"),
    "dependencies-first": (["-d", "layers=dependencies-first", "-d", "all_packages=false"], "absent"),
}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.title)
def test_a_run_that_exceeds_a_limit_is_named(engine: AtHand, uvmre: CommandLine, tmp_path: Path) -> None:
    if not engine.answers:
        pytest.skip(f"{engine.title} does not answer (`make engines` sets it up)")
    data = ran(uvmre, engine, create(tmp_path / "mre", "truncate --size 10G big", symptom='output = ["too large"]'))
    assert words(data) == {"as reported": "broken"}
    assert "exceeds the limit of 4 GB per file" in data["reason"]


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_seed_comes_out_as_its_reporter_found(
    uvmre: CommandLine, engine: AtHand, tmp_path: Path, variant: str
) -> None:
    answers, outcome = VARIANTS[variant]
    assert uvmre("new", "mre", "-t", "workspace-index", "--defaults", *answers).exit == 0
    here = json.loads(uvmre("run", "mre", "--json").stdout)
    data = ran(uvmre, engine, tmp_path / "mre")
    if variant == "secret" and engine.variables.get("DOCKER_BUILDKIT") == "0":
        assert "classic builder" in data["reason"]
        return
    assert words(data) == words(here)
    assert data["verdict"] == here["verdict"]
    base = data["variants"][0]
    assert base["outcome"] == outcome
    if outcome == "shows":
        output = " ".join(base["steps"][-1]["stderr"].replace("│", " ").split())
        assert all(line in output for line in SEED), output
    if variant == "dependencies-first":
        first = next(step for step in base["steps"] if "--no-install-workspace" in step["run"])
        assert (first["exit"], any(request["credentials"] for request in base["requests"])) == (0, False)


@pytest.mark.network
def test_a_run_has_its_own_exit_code_and_output(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    folder = create(tmp_path / "mre", "echo said here; exit 7", symptom='exit = 7\noutput = ["said here"]')
    data = ran(uvmre, engine, folder)
    assert words(data) == {"as reported": "shows"}
    first, observed = data["variants"][0]["steps"]
    assert (first["role"], first["exit"], first["stderr"].strip()) == ("setup", 0, "first")
    assert (observed["role"], observed["exit"], observed["stderr"].strip()) == ("observe", 7, "said here")
    assert data["uv"] == "0.5.21"
    assert data["backend"].startswith(engine.name)
    kept = tmp_path / data["evidence"]
    assert "COPY .uvmre/authority.pem" in (kept / "as-reported" / "Dockerfile").read_text()
    assert "authority" not in (folder / "Dockerfile").read_text()
    assert "exit 7" in (kept / "as-reported" / "build.log").read_text()


@pytest.mark.network
def test_what_the_symptom_looks_at_is_read_in_the_image(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    dockerfile = f"{FROM}WORKDIR /app\nRUN echo first\nRUN echo kept here > a.txt\n"
    tables = '[[symptom.file]]\npath = "a.txt"\ncontains = "kept here"\n[[symptom.file]]\npath = "b.txt"\ncontains = "not there"'
    symptom = f"exit = 0\n{tables}"
    data = ran(uvmre, engine, create(tmp_path / "mre", "echo kept here > a.txt", dockerfile, symptom))
    files = {file["path"]: file["content"] for file in data["variants"][0]["files"]}
    assert files == {"a.txt": "kept here\n", "b.txt": None}
    assert words(data) == {"as reported": "absent"}


@pytest.mark.network
@pytest.mark.parametrize("release", ["0.5.21", "0.6.0"])
def test_the_release_that_is_requested_for_is_the_one_that_runs(
    uvmre: CommandLine, engine: AtHand, tmp_path: Path, release: str
) -> None:
    folder = create(tmp_path / "mre", "uv --version && exit 1", symptom=f'exit = 1\noutput = ["uv {release}"]')
    data = ran(uvmre, engine, folder, "--uv", release)
    assert (data["uv"], words(data)) == (release, {"as reported": "shows"})
    assert [name for name in data["stand_ins"] if f"uv:{release}" in name]


@pytest.mark.network
def test_a_release_that_the_dockerfile_does_not_tell_is_requested_for(
    uvmre: CommandLine, engine: AtHand, tmp_path: Path
) -> None:
    dockerfile = "FROM python:3.11-slim-bookworm\nRUN cp /bin/true /bin/uv\nRUN echo first\nRUN exit 1\n"
    data = ran(uvmre, engine, create(tmp_path / "mre", "exit 1", dockerfile))
    assert words(data) == {"as reported": "broken"}
    assert "brings" in data["reason"]


BROKEN = {
    "an image that is not there": ("FROM localhost/uvmre/nowhere:1\nRUN exit 1\n", "images prepare"),
    "a file that is not there": (f"{FROM}COPY nowhere /\nRUN exit 1\n", "nowhere"),
    "a set-up step that fails": (f"{FROM}RUN echo first && exit 3\nRUN exit 1\n", "setup step"),
    "a full disk": (f"{FROM}RUN echo 'No space left on device' >&2; exit 1\nRUN exit 1\n", "the disk is full"),
}


@pytest.mark.network
@pytest.mark.parametrize("state", BROKEN)
def test_a_build_that_never_comes_to_the_question_is_broken(
    uvmre: CommandLine, engine: AtHand, tmp_path: Path, state: str
) -> None:
    dockerfile, why = BROKEN[state]
    data = ran(uvmre, engine, create(tmp_path / "mre", "exit 1", dockerfile))
    assert words(data) == {"as reported": "broken"}
    assert why in data["reason"]


@pytest.mark.network
def test_a_run_that_never_ends_is_ended_with_its_container(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    length = f"3600.{os.getpid()}"
    started = time.monotonic()
    data = ran(uvmre, engine, create(tmp_path / "mre", f"sleep {length}"))
    assert time.monotonic() - started < 60
    assert words(data) == {"as reported": "broken"}
    assert "time limit" in data["reason"]
    assert not alive(length)


@pytest.mark.network
def test_an_interrupt_ends_the_build_and_its_container(engine: AtHand, tmp_path: Path, cache: Path) -> None:
    length = f"3601.{os.getpid()}"
    create(
        tmp_path / "mre", f"sleep {length}", f"{FROM}RUN echo first\nRUN sleep {length}\n".replace("timeout = 5", "")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "run", "mre", "--backend", engine.name],
        cwd=tmp_path,
        env={**os.environ, **engine.variables, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not alive(length) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert not alive(length)
    (kept,) = (tmp_path / "mre/.uvmre/runs").iterdir()
    assert not left(engine, kept)


def alive(length: str) -> bool:
    """Tell whether a `sleep` of that length still runs, in a container or not."""
    commands = (path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit())
    found = []
    for command in commands:
        try:
            found.append(command.read_bytes().split(b"\0"))
        except OSError:
            continue
    return any(words[:2] == [b"sleep", length.encode()] for words in found)


@pytest.mark.network
@pytest.mark.slow
def test_much_output_is_capped(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    run = "yes output | head -c 100000000; exit 1"
    folder = create(tmp_path / "mre", run)
    (folder / "mre.toml").write_text((folder / "mre.toml").read_text().replace("timeout = 5", ""))
    data = ran(uvmre, engine, folder)
    (_, observed) = data["variants"][0]["steps"]
    assert (observed["exit"], observed["truncated"]) == (1, True)
    assert len(observed["stderr"]) < 3_000_000


@pytest.mark.network
def test_live_builds_the_dockerfile_untouched(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    folder = create(tmp_path / "mre", "echo the fourth; exit 4", symptom='exit = 4\noutput = ["the fourth"]')
    data = ran(uvmre, engine, folder, "--live")
    assert (words(data), data["variants"][0]["requests"]) == ({"as reported": "shows"}, [])
    kept = tmp_path / data["evidence"]
    assert (kept / "as-reported" / "Dockerfile").read_text() == (folder / "Dockerfile").read_text()


@pytest.mark.network
def test_what_dockerignore_leaves_out_does_not_take_the_certificate_along(
    uvmre: CommandLine, engine: AtHand, tmp_path: Path
) -> None:
    folder = create(
        tmp_path / "mre", "ls /app && exit 1", f"{FROM}COPY . /app\nRUN echo first\nRUN ls /app && exit 1\n"
    )
    (folder / ".dockerignore").write_text("*\n!kept\n")
    (folder / "kept").write_text("")
    (folder / "left-out").write_text("")
    data = ran(uvmre, engine, folder)
    assert data["variants"][0]["steps"][-1]["stderr"].split() == ["kept"]


def test_an_mre_without_a_dockerfile_is_wrong_usage(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    folder = create(tmp_path / "mre", "exit 1")
    (folder / "Dockerfile").unlink()
    ended = uvmre("run", folder, "--backend", engine.name, **engine.variables)
    assert ended.exit == 2
    assert "needs a Dockerfile" in ended.stderr


@pytest.mark.network
def test_auto_says_what_it_takes(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    folder = create(tmp_path / "mre", "exit 1")
    ended = uvmre("run", folder, "--backend", "auto", **engine.variables)
    assert ended.exit in (0, 125), ended.stderr
    assert any(f", {name} " in ended.stdout for name in ("docker", "podman", "buildah"))


def test_an_engine_that_does_not_answer_is_wrong_usage(uvmre: CommandLine, tmp_path: Path) -> None:
    if not shutil.which("docker"):
        pytest.skip("there is no docker command here")
    folder = create(tmp_path / "mre", "exit 1")
    ended = uvmre("run", folder, "--backend", "docker", DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert ended.exit == 2
    assert "the backend `docker` is not available" in ended.stderr
    assert "uvmre doctor" in ended.stderr


class Relay:
    """A daemon's socket that can go away while a build goes on."""

    def __init__(self, path: Path, daemon: str) -> None:
        self._daemon = daemon
        self._open: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._listening.accept()
            except OSError:
                return
            other = socket.socket(socket.AF_UNIX)
            other.connect(self._daemon)
            self._open += [one, other]
            for source, target in ((one, other), (other, one)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def go(self) -> None:
        """Go away, as a daemon that is stopped does."""
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.mark.network
@pytest.mark.parametrize("daemon", [each for each in ENGINES if each.name == "docker"], ids=lambda each: each.title)
def test_a_daemon_that_stops_mid_build_is_broken(cache: Path, tmp_path: Path, daemon: AtHand) -> None:
    if not daemon.variables.get("DOCKER_HOST") or not daemon.answers:
        pytest.skip(f"{daemon.title} does not answer here")
    length = f"20.{os.getpid()}"
    folder = create(tmp_path / "mre", f"sleep {length}")
    (folder / "mre.toml").write_text((folder / "mre.toml").read_text().replace("timeout = 5", ""))
    path = tmp_path / "relay.sock"
    relay = Relay(path, daemon.variables["DOCKER_HOST"].removeprefix("unix://"))
    process = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "run", "mre", "--backend", "docker", "--json"],
        cwd=tmp_path,
        env={**os.environ, **daemon.variables, "DOCKER_HOST": f"unix://{path}", "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not alive(length) and time.monotonic() < deadline:
        time.sleep(0.1)
    relay.go()
    output, why = process.communicate(timeout=90)
    assert process.returncode == 125, why
    data = json.loads(output)
    assert words(data) == {"as reported": "broken"}
    assert "failed to build" in data["reason"]
