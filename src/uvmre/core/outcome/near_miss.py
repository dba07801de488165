"""The line of an output that comes closest to a text of the symptom."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from heapq import nlargest
from typing import Any

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.parts import without_proxy
from uvmre.core.text.normalize import BOXES, WILDCARD, find_pattern_spans, normalize, readable

STEM = re.compile(r"\b\w{1,4}")
"""The first letters of a word, by which `fails` is like `failed`."""
NARROW, LONGEST = 40, 400
"""Characters of a line where uv wraps early, and of the longest text and line that are compared."""
MOST_LINES, MOST_RUNS = 2_000, 8
"""So many lines are compared by their words, and so many runs of lines by their characters, which takes longer."""


def near_misses(symptom: Symptom, observation: Observation) -> Iterator[dict[str, Any]]:
    """Yield for each text of a symptom whether an observe step has it; otherwise, the closest line of all steps."""
    own = [each for each in observation.steps if each.role == "observe" and symptom.step in ("", each.title)]
    steps = [*own, *(each for each in observation.steps if each not in own)]
    streams = [(each.title, name, getattr(each, name), each in own) for each in steps for name in ("stderr", "stdout")]
    contents = {file.path: file.content or "" for file in observation.files}
    texts = [(kind, text, streams) for kind in ("output", "any", "raw") for text in getattr(symptom, kind) if streams]
    files = [(file.contains, file.path) for file in symptom.files if file.contains]
    texts += [("file", text, [("", path, contents.get(path, ""), True)]) for text, path in files]
    compared = {text: without_proxy(normalize(text), observation) for _, _, all_ in texts for _, _, text, _ in all_}
    found = []
    for kind, text, places in texts:
        has = [at for at in places if (text in at[2] if kind == "raw" else find_pattern_spans(text, compared[at[2]]))]
        rated = [(1.0, "", each) for each in has] or [(*closest(text, each[2]), each) for each in places]
        similarity, line, (step, stream, _, counts) = max(rated, key=lambda each: each[0])
        data = {"kind": kind, "text": text, "met": bool(has) and counts, "similarity": similarity, "line": line}
        found.append({**data, "step": step * bool(similarity), "stream": stream * bool(similarity)})
    one = any(each["met"] for each in found if each["kind"] == "any")
    yield from (each for each in found if each["met"] or each["kind"] != "any" or not one)


def met_texts(symptom: Symptom, observation: Observation) -> dict[str, bool]:
    """Return for each text of a symptom's output whether an observe step of its has it, wherever the others are."""
    own = [each for each in observation.steps if each.role == "observe" and symptom.step in ("", each.title)]
    streams = [stream for step in own for stream in (step.stderr, step.stdout)]
    compared = [without_proxy(normalize(stream), observation) for stream in streams]
    met = {text: any(find_pattern_spans(text, each) for each in compared) for text in (*symptom.output, *symptom.any)}
    return {**met, **{text: any(text in stream for stream in streams) for text in symptom.raw}}


def closest(text: str, output: str) -> tuple[float, str]:
    """Return the similarity, from 0 to 1, and the line or run of lines of an output that comes closest to a text."""
    text = WILDCARD.sub(" ", text)[:LONGEST]
    lines = [line[i : i + LONGEST] for line in readable(output).split("\n") for i in range(0, len(line), LONGEST)]
    stems = set(STEM.findall(text.casefold()))
    shared = [stems.intersection(STEM.findall(line.casefold())) for line in lines]
    starts = nlargest(MOST_LINES, (at for at in range(len(lines)) if shared[at]), key=lambda at: len(shared[at]))
    runs = (
        (len(set().union(*shared[at : at + length])), -sum(map(len, lines[at : at + length])), at, length)
        for length in range(1, 4 + len(text) // NARROW)
        for at in starts
    )
    chosen = (lines[at : at + length] for _, _, at, length in nlargest(MOST_RUNS, runs))
    similarity, run = max(((_similarity(text, run), run) for run in chosen), default=(0.0, []))
    while len(run) > 1:  # the lines at its ends may be of another message
        shorter, rest = max((_similarity(text, rest), rest) for rest in (run[1:], run[:-1]))
        if shorter < similarity - 0.03:
            break
        similarity, run = shorter, rest
    return round(similarity, 2), " ".join(BOXES.sub("", "\n".join(run)).split())


def _similarity(text: str, run: list[str]) -> float:
    """Return how similar a text is to the part of a run of lines that it lies over."""
    expected, found = normalize(text), normalize("\n".join(run))
    matcher = SequenceMatcher(None, found, expected, autojunk=False)
    block = matcher.find_longest_match()
    start = max(block.a - block.b, 0)
    matcher.set_seq1(found[start : start + len(expected)])
    return matcher.ratio()
