"""How strong the evidence is when a symptom shows.

An error that the environment could cause by itself (no network, no credentials, a missing file or tool) is weak
evidence of a bug, and so is a headline that many errors share: then releases of uv must differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from uvmre.core.mre.model import Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.error_chain import cause_of
from uvmre.core.outcome.matching import matching_step
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.text.network_errors import NETWORK_ERRORS
from uvmre.core.text.normalize import WILDCARD, find_pattern, find_pattern_spans, normalize, readable
from uvmre.core.triage.parsed_issue import Claim

FEWEST_CHARACTERS = 12
"""How many normalized characters a text needs to identify one error."""
HEADLINES = re.compile(
    r"no solution found when resolving(?: (?:script |tool )?dependencies(?: for split \([^)]{0,500}\))?)?"
    r"|(?:we can conclude that )?your (?:project's )?requirements are unsatisfiable"
    r"|(?:the )?(?:build backend returned an error|build backend failed to \w+.*)"
    r"|call to \S+ failed(?: \(exit (?:code|status): \d+\))?"
    r"|failed to (?:build|download|prepare|fetch|resolve|install|unzip|extract|parse|read|run|lock|sync|generate)[^:]*"
    r"|an error occurred|exit (?:code|status) \d+|traceback \(most recent call last\)|error|warning|caused by",
    re.IGNORECASE,
)
"""First lines that many errors share: uv's own, and the frames of build and program errors."""
ENVIRONMENT_ERRORS = re.compile(
    rf"(?P<network>{NETWORK_ERRORS}|connection (?:closed|failed)|failed to connect"
    r"|certificate|failed to fetch|could not connect|name resolution"
    r"|\b50[0234]\b|too many redirects|git operation failed|failed to (?:clone|fetch)|terminal prompts disabled)"
    r"|(?P<credentials>\b40[137]\b|unauthorized|forbidden|authenticat|credentials|permission denied|access denied)"
    r"|(?P<package>not found in the package registry|was not found in|there (?:is|are) no versions? of"
    r"|\b404\b|no matching distribution|not found in the provided package locations"
    r"|(?:extra|group) .{0,60}(?:is|are) not (?:defined|found)|does not have an extra)"
    r"|(?P<python>(?:current|requested) python version|requires-python|requires python|does not satisfy python"
    r"|incompatible with the (?:project's )?python|no interpreter found"
    r"|no python (?:[\w.<>=~,* -]{0,40} )?(?:interpreter|installation)"
    r"|failed to (?:query|inspect) python|querying python|can't use python at)"
    r"|(?P<file>no such file or directory|os error 2\b|file not found|does not exist|no (?:root )?`?pyproject\.toml`?"
    r"|not a (?:valid|local) (?:path|file)|not a directory|distribution not found at|read-only file system"
    r"|os error 30\b|unable to find lockfile|lockfile .{0,60}needs to be updated|is missing a `?pyproject"
    r"|not included as workspace package|not a workspace member|references a workspace"
    r"|does not appear to be a python project|which files to ship|multiple top-level packages|expected a python module)"
    r"|(?P<tool>command not found|program not found|: not found$|git executable|no such command|linker `?cc"
    r"|fatal error: |is rust installed|unable to execute|pkg-config|compiler|cmake|no virtual environment found)"
    r"|(?P<module>modulenotfounderror|no module named|importerror)",
    re.IGNORECASE | re.MULTILINE,
)
"""Errors that something missing on this machine would also produce, grouped by what is missing."""
ENVIRONMENT_CAUSES = {
    "network": "an unreachable network",
    "credentials": "missing credentials",
    "package": "an unavailable package or index",
    "python": "a different Python version",
    "file": "a missing file",
    "tool": "a missing tool",
    "module": "a missing module",
}
FIRM_RULES = ("failing-output", "differing-output", "repeated-run", "warning", "")
"""The rules whose claim is what the observed command prints in the report; none where the MRE came from elsewhere."""
LINK = re.compile(r"^[^\S\n]*(?:[│|][^\S\n]*)*(?:├─▶|╰─▶|\|->|`->|caused by:|cause:)", re.IGNORECASE | re.MULTILINE)
INSTALLED = re.compile(r"[+~-] [\w.-]+==[^\s(]+(?: \(from [^()]*\))?$")
"""A line that every installation prints, and that changes with the index."""
PANIC = re.compile(r"panicked at|internal error: entered unreachable|stack overflow|segmentation fault", re.IGNORECASE)
SIGNALS = 128


