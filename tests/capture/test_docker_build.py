import pytest

from uvmre.capture.docker_build import DockerBuild, docker_build, with_build
from uvmre.capture.project import UserProject
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre
from uvmre.core.mre.symptom import Symptom


@pytest.mark.parametrize(
    ("command", "build"),
    [
        ("docker build .", DockerBuild("docker", "Dockerfile", ".", {}, {})),
        ("docker buildx build -t a:1 .", DockerBuild("docker", "Dockerfile", ".", {}, {})),
        ("podman build -f ops/Dev.Dockerfile .", DockerBuild("podman", "ops/Dev.Dockerfile", ".", {}, {})),
        ("docker build svc", DockerBuild("docker", "svc/Dockerfile", "svc", {}, {})),
        (
            "docker build --build-arg A=b --build-arg C --secret id=t,env=TOKEN --secret id=n,src=.netrc --no-cache .",
            DockerBuild("docker", "Dockerfile", ".", {"A": "b", "C": ""}, {"t": "TOKEN", "n": ".netrc"}),
        ),
        ("buildah bud --file=x .", DockerBuild("buildah", "x", ".", {}, {})),
    ],
)
def test_a_build_is_read(command: str, build: DockerBuild) -> None:
    assert docker_build(command) == build


@pytest.mark.parametrize(
    "command", ["docker run x", "uv build", "docker compose up", "echo docker build", "docker 'build"]
)
def test_other_commands_are_no_build(command: str) -> None:
    assert docker_build(command) is None


@pytest.mark.parametrize(
    ("source", "content"),
    [("token.txt", b"of the project"), ("/home/ann/.netrc", b"of the user"), ("$HOME/.netrc", b"of the user")],
)
def test_a_secret_is_a_file_of_the_project_or_of_the_user(source: str, content: bytes) -> None:
    project = UserProject(
        (File("Dockerfile", b"FROM python:3.12\nRUN uv sync\n"), File("token.txt", b"of the project")),
        (f"docker build --secret id=mine,src={source} .",),
        "0.8.0",
        home=(File(".netrc", b"of the user"),),
    )
    mre = Mre("a", Environment("0.8.0"), (), Symptom(exit="failure", output=("some text",)))
    build = docker_build(project.commands[0])
    assert build
    found = with_build(mre, project, build)
    assert {file.path: file.content for file in found.files}["mine"] == content
    assert [step.run for step in found.steps] == ["uv sync"]
    assert found.environment.python == "3.12"


def test_a_secret_of_the_environment_is_a_variable() -> None:
    project = UserProject((File("Dockerfile", b"FROM python:3.12\nRUN uv sync\n"),), ("docker build .",), "0.8.0")
    mre = Mre("a", Environment("0.8.0", variables={"TOKEN": "x"}), (), Symptom(exit="failure", output=("some text",)))
    build = docker_build("docker build --secret id=mine,env=TOKEN --build-arg A=b .")
    assert build
    assert with_build(mre, project, build).environment.variables == {"TOKEN": "x", "A": "b", "mine": "x"}
