"""Run candidates, and tell whether they fail as the project does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from uvmre.capture.error import cause_of, failed_step, same_error, symptom_of
from uvmre.capture.private.naming import STAYS
from uvmre.capture.private.surroundings import Replacement
from uvmre.core.mre.model import Mre
from uvmre.core.outcome.observation import Observation
from uvmre.core.outcome.result import Variant
from uvmre.core.progress import Progress
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.flows.scratch import scratch

ALWAYS = ("secret", "user", STAYS)
"""The kinds of replacements without which nothing is run."""
Candidate = Callable[[Sequence[Replacement]], tuple[Mre, str]]
"""Returns the MRE in which some things are replaced, and the output of the user's command with the same names."""


@dataclass
class Prover:
    """Runs candidates, and tells whether they fail as the project does."""

    options: RunOptions
    progress: Progress
    runs: int = 0
    instead: str = ""
    """What the last candidate did instead."""

    def observe(self, mre: Mre) -> Observation:
        """Run an MRE and return what it left."""
        return self._run(mre).observation

    def _run(self, mre: Mre) -> Variant:
        self.runs += 1
        self.progress.detail(f"proving that the error is still there: run {self.runs}")
        with scratch() as folder:
            return run(folder, self.options, mre=mre).base

    def proven(self, mre: Mre, expected: str) -> Mre | None:
        """Run an MRE; return it with its own words of the error, or None if it fails in another way than expected."""
        base = self._run(mre)
        step = failed_step(base.observation)
        self.instead = base.outcome.reason
        if mre.symptom.exit != "failure":
            found = mre if base.outcome.word == "shows" else None
        elif base.outcome.word == "broken" or step is None:
            found = None
        else:
            self.instead = f"it fails with “{cause_of(step).links[-1]}”"
            same = same_error(mre.symptom, expected, step)
            found = replace(mre, symptom=symptom_of(step)) if same else None
        return found


@dataclass(frozen=True)
class Proven:
    """An MRE that fails as the project does, and what is replaced in it."""

    mre: Mre
    replaced: tuple[Replacement, ...]


def replace_most(candidate: Candidate, replacements: Sequence[Replacement], prover: Prover) -> Proven | None:
    """Replace as much as the error survives, all at once or else by halves; None if it does not survive the stand-ins.

    Secrets are always replaced.
    """
    if mre := prover.proven(*candidate(replacements)):
        return Proven(mre, tuple(replacements))
    certain = [each for each in replacements if each.kind in ALWAYS]
    if not (mre := prover.proven(*candidate(certain))):
        return None
    others = [each for each in replacements if each.kind not in ALWAYS]
    return _add_by_halves(Proven(mre, tuple(certain)), others, candidate, prover)


def _add_by_halves(known: Proven, others: list[Replacement], candidate: Candidate, prover: Prover) -> Proven:
    """Add what survives of some replacements, which do not survive together."""
    if len(others) < 2:
        return known
    for half in (others[: len(others) // 2], others[len(others) // 2 :]):
        if mre := prover.proven(*candidate([*known.replaced, *half])):
            known = Proven(mre, (*known.replaced, *half))
        else:
            known = _add_by_halves(known, half, candidate, prover)
    return known
