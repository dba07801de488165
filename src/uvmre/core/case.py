"""What is known of an issue by now, and what has to be run next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from uvmre.core.draft import Draft, Gap
from uvmre.core.history import History
from uvmre.core.mre import Mre
from uvmre.core.proof import Proof, proof
from uvmre.core.result import Result
from uvmre.core.symptom import Outcome
from uvmre.core.vary import variations
from uvmre.core.verdict import Verdict

Kind = Literal["reported", "day", "today", "history", "good", "latest", "varied"]
"""Why something is run: on the reported release; on the last one of the post's day, where the post names none; with
PyPI as it is now; to search the boundaries; where the bug is mended; on the newest; with one thing done another way."""


UNTOLD = Gap(
    0,
    "The post does not say what is seen when it goes wrong",
    True,
    "What does uv print when it goes wrong (the whole output), and what should it do instead?",
)


@dataclass(frozen=True)
class Mistake:
    """A known mistake that the MRE has."""

    rule: str
    where: str
    why: str
    control: str = ""
    """The variant in which it is mended; empty where nobody can mend it but the reporter."""
    question: str = ""


@dataclass(frozen=True)
class Wish:
    """What to run next."""

    kind: Kind
    mre: Mre
    uv: str = ""
    """The release, where that is settled; what `day` and `latest` mean has to be looked up."""
    name: str = ""
    """Of what is done another way."""


@dataclass(frozen=True)
class Trial:
    """One run, judged with the MRE's own controls."""

    wish: Wish
    result: Result
    verdict: Verdict

    @property
    def kind(self) -> Kind:
        """Return why it was run."""
        return self.wish.kind

    @property
    def outcome(self) -> Outcome:
        """Return the outcome of the MRE itself."""
        return self.result.base.outcome

    @property
    def shows(self) -> bool:
        """Tell whether the symptom shows, with every control as it must be."""
        return self.verdict.word in ("reproducible", "explained")


@dataclass(frozen=True)
class Case:
    """All that is known of an issue by now."""

    draft: Draft
    mre: Mre | None
    stated: bool = True
    """Whether the post says which release it is about."""
    search: bool = False
    """Whether the boundaries are asked for."""
    lacks: tuple[str, ...] = ()
    """What of the report's surroundings is not to be had here."""
    mistakes: tuple[Mistake, ...] = ()
    trials: tuple[Trial, ...] = ()
    history: History | None = None
    cut: str = ""
    """Why no more was run, where more was wanted."""

    def trial(self, kind: Kind) -> Trial | None:
        """Return the last run that was made for this reason."""
        return next((trial for trial in reversed(self.trials) if trial.kind == kind), None)

    @cached_property
    def shown(self) -> Trial | None:
        """Return the run in which the reported symptom shows; none today where it was absent on the post's day."""
        tried = [trial for trial in self.trials if trial.kind in ("reported", "day", "today")]
        found = next((trial for trial in tried if trial.shows), None)
        if found and found.kind == "today" and any(trial.outcome.word == "absent" for trial in tried):
            return None
        return found

    @cached_property
    def proof(self) -> Proof:
        """Return what it is worth that it shows."""
        if self.shown is None:
            return Proof(False, "it does not show")
        found = proof(self.shown.wish.mre, self.draft.claim, self.shown.result.base.observation)
        if found.strong and self.draft.stood_in:
            why = f"something stands in for what cannot be had ({self.draft.stood_in[0]})"
            return Proof(False, why, telling=True)
        if found.strong and self.lacks:
            return Proof(False, self.lacks[0], telling=True)
        return found

    @property
    def deciding(self) -> tuple[Gap, ...]:
        """Return the gaps without which nothing can be said."""
        gaps = tuple(gap for gap in self.draft.gaps if gap.decides)
        return gaps if gaps or self.draft.claim.kind != "none" else (UNTOLD,)

    @property
    def first_good(self) -> str:
        """Return the first release that was seen not to show it any more."""
        if self.history is None or self.history.unsound:
            return ""
        edge = self.history.boundaries.first_good
        known = edge is not None and edge.word in ("exact", "between") and edge.good is not None
        return self.history.releases[edge.good].version if edge and edge.good is not None and known else ""


def needed(case: Case) -> Wish | None:
    """Return what to run next; None where all is known that is to be known."""
    if case.mre is None or (case.deciding and not any(mistake.control for mistake in case.mistakes)):
        return None
    if not case.trials:
        return Wish("reported", case.mre)
    return next(_confirming(case, case.shown) if case.shown else _doubting(case, case.mre), None)


def _confirming(case: Case, shown: Trial) -> Iterator[Wish]:
    """Yield what is not known yet of a symptom that shows."""
    mre, uv = replace(shown.wish.mre, controls=()), shown.result.uv
    if case.search:
        if case.history is None:
            yield Wish("history", shown.wish.mre, uv)
        elif case.first_good and not case.proof.strong and not case.trial("good"):
            yield Wish("good", mre, case.first_good)
    elif not case.trial("latest"):
        yield Wish("latest", mre, "latest")
    if _calendar_matters(shown) and not case.trial("today"):
        yield Wish("today", replace(mre, environment=replace(mre.environment, date=None)), uv)


def _doubting(case: Case, mre: Mre) -> Iterator[Wish]:
    """Yield what would have to be tried before anybody says that it does not show."""
    first = case.trials[0]
    uv, date = first.result.uv, mre.environment.date
    if not case.stated and date and not case.trial("day"):
        yield Wish("day", mre, f"@{date}")
    if date and not case.trial("today") and _calendar_matters(first):
        yield Wish("today", replace(mre, environment=replace(mre.environment, date=None)), uv)
    if first.verdict.word == "not_reproducible":
        done = {trial.wish.name for trial in case.trials}
        for name, varied in variations(mre):
            if name not in done:
                yield Wish("varied", varied, uv, name)
        if not case.trial("latest"):
            yield Wish("latest", replace(mre, controls=()), "latest")


def _calendar_matters(trial: Trial) -> bool:
    """Tell whether a run with a day could come out otherwise without: it asked for something."""
    dated = trial.wish.mre.environment.date is not None
    return dated and any(request.answered_by == "upstream" for request in trial.result.base.observation.requests)
