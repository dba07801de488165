"""The parts of a symptom that a step does not have, and why."""

from __future__ import annotations

import re
import signal
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from uvmre.core.mre.symptom import Count, FileSymptom, Symptom
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.text.normalize import cut_word, find_pattern, find_pattern_spans, normalize, readable

RESET = normalize("Connection reset by peer (os error 104)")
DIRECT = {
    kind: "".join(normalize(f"{link}{between} {cause}") for between in (":", "\nCaused by:"))
    for kind, link, cause in (
        ("refused", "tcp connect error", "Connection refused (os error 111)"),
        ("unresolvable", "dns error", "failed to lookup address information: Name or service not known"),
    )
}
"""What uv prints without a proxy for an unreachable host, in one or two lines; with the gateway it prints `RESET`."""
CLEARLY_SLOWER = 0.5
"""Seconds that two durations differ by at least, which other load of the machine does not explain."""


class Missing(NamedTuple):
    """A part of a symptom that a step does not have."""

    why: str
    undecided: bool = False
    """Whether the step may have it, if it is written in another way: then its absence is no answer."""


def missing_parts(symptom: Symptom, step: StepResult, observation: Observation) -> list[Missing]:
    """Return the parts of the symptom that a step does not have."""
    streams = (step.stderr, step.stdout)
    texts = [without_proxy(normalize(stream), observation) for stream in streams]
    parts = [Missing(why) for why in [wrong_exit(symptom.exit, step)] if why]
    # All texts must be in one stream; the better one tells what is missing.
    outputs: list[list[Missing]] = [list(_output(symptom.output, text, stream)) for text, stream in zip(texts, streams)]  # noqa: B905
    best = min(outputs, key=lambda missing: (len(missing), -sum(part.undecided for part in missing)))
    parts += best
    if symptom.adjacent and [] in outputs and not any(_are_adjacent(symptom.output, stream) for stream in streams):
        parts.append(Missing("the texts are not on lines that follow each other"))
    if symptom.any and not any(_is_in(each, *texts) for each in symptom.any):
        cuts = [cut for each in symptom.any for stream in streams if (cut := _cut(each, stream))]
        choices = " or ".join(f"“{each}”" for each in symptom.any)
        parts.append(Missing([*cuts, f"the output does not contain {choices}"][0], bool(cuts)))
    parts += (Missing(f"the output contains “{each}”") for each in symptom.absent if _is_in(each, *texts))
    parts += (
        Missing(f"the output does not contain {each!r} byte for byte")
        for each in symptom.raw
        if not any(each in stream for stream in streams)
    )
    parts += _compared(symptom, step, observation)
    parts += (Missing(why) for count in symptom.counts if (why := _miscounted(count, step, observation)))
    states = {file.path: file for file in observation.files}
    for file in symptom.files:
        parts += _of_file(file, states.get(file.path) or FileState(file.path, exists=False))
    return parts


def wrong_exit(expected: object, step: StepResult) -> str:
    """Return what is wrong with the exit of a step; empty if it is as expected."""
    if expected == "timeout":
        return "" if step.timed_out else f"it ends by itself, with exit code {step.exit}"
    if expected == "failure":
        return "" if step.exit else "it succeeds"
    if isinstance(expected, str):
        expected = 0 if expected == "success" else 128 + signal.Signals[expected]
    return "" if expected in (None, step.exit) else f"the exit code is {step.exit}, not {expected}"


def _is_in(pattern: str, *texts: str) -> bool:
    return any(find_pattern(pattern, text) is not None for text in texts)


def _output(patterns: tuple[str, ...], text: str, stream: str) -> Iterator[Missing]:
    """Yield the texts that a stream does not have in order."""
    at = 0
    for number, pattern in enumerate(patterns, 1):
        if (end := find_pattern(pattern, text, at)) is not None:
            at = end
        elif not _is_in(pattern, text) and (cut := _cut(pattern, stream)):
            yield Missing(f"text {number} {cut}", undecided=True)
        else:
            yield Missing(f"the output does not contain “{pattern}”")


def _cut(pattern: str, text: str) -> str:
    word = cut_word(pattern, text)
    return f"“{pattern}” is cut inside `{word}`: write the whole word" if word else ""