class Strength(Enum):
    """How much it proves that the symptom shows on the reported release."""

    STRONG = "strong"
    """It proves the bug."""
    DISTINCTIVE = "distinctive"
    """The text identifies one error: a release that fails with another one does not have the bug."""
    WEAK = "weak"
    """It proves the bug if another release behaves differently."""
    NONE = "none"
    """Other releases cannot prove it either: the network of a run is not the reporter's, or any error would match."""


@dataclass(frozen=True)
class Evidence:
    """How strong the evidence is, and why it is not stronger."""

    strength: Strength
    why: str = ""


def evidence_of(mre: Mre, claim: Claim, observation: Observation) -> Evidence:
    """Return how strong the evidence is that a symptom shows."""
    step = matching_step(mre.symptom, observation)
    if step is None:
        return Evidence(Strength.WEAK, "the symptom does not show")
    if claim.kind == "output" and claim.output and all(INSTALLED.match(text) for text in claim.output):
        return Evidence(Strength.NONE, "the text is only that a package was installed")
    if claim.unconfirmed:
        return Evidence(Strength.WEAK, "the report does not quote an error that identifies the bug")
    if step.exit >= SIGNALS or any(PANIC.search(text) for text in mre.symptom.output):
        return Evidence(Strength.STRONG)
    if not step.exit:
        return Evidence(Strength.WEAK, "the command succeeds, and its output may be correct")
    texts = [text for text in mre.symptom.output if is_distinctive(text)]
    if not texts:
        strength = Strength.WEAK if claim.rule in FIRM_RULES else Strength.NONE
        return Evidence(strength, "the report quotes only a headline that other errors share")
    if found := ENVIRONMENT_ERRORS.search(" ".join(texts[-1].split())):
        group = found.lastgroup or "file"
        why = f"{ENVIRONMENT_CAUSES[group]} would produce the same error (“{found[0].strip()}”)"
        unprovable = group == "network" and not any(fault.outage for fault in mre.faults)
        return Evidence(Strength.NONE if unprovable else Strength.WEAK, why)
    if not _matches_innermost(mre.symptom, step):
        return Evidence(Strength.WEAK, f"the innermost cause, “{cause_of(step)}”, is not in the report")
    return Evidence(Strength.STRONG)


def is_distinctive(text: str) -> bool:
    """Tell whether a text is more than a headline that many errors share."""
    return len(normalize(HEADLINES.sub(" ", WILDCARD.sub(" ", text)))) >= FEWEST_CHARACTERS


def _matches_innermost(symptom: Symptom, step: StepResult) -> bool:
    """Tell whether the last reported text matches inside the innermost cause that the step printed."""
    for output in (readable(step.stderr), readable(step.stdout)):
        links = list(LINK.finditer(output))
        start = len(normalize(output[: links[-1].start()])) if links else 0
        text, at = normalize(output), 0
        for pattern in symptom.output:
            end = find_pattern(pattern, text, at)
            if end is None:
                break
            at = end
        else:
            # A chain may repeat the text further down.
            again = find_pattern_spans(symptom.output[-1], text, at) if links and at <= start else []
            return (again[-1][1] if again else at) > start
    return False


def contains_all(texts: Sequence[str], observation: Observation) -> bool:
    """Tell whether all texts are in the steps' output or in the observed files."""
    outputs = [normalize(step.stdout + "\n" + step.stderr) for step in observation.steps]
    outputs += [normalize(file.content) for file in observation.files if file.content]
    return all(any(find_pattern(text, each) is not None for each in outputs) for text in texts)
