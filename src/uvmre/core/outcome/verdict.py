"""The verdict on an MRE, from its outcome and those of its controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from uvmre.core.mre.model import BASE, Control, Mre
from uvmre.core.outcome.matching import Outcome

Answer = Literal["reproducible", "not_reproducible", "needs_more_information", "explained", "inconclusive"]

EXIT_CODES: Mapping[Answer, int] = {
    "reproducible": 0,
    "explained": 0,
    "not_reproducible": 1,
    "needs_more_information": 125,
    "inconclusive": 125,
}
"""0: the bug shows; 1: it does not; 125: cannot tell, which `git bisect run` skips."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on an MRE."""

    word: Answer
    reason: str
    """One line, to be pasted."""

    @property
    def exit_code(self) -> int:
        """Return what `uvmre run` exits with."""
        return EXIT_CODES[self.word]


def verdict(mre: Mre, outcomes: Mapping[str, Outcome]) -> Verdict:
    """Return the verdict from the outcomes of the MRE (`BASE`) and its controls (by name)."""
    base = outcomes[BASE]
    if base.word == "broken":
        return Verdict("inconclusive", f"The run does not reach the symptom: {base.reason}.")
    if base.word == "different":
        return Verdict("inconclusive", f"It fails, but not as reported: {base.reason}.")
    if broken := [control for control in mre.controls if _word(control, outcomes) == "broken"]:
        names = ", ".join(f"“{control.name}”" for control in broken)
        why = outcomes[broken[0].name].reason
        return Verdict("inconclusive", f"A control could not be run ({names}): {why}.")
    if unsound := [fault for control in mre.controls if (fault := _fault(control, outcomes))]:
        return Verdict("inconclusive", f"The MRE is not sound: {'; '.join(unsound)}.")
    if base.word == "absent":
        return Verdict("not_reproducible", f"The symptom is absent: {base.reason}{_sound(mre)}.")
    for control in mre.controls:
        if control.explains and outcomes[control.name].word == "absent":
            gone = f"with that fixed (“{control.name}”), the symptom is gone"
            return Verdict("explained", f"The symptom shows because {control.explains}; {gone}.")
    return Verdict("reproducible", f"The symptom shows: {base.reason}{_sound(mre)}.")


def _word(control: Control, outcomes: Mapping[str, Outcome]) -> str:
    return outcomes[control.name].word if control.name in outcomes else ""


def _fault(control: Control, outcomes: Mapping[str, Outcome]) -> str:
    outcome = outcomes.get(control.name)
    if outcome is None:
        return f"the control “{control.name}” did not run"
    expected = "shows" if control.expect == "present" else "absent"
    if outcome.word == expected:
        return ""
    found = f"{outcome.word} ({outcome.reason})"
    return f"the control “{control.name}” expects the symptom to be {control.expect}, but its outcome is {found}"


def _sound(mre: Mre) -> str:
    if not mre.controls:
        return ", and no control confirms the MRE"
    if len(mre.controls) == 1:
        return ", and its control behaves as expected"
    return f", and all {len(mre.controls)} controls behave as expected"
