"""Which engines answer: commands that behave as docker, podman and buildah do when they are well, and when not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.available_engines import AtHand
from uvmre.run.engines import availability
from uvmre.run.engines.availability import Engine

BOTH = '{"Client":{"Version":"28.2.2"},"Server":{"Version":"26.1.5+dfsg1"}}'
ALONE = '{"Client":{"Version":"28.2.2"},"Server":null}'
Commands = Callable[..., None]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Put scripts on a PATH that has nothing else of engines."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("DOCKER_HOST", "DOCKER_BUILDKIT"):
        monkeypatch.delenv(name, raising=False)

    def put(**scripts: str) -> None:
        for name, script in scripts.items():
            path = folder / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)

    return put


def test_all_are_reported_where_none_is_installed(commands: Commands) -> None:
    found = availability.detect_all()
    assert [engine.name for engine in found] == ["docker", "podman", "buildah"]
    assert {engine.why for engine in found} == {"not installed"}


NO_DAEMON = "no response from its daemon, and `dockerd` is not installed"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (f"echo '{ALONE}'; echo 'Cannot connect to the Docker daemon. Is the docker daemon running?' >&2; exit 1", NO_DAEMON),
        (f"echo '{ALONE}'; echo 'permission denied while trying to connect to the docker API' >&2; exit 1", "this user may not access its daemon"),
        ("""echo '{"Client":{"Version":"4.3.1"}}'""", "another engine is installed as `docker`"),
        ("echo gibberish", NO_DAEMON),
        ("echo '[1, 2]'", NO_DAEMON),
        ("echo one >&2; echo 'context \"x\" does not exist' >&2; exit 1", 'context "x" does not exist'),
        ("exec /bin/sleep 60", "no response within 0.5 s"),
    ],
)  # fmt: skip
def test_a_docker_that_cannot_be_used_says_why(commands: Commands, script: str, why: str) -> None:
    commands(docker=script)
    assert availability.detect("docker", 0.5).why == why


def test_a_daemon_elsewhere_is_named(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://example.com:1")
    commands(docker=f"echo '{ALONE}'; echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert availability.detect("docker").why == "no response from its daemon at tcp://example.com:1"


def test_a_command_that_cannot_be_started_says_so(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "bin" / "podman").write_text("#!/nowhere/interpreter\n")
    (tmp_path / "bin" / "podman").chmod(0o755)
    assert availability.detect("podman").why == "it failed to start: No such file or directory"


@pytest.mark.parametrize(
    ("version", "client", "buildx", "buildkit"),
    [
        ("", "28.2.2", True, True),
        ("", "28.2.2", False, False),
        ("0", "28.2.2", True, False),
        ("1", "20.10.24", False, True),
        ("", "20.10.24", False, False),
        ("1", "28.2.2", False, False),
    ],
)
def test_which_builder_docker_takes(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, version: str, client: str, buildx: bool, buildkit: bool
) -> None:
    if version:
        monkeypatch.setenv("DOCKER_BUILDKIT", version)
    answer = BOTH.replace("28.2.2", client)
    commands(docker=f"if [ \"$1\" = buildx ]; then exit {0 if buildx else 1}; fi; echo '{answer}'")
    engine = availability.detect("docker")
    assert (engine.why, engine.version, engine.client) == ("", "26.1.5+dfsg1", client)
    assert engine.buildkit is buildkit
    assert availability.variables(engine)["DOCKER_BUILDKIT"] == ("1" if buildkit else "0")


def test_podman_and_buildah_answer_for_themselves(commands: Commands) -> None:
    commands(
        podman="echo 4.3.1",
        buildah='[ "$1" = info ] || echo "buildah version 1.28.2 (image-spec 1.1.0, runtime-spec 1)"',
    )
    _, podman, buildah = availability.detect_all()
    assert (podman.why, podman.version, buildah.why, buildah.version) == ("", "4.3.1", "", "1.28.2")
    commands(buildah="echo 'Error: mount /var/lib/containers: permission denied' >&2; exit 125")
    assert availability.detect("buildah").why == "Error: mount /var/lib/containers: permission denied"


@pytest.mark.parametrize(
    ("engine", "heredocs", "secrets"),
    [
        (Engine("docker", version="26.1.5", buildkit=True), True, True),
        (Engine("docker", version="20.10.24", buildkit=True), False, True),
        (Engine("docker", version="26.1.5"), False, False),
        (Engine("podman", version="4.3.1"), False, True),
        (Engine("podman", version="5.2.0"), True, True),
        (Engine("buildah", version="1.28.2"), False, True),
        (Engine("buildah", version="1.33.0"), True, True),
        (Engine("buildah"), False, True),
    ],
)
def test_what_an_engine_reads(engine: Engine, heredocs: bool, secrets: bool) -> None:
    assert (engine.heredocs, engine.secrets) == (heredocs, secrets)


@pytest.mark.parametrize(
    ("name", "image", "full"),
    [
        ("docker", "python:3.11", "python:3.11"),
        ("podman", "python:3.11", "docker.io/library/python:3.11"),
        ("buildah", "astral/uv:0.8.0", "docker.io/astral/uv:0.8.0"),
        ("podman", "ghcr.io/astral-sh/uv:0.5.21", "ghcr.io/astral-sh/uv:0.5.21"),
        ("podman", "localhost/uvmre/base:bookworm", "localhost/uvmre/base:bookworm"),
        ("podman", "quay.io/x:1", "quay.io/x:1"),
        ("podman", "debian", "docker.io/library/debian"),
    ],
)
def test_names_that_from_finds(name: str, image: str, full: str) -> None:
    assert availability.full_name(Engine(name), image) == full


@pytest.mark.engine
def test_a_real_engine_answers(engine: AtHand, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in engine.variables.items():
        monkeypatch.setenv(name, value)
    queries = availability.detect(engine.name)
    assert queries.why == ""
    assert queries.version[0].isdigit()
    assert queries.buildkit is (engine.title == "BuildKit")
    assert availability.labels(queries, "localhost/uvmre/there-is-none:1") is None
