"""`uvmre images` and `uvmre cache prune --images`, by the real command line, on engines that hold nothing of others."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.available_engines import ENGINES, AtHand
from tests.conftest import CommandLine

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
UV = "ghcr.io/astral-sh/uv:0.5.21"


def test_without_an_engine_it_says_so_and_where_to_look(uvmre: CommandLine, tmp_path: Path) -> None:
    for arguments in (("images", "prepare", UV), ("images", "ls")):
        ended = uvmre(*arguments, PATH=str(tmp_path))
        assert ended.exit == 125
        assert "docker: not installed; podman: not installed" in ended.stderr
        assert "uvmre doctor" in ended.stderr
    ended = uvmre("cache", "prune", "--images", PATH=str(tmp_path))
    assert (ended.exit, "no container engine" in ended.stderr) == (0, True)
    assert uvmre("cache", "prune", "--images", "--json", PATH=str(tmp_path)).json("cache")["engines"] == []


@pytest.mark.parametrize(
    ("word", "output"),
    [("ubuntu:24.04", "no stand-in for `ubuntu:24.04`"), (f"{UV}-alpine", "alpine"), (".", "has no Dockerfile")],
)
def test_what_cannot_be_made_is_wrong_usage(uvmre: CommandLine, tmp_path: Path, word: str, output: str) -> None:
    ended = uvmre("images", "prepare", word, PATH=str(tmp_path))
    assert (ended.exit, output in ended.stderr, ended.stdout) == (2, True, "")


def test_a_dockerfile_that_is_none_tells_its_faults(uvmre: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FORM python:3.11\n")
    ended = uvmre("images", "prepare", PATH=str(tmp_path))
    assert (ended.exit, "FORM" in ended.stderr) == (2, True)
    (tmp_path / "Dockerfile").write_bytes(b"FROM \xff\n")
    assert uvmre("images", "prepare", PATH=str(tmp_path)).exit == 2


@pytest.fixture(params=[pytest.param("podman", marks=pytest.mark.slow), "buildah"])
def apart(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """Return the variables of one engine whose storage is this test's own, with no other engine to be found."""
    (at_hand,) = [engine for engine in ENGINES if engine.name == request.param]
    if not at_hand.answers:
        pytest.skip(f"{at_hand.title} does not answer here: this was not tested with it")
    (tmp_path / "bin").mkdir()
    for folder in os.environ["PATH"].split(":"):
        for file in Path(folder).glob("*") if folder.startswith(("/usr", "/bin", "/sbin")) else ():
            link = tmp_path / "bin" / file.name
            if file.name not in ("docker", "podman", "buildah") and not link.is_symlink():
                link.symlink_to(file)
    (tmp_path / "bin" / request.param).symlink_to(str(shutil.which(request.param)))
    storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n'
    (tmp_path / "storage.conf").write_text(storage)
    return {"PATH": str(tmp_path / "bin"), "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"), **NOWHERE}


@pytest.mark.engine
@pytest.mark.network
def test_a_stand_in_is_made_once_listed_and_cleared(
    uvmre: CommandLine, tmp_path: Path, apart: Mapping[str, str]
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM scratch\nCOPY --from={UV} /uv /uvx /\n")
    assert uvmre("images", "ls", "--json", **apart).json("images")["images"] == []
    (created,) = uvmre("images", "prepare", tmp_path, "--json", **apart).json("images")["images"]
    assert (created["image"], created["state"], created["made_of"]) == (UV, "made", "uv 0.5.21 of its wheel")
    again = uvmre("images", "prepare", UV, **apart)
    assert (again.stdout.split(maxsplit=2)[2], again.stderr) == ("exists: uv 0.5.21 of its wheel\n", "")
    assert UV in uvmre("images", "ls", **apart).stdout

    # Its files are those of the release, and a Dockerfile copies them as from the real one.
    engine = created["engine"]
    built = f"{engine} build --quiet --network host --tag built {tmp_path}".split()
    subprocess.run(built, env=os.environ | apart, check=True, capture_output=True, timeout=100)

    cleared = uvmre("cache", "prune", "--images", "--json", **apart).json("cache")["engines"]
    assert [(each["engine"], each["left"]) for each in cleared] == [(engine, 0)]
    assert cleared[0]["images"] >= 1
    assert uvmre("images", "ls", "--json", **apart).json("images")["images"] == []


@pytest.mark.engine
@pytest.mark.network
def test_an_image_of_that_name_that_is_no_stand_in_is_left_alone(
    uvmre: CommandLine, tmp_path: Path, apart: Mapping[str, str]
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    program = "podman" if (tmp_path / "bin" / "podman").exists() else "buildah"
    built = f"{program} build --quiet --tag {UV} {tmp_path}".split()
    subprocess.run(built, env=os.environ | apart, check=True, capture_output=True, timeout=100)
    assert uvmre("images", "prepare", UV, **apart).stdout == f"{program:<7}  {UV}  exists, not a stand-in\n"
    uvmre("cache", "prune", "--images", "--json", **apart).json("cache")
    assert uvmre("images", "prepare", UV, **apart).stdout.endswith("not a stand-in\n")


@dataclass(frozen=True)
class Built:
    exit: int
    output: str


def build(engine: AtHand, folder: Path) -> Built:
    chroot = ["--isolation", "chroot"] if engine.name == "buildah" else []
    command = [engine.name, "build", *chroot, "--network", "host", "--no-cache", str(folder)]
    done = subprocess.run(command, env=os.environ | engine.variables, capture_output=True, text=True, timeout=110)
    return Built(done.returncode, done.stdout + done.stderr)


@pytest.mark.engine
@pytest.mark.network
@pytest.mark.slow
def test_a_dockerfile_builds_on_stand_ins_untouched(uvmre: CommandLine, engine: AtHand, tmp_path: Path) -> None:
    modules = "ssl, sqlite3, ctypes, lzma, bz2, readline, curses, uuid, zlib"
    (tmp_path / "Dockerfile").write_text(
        f"FROM python:3.11-slim-bookworm\nCOPY --from={UV} /uv /uvx /bin/\n"
        f"RUN python -c 'import {modules}' && pip --version && echo $PYTHON_VERSION && uv --version && uv venv -q /v && /v/bin/python -V\n"
    )
    prepared = uvmre("images", "prepare", "--json", **engine.variables).json("images")["images"]
    assert {(each["image"], each["state"] in ("made", "there")) for each in prepared} == {
        ("python:3.11-slim-bookworm", True),
        (UV, True),
    }
    built = build(engine, tmp_path)
    assert built.exit == 0, built.output
    assert "uv 0.5.21" in built.output
    assert "Python 3.11." in built.output
