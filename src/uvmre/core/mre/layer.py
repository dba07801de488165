"""What a step needs that is a RUN of a Dockerfile: what the instructions before it laid down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from uvmre.core.mre.files import File

HOME = "/root"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Of every image that says nothing else."""
MACHINE = ("bin", "sbin", "lib", "lib32", "lib64", "usr", "etc", "dev", "proc", "sys")
"""Folders that are the machine's own where no image is: its commands and libraries."""
USUAL = (
    *("app", "build", "cache", "code", "data", "home", "mnt", "mre", "opt", "project", "repo", "root", "run", "src"),
    *("srv", "test", "tmp", "var", "venv", "work", "workdir", "workspace"),
)
"""Folders that commands write to without any instruction having named them before."""


@dataclass(frozen=True)
class StageStart:
    """A stage begins: from an empty image, or from what another stage left."""

    stage: int
    base: int | None


@dataclass(frozen=True)
class LayerFolder:
    """A folder is made, if it is not there."""

    path: str


@dataclass(frozen=True)
class StageFetch:
    """Something is copied from another stage."""

    stage: int
    source: str
    target: str
    """Ends with `/` where it is a folder."""


@dataclass(frozen=True)
class Layer:
    """One RUN. Paths are those of the image, absolute."""

    argv: tuple[str, ...]
    """What is executed: the shell with the command, or an exec form."""
    cwd: str = "/"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those of ENV and ARG."""
    before: "tuple[StageStart | LayerFolder | StageFetch | File, ...]" = ()
    """What happens to the image between the RUN before and this one."""
    mounts: tuple[File, ...] = ()
    """Files that are there only while it runs."""
    owned: tuple[str, ...] = ()
    """Paths that mean the image's and not the machine's, with all that is below them."""
    refused: str = ""
    """Why it cannot be done without an image, where it cannot."""
