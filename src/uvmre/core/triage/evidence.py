"""How much it proves that a symptom shows, and whether a release that fails otherwise still has the bug.

A text that anything on this machine could bring about (no network, no credentials, a missing file or tool) is no proof
of a bug by itself, nor is a headline that many errors share: the releases must then differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from uvmre.core.mre.model import Mre, Symptom
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.symptom import last_line, matching_step
from uvmre.core.text.normalize import WILDCARD, find_pattern, find_pattern_ends, normalize, readable
from uvmre.core.triage.parsed_issue import Claim

FEWEST_CHARACTERS = 12
"""How many plain characters a text has at least that means one error and no other."""
HEADLINES = re.compile(
    r"no solution found when resolving(?: (?:script |tool )?dependencies(?: for split \([^)]{0,500}\))?)?"
    r"|(?:we can conclude that )?your (?:project's )?requirements are unsatisfiable"
    r"|(?:the )?(?:build backend returned an error|build backend failed to \w+.*)"
    r"|call to \S+ failed(?: \(exit (?:code|status): \d+\))?"
    r"|failed to (?:build|download|prepare|fetch|resolve|install|unzip|extract|parse|read|run|lock|sync|generate)[^:]*"
    r"|an error occurred|exit (?:code|status) \d+|traceback \(most recent call last\)|error|warning|caused by",
    re.IGNORECASE,
)
"""What stands above many causes: uv's own first lines, and the frame of a build's or a program's error."""
ENVIRONMENT_ERRORS = re.compile(
    r"(?P<network>error sending request|dns error|connection (?:refused|reset|closed|failed)|failed to connect"
    r"|timed? ?out|timeout|unknownissuer|certificate|failed to fetch|could not connect|name resolution"
    r"|\b50[0234]\b|too many redirects|git operation failed|failed to (?:clone|fetch)|terminal prompts disabled)"
    r"|(?P<credentials>\b40[137]\b|unauthorized|forbidden|authenticat|credentials|permission denied|access denied)"
    r"|(?P<package>not found in the package registry|was not found in|there (?:is|are) no versions? of"
    r"|\b404\b|no matching distribution|not found in the provided package locations"
    r"|(?:extra|group) .{0,60}(?:is|are) not (?:defined|found)|does not have an extra)"
    r"|(?P<python>(?:current|requested) python version|requires-python|requires python|does not satisfy python"
    r"|incompatible with the (?:project's )?python|no interpreter found|no python (?:interpreter|installation)"
    r"|failed to (?:query|inspect) python)"
    r"|(?P<file>no such file or directory|os error 2\b|file not found|does not exist|no (?:root )?`?pyproject\.toml`?"
    r"|not a (?:valid|local) (?:path|file)|not a directory|distribution not found at|read-only file system"
    r"|os error 30\b|unable to find lockfile|lockfile .{0,60}needs to be updated|is missing a `?pyproject"
    r"|not included as workspace package|not a workspace member|references a workspace"
    r"|does not appear to be a python project|which files to ship|multiple top-level packages|expected a python module)"
    r"|(?P<tool>command not found|: not found$|git executable|no such command|linker `?cc|fatal error: "
    r"|is rust installed|unable to execute|pkg-config|compiler|cmake|no virtual environment found)"
    r"|(?P<module>modulenotfounderror|no module named|importerror)",
    re.IGNORECASE | re.MULTILINE,
)
"""What a run may say because something is not there on the machine that runs it, by what is then missing."""
ENVIRONMENT_CAUSES = {
    "network": "a network that does not answer",
    "credentials": "missing credentials",
    "package": "a package or an index that is not to be had here",
    "python": "another Python",
    "file": "a missing file",
    "tool": "a missing tool",
    "module": "a missing module",
}
LINK = re.compile(r"^[^\S\n]*(?:[│|][^\S\n]*)*(?:├─▶|╰─▶|\|->|`->|caused by:|cause:)", re.IGNORECASE | re.MULTILINE)
HINT = re.compile(r"^[^\S\n]*(?:[│|][^\S\n]*)*(?:hint|help|note|info):.*", re.IGNORECASE | re.MULTILINE | re.DOTALL)
ERROR = re.compile(r"^(?:error: | *× )", re.MULTILINE)
PANIC = re.compile(r"panicked at|internal error: entered unreachable|stack overflow|segmentation fault", re.IGNORECASE)
SIGNALS = 128


