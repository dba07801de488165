"""Judge a run on a release other than the reported one."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.error_chain import cause_of, innermost_cause, warnings
from uvmre.core.outcome.matching import Outcome, match, unsupported_feature, unsupported_outcome
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.search.bisect_result import OTHER_ERROR
from uvmre.core.search.release import parse_version
from uvmre.core.text.network_errors import NETWORK_ERRORS
from uvmre.core.text.normalize import normalize, readable
from uvmre.core.triage.evidence import contains_all, is_distinctive

ENVIRONMENT_FAILURE = re.compile(
    rf"{NETWORK_ERRORS}|no interpreter found"
    r"|no python (?:interpreter|installation)|failed to (?:query|inspect) python|permission denied|command not found",
    re.IGNORECASE,
)
"""Failures that this machine may cause: they are no evidence, whatever the report is about."""
SAME_ERROR, SIMILAR_ERROR = 0.6, 0.34
"""The share of common word pairs from which an error is the reported one, reworded, and from which it may be."""

WORD = re.compile(r"[a-z][\w.-]{0,60}\w", re.IGNORECASE)
CODE = re.compile(r"`([^`\s]{4,60})`")
PHRASE, LONG = 3, 5
"""The words of a phrase that a report and an error share, and the letters of those that count."""
_COMMON = (
    "error errors failed fails cannot could would should which there their about because package packages version"
    " versions python install installed resolve resolved requires required requirements project dependencies command"
)
COMMON = frozenset(_COMMON.split())


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
    # Where an expected text is missing, a failure is not what is expected either.
    succeeds = symptom.bare and symptom.exit in (0, "success") and not (symptom.absent and expected)
    # A program that fails without an error, as `diff` does, tells nothing of uv.
    if not (newer and (distinctive or succeeds) and innermost_cause(failed[-1].stderr.strip() or failed[-1].stdout)):
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


def reports_it(about: Sequence[str], silent: Observation, later: Observation) -> bool:
    """Tell whether a run has an error or a warning about what the sentences of a report name.

    Args:
        about: the title, and the sentence that says that uv prints nothing.
        silent: the run of the reported release.
        later: the run of another one.
    """
    before = normalize("\n".join(f"{step.stdout}\n{step.stderr}" for step in silent.steps))
    new = [
        text for text in _complaints(later) if normalize(text) not in before and not ENVIRONMENT_FAILURE.search(text)
    ]
    return any(_names(sentence, text) for sentence in about for text in new)


def _complaints(observation: Observation) -> Iterator[str]:
    for step in observation.steps:
        for stream in map(readable, (step.stderr, step.stdout)):
            if cause := innermost_cause(stream):
                yield from cause.links
            yield from warnings(stream)


def _names(sentence: str, text: str) -> bool:
    """Tell whether a text has two names that a sentence has as code, or a phrase of it."""
    codes = {code for code in CODE.findall(sentence) if code in text}
    phrases = {each for each in _phrases(text) if sum(len(word) >= LONG and word not in COMMON for word in each) > 1}
    return len(codes) > 1 or bool(phrases & set(_phrases(sentence)))


def _phrases(text: str) -> list[tuple[str, ...]]:
    words = WORD.findall(text.casefold())
    return list(zip(*(words[at:] for at in range(PHRASE)), strict=False))
