"""What a repair rule is: a text of an output, and the change of the MRE that it calls for."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from uvmre.core.mre.model import Mre, Step
from uvmre.core.outcome.observation import StepResult
from uvmre.core.triage.hypothesis import Hypothesis, RepairKind


@dataclass(frozen=True)
class Failure:
    """A step of an MRE that failed, otherwise than the claim says."""

    hypothesis: Hypothesis
    step: StepResult
    at: int
    """The index of the step in the MRE."""
    output: str
    """Both streams, each run of white space as one space."""

    @property
    def mre(self) -> Mre:
        """Return the MRE that failed."""
        return self.hypothesis.mre

    def with_step_before(self, run: str) -> Mre:
        """Return the MRE with a set-up step before the one that failed."""
        return replace(self.mre, steps=(*self.mre.steps[: self.at], Step(run), *self.mre.steps[self.at :]))

    def with_run(self, run: str) -> Mre:
        """Return the MRE with another command in place of the one that failed."""
        step = replace(self.mre.steps[self.at], run=run)
        return replace(self.mre, steps=(*self.mre.steps[: self.at], step, *self.mre.steps[self.at + 1 :]))


Change = tuple[Mre, str] | None
"""The changed MRE and what was done, in words that follow the rule's trigger; None where the rule does not apply."""


@dataclass(frozen=True)
class RepairRule:
    """A repair."""

    id: str
    kind: RepairKind
    trigger: re.Pattern[str]
    """What the output of the failed step must contain; white space in it is single spaces."""
    apply: Callable[[Failure, re.Match[str]], Change]