def _are_adjacent(patterns: tuple[str, ...], stream: str) -> bool:
    """Tell whether texts are on lines that follow each other, each of which may be wrapped; frames are no lines."""
    lines = [normal for line in readable(stream).split("\n") if (normal := normalize(line)) or not line.strip()]
    text, starts = "".join(lines), [0, *accumulate(map(len, lines))]
    ends: set[int] | None = None
    for pattern in patterns:
        spans = find_pattern_spans(pattern, text)
        lines_of = [(bisect_right(starts, first) - 1, bisect_right(starts, end - 1) - 1) for first, end in spans]
        ends = {last for first, last in lines_of if ends is None or first - 1 in ends}
    return bool(ends)


def _compared(symptom: Symptom, step: StepResult, observation: Observation) -> Iterator[Missing]:
    steps = {other.title: other for other in observation.steps}
    for name in {symptom.differs_from, symptom.slower_than} - {"", *steps}:
        yield Missing(f"`{name}`, which it is compared with, did not run", undecided=True)
    other = steps.get(symptom.differs_from)
    if other and (normalize(step.stdout), step.exit) == (normalize(other.stdout), other.exit):
        yield Missing(f"its output and exit code are those of `{other.title}`")
    if other := steps.get(symptom.slower_than):
        took = f"it takes {step.seconds:.2f} s, and `{other.title}` {other.seconds:.2f} s"
        if step.seconds < symptom.factor * other.seconds:
            yield Missing(took)
        elif step.seconds - other.seconds < CLEARLY_SLOWER:
            yield Missing(f"{took}, which is too short to compare", undecided=True)


def _miscounted(count: Count, step: StepResult, observation: Observation) -> str:
    if count.requests:
        what, requests = f"requests to {count.requests}", observation.requests_of(step)
        number = sum(each.is_to(count.requests) for each in requests if each.answered_by != "pending")
    else:
        what, lines = f"lines with “{count.lines}”", readable(f"{step.stdout}\n{step.stderr}").split("\n")
        number = sum(_is_in(count.lines, normalize(line)) for line in lines)
    limit = f"at least {count.least}" if number < count.least else ""
    if count.most is not None and number > count.most:
        limit = f"at most {count.most}"
    return f"there are {number} {what}, not {limit}" if limit else ""


def _of_file(pattern: FileSymptom, state: FileState) -> Iterator[Missing]:
    """Yield what a path does not have."""
    path, content = pattern.path, state.content or ""
    if pattern.exists is False or not state.exists:
        if state.exists is not pattern.exists:
            yield Missing(f"there is {path}" if state.exists else f"there is no file {path}")
        return
    if pattern.links_to:
        target = ".*".join(map(re.escape, pattern.links_to.split("…")))
        if not re.fullmatch(target, state.target, re.DOTALL):
            yield Missing(f"{path} links to `{state.target}`" if state.target else f"{path} is no link")
    if state.content is None:
        if pattern.contains or pattern.absent or pattern.raw or pattern.ends_with or pattern.unchanged:
            yield Missing(f"{path} is not a file of the run", undecided=True)
        return
    if pattern.contains and not _is_in(pattern.contains, normalize(content)):
        cut = _cut(pattern.contains, content)
        yield Missing(f"{path}: {cut}" if cut else f"{path} does not contain “{pattern.contains}”", bool(cut))
    if pattern.absent and _is_in(pattern.absent, normalize(content)):
        yield Missing(f"{path} contains “{pattern.absent}”")
    if pattern.raw not in content:
        yield Missing(f"{path} does not contain {pattern.raw!r} byte for byte")
    if not content.endswith(pattern.ends_with):
        yield Missing(f"{path} ends with {content[-len(pattern.ends_with) :]!r}")
    if pattern.unchanged and not state.unchanged:
        yield Missing(f"{path} has changed")


def without_proxy(text: str, observation: Observation) -> str:
    """Return a normalized output as it is without a proxy, if hosts were unreachable in one way.

    The gateway can only reset such a connection; with two ways, the resets are ambiguous.
    """
    reasons = (request.reason for request in observation.requests if request.answered_by == "fault")
    kinds = {kind for reason in reasons for kind in DIRECT if reason.startswith(f"fault: {kind},")}
    return text.replace(RESET, DIRECT[kinds.pop()]) if len(kinds) == 1 else text
