"""What changed at the boundaries of a bug, from what the releases beside them left."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.matching import Outcome, is_conclusive, is_lack, lacked_feature, matching_step
from uvmre.core.outcome.near_miss import met_texts
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import unpack
from uvmre.core.search.bisect_half import Edge
from uvmre.core.search.bisect_result import OTHER_ERROR, History, Probe
from uvmre.core.shell.uv_calls import name_feature
from uvmre.core.text.normalize import normalize, readable

Kind = Literal["behaviour", "introduced", "message_changed"]
"""The same steps then do something else; the command or setting came; only the error is another one."""
MOST_LINES, LONGEST = 5, 160
"""Lines of each side of a difference that are shown, and the characters of one."""


@dataclass(frozen=True)
class Comparison:
    """Two releases at a boundary, of which one shows the bug."""

    older: str
    newer: str
    kind: Kind
    exits: str
    """How the step ends on both, if not alike."""
    texts: tuple[str, ...]
    """Which of several texts of the symptom a release has, if not all."""
    difference: tuple[str, ...]
    """Lines that only one of them prints: `- ` the older one, `+ ` the newer one."""
    unavailable: dict[str, str] | None
    """What the older one lacks, and the release that brought it."""


def sides(history: History, edge: Edge, *, first_good: bool) -> tuple[int, int] | None:
    """Return the bad release of a boundary, and the nearest one beyond it that can tell; None if there is none."""
    if edge.word == "open":
        return None
    for index in (edge.good,) if first_good else (edge.bad - 1, edge.good):
        probe = None if index is None else history.probes.get(index)
        if index is not None and probe and is_conclusive(Outcome(probe.word, probe.reason)):
            return edge.bad, index
    return None


def compare(history: History, edge: Edge | None, *, first_good: bool) -> Comparison | None:
    """Return what changed at a boundary; None if there is nothing to compare with."""
    if edge is None or (found := sides(history, edge, first_good=first_good)) is None:
        return None
    bad, other = found
    symptom, probe, observed = history.symptom or Symptom(), history.probes[other], unpack(history.probes[bad].observed)
    older, newer = (history.releases[index].version for index in sorted(found))
    if is_lack(probe.reason):
        name = name_feature(lacked_feature(probe.reason), (step.run for step in observed.steps) if observed else ())
        brought = {"feature": name, "uv": older, "came": newer} if bad == other + 1 else None
        return Comparison(older, newer, "introduced", "", (), (), brought)
    beside = unpack(probe.observed)
    step = matching_step(symptom, observed) if observed else None
    same = next((each for each in beside.steps if step and each.title == step.title), None) if beside else None
    fails = probe.word == "different" and " fails (" in probe.reason
    reworded = fails or probe.reason.startswith(OTHER_ERROR) or "reworded" in probe.reason
    kind: Kind = "message_changed" if reworded and not (step and not step.exit) else "behaviour"
    if not (observed and beside and step and same):
        return Comparison(older, newer, kind, "", (), (), None)
    before, after = (step, same) if bad < other else (same, step)
    exits = f"`{step.title}` exits with {before.exit}, then with {after.exit}" if before.exit != after.exit else ""
    texts = tuple(line for each in (beside, observed) for line in _texts(symptom, each))
    return Comparison(older, newer, kind, exits, texts, tuple(_difference((before, older), (after, newer))), None)


def met(history: History, probe: Probe) -> list[str] | None:
    """Return the texts of the symptom that a release printed; None if that is not known."""
    observation = unpack(probe.observed)
    if history.symptom is None or observation is None:
        return None
    return [text for text, there in met_texts(history.symptom, observation).items() if there]


def groups(history: History) -> list[dict[str, str]]:
    """Return the distinct outcomes of neighbouring probed releases, each with its range."""
    found: list[dict[str, str]] = []
    for index, probe in sorted(history.probes.items()):
        version = history.releases[index].version
        reason = probe.reason.replace(version, "…")
        if found and (found[-1]["outcome"], found[-1]["reason"]) == (probe.word, reason):
            found[-1]["last"] = version
        else:
            found.append({"first": version, "last": version, "outcome": probe.word, "reason": reason})
    return found


def describe(history: History) -> list[tuple[str, str]]:
    """Return what changed at the boundaries as lines, each with its kind: `-` and `+` of a difference, or empty."""
    if history.unsound or history.symptom is None:
        return []
    edges = ((history.boundaries.first_bad, False), (history.boundaries.first_good, True))
    compared = [found for edge, good in edges if (found := compare(history, edge, first_good=good))]
    lines = [line for each in compared for line in _lines(each)]
    failures = [each for each in groups(history) if each["outcome"] != "absent" or OTHER_ERROR in each["reason"]]
    failures = [each for each in failures if not is_lack(each["reason"].replace("…", each["first"]))]
    if len({each["reason"] for each in failures}) < 2:
        return lines
    lines.append(("", "failures:"))
    for each in failures:
        last = f" … {each['last']}" if each["last"] != each["first"] else ""
        lines.append(("", f"  uv {each['first']}{last}: {each['reason']}"))
    return lines


def _lines(compared: Comparison) -> Iterator[tuple[str, str]]:
    head = f"uv {compared.older} → {compared.newer}:"
    if compared.kind == "introduced":
        came = compared.unavailable
        what = f"`{came['feature']}` came with uv {came['came']}" if came else "the release before lacks a feature"
        yield "", f"{head} {what}"
        return
    what = "the error message changed" if compared.kind == "message_changed" else "the behaviour changed"
    yield "", "; ".join(filter(None, (f"{head} {what}", compared.exits)))
    yield from (("", f"  {line}") for line in compared.texts)
    yield from ((line[0], f"  {line}") for line in compared.difference)


def _texts(symptom: Symptom, observation: Observation) -> Iterator[str]:
    """Yield which texts of a symptom with several a release has, if not all of them."""
    there = met_texts(symptom, observation)
    has, lacks = ([f"“{text}”" for text in there if there[text] is each] for each in (True, False))
    if len(there) > 1 and lacks and len(symptom.any) < 2:
        without = f"but not {', '.join(lacks)}" if has else f"none of the {len(there)} texts of the symptom"
        yield f"uv {observation.uv} prints {', '.join(has)}{', ' * bool(has)}{without}"


def _difference(before: tuple[StepResult, str], after: tuple[StepResult, str]) -> Iterator[str]:
    """Yield the lines that only one of two releases prints, wherever they are: downloads end in any order."""
    if normalize(_output(*before)) == normalize(_output(*after)):
        return
    old, new = (
        [(normalize(line), line.strip()) for line in _output(*each).split("\n") if normalize(line)]
        for each in (before, after)
    )
    for sign, own, other in (("-", old, new), ("+", new, old)):
        left, lines = Counter(key for key, _ in other), []
        for key, line in own:
            left[key] -= 1
            if left[key] < 0:
                lines.append(line if len(line) <= LONGEST else f"{line[:LONGEST]}…")
        yield from (f"{sign} {line}" for line in lines[:MOST_LINES])
        if len(lines) > MOST_LINES:
            yield f"{sign} … {len(lines) - MOST_LINES} more lines"


def _output(step: StepResult, version: str) -> str:
    """Return what a step printed, without the version of uv."""
    return readable(f"{step.stderr}\n{step.stdout}").replace(version, "…")
