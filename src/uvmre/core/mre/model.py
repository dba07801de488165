"""The minimal reproducible example as a value. The docstring under a field is its reference."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from uvmre.core.mre.files import File
from uvmre.core.mre.symptom import FileSymptom, Symptom

if TYPE_CHECKING:
    from uvmre.core.mre.layer import Layer
    from uvmre.core.network.index import Fault, GitRepository, Index, StaticAnswer

MANIFEST = "mre.toml"
BUNDLED = ".uvmre/uv"
"""The folder of the releases of uv that come with a packed MRE."""
BASE = "as reported"
"""What the MRE itself is called among its variants."""
SCHEMA = 1
LEFT_OUT = frozenset({".uvmre", ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
"""Folders that come into that of an MRE by working in it, and are no part of it."""
DEFAULT_TIMEOUT = 300
FIXED_PORT = re.compile(
    rb"(?:127\.0\.0\.1|localhost|0\.0\.0\.0|\[::1?\])[\"']?\s{0,3}[:,]\s{0,3}\d{2,5}\b"
    rb"|--port[= ]\d|http\.server\b[^\n;&|]{0,80} \d{2,5}\b"
)
Role = Literal["setup", "observe"]
HOLDS = 100
"""Exit code of an observe step that checks a claim, where the claim holds; neither uv nor Python uses it."""

Expectation = Literal["absent", "present", "different"]


@dataclass(frozen=True)
class Step:
    """One shell command, run by `/bin/sh -c` in a shell of its own, as a Dockerfile's RUN is."""

    run: str
    """The command, or several lines of them."""
    role: Role = "setup"
    """"setup" must succeed, or the run is broken; "observe" is where the symptom is looked for."""
    name: str = ""
    """Its name in tables, and where another key names a step; by default, its command."""
    timeout: int = DEFAULT_TIMEOUT
    """Seconds after which the step and all that it started are ended."""
    idle_timeout: int = 0
    """Seconds without output or a request after which they are ended; 0 for no such limit."""
    shared: bool = False
    """Whether it is a `[[setup]]`, which comes before the steps of every variant."""
    layer: "Layer | None" = None
    """What it needs beside that, where it is a RUN of the MRE's Dockerfile; such a step ends the run if it fails."""

    @property
    def title(self) -> str:
        """Return the name, or the command's first line."""
        return self.name or self.run.strip().splitlines()[0]


@dataclass(frozen=True)
class Control:
    """A variant that proves that the MRE itself is sound: by default, the symptom must be absent in it."""

    name: str
    """Its name in tables."""
    expect: Expectation = "absent"
    """Whether the symptom must be "absent" (the default) or "present"; "different" if the step must fail in another
    way."""
    why: str = ""
    """What it shows, in one line."""
    explains: str = ""
    """The mistake that this variant fixes; if the symptom is then gone, the verdict is `explained`."""
    uv: str = ""
    """A release of uv for this variant only."""
    python: str = ""
    """An interpreter for this variant only."""
    without_uv: bool = False
    """Whether `uv` is not in PATH: if the symptom shows with `pip` or plain Python too, it is not uv's."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Override those of the environment."""
    unset: tuple[str, ...] = ()
    """Variables that this variant must not have."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Override the files of the folder."""
    replace: Mapping[str, str] = field(default_factory=dict)
    """Commands that replace those of the MRE's steps, by the names of the steps."""
    faults: bool = True
    """Whether the faults of the network are injected in this variant too."""
    symptom: Symptom | None = None
    """A symptom of its own, which `expect` is then about."""
    steps: tuple[Step, ...] = ()
    """Replace all the steps of the MRE."""
    indexes: "tuple[Index, ...]" = ()
    """Replace the indexes of the same URL."""


@dataclass(frozen=True)
class BackgroundService:
    """A server of the MRE's own that runs beside each variant, and ends with it."""

    name: str
    """Steps find its port in the variable `NAME_PORT`, and the only service's in `PORT`."""
    run: str
    """Its command, run by `/bin/sh -c`; it must listen on 127.0.0.1 at `$PORT`."""
    ready: str = ""
    """The path that must answer before the first step starts, as `/health`; by default, the port must accept
    connections."""
    timeout: int = 30
    """Seconds until it must be ready."""


@dataclass(frozen=True)
class Deviation:
    """A place where the author departed from the report, which the verdict then mentions."""

    from_: str
    """What the report says."""
    to: str
    """What the MRE has instead."""
    why: str = ""
    """Why it was necessary."""
    decides: bool = False
    """Whether the outcome may depend on it: then a missing symptom does not make a verdict of `not_reproducible`."""


