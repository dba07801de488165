"""Find the smallest files for which a script still exits with 0."""

import hashlib
import math
import os
import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.mre.files import File
from uvmre.core.outcome.script import BAD, GOOD, SKIP
from uvmre.core.progress import Progress
from uvmre.core.search.shrink import Interest, start
from uvmre.core.shrink.edits import Subject, decode, digest
from uvmre.core.shrink.passes import folder_shrink_passes
from uvmre.errors import UsageError
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.target import script_command, search_path
from uvmre.flows.scratch import scratch
from uvmre.flows.shrink_search import Shrunk, SubjectSearch, require_steady
from uvmre.flows.shrink_store import VARIANT, AnswerStore, SmallFolder, job_count, write_files
from uvmre.flows.thread_pool import Pool
from uvmre.folder.read import read_files
from uvmre.outcomes.store import OutcomeKey, OutcomeStore
from uvmre.releases import catalogue
from uvmre.run import process, process_tree
from uvmre.run.backend import LOCAL

REPEATS = 3
"""Runs of the original, which must all be interesting."""
FIRST_SECONDS = 600.0
"""The time limit of the original."""
SLOWER = 10
"""A candidate may take so many times as long as the original …"""
LEAST_SECONDS = 10.0
"""… and at least this."""


@dataclass
class ScriptTest:
    """Runs a script in copies of a folder."""

    command: Sequence[str]
    executables: frozenset[str]
    root: Path
    seconds: float = FIRST_SECONDS
    """The time limit of a run."""

    def run(self, subject: Subject, stop: threading.Event) -> process.Finished:
        """Run the script in a fresh copy until it ends or `stop` is set."""
        parent = temp_folders.create(self.root, "copy_")
        folder, temporary = parent / "work", parent / "tmp"
        try:
            temporary.mkdir()
            write_files(folder, subject, self.executables)
            environment = {**os.environ, "PATH": os.pathsep.join(search_path()), "TMPDIR": str(temporary)}
            return process.run(self.command, cwd=folder, environment=environment, timeout=self.seconds, stop=stop)
        finally:
            process_tree.end_strays(parent)
            temp_folders.remove(parent)

    def evaluate(self, subject: Subject, stop: threading.Event) -> Interest:
        """Return whether a candidate is interesting."""
        finished = self.run(subject, stop)
        if finished.timed_out:
            return "no"
        return "yes" if finished.exit == BAD else "no" if finished.exit == GOOD else "unknown"


def shrink_command(
    arguments: Sequence[str],
    source: Path,
    options: RunOptions,
    *,
    output: Path | None = None,
    seconds: float = math.inf,
    progress: Progress | None = None,
) -> Shrunk:
    """Search the smallest content of a file or folder for which a script exits with 0.

    Args:
        arguments: the script and its arguments; it runs in a copy of the folder.
        source: the file or folder, which stays as it is.
        options: how it is run.
        output: the folder of the result.
        seconds: the time after which no further candidate starts.
        progress: a progress callback.

    Raises:
        UsageError: if the script does not exist, or does not exit with 0 for the original.
        CannotTell: if it exits with other codes for the same files.
        Interrupted: on ^C; the smallest so far is on disk.
    """
    progress = progress or Progress()
    files = _read_source(source)
    subject = {file.path: file.content for file in files}
    executables = frozenset(file.path for file in files if file.executable)
    command = [str(Path(each).resolve()) if Path(each).is_file() else each for each in arguments]
    command = [*script_command(command[0]), *command[1:]]
    scripts = [
        Path(each).read_bytes() for each in command if Path(each).is_file() and Path(each).stat().st_size < 10**6
    ]
    target = output or source.with_name(f"{source.stem if source.is_file() else source.resolve().name}-small")
    hint = "\n".join(decode(each) or "" for each in scripts)
    with OutcomeStore(options.cache, progress.note) as outcomes, scratch() as root:
        test = ScriptTest(command, executables, root)
        key = hashlib.sha256(b"\0".join([shlex.join(command).encode(), *scripts])).hexdigest()
        answers = AnswerStore(outcomes, _script_key(key), options.again)
        small = SmallFolder(target, executables)
        passes = folder_shrink_passes(hint, single=not source.is_dir())
        search = SubjectSearch(test.evaluate, answers, small, job_count(options), seconds, progress)
        if answers.answer(subject) != "yes":
            _require_interesting(test, subject, search)
            answers.keep(subject, "yes")
        return search.run(start(subject, passes, digest))


def _read_source(source: Path) -> tuple[File, ...]:
    if source.is_dir():
        return read_files(source)
    try:
        return (File(source.name, source.read_bytes(), os.access(source, os.X_OK)),)
    except OSError as error:
        raise UsageError(f"failed to read `{source}`", "name a file or a folder", cause=error.strerror or "") from None


def _script_key(key: str) -> OutcomeKey:
    return OutcomeKey(f"script {key}", "", "", VARIANT, LOCAL, "", catalogue.platform())


def _require_interesting(test: ScriptTest, subject: Subject, search: SubjectSearch) -> None:
    """Run the original several times, and take its time as the measure of all candidates."""
    search.progress.detail("running the original")
    with Pool(search.jobs, "original", search.stop) as pool:
        futures = [pool.submit(test.run, subject, search.stop) for _ in range(REPEATS)]
        runs = [pool.result(future) for future in futures]
    codes = [run.exit for run in runs]
    if codes.count(BAD) == 0:
        why = "it exceeded its time limit" if runs[0].timed_out else process.failure(runs[0])
        message = f"the script exits with {codes[0]} for the original, not with {BAD}"
        raise UsageError(message, f"exit with {BAD} if it is interesting, {GOOD} if not, {SKIP} if unknown", cause=why)
    require_steady(codes.count(BAD), len(codes))
    test.seconds = max(LEAST_SECONDS, SLOWER * max(run.seconds for run in runs))