@dataclass(frozen=True)
class Evidence:
    """What it is worth that the symptom shows on the reported release."""

    strong: bool
    why: str = ""
    """Why it does not prove the bug by itself, as what follows “because”."""
    specific: bool = False
    """Whether the text means this one error and no other, so that a release which fails otherwise is without it."""
    never: bool = False
    """Whether no other release can prove it either: the network of a run is not the reporter's."""


def evidence_of(mre: Mre, claim: Claim, observation: Observation) -> Evidence:
    """Say what the texts of a symptom that shows are worth."""
    step = matching_step(mre.symptom, observation)
    if step is None:
        return Evidence(False, "it does not show")
    if claim.unconfirmed:
        return Evidence(False, "what is claimed is no error that names itself")
    if step.exit >= SIGNALS or any(PANIC.search(text) for text in mre.symptom.output):
        return Evidence(True)
    if not step.exit:
        return Evidence(False, "the command succeeds, and what it says may be as it should be")
    texts = [text for text in mre.symptom.output if is_distinctive(text)]
    if not texts:
        return Evidence(False, "nothing but a headline is claimed, which other failures have too")
    if found := ENVIRONMENT_ERRORS.search(" ".join(texts[-1].split())):
        lacks = found.lastgroup or "file"
        why = f"{ENVIRONMENT_CAUSES[lacks]} brings “{found[0].strip()}” about as well"
        return Evidence(False, why, never=lacks == "network" and not any(fault.outage for fault in mre.faults))
    if not _matches_innermost(mre.symptom, step):
        return Evidence(
            False, f"the cause that is told here, “{innermost_cause(step)}”, is not among what was reported"
        )
    return Evidence(True)


def is_distinctive(text: str) -> bool:
    """Tell whether a text says more than a headline that many errors share."""
    return len(normalize(HEADLINES.sub(" ", WILDCARD.sub(" ", text)))) >= FEWEST_CHARACTERS


def innermost_cause(step: StepResult) -> str:
    """Return the innermost cause that a step told, in one line."""
    said = readable(step.stderr).strip() or readable(step.stdout).strip()
    inner = HINT.sub("", said[_start_of_innermost(said) :]).strip("│| \t\r\n") or last_line(step)
    return " ".join(re.sub(r"^[\s│|├╰─▶`>-]+", "", line) for line in inner.splitlines()[-6:]).strip()[:200]


def _start_of_innermost(said: str) -> int:
    """Return where the innermost link of an error's chain begins; where nothing is linked, where the error does."""
    ends = [link.end() for link in LINK.finditer(said)] + [error.start() for error in ERROR.finditer(said)]
    return max(ends, default=0)


def _matches_innermost(symptom: Symptom, step: StepResult) -> bool:
    """Tell whether the last of the reported texts reaches into the innermost cause that the step told."""
    for said in (readable(step.stderr), readable(step.stdout)):
        links = list(LINK.finditer(said))
        start = len(normalize(said[: links[-1].start()])) if links else 0
        text, at = normalize(said), 0
        for pattern in symptom.output:
            end = find_pattern(pattern, text, at)
            if end is None:
                break
            at = end
        else:
            # The same text may stand again further on, and does where a chain repeats what is above.
            again = find_pattern_ends(symptom.output[-1], text, at) if links and at <= start else []
            return (again[-1] if again else at) > start
    return False


def contains_all(texts: Sequence[str], observation: Observation) -> bool:
    """Tell whether all of some texts stand in what the steps said, or in the files that are looked at."""
    said = [normalize(step.stdout + "\n" + step.stderr) for step in observation.steps]
    said += [normalize(content) for _, content in observation.files if content]
    return all(any(find_pattern(text, each) is not None for each in said) for text in texts)
