"""The verdict on an MRE, from its outcome and those of its controls."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from uvmre.core.mre.model import BASE, Control, Mre
from uvmre.core.outcome.matching import Outcome, Word

Answer = Literal["reproducible", "not_reproducible", "needs_more_information", "explained", "inconclusive"]

EXIT_CODES: Mapping[Answer, int] = {
    "reproducible": 0,
    "explained": 0,
    "not_reproducible": 1,
    "needs_more_information": 125,
    "inconclusive": 125,
}
"""0: the bug shows; 1: it does not; 125: cannot tell, which `git bisect run` skips."""
OTHER_SYSTEM = re.compile(r"windows|mac|darwin|bsd", re.IGNORECASE)
EXPECTED: Mapping[str, Word] = {"present": "shows", "absent": "absent", "different": "different"}


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


def verdict(mre: Mre, outcomes: Mapping[str, Outcome], vacuous: Mapping[str, str] | None = None) -> Verdict:
    """Return the verdict from the outcomes of the MRE (`BASE`) and its controls (by name).

    `vacuous` says of controls why they could not have had the symptom: they prove nothing.
    """
    judged = _judge(mre, outcomes, vacuous or {})
    changes = "; ".join(f"“{each.from_}” is “{each.to}” here" for each in mre.deviations)
    return replace(judged, reason=f"{judged.reason} The MRE departs from the report: {changes}.") if changes else judged


def _judge(mre: Mre, outcomes: Mapping[str, Outcome], vacuous: Mapping[str, str]) -> Verdict:
    base = outcomes[BASE]
    if base.word == "broken":
        return Verdict("inconclusive", f"The run does not reach the symptom: {base.reason}.")
    if base.word == "different":
        return Verdict("inconclusive", f"It fails, but not as reported: {base.reason}.")
    if broken := [control for control in mre.controls if _word(control, outcomes) == "broken"]:
        names = ", ".join(f"“{control.name}”" for control in broken)
        why = outcomes[broken[0].name].reason
        return Verdict("inconclusive", f"A control could not be run ({names}): {why}.")
    sound = [control for control in mre.controls if control.name not in vacuous]
    without_uv = next((c for c in sound if c.without_uv and _word(c, outcomes) == "shows"), None)
    if base.word == "shows" and without_uv:
        return Verdict("explained", f"The symptom shows without uv too (“{without_uv.name}”): it is not uv's.")
    if unsound := [fault for control in mre.controls if (fault := _fault(control, outcomes))]:
        return Verdict("inconclusive", f"The MRE is not sound: {'; '.join(unsound)}.")
    if base.word == "absent":
        return _absent(mre, f"{base.reason}{_sound(mre, vacuous)}")
    for control in mre.controls:
        gone = control.explains and outcomes[control.name].word == "absent" and control.name not in vacuous
        if gone and not mre.is_guess:
            fixed = f"with that fixed (“{control.name}”), the symptom is gone"
            return Verdict("explained", f"The symptom shows because {control.explains}; {fixed}.")
    guess = ", which is a guess," if mre.symptom.guess else ""
    return Verdict("reproducible", f"The symptom{guess} shows: {base.reason}{_sound(mre, vacuous)}.")


def _absent(mre: Mre, reason: str) -> Verdict:
    """Return the verdict on an absent symptom, which proves nothing where the MRE guesses."""
    if mre.symptom.guess:
        return Verdict("inconclusive", f"The symptom is absent, but it is a guess: {reason}.")
    if mre.is_guess:
        return Verdict("inconclusive", f"The symptom is absent, where the MRE departs in what may decide: {reason}.")
    platform = mre.environment.reported_platform
    about = f" The report is about {platform}." if OTHER_SYSTEM.search(platform) else ""
    return Verdict("not_reproducible", f"The symptom is absent: {reason}.{about}")


def _word(control: Control, outcomes: Mapping[str, Outcome]) -> str:
    return outcomes[control.name].word if control.name in outcomes else ""


def _fault(control: Control, outcomes: Mapping[str, Outcome]) -> str:
    outcome = outcomes.get(control.name)
    if outcome is None:
        return f"the control “{control.name}” did not run"
    # Another program fails in its own way.
    if outcome.word == EXPECTED[control.expect] or (control.without_uv and outcome.word == "different"):
        return ""
    found = f"{outcome.word} ({outcome.reason})"
    return f"the control “{control.name}” expects the symptom to be {control.expect}, but its outcome is {found}"


def _sound(mre: Mre, vacuous: Mapping[str, str]) -> str:
    controls = [control for control in mre.controls if control.name not in vacuous]
    empty = "".join(f"; the control “{name}” proves nothing: {why}" for name, why in vacuous.items())
    if not controls:
        return f", and no control confirms the MRE{empty}"
    if len(controls) == 1:
        return f", and its control behaves as expected{empty}"
    return f", and all {len(controls)} controls behave as expected{empty}"
