"""What a reader proposes for an issue: an MRE with the claim that it must show, and the repairs that it has."""

from dataclasses import dataclass
from typing import Literal

from uvmre.core.mre.model import Mre
from uvmre.core.triage.parsed_issue import ParsedIssue

RepairKind = Literal["neutral", "inventing", "standing in", "altering"]
"""What a repair does: it adds what any project has (neutral), content that the post does not show (inventing), a local
replacement for something remote (standing in), or it changes what the post shows (altering)."""
RULES = "rules"


@dataclass(frozen=True)
class Repair:
    """A change of an MRE, made because of the output of its last run."""

    rule: str
    """The rule's id."""
    kind: RepairKind
    trigger: str
    """The text of the output that called for it, in one line."""
    description: str
    """What was done, as `added \\`uv venv\\``."""


@dataclass(frozen=True)
class Hypothesis:
    """A reading of an issue that a run can confirm or reject."""

    parsed: ParsedIssue
    """The post as this reading has it, with one claim."""
    mre: Mre
    repairs: tuple[Repair, ...] = ()
    source: str = RULES
    """The reader that proposes it."""
    number: int = 0
    """Its place among the readings of the rules, from 1; a repair keeps it."""
