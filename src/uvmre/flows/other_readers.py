"""Readers besides the rules: an MRE in a folder, and a program that proposes MREs in rounds. Both are strangers."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from uvmre import credentials, temp_folders
from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import certain_secrets, redact, redact_deep, secrets
from uvmre.core.triage.decide import decide
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.proposal import PostText, build_hypothesis, rejection
from uvmre.core.triage.state import TriageState
from uvmre.errors import InputError, UvmreError
from uvmre.flows.understand import IssueMre
from uvmre.folder.read import read_mre
from uvmre.issue.markdown.blocks import parse_blocks
from uvmre.issue.markdown.header import opening_post
from uvmre.readers import protocol
from uvmre.run import process

MOST_ROUNDS = 4
ROUND_SECONDS, READER_SECONDS = 120.0, 300.0
"""The time of one round, and of all."""
LEAST_SECONDS = 1.0
MOST_BYTES = 4_000_000
"""Of output: a program that prints more is ended."""
FOLDER_SOURCE, PROGRAM_SOURCE = "mre", "reader"


@dataclass(frozen=True)
class ReaderProgram:
    """A program that proposes MREs."""

    command: str
    environment: "dict[str, str]"
    """Its own credentials included: it is the user's program."""


def prepare_reader(command: str) -> ReaderProgram:
    """Return the program of `--reader`; called before anything is executed, as it takes the secret variables."""
    return ReaderProgram(command, {**os.environ, **credentials.take_secret_variables()})


class IssueFacts:
    """What an issue says, to judge the MREs of other readers and to tell them."""

    def __init__(self, read: IssueMre, text: str, *, comments: bool, today: bool) -> None:
        self.read, self._text, self._today = read, text, today
        post = opening_post(text, comments=comments)
        blocks = parse_blocks(post.lines)
        self._post = PostText(
            (post.title, *(block.text for block in blocks if block.kind != "code")),
            tuple(block.text for block in blocks if block.kind == "code"),
            tuple(each.parsed for each in read.hypotheses) or (read.parsed,),
        )

    def hypothesis(self, mre: Mre, source: str) -> tuple[Hypothesis, str]:
        """Return the hypothesis of an MRE, and why it is rejected before it runs; empty if it is not."""
        read, created = self.read, self.read.parsed.created
        built = build_hypothesis(self._post, mre, uv=read.uv, created=created, today=self._today, source=source)
        return built, rejection(self._post, mre, read.uv if read.uv_stated else "")

    def as_data(self, issue: str) -> dict[str, Any]:
        """Return what a program gets to know of it, without secrets."""
        parsed = self.read.parsed
        return {
            "issue": issue,
            "post": redact(self._text, certain_secrets(self._text)),
            "uv": self.read.uv,
            "python": parsed.python.text if parsed.python else "",
            "created": parsed.created.isoformat() if parsed.created else None,
        }


def read_folder(facts: IssueFacts, folder: Path, progress: Progress) -> tuple[Hypothesis, str]:
    """Return the hypothesis of the MRE in a folder, which is only read, and why it is rejected.

    Raises:
        UsageError: when the folder has no MRE, or one with faults.
    """
    mre = read_mre(folder)
    if mre.environment.uv != facts.read.uv and not facts.read.uv_stated:
        progress.note(
            f"the MRE names uv {mre.environment.uv}, and runs on uv {facts.read.uv}, the latest before the post"
        )
    return facts.hypothesis(mre, FOLDER_SOURCE)


