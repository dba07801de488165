"""Judge a run on a release other than the reported one."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.error_chain import cause_of, innermost_cause
from uvmre.core.outcome.matching import Outcome, match, unsupported_feature, unsupported_outcome
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.search.bisect_result import OTHER_ERROR
from uvmre.core.search.release import parse_version
from uvmre.core.text.network_errors import NETWORK_ERRORS
from uvmre.core.text.normalize import readable
from uvmre.core.triage.evidence import contains_all, is_distinctive

ENVIRONMENT_FAILURE = re.compile(
    rf"{NETWORK_ERRORS}|no interpreter found"
    r"|no python (?:interpreter|installation)|failed to (?:query|inspect) python|permission denied|command not found",
    re.IGNORECASE,
)
"""Failures that this machine may cause: they are no evidence, whatever the report is about."""
SAME_ERROR, SIMILAR_ERROR = 0.6, 0.34
"""The share of common word pairs from which an error is the reported one, reworded, and from which it may be."""


def judge_release(symptom: Symptom, expected: Symptom | None, observation: Observation, reported: str) -> Outcome:
    """Judge a run of any release in a search that starts from the reported one.

    A newer release that fails differently, or prints what is expected, does not have the bug. An older release that
    fails differently, or ignores a setting, is no evidence, nor is a failure that this machine may cause.
    """
    outcome = match(symptom, observation, expected)
    newer = parse_version(observation.uv) > parse_version(reported)
    older = parse_version(observation.uv) < parse_version(reported)
    if older and outcome.word == "absent" and (word := unsupported_feature(symptom, observation.steps, settings=True)):
        return unsupported_outcome(observation, word)
    failed = [step for step in observation.steps if step.exit]
    output = "\n".join(readable(step.stderr) + "\n" + readable(step.stdout) for step in failed)
    if failed and symptom.bare and ENVIRONMENT_FAILURE.search(output):
        return Outcome("broken", f"this machine may cause the failure of {_failure(failed)}")
    if outcome.word != "different" or not failed:
        return outcome
    if newer and expected and expected.output and contains_all(expected.output, observation):
        return Outcome("absent", f"the expected output of {_failure(failed)}")
    distinctive = [text for text in symptom.output if symptom.exit and is_distinctive(text)]
    share = likeness(distinctive[-1], output) if distinctive else 0.0
    if share >= SAME_ERROR:
        return Outcome("shows", f"the reported error, reworded, of {_failure(failed)}")
    if share >= SIMILAR_ERROR or ENVIRONMENT_FAILURE.search(output):
        return outcome if newer else Outcome("broken", f"{outcome.reason}, which may be the same error, reworded")
    past = distinctive or (symptom.bare and symptom.exit in (0, "success"))
    # A program that fails without an error, as `diff` does, tells nothing of uv.
    if not (newer and past and innermost_cause(failed[-1].stderr.strip() or failed[-1].stdout)):
        return outcome
    return Outcome("absent", f"{OTHER_ERROR}: {_failure(failed)}")


def _failure(failed: Sequence[StepResult]) -> str:
    return f"`{failed[-1].title}`: {cause_of(failed[-1])}"


def likeness(text: str, output: str) -> float:
    """Return the share of a text's word pairs that an output contains, from 0 to 1."""
    pairs, there = set(_pairs(text)), set(_pairs(output))
    return len(pairs & there) / len(pairs) if pairs else 0.0


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    words = [word for word in re.findall(r"[\w.@+=<>~!/-]+", readable(text).casefold()) if word.strip("-.=/")]
    # Directories differ between machines, and match a wildcard in a text.
    words = [word.strip(".-").rstrip("/").rpartition("/")[2] for word in words]
    yield from pairwise(words)
