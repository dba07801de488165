"""The error of the user's command as a symptom, and whether an MRE fails with the same one."""

import re
from dataclasses import dataclass

from uvmre.capture.conflict import contradiction, premises
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.outcome.error_chain import Cause, innermost_cause, mask_local_details
from uvmre.core.outcome.matching import last_line
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.text.normalize import normalize

URL = re.compile(r"(?:git\+)?(?:https?|ssh)://[^\s`'\"<>)]+|(?<=\()https?:[^)]+")
PATH = re.compile(r"(?<![\w:/.…])(?:/[\w.@+%~-]*\w)+")
"""An absolute path that `mask_local_details` leaves, as at the end of a sentence."""
BACKEND = re.compile(r"Call to `[^`]+` failed")
OF_UV_BUILD = re.compile(r"(?m)^\s*Error: (\S.*)$")
"""The error of `uv_build`, which precedes that of uv."""
SIZES = re.compile(r"\b[0-9a-f]{7,64}\b|\b\d+(?:\.\d+)?(?:B|KiB|MiB| bytes)\b")


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What is wrong with a command that succeeds, or hangs."""

    prints: tuple[str, ...] = ()
    """Texts that it should not print."""
    lacks: tuple[str, ...] = ()
    """Texts that it should print."""
    leaves: str = ""
    """A file that it should not leave."""
    leaves_no: str = ""
    """A file that it should leave."""
    hangs: bool = False

    @property
    def symptom(self) -> Symptom | None:
        """Return the symptom; None if nothing is said."""
        if self.hangs:
            return Symptom(exit="timeout")
        files = [FileSymptom(self.leaves, exists=True)] if self.leaves else []
        files += [FileSymptom(self.leaves_no, exists=False)] if self.leaves_no else []
        if not (self.prints or self.lacks or files):
            return None
        return Symptom(exit="success", output=self.prints, absent=self.lacks, files=tuple(files))


def failed_step(observation: Observation) -> StepResult | None:
    """Return the observed step that failed."""
    return next((step for step in observation.steps if step.role == "observe" and step.exit), None)


def cause_of(step: StepResult) -> Cause:
    """Return the innermost cause of a step's failure: its last line if it printed no error."""
    return innermost_cause(step.stderr) or innermost_cause(step.stdout) or Cause((last_line(step),), 0)


def symptom_of(step: StepResult) -> Symptom:
    """Return the symptom of a failure, without what is of this machine: of a conflict, what contradicts itself."""
    texts = contradiction(premises(step.stderr)) or cause_of(step).texts
    if BACKEND.match(texts[-1]) and (found := OF_UV_BUILD.findall(step.stderr)):
        texts = (found[-1],)
    return Symptom(exit="failure", output=tuple(dict.fromkeys(_masked(text) for text in texts)))


def same_error(symptom: Symptom, expected: str, step: StepResult) -> bool:
    """Tell whether a step failed with an error: the same texts, or a conflict of the same premises.

    The resolver explains a conflict in another order if names sort in another one.
    """
    ours, theirs = (frozenset(map(normalize, premises(text))) for text in (expected, step.stderr))
    return ours == theirs if ours else [*map(normalize, symptom.output)] == [*map(normalize, symptom_of(step).output)]


def _masked(text: str) -> str:
    masked = PATH.sub("…", mask_local_details(URL.sub("…", text)))
    return re.sub(r"…(?:\s*…)+", "…", SIZES.sub("…", masked))
