"""The build command of each engine, and how what it leaves is removed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uvmre.run.engines import availability
from uvmre.run.engines.availability import Engine
from uvmre.run.limits import StepLimits

RUN = "org.uvmre.run"
"""The label that names the build."""
BUILDX = 23
"""From this client on docker builds with buildx, which can skip writing the image."""


@dataclass(frozen=True)
class Build:
    """One build, whatever the engine."""

    name: str
    """The value of the label RUN."""
    context: Path
    dockerfile: Path
    image: Path
    """Where the engine writes the id of the built image."""
    labels: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    seconds: int = 0
    """The longest time limit of a step."""

    @property
    def image_ids(self) -> list[str]:
        """Return the id of the built image, if any."""
        return [self.image.read_text().strip()] if self.image.exists() else []


@dataclass(frozen=True)
class Builder:
    """An engine, or one of its builders."""

    log_format: str
    arguments: Callable[[Engine, Build], Sequence[str]]
    """Return the arguments of the engine's command."""
    clean: Callable[[Engine, Build, Sequence[str]], None]
    """Remove what a build left; the last argument are the images named in its log."""


def builder(engine: Engine) -> Builder:
    """Return the builder of an engine."""
    if engine.name == "docker":
        return BUILDERS["buildkit" if engine.buildkit else "classic"]
    return BUILDERS[engine.name]


def _common(build: Build) -> list[str]:
    # A RUN reaches the gateway only over the host's network.
    arguments = ["--network", "host", "--no-cache", "--file", str(build.dockerfile)]
    arguments += [word for name, value in build.labels.items() for word in ("--label", f"{name}={value}")]
    arguments += [word for name, value in build.arguments.items() for word in ("--build-arg", f"{name}={value}")]
    arguments += [word for name, path in build.secrets.items() for word in ("--secret", f"id={name},src={path}")]
    return [*arguments, *StepLimits().engine_options(build.seconds), str(build.context)]


def _buildkit(engine: Engine, build: Build) -> list[str]:
    # The image is not needed, and writing it takes longer than most steps.
    modern = int(engine.client.partition(".")[0] or 0) >= BUILDX
    image = ["--output", "type=cacheonly"] if modern else ["--iidfile", str(build.image)]
    return ["build", "--progress", "plain", *image, *_common(build)]


def _classic(_: Engine, build: Build) -> list[str]:
    return ["build", "--rm", "--force-rm", "--iidfile", str(build.image), *_common(build)]


def _podman(_: Engine, build: Build) -> list[str]:
    # Without layers a failed build leaves no image, and a successful one a single image.
    return ["build", "--rm", "--force-rm", "--layers=false", "--iidfile", str(build.image), *_common(build)]


def _buildah(engine: Engine, build: Build) -> list[str]:
    return ["bud", *_podman(engine, build)[1:]]


def _clean(engine: Engine, build: Build, images: Sequence[str]) -> None:
    _remove(engine, "rmi", [*build.image_ids, *reversed(images)])


def _clean_classic(engine: Engine, build: Build, images: Sequence[str]) -> None:
    if not build.image_ids:  # the daemon may still have a container
        process = availability.call(
            engine, [*availability.COMMANDS[engine.name].containers, f"label={RUN}={build.name}"]
        )
        _remove(engine, "rm", [] if process.exit else process.stdout.decode().split())
    _clean(engine, build, images)


def _remove(engine: Engine, verb: str, ids: Sequence[str]) -> None:
    if ids:
        availability.call(engine, [verb, "--force", *dict.fromkeys(ids)])


BUILDERS: Mapping[str, Builder] = {
    "buildkit": Builder("buildkit", _buildkit, _clean),
    "classic": Builder("classic", _classic, _clean_classic),
    "podman": Builder("buildah", _podman, _clean),
    "buildah": Builder("buildah", _buildah, _clean),
}
