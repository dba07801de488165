"""Judge a run of another release than the reported one."""

import re
from collections.abc import Iterator
from itertools import pairwise

from uvmre.core.mre.model import Symptom
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.symptom import Outcome, match, unsupported_feature, unsupported_outcome
from uvmre.core.search.release import parse_version
from uvmre.core.text.normalize import readable
from uvmre.core.triage.evidence import contains_all, innermost_cause, is_distinctive

ENVIRONMENT_FAILURE = re.compile(
    r"error sending request|dns error|connection (?:refused|reset)|timed? ?out|unknownissuer|no interpreter found"
    r"|no python (?:interpreter|installation)|failed to (?:query|inspect) python|permission denied|command not found",
    re.IGNORECASE,
)
"""Failures from which nothing can be told, whatever was reported."""


SAME_ERROR, SIMILAR_ERROR = 0.6, 0.34
"""From which share of neighbouring words on an error is the reported one in other words, and from which it may be."""


def judge_release(symptom: Symptom, observation: Observation, reported: str) -> Outcome:
    """Judge a run of any release in a search that starts from the reported one.

    A newer release that fails differently is past the bug, and one that prints what was expected is fixed, even if it
    fails. An older release that fails differently cannot tell: it never reached the question, nor did one that ignores
    a setting. Nothing is told from a failure that this machine may cause.
    """
    outcome = match(symptom, observation)
    newer, older = (
        parse_version(observation.uv) > parse_version(reported),
        parse_version(observation.uv) < parse_version(reported),
    )
    if older and outcome.word == "absent" and (word := unsupported_feature(symptom, observation.steps, settings=True)):
        return unsupported_outcome(observation, word)
    failed = [step for step in observation.steps if step.exit]
    said = "\n".join(readable(step.stderr) + "\n" + readable(step.stdout) for step in failed)
    if failed and symptom.bare and ENVIRONMENT_FAILURE.search(said):
        return Outcome(
            "broken", f"this machine may cause the failure of `{failed[-1].title}`: {innermost_cause(failed[-1])}"
        )
    if outcome.word != "different":
        return outcome
    if newer and symptom.expected and contains_all(symptom.expected, observation):
        return Outcome("absent", f"`{failed[-1].title}` prints what was expected: {innermost_cause(failed[-1])}")
    telling = [text for text in symptom.output if symptom.exit and is_distinctive(text)]
    share = likeness(telling[-1], said) if telling else 0.0
    if share >= SAME_ERROR:
        return Outcome("shows", f"`{failed[-1].title}` says the same in other words: {innermost_cause(failed[-1])}")
    if share >= SIMILAR_ERROR or ENVIRONMENT_FAILURE.search(said):
        return outcome if newer else Outcome("broken", f"{outcome.reason}, which may be the same in other words")
    past = telling or (symptom.bare and symptom.exit == 0)
    if not (newer and past):
        return outcome
    return Outcome(
        "absent", f"`{failed[-1].title}` fails differently, so it is past the bug: {innermost_cause(failed[-1])}"
    )


def likeness(text: str, said: str) -> float:
    """Return which share of a text's neighbouring words stands side by side in what was said, from 0 to 1."""
    pairs, there = set(_pairs(text)), set(_pairs(said))
    return len(pairs & there) / len(pairs) if pairs else 0.0


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    words = [word for word in re.findall(r"[\w.@+=<>~!/-]+", readable(text).casefold()) if word.strip("-.=/")]
    # Folders differ between machines, and stand for a wildcard in a text.
    words = [word.strip(".-").rstrip("/").rpartition("/")[2] for word in words]
    yield from pairwise(words)
