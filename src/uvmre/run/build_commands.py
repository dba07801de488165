"""How each engine is told to build, one row of argument builders each, and how what it made is removed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uvmre.run import engines
from uvmre.run.engines import Engine

RUN = "org.uvmre.run"
"""The label that says which build something is of."""
BUILDX = 23
"""Since this client docker builds by buildx, which can leave the image unwritten."""


@dataclass(frozen=True)
class Build:
    """One build, whatever the engine."""

    name: str
    """The value of the label that only what is of this build has."""
    context: Path
    dockerfile: Path
    image: Path
    """Where the engine writes the id of the image that it made."""
    labels: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)

    @property
    def image_ids(self) -> list[str]:
        """Return the id of the image, where there is one."""
        return [self.image.read_text().strip()] if self.image.exists() else []


@dataclass(frozen=True)
class Builder:
    """One engine, or one of its builders."""

    log_format: str
    """Who understands what it says."""
    arguments: Callable[[Engine, Build], Sequence[str]]
    """Return the words after the engine's command."""
    clean: Callable[[Engine, Build, Sequence[str]], None]
    """Remove what a build made; the engine named the last of these while it built."""


def builder(engine: Engine) -> Builder:
    """Return the row of an engine."""
    if engine.name == "docker":
        return BUILDERS["buildkit" if engine.buildkit else "classic"]
    return BUILDERS[engine.name]


def _common(build: Build) -> list[str]:
    # Without the host's network a RUN does not reach the gateway; nor anything, where the engine has no bridge.
    words = ["--network", "host", "--no-cache", "--file", str(build.dockerfile)]
    words += [word for name, value in build.labels.items() for word in ("--label", f"{name}={value}")]
    words += [word for name, value in build.arguments.items() for word in ("--build-arg", f"{name}={value}")]
    words += [word for name, path in build.secrets.items() for word in ("--secret", f"id={name},src={path}")]
    return [*words, str(build.context)]


def _buildkit(engine: Engine, build: Build) -> list[str]:
    # Nobody looks at the image, and to write it takes longer than most steps.
    modern = int(engine.client.partition(".")[0] or 0) >= BUILDX
    image = ["--output", "type=cacheonly"] if modern else ["--iidfile", str(build.image)]
    return ["build", "--progress", "plain", *image, *_common(build)]


def _classic(_: Engine, build: Build) -> list[str]:
    return ["build", "--rm", "--force-rm", "--iidfile", str(build.image), *_common(build)]


def _podman(_: Engine, build: Build) -> list[str]:
    # Without layers in between a failed build leaves no image, and a good one only one.
    return ["build", "--rm", "--force-rm", "--layers=false", "--iidfile", str(build.image), *_common(build)]


def _buildah(engine: Engine, build: Build) -> list[str]:
    return ["bud", *_podman(engine, build)[1:]]


def _clean(engine: Engine, build: Build, images: Sequence[str]) -> None:
    _remove(engine, "rmi", [*build.image_ids, *reversed(images)])


def _clean_classic(engine: Engine, build: Build, images: Sequence[str]) -> None:
    if not build.image_ids:  # the daemon may have a container still
        _remove(engine, "rm", _labelled(engine, engines.COMMANDS[engine.name].containers, build))
    _clean(engine, build, images)


def _labelled(engine: Engine, words: Sequence[str], build: Build) -> list[str]:
    asked = engines.call(engine, [*words, f"label={RUN}={build.name}"])
    return [] if asked.exit else asked.stdout.decode().split()


def _remove(engine: Engine, verb: str, what: Sequence[str]) -> None:
    if what:
        engines.call(engine, [verb, "--force", *dict.fromkeys(what)])


BUILDERS: Mapping[str, Builder] = {
    "buildkit": Builder("buildkit", _buildkit, _clean),
    "classic": Builder("classic", _classic, _clean_classic),
    "podman": Builder("buildah", _podman, _clean),
    "buildah": Builder("buildah", _buildah, _clean),
}