@dataclass(frozen=True)
class Environment:
    """What the steps run in."""

    uv: str
    """The release of the report; or "latest", or the newest at the end of a day (UTC) as "@2026-07-01", which every run
    resolves and names."""
    python: str = ""
    """The interpreter, as "3.11"; by default, the one that runs uvmre."""
    pythons: tuple[str, ...] = ()
    """More interpreters, one of each minor version: `python3.8` is in PATH, and its path in the variable
    `PYTHON_3_8`."""
    python_downloads: bool = False
    """Whether uv's downloads of Python are answered, with the interpreters of `python` and `pythons`. Older releases
    have a fixed list only, so add `needs = ["UV_PYTHON_DOWNLOADS_JSON_URL"]`."""
    platform: str = ""
    """The platform that the interpreter claims, as `sysconfig.get_platform()` returns it: "netbsd-10.0-amd64",
    "macosx-14.0-arm64", "win-amd64". uv then has its markers and wheels; the system itself stays this one."""
    reported_platform: str = ""
    """The platform of the report, as text: the report names it, and the verdict on an absent symptom, if it is no
    Linux."""
    exclude_newer: datetime.date | datetime.datetime | None = None
    """The cutoff date of PyPI: a day, whose end in UTC counts, or a time with its offset. uv and uv-build, which the
    release under test decides, are exempt."""
    clock: bool = False
    """Whether the steps' clock starts at the cutoff date: at the end of the day in UTC, or at the time. It needs
    libfaketime, and a uv that is not linked statically."""
    env_file: str = ""
    """A file of the folder with more variables, one NAME=value a line, as `docker run --env-file` reads it."""
    home: str = ""
    """A folder of the MRE whose content is put into the steps' home."""
    path: tuple[str, ...] = ()
    """Folders of the MRE that come first in PATH."""
    allow_hosts: tuple[str, ...] = ()
    """Hosts that steps may reach, in addition to the indexes; `*.` in front stands for every name below."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the steps, which override those of the env file."""


@dataclass(frozen=True)
class Mre:
    """A whole MRE: the manifest's fields and the folder's files (without the manifest)."""

    title: str
    """What the report says, in one line."""
    environment: Environment
    steps: tuple[Step, ...]
    """Those of `[[setup]]` and `[[step]]`; without any of the latter, those of the Dockerfile."""
    symptom: Symptom
    controls: tuple[Control, ...] = ()
    issue: str = ""
    """The URL of the report."""
    private: bool = False
    """Whether it has something private that could not be replaced without losing the symptom."""
    needs: tuple[str, ...] = ()
    """What a release must know for a run to tell anything; one that does not is `broken`, and a search takes it for
    neither good nor bad. A command with options, as "uv audit --fix", is known if uv accepts it before `--help`; a
    setting, as "required-environments", or a variable, as "UV_TORCH_BACKEND", if the binary contains that name."""
    expected: Symptom | None = None
    """What one sees on a release without the bug, on a step that succeeds unless it has an `exit`; a run that shows
    neither is no answer."""
    services: tuple[BackgroundService, ...] = ()
    indexes: "tuple[Index, ...]" = ()
    """Answered on this machine; the public test index is there without being named."""
    answers: "tuple[StaticAnswer, ...]" = ()
    repositories: "tuple[GitRepository, ...]" = ()
    faults: "tuple[Fault, ...]" = ()
    deviations: tuple[Deviation, ...] = ()
    files: tuple[File, ...] = ()

    def file(self, path: str) -> File | None:
        """Return the file of that path."""
        return next((file for file in self.files if file.path == path), None)

    @property
    def is_guess(self) -> bool:
        """Tell whether an absent symptom proves nothing, because the author guessed what decides."""
        return self.symptom.guess or any(each.decides for each in self.deviations)

    @property
    def host_keys(self) -> list[str]:
        """Return its keys that only backends on this machine's own system understand."""
        own = self.environment
        used: dict[str, object] = {"service": self.services, "clock": own.clock, "pythons": own.pythons}
        used |= {"platform": own.platform, "python-downloads": own.python_downloads}
        used["symptom"] = any(each.needs_host for each in (self.symptom, self.expected) if each)
        used["idle-timeout"] = any(step.idle_timeout for step in self.steps)
        return [key for key, value in used.items() if value]

    @property
    def observed_files(self) -> tuple[FileSymptom, ...]:
        """Return the files of the symptom and of what is expected."""
        return self.symptom.files + (self.expected.files if self.expected else ())

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of the steps: those of the env file, and the manifest's over them."""
        file = self.file(self.environment.env_file)
        file_variables = read_env_file(file.content.decode(errors="replace")) if file else {}
        return file_variables | dict(self.environment.variables)


def has_fixed_port(*variants: Mre) -> bool:
    """Tell whether variants name a local port, on which one could meet the server of another."""
    files = any(FIXED_PORT.search(file.content) for mre in variants for file in mre.files)
    return files or any(FIXED_PORT.search(step.run.encode()) for mre in variants for step in mre.steps)


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
    replaced = {index.url for index in control.indexes}
    added = tuple(File(path, text.encode(), path in executable) for path, text in control.files.items())
    return replace(
        mre,
        environment=replace(mre.environment, variables=variables, python=control.python or mre.environment.python),
        files=kept + added,
        steps=_steps(mre, control),
        symptom=control.symptom or mre.symptom,
        expected=None,  # of a release without the bug, which a control is not
        indexes=(*(index for index in mre.indexes if index.url not in replaced), *control.indexes),
        faults=mre.faults if control.faults else (),
        controls=(),
    )


def _steps(mre: Mre, control: Control) -> tuple[Step, ...]:
    """Return the steps of a variant: its own after the shared ones, or those of the MRE with other commands."""
    if control.steps:
        return (*(step for step in mre.steps if step.shared), *control.steps)
    return tuple(
        replace(step, run=control.replace[step.title], name=step.title) if step.title in control.replace else step
        for step in mre.steps
    )


def _without_variables(file: File, names: tuple[str, ...]) -> File:
    """Return an env file without the lines of some variables."""
    if not names:
        return file
    lines = file.content.decode(errors="replace").split("\n")
    kept = [line for line in lines if line.removeprefix("\ufeff").lstrip().partition("=")[0] not in names]
    return replace(file, content="\n".join(kept).encode())
