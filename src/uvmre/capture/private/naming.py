"""Give neutral names to private ones: one for each, and none that something public has."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set

from uvmre.capture.private.spelling import letter, lower, spellings, words
from uvmre.capture.private.surroundings import Replacement
from uvmre.capture.private.vocabulary import PACKAGES, is_public_word
from uvmre.core.network.simple_page import normalize_name

NEUTRAL = re.compile(
    r"(?<![a-z])(?:package|module|member|folder|index|extra|group|script|image|branch|tag|person|variable|host|repo)"
    r"[-_./ ]?[a-z]\d*(?![a-z\d])|(?<![a-z])word\d+(?![a-z\d])",
    re.IGNORECASE,
)
"""A name that `Naming` gives."""
FORMS: Mapping[str, Callable[[str], str]] = {
    "person": lambda name: name.replace("-", " ").title(),
    "variable": lambda name: name.replace("-", "_").upper(),
}
"""How the neutral names of a kind are written, where it is not as `package-a`."""
STAYS = "public"
"""The kind of the names that stay as they are."""


class Naming:
    """The replacements so far; a spelling belongs to the first that has it."""

    def __init__(self, public: Set[str], taken: Set[str], texts: Iterable[str]) -> None:
        self.public = public
        self.taken = taken
        self.found: list[Replacement] = []
        self.owners: dict[str, Replacement] = {}
        self.counts: Counter[str] = Counter()
        self.reserved = {re.sub("[-_./ ]", "-", lower(match[0])) for text in texts for match in NEUTRAL.finditer(text)}

    def is_public(self, name: str) -> bool:
        """Tell whether a name is a neutral or a public one, or has only public words."""
        if NEUTRAL.fullmatch(name) or normalize_name(name) in self.public | PACKAGES:
            return True
        return all(is_public_word(match[1]) for match in words(name))

    def free(self, kind: str) -> str:
        """Return the next neutral name of a kind that nothing has yet."""
        while True:
            number = self.counts[kind]
            self.counts[kind] += 1
            name = f"word{number + 1}" if kind == "word" else f"{kind}-{letter(number)}"
            if name not in self.taken and name not in self.reserved:
                return name

    def add(self, kind: str, private: Iterable[str], neutral: str) -> str:
        """Add a replacement of the spellings that no other has; return the neutral name."""
        mine = tuple(dict.fromkeys(each for each in map(lower, private) if each and each not in self.owners))
        if mine and mine != (lower(neutral),):
            self.found.append(Replacement(kind, mine, neutral))
            self.owners |= dict.fromkeys(mine, self.found[-1])
        return neutral

    def name(self, kind: str, name: str, neutral: str = "") -> None:
        """Add a name, with the next neutral one of its kind, unless it is public."""
        if name and not self.is_public(name) and lower(name) not in self.owners:
            self.add(kind, spellings(kind, name), neutral or FORMS.get(kind, str)(self.free(kind)))
