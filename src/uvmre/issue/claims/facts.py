"""The content of a post, from which the claims are derived."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from uvmre.core.triage.parsed_issue import Command, PostedFile

WORD = re.compile(r"[a-z][a-z0-9_.-]{2,}", re.IGNORECASE)
STEP = re.compile(r"(?i)\bstep (\d{1,2})\b")
_COMMON = (
    "the and with when for not uv does doesn that this from into error issue run using fails fail python package file"
)
COMMON = frozenset(_COMMON.split())


@dataclass(frozen=True)
class Facts:
    """The content of a post, from which the claims are derived."""

    title: str
    commands: Sequence[Command]
    context: dict[int, str]
    sentences: Sequence[tuple[str, int]]
    files: Sequence[PostedFile]
    results: Sequence[PostedFile]
    expected: Sequence[PostedFile]
    loose: Sequence[tuple[str, int]] = ()
    """Output without a command, each with its line."""
    numbers: Mapping[int, int] = field(default_factory=dict)
    """The line of each numbered step."""
    inferred: Sequence[Command] = ()
    """Commands that the post may be about: the index of the first one follows that of the last command."""

    expected_outputs: Sequence[tuple[str, int]] = ()
    """Outputs that the post introduces as expected, each with its line."""

    @property
    def all_commands(self) -> list[Command]:
        """Return the commands and the inferred ones."""
        return [*self.commands, *self.inferred]

    @property
    def statements(self) -> list[tuple[str, int]]:
        """Return the title and the sentences, each with its line."""
        return [(self.title, 1), *self.sentences]

    def command_in(self, sentence: str, candidates: Iterable[int], default: int) -> int:
        """Return the command of the step that a sentence names, else the first of some commands that is in it."""
        if step := STEP.search(sentence):
            line = self.numbers.get(int(step[1]), 0)
            at = [i for i in candidates if self.commands[i].line == line]
            return at[-1] if at else default
        return next((i for i in candidates if self.commands[i].run in sentence), default)


def source(sentence: str) -> str:
    """Return where a claim comes from."""
    return f"the sentence “{sentence[:120]}”"


def overlap(text: str, title: str) -> int:
    """Return how many words of the title are in a text."""
    words = {word.lower() for word in WORD.findall(title)} - COMMON
    return len(words & {word.lower() for word in WORD.findall(text)})
