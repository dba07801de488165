"""What a search asks every release: the outcome of an MRE, or of a script."""

import hashlib
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, Environment, Mre, overlay
from uvmre.core.outcome import script
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import digest
from uvmre.core.outcome.symptom import Outcome
from uvmre.core.secrets.redact import redact, secrets
from uvmre.core.triage.other_release import judge_release
from uvmre.errors import UsageError
from uvmre.folder.evidence import RECORDING
from uvmre.folder.read import read_mre
from uvmre.releases import binaries
from uvmre.run.environment import SYSTEM_PATH

SCRIPT_RECORDINGS = "recordings"
"""Where the tapes of scripts are in the cache: one each, so that none hears what another recorded long ago."""
SHEBANG = b"#!"
PYENV = "PYENV_ROOT"
RULES = "rules 5"
"""Part of the key of stored outcomes of MREs: a change of core/symptom.py or core/proof.py needs a new number."""


@dataclass(frozen=True)
class ProbeTarget:
    """What is run on a release, and how it is judged."""

    title: str
    issue: str
    reported: str
    """The release of the report, where there is one; `judged` compares every other release with it."""
    python: str
    base: Mre
    """What makes the network; its variants have the same."""
    variants: Mapping[str, Mre]
    """What is asked for, by name."""
    recording: Path
    bundled: Path | None = None
    """Where the MRE has releases of its own."""
    words: tuple[str, ...] = ()
    """The script with its arguments, where it is one."""
    others: tuple[str, ...] = SYSTEM_PATH
    """The end of its PATH."""
    digests: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, Mre] = field(default_factory=dict)
    """The variants that must behave on a release before the MRE itself says anything there."""

    def variant(self, name: str, release: str) -> Mre:
        """Return what is run on a release."""
        mre = self.variants.get(name) or self.controls[name]
        if not self.words:
            return mre
        given = {**mre.environment.variables, script.RELEASE: release}
        return replace(mre, environment=replace(mre.environment, variables=given))

    def judge(self, name: str, observation: Observation) -> Outcome:
        """Say what a run comes to."""
        if self.words:
            return script.judge(observation)
        return judge_release(self.variant(name, "").symptom, observation, self.reported)

    def key(self, name: str) -> str:
        """Return the name under which the outcomes of a variant are stored: all that decides them."""
        return self.digests[name] if self.words else f"{self.digests[name]} {RULES} {self.reported}"

    def complaint(self, observation: Observation) -> str:
        """Say what is wrong with the question itself; empty where nothing is."""
        return script.invalid_exit(observation) if self.words else ""


def of_mre(folder: Path, names: Sequence[str] = (), *, every: bool = False, mre: Mre | None = None) -> ProbeTarget:
    """Read the MRE in `folder`, or take that one, and ask for some of its variants: itself where none is named.

    Raises:
        UsageError: when the folder is no MRE, or has no such variant.
    """
    mre = mre or read_mre(folder)
    all_of_it = {BASE: replace(mre, controls=()), **{each.name: overlay(mre, each) for each in mre.controls}}
    if unknown := [name for name in names if name not in all_of_it]:
        raise UsageError(
            f"{folder} has no variant “{unknown[0]}”.",
            f"It has {', '.join(f'“{name}”' for name in all_of_it)}; or take `--all-variants`.",
        )
    chosen = {name: each for name, each in all_of_it.items() if every or name in (names or (BASE,))}
    digests = {name: digest(_bare(each)) for name, each in all_of_it.items()}
    return ProbeTarget(
        title=redact(mre.title, secrets(mre)),
        issue=mre.issue,
        reported=mre.environment.uv,
        python=mre.environment.python,
        base=mre,
        variants=chosen,
        recording=folder / RECORDING,
        bundled=folder / binaries.BUNDLED,
        digests={**digests, BASE: digest(replace(_bare(mre), controls=mre.controls))},
        controls={each.name: all_of_it[each.name] for each in mre.controls} if BASE in chosen else {},
    )


def _bare(mre: Mre) -> Mre:
    """Return what of an MRE decides how it runs: its title and the release of the report do not."""
    return replace(mre, title="", issue="", controls=(), environment=replace(mre.environment, uv="", python=""))


def of_script(words: Sequence[str], cache: Path) -> ProbeTarget:
    """Ask by a script, which gets a fresh folder: an argument that is a file here is given with its whole path.

    Raises:
        UsageError: when there is no such script, or it cannot be executed.
    """
    whole = (*_executed(words[0]), *(str(Path(word).resolve()) if Path(word).is_file() else word for word in words[1:]))
    pyenv = os.environ.get(PYENV) or str(Path.home() / ".pyenv")
    variables = {PYENV: pyenv} if Path(pyenv).is_dir() else {}
    mre = script.script_mre(whole)
    mre = replace(mre, environment=Environment("", variables=variables))
    files = tuple(File(word, Path(word).read_bytes()) for word in whole if Path(word).is_file())
    name = digest(replace(_bare(mre), files=files))
    recording = cache / SCRIPT_RECORDINGS / hashlib.sha256(name.encode()).hexdigest()[:16]
    return ProbeTarget(shlex.join(words), "", "", "", mre, {BASE: mre}, recording, None, whole, _path(), {BASE: name})


def _executed(word: str) -> tuple[str, ...]:
    """Return what executes a script: itself, or what its first line names where it lacks the permission."""
    path = Path(word).absolute()
    if not path.is_file():
        found = shutil.which(word) if "/" not in word else None
        if found is None:
            raise UsageError(f"There is no script {word}.", "Name a file, or a command on PATH.")
        return (found,)
    if os.access(path, os.X_OK):
        return (str(path),)
    try:
        with path.open("rb") as file:
            first = file.readline(200)
    except OSError as error:
        raise UsageError(f"{word} cannot be read: {error.strerror}.", "Name a script that can.") from None
    if first.startswith(SHEBANG) and (by := shlex.split(first.removeprefix(SHEBANG).decode(errors="replace"))):
        return (*by, str(path))
    raise UsageError(
        f"{word} is not executable, and its first line names nothing that executes it.", f"chmod +x {shlex.quote(word)}"
    )


def _path() -> tuple[str, ...]:
    """Return the PATH of whoever asks, as `git bisect run` gives it; not that of a virtual environment."""
    own = os.environ.get("VIRTUAL_ENV")
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return tuple(folder for folder in folders if folder and not (own and Path(folder).is_relative_to(own)))
