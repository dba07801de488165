"""The Dockerfiles of an MRE."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from uvmre.core.dockerfile.parser import DOCKERFILE, RunInstruction, Stage, parse, parse_run, stages
from uvmre.core.shell.uv_calls import parse_calls
from uvmre.errors import InputError
from uvmre.lint.subject import Subject


@dataclass(frozen=True)
class DockerfileImage:
    """One stage of a Dockerfile."""

    path: str
    text: str
    stage: Stage

    @property
    def runs(self) -> tuple[RunInstruction, ...]:
        """Return its RUNs."""
        return tuple(parse_run(each) for each in self.stage.instructions if each.name == "RUN")

    @property
    def variables(self) -> frozenset[str]:
        """Return the names that ENV and ARG set."""
        return frozenset(
            name for each in self.stage.instructions if each.name in ("ENV", "ARG") for name, _ in each.pairs
        )


def images(subject: Subject) -> Iterator[DockerfileImage]:
    """Yield the stages of every valid Dockerfile."""
    for path, text in subject.texts.items():
        name = PurePosixPath(path).name
        if name.startswith(DOCKERFILE) or name.endswith(f".{DOCKERFILE}") or name == "Containerfile":
            try:
                _, found = stages(parse(text, path))
            except InputError:
                continue
            for stage in found:
                yield DockerfileImage(path, text, stage)


def uses_uv(text: str) -> bool:
    """Return whether a shell command runs uv."""
    return any(call.argv and call.argv[0].rpartition("/")[2] in ("uv", "uvx") for call in parse_calls(text))
