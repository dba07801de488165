"""The minimal reproducible example as a value. The docstring under a field is its reference."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from uvmre.core.mre.files import File

if TYPE_CHECKING:
    from uvmre.core.mre.layer import Layer
    from uvmre.core.network.index import Fault, Index

MANIFEST = "mre.toml"
BUNDLED = ".uvmre/uv"
"""The folder of the releases of uv that come with a packed MRE."""
BASE = "as reported"
"""What the MRE itself is called among its variants."""
SCHEMA = 1
LEFT_OUT = frozenset({".uvmre", ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
"""Folders that come into that of an MRE by working in it, and are no part of it."""
DEFAULT_TIMEOUT = 300
Role = Literal["setup", "observe"]
HOLDS = 100
"""Exit code of an observe step that checks a claim, where the claim holds; neither uv nor Python uses it."""

Expectation = Literal["absent", "present"]


@dataclass(frozen=True)
class Step:
    """One shell command, run by `/bin/sh -c` in a shell of its own, as a Dockerfile's RUN is."""

    run: str
    role: Role = "setup"
    """`setup` must work, or the run is broken; `observe` is where the symptom is looked for."""
    name: str = ""
    """What tables call it; the command where there is none."""
    timeout: int = DEFAULT_TIMEOUT
    """Seconds after which the step and all that it started are ended."""
    layer: "Layer | None" = None
    """What it needs beside that, where it is a RUN of the MRE's Dockerfile; such a step ends the run if it fails."""

    @property
    def title(self) -> str:
        """Return the name, or the command's first line."""
        return self.name or self.run.strip().splitlines()[0]


@dataclass(frozen=True)
class FilePattern:
    """Text that must stand in a file after the steps."""

    path: str
    contains: str
    """Compared as output is; `…` stands for anything."""


@dataclass(frozen=True)
class Symptom:
    """What one sees when the bug shows: all of it, on one and the same observe step."""

    exit: int | Literal["failure"] | None = None
    """The exit code, or "failure" for any but 0."""
    output: tuple[str, ...] = ()
    """Texts that must all stand in the step's output, in this order; layout does not count, `…` stands for anything."""
    files: tuple[FilePattern, ...] = ()
    """Files to look at when the steps are done."""
    expected: tuple[str, ...] = ()
    """Texts that a release without the bug prints instead; a newer one that prints them is fixed, even if it fails."""

    @property
    def bare(self) -> bool:
        """Tell whether it is an exit code alone, which any failure or any success of the step could give."""
        return not self.output and not self.files


@dataclass(frozen=True)
class Control:
    """A variant in which the symptom must be absent (or present): it proves that the MRE itself is sound."""

    name: str
    expect: Expectation
    why: str = ""
    """What it shows, in one line."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Laid over the environment's."""
    unset: tuple[str, ...] = ()
    """Variables that this variant must not have."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Laid over the folder's files."""
    steps: tuple[Step, ...] = ()
    """Instead of the MRE's own, where there are any."""
    explains: str = ""
    """The mistake that this variant fixes; where the symptom then goes, the verdict is `explained`."""
    faults: bool = True
    """Whether the MRE's faults of the network happen here too."""


@dataclass(frozen=True)
class Environment:
    """What the steps run in."""

    uv: str
    """The release of the report."""
    python: str = ""
    """The interpreter, as `3.11`; that of uvmre itself where empty."""
    variables: Mapping[str, str] = field(default_factory=dict)
    env_file: str = ""
    """A file of the folder with more variables, one NAME=value a line, as `docker run --env-file` reads it."""
    exclude_newer: datetime.date | None = None
    """The day of the report: PyPI is as it was at its end."""
    home: str = ""
    """A folder of the MRE whose content is put into the steps' home (`.netrc`, say)."""
    path: tuple[str, ...] = ()
    """Folders of the MRE that come first in the steps' PATH."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that the gateway lets through beside the indexes; `*.` in front stands for every name below."""


@dataclass(frozen=True)
class Mre:
    """A whole MRE: the manifest's fields and the folder's files (without the manifest)."""

    title: str
    environment: Environment
    steps: tuple[Step, ...]
    """Where the manifest has none, those of the Dockerfile."""
    symptom: Symptom
    controls: tuple[Control, ...] = ()
    issue: str = ""
    indexes: "tuple[Index, ...]" = ()
    """Answered on this machine; the public test index is there without being named."""
    faults: "tuple[Fault, ...]" = ()
    files: tuple[File, ...] = ()

    def file(self, path: str) -> File | None:
        """Return the file of that path."""
        return next((file for file in self.files if file.path == path), None)

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of the steps: those of the env file, and the manifest's over them."""
        file = self.file(self.environment.env_file)
        file_variables = read_env_file(file.content.decode(errors="replace")) if file else {}
        return file_variables | dict(self.environment.variables)


def slug(text: str) -> str:
    """Return a name for a folder or a file that a person recognises."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "step"


def read_env_file(text: str) -> dict[str, str]:
    """Read NAME=value lines by Docker's rule: no quotes, no expansion, `#` only at a line's start.

    A name alone means the same variable outside, where nothing is inherited, and so gives none.
    """
    lines = (line.removesuffix("\r").lstrip() for line in text.removeprefix("\ufeff").split("\n"))
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, equals, value in pairs if equals}


def overlay(mre: Mre, control: Control) -> Mre:
    """Return the variant that a control describes."""
    variables = dict(mre.environment.variables) | dict(control.variables)
    variables = {name: value for name, value in variables.items() if name not in control.unset}
    files = (
        _without_variables(file, control.unset) if file.path == mre.environment.env_file else file for file in mre.files
    )
    kept = tuple(file for file in files if file.path not in control.files)
    executable = {file.path for file in mre.files if file.executable}
    added = tuple(File(path, text.encode(), path in executable) for path, text in control.files.items())
    return replace(
        mre,
        environment=replace(mre.environment, variables=variables),
        files=kept + added,
        steps=control.steps or mre.steps,
        faults=mre.faults if control.faults else (),
        controls=(),
    )


def _without_variables(file: File, names: tuple[str, ...]) -> File:
    """Return an env file without the lines of some variables."""
    if not names:
        return file
    lines = file.content.decode(errors="replace").split("\n")
    kept = [line for line in lines if line.removeprefix("\ufeff").lstrip().partition("=")[0] not in names]
    return replace(file, content="\n".join(kept).encode())
