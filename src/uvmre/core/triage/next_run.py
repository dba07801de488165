"""Choose the next run of an issue's MRE."""

from collections.abc import Iterator
from dataclasses import replace

from uvmre.core.mre.model import Mre
from uvmre.core.triage.evidence import FIRM_RULES, Strength
from uvmre.core.triage.state import COMPARED, PlannedRun, TriageRun, TriageState
from uvmre.core.triage.variations import variations


def next_run(state: TriageState) -> PlannedRun | None:
    """Return what to run next; None if the verdict needs no further run."""
    if state.mre is None or state.parsed.claim.kind == "none":
        return None
    if not state.runs:
        return PlannedRun("reported", state.mre)
    return next(
        _runs_to_confirm(state, state.reproducing_run) if state.reproducing_run else _runs_to_exclude(state, state.mre),
        None,
    )


def first_run(state: TriageState) -> PlannedRun | None:
    """Return the run that tells whether a reading is worth more runs; None if that is known."""
    if not state.runs:
        return next_run(state)
    # Where a report names no release, its author may have built uv from its sources.
    is_firm = state.parsed.claim.rule in FIRM_RULES
    planned = None if state.uv_stated or not is_firm or state.reproducing_run else next_run(state)
    return planned if planned and planned.kind == "day" else None


def _runs_to_confirm(state: TriageState, shown: TriageRun) -> Iterator[PlannedRun]:
    """Yield the runs that a symptom which shows still needs."""
    mre, uv = replace(shown.planned.mre, controls=()), shown.result.uv
    strong = state.evidence.strength is Strength.STRONG
    if (not strong or not state.search) and not state.run_of("latest"):
        yield PlannedRun("latest", mre, "latest")
    if not strong and state.evidence.strength is not Strength.NONE and not _is_decisive(state):
        # A later release may fail for another reason: a closer one is compared then.
        tried = {run.planned.uv for run in state.runs}
        yield from (PlannedRun("neighbour", mre, each) for each in state.neighbours if each not in tried)
    if strong or state.differing_run:
        if state.search and state.history is None:
            yield PlannedRun("history", shown.planned.mre, uv)
        elif state.first_good and not strong and not state.run_of("good"):
            yield PlannedRun("good", mre, state.first_good)
        if not strong and not state.run_of("again"):
            yield PlannedRun("again", mre, uv)
    if _depends_on_cutoff(shown) and not state.run_of("today"):
        yield PlannedRun("today", replace(mre, environment=replace(mre.environment, exclude_newer=None)), uv)


def _runs_to_exclude(state: TriageState, mre: Mre) -> Iterator[PlannedRun]:
    """Yield the runs that a verdict of `not_reproducible` still needs."""
    first = state.runs[0]
    uv, date = first.result.uv, mre.environment.exclude_newer
    if not state.uv_stated and state.neighbours and not state.run_of("day"):
        yield PlannedRun("day", mre, state.neighbours[0])
    if date and not state.run_of("today") and _depends_on_cutoff(first):
        yield PlannedRun("today", replace(mre, environment=replace(mre.environment, exclude_newer=None)), uv)
    if first.verdict.word == "not_reproducible":
        tried = {run.planned.name for run in state.runs}
        for name, varied in variations(mre):
            if name not in tried:
                yield PlannedRun("varied", varied, uv, name)
        if not state.run_of("latest"):
            yield PlannedRun("latest", replace(mre, controls=()), "latest")


def _is_decisive(state: TriageState) -> bool:
    """Tell whether a run of another release can prove a symptom that is no proof alone."""
    words = ("absent", "different") if state.evidence.strength is Strength.DISTINCTIVE else ("absent",)
    return any(run.outcome.word in words for run in state.runs if run.kind in COMPARED)


def _depends_on_cutoff(run: TriageRun) -> bool:
    """Tell whether the cutoff date can affect a run: it has one, and it sent requests upstream."""
    dated = run.planned.mre.environment.exclude_newer is not None
    return dated and any(request.answered_by == "upstream" for request in run.result.base.observation.requests)
