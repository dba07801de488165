"""The symptom of a claim, and what is expected instead."""

import re
from collections.abc import Sequence
from typing import Literal

from uvmre.core.mre.keys import LEAST
from uvmre.core.mre.model import HOLDS
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.text.normalize import normalize
from uvmre.core.triage.parsed_issue import Claim, Command

PIPED = re.compile(r"(?<!\|)\|(?!\|)")


def build_symptom(claim: Claim, commands: Sequence[Command], folder: str) -> Symptom:
    """Return the symptom of a claim, without any text that the steps themselves print."""
    if claim.test or short_texts(claim) or (claim.kind == "failure" and not claim.output):
        return Symptom(exit=HOLDS)
    if claim.kind == "failure":
        command = commands[claim.command] if 0 <= claim.command < len(commands) else None
        piped = command is not None and PIPED.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", command.run))
        return Symptom(exit=None if piped else "failure", output=claim.output)
    if claim.kind == "silence":
        return Symptom(exit=0, output=claim.output)
    if claim.kind == "file":
        path = _path(claim, folder)
        if claim.exists is not None:
            return Symptom(_posted_exit(claim, commands), files=(FileSymptom(path, exists=claim.exists),))
        if claim.absent:
            return Symptom("success", files=tuple(FileSymptom(path, absent=text) for text in claim.absent))
        patterns = tuple(FileSymptom(path, text) for text in claim.contains)
        return Symptom(output=claim.output, files=patterns)
    if claim.absent:
        return Symptom("success", absent=claim.absent)
    return Symptom(output=claim.output)


def build_expected(claim: Claim, commands: Sequence[Command], folder: str) -> Symptom | None:
    """Return what the post expects: the reverse of a symptom that is only something missing or left."""
    if claim.exists is not None:
        files = (FileSymptom(_path(claim, folder), exists=not claim.exists),)
        return Symptom(_posted_exit(claim, commands), files=files)
    if claim.expected and claim.kind == "file":
        return Symptom(files=tuple(FileSymptom(_path(claim, folder), text) for text in claim.expected))
    if claim.absent:
        cause = innermost_cause("\n".join(claim.absent))
        return Symptom("failure" if cause and cause.fatal else "success", claim.absent)
    return Symptom(output=claim.expected) if claim.expected else None


def _posted_exit(claim: Claim, commands: Sequence[Command]) -> Literal["success", "failure"]:
    """Return how the observed command ends in the post."""
    cause = innermost_cause(commands[claim.command].output)
    return "failure" if cause and cause.fatal else "success"


def _path(claim: Claim, folder: str) -> str:
    """Return the path of a claim's file, as seen from the directory of the MRE."""
    inside = folder and not claim.file.startswith((f"{folder}/", "~/"))
    return f"{folder}/{claim.file}" if inside else claim.file


def short_texts(claim: Claim) -> tuple[str, ...]:
    """Return the texts of a claim if one of them is too short to be a symptom."""
    return claim.output if claim.kind == "output" and any(len(normalize(text)) < LEAST for text in claim.output) else ()
