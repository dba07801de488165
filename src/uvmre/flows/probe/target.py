"""What a search runs on every release: an MRE, or a script."""

import hashlib
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, BUNDLED, Environment, Mre, overlay
from uvmre.core.outcome import script
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import digest
from uvmre.core.secrets.redact import redact, secrets
from uvmre.core.triage.other_release import judge_release
from uvmre.errors import UsageError
from uvmre.flows.probe.judging import judging_digest
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import read_mre
from uvmre.folder.written import read_origin
from uvmre.run.environment import SYSTEM_PATH

SCRIPT_RECORDINGS = "recordings"
"""The cache's folder of scripts' recordings; each script has its own."""
SHEBANG = b"#!"
PYENV = "PYENV_ROOT"


@dataclass(frozen=True, kw_only=True)
class ProbeTarget:
    """What is run on a release, and how it is judged."""

    title: str
    issue: str = ""
    reported: str = ""
    """The reported release, which every other release is compared with; empty for a script."""
    python: str = ""
    base: Mre
    """Configures the gateway for all variants."""
    variants: Mapping[str, Mre]
    """The selected variants by name."""
    recording: Path
    bundled: Path | None = None
    """The folder of the releases that come with the MRE."""
    script: tuple[str, ...] = ()
    """The script with its arguments; empty for an MRE."""
    path: tuple[str, ...] = SYSTEM_PATH
    """The last folders of the steps' PATH."""
    digests: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    """Where the MRE came from, if that is outside."""
    secrets: frozenset[str] = frozenset()
    """Redacted in all that is printed and stored."""
    controls: Mapping[str, Mre] = field(default_factory=dict)
    """The variants that must behave on a release before the MRE itself counts there."""

    def variant(self, name: str, release: str) -> Mre:
        """Return what is run on a release."""
        mre = self.variants.get(name) or self.controls[name]
        if not self.script:
            return mre
        variables = {**mre.environment.variables, script.RELEASE: release}
        return replace(mre, environment=replace(mre.environment, variables=variables))

    def judge(self, name: str, observation: Observation) -> Outcome:
        """Return the outcome of a run."""
        if self.script:
            return script.judge(observation)
        mre = self.variant(name, "")
        return judge_release(mre.symptom, mre.expected, observation, self.reported)

    def key(self, name: str) -> str:
        """Return the key of a variant's stored outcomes: all that decides them."""
        return self.digests[name] if self.script else f"{self.digests[name]} {judging_digest()} {self.reported}"

    def complaint(self, observation: Observation) -> str:
        """Return what is wrong with the script itself, if anything."""
        return script.invalid_exit(observation) if self.script else ""


def of_mre(folder: Path, names: Sequence[str] = (), *, every: bool = False, mre: Mre | None = None) -> ProbeTarget:
    """Select variants of the MRE in `folder`, or of `mre`: itself by default.

    Raises:
        UsageError: if the folder is not an MRE, or has no such variant.
    """
    mre = mre or read_mre(folder)
    variants = {BASE: replace(mre, controls=()), **{control.name: overlay(mre, control) for control in mre.controls}}
    values = secrets(mre)
    if unknown := [name for name in names if name not in variants]:
        raise UsageError(
            f"`{folder}` has no variant “{unknown[0]}”",
            redact(f"choose from {', '.join(f'“{name}”' for name in variants)}, or use `--all-variants`", values),
        )
    selected = {name: each for name, each in variants.items() if every or name in (names or (BASE,))}
    digests = {each.name: digest(replace(_bare(variants[each.name]), controls=(each,))) for each in mre.controls}
    return ProbeTarget(
        title=redact(mre.title, values),
        issue=redact(mre.issue, values),
        secrets=values,
        reported=mre.environment.uv,
        python=mre.environment.python,
        base=mre,
        variants=selected,
        recording=folder / RECORDING,
        origin=read_origin(folder),
        bundled=folder / BUNDLED,
        digests={**digests, BASE: digest(replace(_bare(mre), controls=mre.controls))},
        controls={each.name: variants[each.name] for each in mre.controls} if BASE in selected else {},
    )


def _bare(mre: Mre) -> Mre:
    """Return the part of an MRE that decides how it runs."""
    return replace(mre, title="", issue="", controls=(), environment=replace(mre.environment, uv="", python=""))


def of_script(arguments: Sequence[str], cache: Path) -> ProbeTarget:
    """Run a script in fresh folders; arguments that are files are made absolute.

    Raises:
        UsageError: if the script does not exist or is not executable.
    """
    paths = [str(Path(argument).resolve()) if Path(argument).is_file() else argument for argument in arguments[1:]]
    argv = (*script_command(arguments[0]), *paths)
    pyenv = os.environ.get(PYENV) or str(Path.home() / ".pyenv")
    variables = {PYENV: pyenv} if Path(pyenv).is_dir() else {}
    mre = replace(script.script_mre(argv), environment=Environment("", variables=variables))
    files = tuple(File(argument, Path(argument).read_bytes()) for argument in argv if Path(argument).is_file())
    key = digest(replace(_bare(mre), files=files))
    return ProbeTarget(
        title=redact(shlex.join(arguments)),
        base=mre,
        variants={BASE: mre},
        recording=cache / SCRIPT_RECORDINGS / hashlib.sha256(key.encode()).hexdigest()[:16],
        script=argv,
        path=search_path(),
        digests={BASE: key},
    )


def script_command(name: str) -> tuple[str, ...]:
    """Return the command that executes a script: the script itself, or the interpreter of its first line."""
    path = Path(name).absolute()
    if not path.is_file():
        found = shutil.which(name) if "/" not in name else None
        if found is None:
            raise UsageError(f"script `{name}` does not exist", "name a file, or a command on PATH")
        return (found,)
    if os.access(path, os.X_OK):
        return (str(path),)
    try:
        with path.open("rb") as file:
            first = file.readline(200)
    except OSError as error:
        raise UsageError(f"failed to read `{name}`", "check its permissions", cause=error.strerror or "") from None
    if first.startswith(SHEBANG) and (argv := shlex.split(first.removeprefix(SHEBANG).decode(errors="replace"))):
        return (*argv, str(path))
    raise UsageError(f"`{name}` is not executable and has no `#!` line", f"run `chmod +x {shlex.quote(name)}`")


def search_path() -> tuple[str, ...]:
    """Return this process's PATH without the active virtual environment, as `git bisect run` passes it on."""
    virtual_env = os.environ.get("VIRTUAL_ENV")
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return tuple(
        folder for folder in folders if folder and not (virtual_env and Path(folder).is_relative_to(virtual_env))
    )
