"""The layer of a step that is a RUN of a Dockerfile: what the instructions before it create."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from uvmre.core.mre.files import File

HOME = "/root"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The default PATH of an image."""
MACHINE = ("bin", "sbin", "lib", "lib32", "lib64", "usr", "etc", "dev", "proc", "sys")
"""Folders that stay those of the machine when there is no image."""
USUAL = (
    *("app", "build", "cache", "code", "data", "home", "mnt", "mre", "opt", "project", "repo", "root", "run", "src"),
    *("srv", "test", "tmp", "var", "venv", "work", "workdir", "workspace"),
)
"""Folders that commands write to although no instruction names them."""


@dataclass(frozen=True)
class StageStart:
    """A stage starts from an empty image or from another stage."""

    stage: int
    base: int | None


@dataclass(frozen=True)
class LayerFolder:
    """A folder is created, if it does not exist."""

    path: str


@dataclass(frozen=True)
class StageFetch:
    """A path is copied from another stage."""

    stage: int
    source: str
    target: str
    """Ends with `/` for a folder."""


@dataclass(frozen=True)
class Layer:
    """One RUN; paths are absolute paths of the image."""

    argv: tuple[str, ...]
    """The shell with the command, or the exec form."""
    cwd: str = "/"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those of ENV and ARG."""
    before: "tuple[StageStart | LayerFolder | StageFetch | File, ...]" = ()
    """Changes to the image since the previous RUN."""
    mounts: tuple[File, ...] = ()
    """Files that exist only while it runs."""
    owned: tuple[str, ...] = ()
    """Paths that belong to the image and not to the machine, with everything below them."""
    refused: str = ""
    """Why it needs an image, if it does."""
