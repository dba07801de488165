"""Make a clean MRE of a user's failing project: run it, replace what is private, prove that it still fails."""

import getpass
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uvmre import credentials
from uvmre.capture.build import Reproduction, build_mre
from uvmre.capture.docker_build import with_build
from uvmre.capture.error import Complaint, cause_of, symptom_of
from uvmre.capture.notes import count_by_kind, private_notes, spelling
from uvmre.capture.private.find import find_replacements, remaining_private
from uvmre.capture.private.replace import replace_private, replace_text
from uvmre.capture.private.strip import strip_text
from uvmre.capture.private.surroundings import Replacement, Surroundings
from uvmre.capture.project import split_commands
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.mre.model import Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.core.progress import Progress
from uvmre.core.triage.fill_in import NO_SYMPTOM, STUB, TO_FILL_IN
from uvmre.errors import CannotTell
from uvmre.flows.capturing.facts import PackageFacts, package_facts
from uvmre.flows.capturing.prove import Prover, replace_most
from uvmre.flows.capturing.recording import complete_recording
from uvmre.flows.capturing.relock import mark_wrong_hashes, relock
from uvmre.flows.capturing.user_run import UserRun, UserRunRequest, run_as_user
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.flows.scratch import scratch
from uvmre.flows.shrink import shrink
from uvmre.folder.evidence import forget_runs
from uvmre.folder.read import read_mre
from uvmre.folder.write import Confirm, require_usable, write_mre
from uvmre.project.folder import ProjectTree, read_project

MOST_REPEATS = 3
"""Runs of the user's commands, if their error does not show in the MRE."""
SHOWN = ("reproducible", "explained")


@dataclass(frozen=True)
class CaptureRequest:
    """What is captured."""

    commands: tuple[str, ...]
    """The commands, of which the last one fails."""
    complaint: Complaint
    """What is wrong with it, if it succeeds or hangs."""
    uv: str
    """The release of the MRE; by default, that of the `uv` on PATH."""
    seconds: float
    """The time limit of each command."""
    ask: Callable[[str], Mapping[str, Any]] | None = None
    """Asks what is wrong with a command that succeeds; returns fields of a `Complaint`."""


@dataclass(frozen=True)
class Captured:
    """An MRE of a project, and what was done to it. It has private values."""

    before: Mre
    """The MRE with the project's own names."""
    mre: Mre
    replaced: tuple[Replacement, ...]
    kept: tuple[Replacement, ...] = ()
    """What could not be replaced without losing the symptom."""
    remaining: tuple[str, ...] = ()
    """Words that may be private."""
    left_out: tuple[str, ...] = ()
    """The files of the project that are not in it."""
    notes: tuple[str, ...] = ()
    folder: Path = Path()
    verdict: str = ""
    runs: int = 0
    seconds: float = 0.0
    shrunk: str = ""
    """How much smaller it was made."""

    @property
    def kinds(self) -> dict[str, int]:
        """Return how many things of each kind were replaced."""
        return count_by_kind(self.replaced)

    @property
    def notes_file(self) -> Path:
        """Return the file with the private values, outside the MRE."""
        return self.folder.with_name(f"{self.folder.resolve().name}.private.txt")


def capture_request(
    arguments: Sequence[str], *, uv: str = "", seconds: float = 300.0, **complaint: Any
) -> CaptureRequest:
    """Return a request for a command line; `complaint` are the fields of `Complaint`."""
    return CaptureRequest(split_commands(arguments), Complaint(**complaint), uv, seconds)


