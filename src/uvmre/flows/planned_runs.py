"""Execute the planned runs of an issue's MRE, within one time limit."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Control, Mre
from uvmre.core.outcome.vacuous import vacuous_controls
from uvmre.core.outcome.verdict import verdict
from uvmre.core.progress import Progress
from uvmre.core.triage.hypothesis import RULES
from uvmre.core.triage.state import PlannedRun, TriageRun, TriageState
from uvmre.flows.bisect import BisectRequest, bisect
from uvmre.flows.new import ISSUE
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.target import of_mre
from uvmre.flows.run import run
from uvmre.folder.write import write_mre
from uvmre.releases import catalogue

SECONDS = 230.0
"""The time after which no further run of one issue starts."""
RESERVE = 50.0
"""The part of it that is left for the runs after a search."""
STEP_SECONDS = 80
DAY_SECONDS = 86_400.0


@dataclass
class PlannedRuns:
    """Executes planned runs until the time is up."""

    folder: Path
    options: RunOptions
    progress: Progress
    started: float
    count: int = 0

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def add(self, state: TriageState, planned: PlannedRun, fixed: tuple[Control, ...]) -> TriageState:
        """Execute a planned run, beside the variants in which a known mistake is fixed, and add it to the state."""
        left = SECONDS - self.seconds
        self.count += 1
        if left <= 0:
            return replace(state, stop_reason=f"not all could be run in {SECONDS:.0f} s")
        if planned.kind == "history":
            return self._search(state, planned, left)
        return replace(state, runs=(*state.runs, self._run(state, planned, left, fixed)))

    def _run(self, state: TriageState, planned: PlannedRun, left: float, fixed: tuple[Control, ...]) -> TriageRun:
        uv = self._release(planned)
        mre = _limit_steps(replace(planned.mre, environment=replace(planned.mre.environment, uv=uv)), left)
        # Fixed variants run beside the MRE itself, so that they take no extra time.
        first = planned.kind in ("reported", "day", "today") and state.mre and mre.controls == state.mre.controls
        with_fixed = replace(mre, controls=(*mre.controls, *(fixed if first else ())))
        result = run(self._recording_folder(planned), self.options, uv=uv, mre=with_fixed, progress=self.progress)
        outcomes = {variant.name: variant.outcome for variant in result.variants}
        # A control that works for the reporter may fail here for other reasons; only a conclusive one counts.
        conclusive = mre.controls
        if state.source == RULES:
            conclusive = tuple(each for each in mre.controls if outcomes[each.name].word in ("shows", "absent"))
        mre = replace(mre, controls=conclusive)
        vacuous = vacuous_controls(mre, [(each.name, each.observation, each.outcome) for each in result.variants])
        return TriageRun(replace(planned, mre=mre), result, verdict(mre, outcomes, vacuous))

    def _recording_folder(self, planned: PlannedRun) -> Path:
        """Return the folder of a run's recording: an old one lacks PyPI as it is today."""
        now = datetime.now(UTC)
        if planned.kind != "today" or now.timestamp() - (self.folder / MANIFEST).stat().st_mtime < DAY_SECONDS:
            return self.folder
        return self.folder / f"today-{now:%Y-%m-%d}"

    def _release(self, planned: PlannedRun) -> str:
        uv = planned.uv or planned.mre.environment.uv
        return catalogue.resolve(uv, self.options.cache, offline=self.options.offline)[0]

    def _search(self, state: TriageState, planned: PlannedRun, left: float) -> TriageState:
        mre = _limit_steps(planned.mre, 2 * STEP_SECONDS)
        mre = replace(mre, environment=replace(mre.environment, uv=planned.uv))
        # The folder gets the MRE that is searched, so that `uvmre bisect` finds the same boundaries in it.
        if (self.folder / MANIFEST).read_text(encoding="utf-8") != dump(mre):
            write_mre(mre, self.folder, force=True, origin=ISSUE)
        request = BisectRequest(reported=planned.uv, seconds=max(left - RESERVE, left / 2))
        report = bisect(of_mre(self.folder, mre=mre), request, self.options, progress=self.progress)
        cut = "" if report.history.boundaries.done else f"the search did not end in {SECONDS:.0f} s"
        return replace(state, history=report.history, stop_reason=cut)


def _limit_steps(mre: Mre, left: float) -> Mre:
    """Limit the time of each step to what is left."""
    most = int(max(10, min(STEP_SECONDS, left / 2)))
    return replace(mre, steps=tuple(replace(step, timeout=min(step.timeout, most)) for step in mre.steps))
