"""Where a search for a smaller subject keeps its answers, and the best so far."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.matching import Word
from uvmre.core.search.shrink import Interest
from uvmre.core.shrink.edits import Subject, digest
from uvmre.errors import naming_path
from uvmre.flows.options import RunOptions
from uvmre.folder.evidence import RECORDING
from uvmre.folder.write import staged, write_mre
from uvmre.outcomes.store import OutcomeKey, OutcomeStore, StoredOutcome

WORDS: dict[Interest, Word] = {"yes": "shows", "no": "absent"}
"""An unknown answer is not stored."""
VARIANT = "shrink 3"
"""With the version of what makes a candidate interesting."""


@dataclass
class AnswerStore:
    """The answers for the candidates of one subject and one test."""

    outcomes: OutcomeStore
    key: OutcomeKey
    """Of a candidate, without its digest."""
    again: bool = False
    """Whether to ignore the answers of earlier commands."""
    _own: set[str] = field(default_factory=set)

    def answer(self, subject: Subject) -> Interest | None:
        """Return the stored answer for a candidate."""
        key = self._key(subject)
        if self.again and key.digest not in self._own:
            return None
        found = self.outcomes.get(key)
        return next((answer for answer, word in WORDS.items() if found and found[-1].word == word), None)

    def keep(self, subject: Subject, answer: Interest) -> None:
        """Store an answer."""
        if word := WORDS.get(answer):
            key = self._key(subject)
            self._own.add(key.digest)
            self.outcomes.add(key, StoredOutcome(word, "", 0.0))

    def _key(self, subject: Subject) -> OutcomeKey:
        return replace(self.key, digest=f"{self.key.digest} {digest(subject)}")


def write_files(folder: Path, subject: Subject, executables: frozenset[str]) -> None:
    """Write a subject into a folder that does not exist yet."""
    folder.mkdir()
    for path, content in subject.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        if path in executables:
            (folder / path).chmod(0o755)


@dataclass(frozen=True)
class SmallFolder:
    """The folder with the smallest subject so far, which is replaced as a whole."""

    path: Path
    executables: frozenset[str]

    def write(self, subject: Subject) -> None:
        """Replace the files.

        Raises:
            UsageError: if the folder has files that uvmre did not write.
        """
        with staged(self.path, force=True) as folder, naming_path(self.path):
            write_files(folder, subject, self.executables)


@dataclass(frozen=True)
class SmallMre:
    """The folder with the smallest MRE so far, which is replaced as a whole."""

    path: Path
    read: Callable[[Subject], Mre]
    """Returns the MRE of a subject."""
    origin: str
    source: Path
    """The MRE from which it comes, whose recording it gets."""

    def write(self, subject: Subject) -> None:
        """Replace the MRE.

        Raises:
            UsageError: if the folder has files that uvmre did not write.
        """
        write_mre(self.read(subject), self.path, force=True, origin=self.origin)
        recording = self.source / RECORDING
        if recording.exists() and not (self.path / RECORDING).exists():
            copy = shutil.copytree if recording.is_dir() else shutil.copy2
            copy(recording, self.path / RECORDING)


def job_count(options: RunOptions) -> int:
    """Return how many candidates run in parallel."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return options.jobs or cores