def capture(
    folder: Path,
    target: Path,
    request: CaptureRequest,
    options: RunOptions,
    *,
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> Captured:
    """Make an MRE in `target` of the project in `folder`, whose last command fails.

    Args:
        folder: the project, which is only read.
        target: an empty or new folder.
        request: what is run, in a copy, with the user's environment and credentials.
        options: how the MRE is run.
        force: replace the files of an MRE that uvmre wrote there.
        confirm: asked for confirmation unless `force` is set.
        progress: a progress callback.

    Raises:
        UsageError: if the project, the command or the folder is invalid.
        CannotTell: if the command succeeds, has no answer, or fails otherwise in the MRE.
    """
    progress, started = progress or Progress(), time.monotonic()
    require_usable(target, may_replace=force or confirm is not None)
    environment = {**os.environ, **credentials.take_secret_variables()}
    user_request = UserRunRequest(request.commands, environment, request.uv, request.seconds, request.complaint.hangs)
    tree = read_project(folder, user_request.texts)
    user_run = run_as_user(tree, user_request, progress)
    facts = package_facts(user_run.project, progress)
    prover = Prover(options, progress)
    reproduction = (
        _reproduction(user_run, request) if user_run.results else _reproduction_of_runs(user_run, facts, prover)
    )
    attempt = _prove(user_run, reproduction, facts, prover)
    if attempt is None:
        progress.detail("the error does not show without the sources: trying with them")
        whole = read_project(folder, user_request.texts, sources=True)
        with_sources = replace(user_run, project=replace(user_run.project, files=whole.files, left_out=whole.left_out))
        attempt = _prove(with_sources, reproduction, facts, prover, sources=True)
    if attempt is None:
        raise _lost(tree, user_request, user_run, reproduction, prover)
    captured = replace(attempt, folder=target, notes=facts.notes)
    write_mre(attempt.mre, target, force=force, confirm=confirm)
    forget_runs(target)
    _write_notes(captured)
    verdict = run(target, options, progress=progress).verdict
    if verdict.word not in SHOWN:
        raise CannotTell(
            "the error does not show in every run of the MRE",
            f"find what it depends on (time, order, load); the MRE is in `{target}`",
            cause=verdict.reason,
        )
    complete_recording(target, options, progress)
    return replace(captured, verdict=verdict.word, seconds=time.monotonic() - started, runs=prover.runs + 1)


def shrink_captured(captured: Captured, options: RunOptions, progress: Progress) -> Captured:
    """Replace the MRE by a smaller one; the smallest so far is always in its folder.

    Raises:
        UsageError: as `shrink` does.
        CannotTell: as `shrink` does.
        Interrupted: on ^C.
    """
    with scratch() as root:
        whole = root / "mre"
        write_mre(captured.mre, whole, force=False)
        found = shrink(whole, options, output=captured.folder, boundary_seconds=0, progress=progress)
    small = read_mre(captured.folder)
    small = replace(small, title=_title(small.steps[-1].title, small.symptom))
    write_mre(small, captured.folder, force=True)
    run(captured.folder, options, progress=progress)
    complete_recording(captured.folder, options, progress)
    sizes = f"{found.before.bytes} → {found.after.bytes} bytes, {found.before.files} → {found.after.files} files"
    return replace(captured, mre=small, shrunk=f"{sizes}, {found.calls} tries")


def from_project(
    folder: Path,
    target: Path,
    *,
    uv: str = "",
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> Captured:
    """Make an MRE in `target` of the project in `folder`, to be completed: nothing is run, and so nothing is proven.

    Raises:
        UsageError: if the project or the folder is invalid, or there is no uv.
    """
    progress = progress or Progress()
    request = UserRunRequest((), {**os.environ, **credentials.take_secret_variables()}, uv)
    tree = read_project(folder, request.texts)
    user_run = run_as_user(tree, request, progress)
    facts = package_facts(user_run.project, progress)
    before = _build(user_run, Reproduction(TO_FILL_IN, STUB, ("uv sync",)), facts)
    surroundings = _surroundings(user_run, facts)
    replacements = find_replacements(strip_text(before), surroundings)
    mre = relock(replace_private(strip_text(before), replacements))
    remaining = remaining_private(mre, surroundings, replacements)
    captured = Captured(before, mre, replacements, (), remaining, tree.left_out, facts.notes, target)
    write_mre(mre, target, force=force, confirm=confirm, comments=[NO_SYMPTOM, "replace the step by what fails"])
    _write_notes(captured)
    return captured


def _write_notes(captured: Captured) -> None:
    """Write what was replaced by what, for the user alone."""
    more = {
        "Needed for the error, and still private": [spelling(each) for each in captured.kept if each.private],
        "May be private": captured.remaining,
        "Left out": captured.left_out,
    }
    text = private_notes(captured.before, captured.mre, captured.replaced, more)
    captured.notes_file.touch(0o600)
    captured.notes_file.chmod(0o600)
    captured.notes_file.write_text(text, encoding="utf-8")


def _reproduction(user_run: UserRun, request: CaptureRequest) -> Reproduction:
    """Return what the user's commands showed.

    Raises:
        CannotTell: if they succeed, and nothing says what is wrong with that.
    """
    last, steps = user_run.last, tuple(each.title for each in user_run.results)
    complaint = request.complaint
    if request.ask and not last.exit:
        complaint = Complaint(**request.ask(last.title))
    if symptom := complaint.symptom:
        timeout = math.ceil(last.seconds) if complaint.hangs else 0
        return Reproduction(_title(last.title, symptom), symptom, steps, user_run.had_environment, timeout)
    if not last.exit:
        raise CannotTell(
            f"`{last.title}` succeeds",
            "say what is wrong: `--prints TEXT`, `--lacks TEXT`, `--leaves PATH`, `--leaves-no PATH`",
        )
    return Reproduction(
        _title(last.title, symptom_of(last)), symptom_of(last), steps, user_run.had_environment, output=last.stderr
    )


def _reproduction_of_runs(user_run: UserRun, facts: PackageFacts, prover: Prover) -> Reproduction:
    """Return what the RUNs of a Dockerfile show behind the gateway, where no engine can build it.

    Raises:
        CannotTell: if none of them fails.
    """
    command = user_run.project.commands[-1]
    steps = prover.observe(_build(user_run, Reproduction(command, STUB, (command,)), facts)).steps
    failed = next((step for step in steps if step.exit), None)
    if failed is None:
        raise CannotTell(f"no RUN of `{command}` fails without an engine", "install docker, podman or buildah")
    return Reproduction(_title(failed.title, symptom_of(failed)), symptom_of(failed), (command,), output=failed.stderr)


def _build(user_run: UserRun, reproduction: Reproduction, facts: PackageFacts) -> Mre:
    """Return the MRE of the project with the user's own names."""
    project = replace(user_run.project, files=mark_wrong_hashes(user_run.project.files, facts.hashes))
    mre = build_mre(project, reproduction, facts.indexes, facts.locked, datetime.now(UTC).date())
    return with_build(mre, user_run.project, user_run.build) if user_run.build else mre


def _title(command: str, symptom: Symptom) -> str:
    return f"`{command}`" + (f" fails: {'; '.join(symptom.output)}" if symptom.exit == "failure" else "")


def _prove(
    user_run: UserRun, reproduction: Reproduction, facts: PackageFacts, prover: Prover, *, sources: bool = False
) -> Captured | None:
    """Return the MRE with as much replaced as the error survives; None if it does not survive the stand-ins.

    With `sources`, the code of the project stays, and the MRE is private.
    """
    before = _build(user_run, reproduction, facts)
    stripped = strip_text(before, code=sources)
    surroundings = _surroundings(user_run, facts)
    # Comments and descriptions would name what nothing else does.
    replacements = find_replacements(stripped, surroundings)

    def candidate(chosen: Sequence[Replacement]) -> tuple[Mre, str]:
        mre = relock(replace_private(stripped, tuple(chosen)))
        expected = replace_text(reproduction.output, tuple(chosen))
        return (with_steps(replace(mre, steps=())) if user_run.build else mre), expected

    proven = replace_most(candidate, replacements, prover)
    if proven is None:
        return None
    return Captured(
        before,
        replace(proven.mre, private=sources or len(proven.replaced) < len(replacements)),
        proven.replaced,
        kept=tuple(each for each in replacements if each not in proven.replaced),
        remaining=remaining_private(proven.mre, surroundings, proven.replaced),
        left_out=user_run.project.left_out,
    )


def _surroundings(user_run: UserRun, facts: PackageFacts) -> Surroundings:
    passwords = (each.configured for each in facts.indexes)
    secrets = {value for each in passwords for value in (each.password, each.username if not each.password else "")}
    return Surroundings(
        folder=str(user_run.root),
        home=str(Path.home()),
        user=getpass.getuser(),
        host=os.uname().nodename,
        public=facts.public,
        secrets=frozenset(value for value in secrets if value),
    )


def _lost(
    tree: ProjectTree, request: UserRunRequest, user_run: UserRun, reproduction: Reproduction, prover: Prover
) -> CannotTell:
    """Return why the error does not show in the MRE: it differs from run to run, or needs what was replaced."""
    texts = [reproduction.symptom.output]
    while user_run.results and len(texts) < MOST_REPEATS:
        again = run_as_user(tree, request, prover.progress).last
        texts.append(symptom_of(again).output if again.exit else ("it succeeds",))
    if len(set(texts)) > 1:
        command = user_run.last.title
        shown = "; ".join(f"“{' '.join(each)}” ({texts.count(each)} of {len(texts)})" for each in dict.fromkeys(texts))
        return CannotTell(
            f"`{command}` does something else each time: {shown}",
            "find what it depends on (time, order, load), and capture a command that fails each time",
        )
    offline = user_run.results and cause_of(user_run.last).network
    hint = "run it where the network is as it should be" if offline else ""
    return CannotTell(
        "the error does not show in an MRE: its indexes, repositories or files are needed as they are",
        hint or "write an MRE by hand: `uvmre new`; docs/manifest.md",
        cause=f"with stand-ins, {prover.instead}",
    )