class OtherReader:
    """Asks a program for MREs, in rounds, and tells it what became of each."""

    def __init__(
        self, program: ReaderProgram, facts: IssueFacts, issue: str, scratch: Path, progress: Progress
    ) -> None:
        self._program, self._facts, self._issue = program, facts, issue
        self._scratch, self._progress = scratch, progress
        self._tried: list[dict[str, Any]] = []
        self._known = 0
        self._rounds = 0
        self.seconds = 0.0
        """The time that the program took."""

    def propose(self, attempts: Sequence[TriageState]) -> Hypothesis | None:
        """Return the next hypothesis that can be run; None if the program gave up, failed, or its rounds are over."""
        for state in attempts[self._known :]:
            verdict = decide(state)
            self._tried.append(protocol.attempt(state, verdict.word, verdict.reason))
        self._known = len(attempts)
        while self._rounds < MOST_ROUNDS and self.seconds < READER_SECONDS - LEAST_SECONDS:
            self._rounds += 1
            self._progress.detail(f"asking the reader `{self._program.command}`, round {self._rounds} of {MOST_ROUNDS}")
            started = time.monotonic()
            try:
                answer = self._ask()
            except (OSError, protocol.UnreadableAnswerError) as error:
                self._progress.note(f"the reader `{self._program.command}` was ignored: {redact(str(error))}")
                return None
            finally:
                self.seconds += time.monotonic() - started
            if answer.give_up:
                self._progress.note(f"the reader `{self._program.command}` gave up: {redact(answer.give_up)}")
                return None
            hypothesis, rejected = self._read(answer)
            if hypothesis and not rejected and any(hypothesis.mre == each.mre for each in attempts):
                rejected = "this MRE was tried before"
            if hypothesis and not rejected:
                return hypothesis
            self._progress.detail(f"the reader's MRE was rejected: {redact(rejected)}")
            self._tried.append(protocol.refused(PROGRAM_SOURCE, answer, rejected))
        return None

    def _read(self, answer: protocol.ReaderAnswer) -> tuple[Hypothesis | None, str]:
        """Return the hypothesis of an answer, or all that is wrong with it."""
        if faults := answer.faults():
            return None, "; ".join(faults)
        with temp_folders.temporary(self._scratch, ".reader-") as folder:
            mre = folder / "mre"
            try:
                for path, text in {**(answer.files or {}), MANIFEST: answer.manifest}.items():
                    (mre / path).parent.mkdir(parents=True, exist_ok=True)
                    (mre / path).write_text(text, encoding="utf-8", newline="")
                found = read_mre(mre)
            except InputError as error:
                return None, "; ".join(error.faults).replace(f"{mre}/", "")
            except (OSError, UvmreError) as error:
                return None, f"its files are not those of an MRE: {str(error).replace(f'{mre}/', '')}"
        return self._facts.hypothesis(found, PROGRAM_SOURCE)

    def _ask(self) -> protocol.ReaderAnswer:
        command, preset = protocol.command_line(self._program.command)
        known = frozenset[str]().union(*(secrets(each.mre) for each in self._facts.read.hypotheses))
        tried = redact_deep(self._tried, known)
        request = protocol.request(self._facts.as_data(self._issue), tried, prompt=preset)
        with temp_folders.temporary(self._scratch, ".reader-") as folder:
            # A file, so that a program which does not read it cannot block.
            (folder / "request").write_text(request, encoding="utf-8", errors="replace")
            (folder / "empty").mkdir()
            finished = process.run(
                ["/bin/sh", "-c", f'exec < "$1"\n{command}', "sh", str(folder / "request")],
                # An agent must not take files of the user, or instructions in them, for the issue's.
                cwd=folder / "empty" if preset else Path.cwd(),
                environment=self._program.environment,
                timeout=min(ROUND_SECONDS, READER_SECONDS - self.seconds),
                stop=Event(),
                output_limit=2 * MOST_BYTES,
                watch=lambda _pid, size: f"{MOST_BYTES // 1_000_000} MB of output" if size > MOST_BYTES else "",
            )
        if finished.limit or len(finished.stdout) > MOST_BYTES:
            raise protocol.UnreadableAnswerError(f"it printed more than {MOST_BYTES // 1_000_000} MB")
        if finished.timed_out or finished.exit:
            why = process.failure(replace(finished, stdout=b""))
            raise protocol.UnreadableAnswerError(
                why if finished.timed_out else f"it exits with {finished.exit} ({why})"
            )
        return protocol.parse_answer(finished.stdout.decode(errors="replace"))
