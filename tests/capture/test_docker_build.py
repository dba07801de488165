import pytest

from uvmre.capture.docker_build import DockerBuild, docker_build


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
