"""The words of a text, and one name in all its spellings."""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

PLAIN = re.compile(r"[0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\u2dff\u3040-\uffef\U00010000-\U0010ffff]")
"""A letter or digit of any script."""
ESCAPED = r"%[89A-Fa-f][0-9A-Fa-f]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
HASH = (
    r"(?:(?:sha\d{1,3}|md5|blake2b|rev)[:=]|[/#@])"
    r"(?:[0-9a-f]{2}|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,12}|[0-9a-f]{32,})(?![\w.-])"
)
"""A hash where one is expected, a commit, or a folder of PyPI's files."""
TOKEN = re.compile(rf"{HASH}|%[0-7][0-9A-Fa-f]|((?:{PLAIN.pattern}|{ESCAPED})+)|\\[bfnrt]")
"""A word; or what is no word but has letters: a hash, or an escaped character."""
LETTERS = "abcefghijklmnopqtuvwxyz"
"""Without those that would make another word: `packaged`, `packager`, `packages`."""
IDENTIFIERS = frozenset({"package", "module", "word"})
"""Kinds of names that may also stand where only an identifier can."""
NAMES = IDENTIFIERS | {"index", "extra", "group", "script", "member", "folder"}
"""Kinds whose neutral name is spelled as the private one was."""


def words(text: str) -> Iterator[re.Match[str]]:
    """Yield the words of a text, as matches whose group 1 they are."""
    return (match for match in TOKEN.finditer(text) if match[1])


def lower(text: str) -> str:
    """Return a text of the same length in lower case."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def letter(number: int) -> str:
    """Return a letter for a small number, then a2 and so on."""
    count = len(LETTERS)
    return LETTERS[number % count] + str(number // count + 1) * (number >= count)


def spellings(kind: str, name: str, *, generic: bool = False) -> tuple[str, ...]:
    """Return the spellings of a name, in lower case, its own first.

    Args:
        kind: that of the replacement.
        name: as it is written.
        generic: whether all its words are public, so that only they with hyphens or underscores are the name.
    """
    found = {name}
    if kind in NAMES | {"public"} and len(parts := re.split(r"[-_.]+", name)) > 1:
        joints = "-_" if generic else "-_." if kind != "package" else ("-", "_", ".", "/", "")
        found |= {joint.join(parts) for joint in joints}
    for each in tuple(found):
        if not each.isascii():
            found |= {unicodedata.normalize("NFC", each), unicodedata.normalize("NFD", each)}
    for each in tuple(found):
        found |= {quote(each, safe="/:@+"), quote(each, safe=""), each.replace(" ", "\\ ")}
        found.add("".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in each))
    return tuple(dict.fromkeys([lower(name), *sorted(map(lower, found))]))


def respell(kind: str, neutral: str, private: str, around: str) -> str:
    """Return a neutral name with the separators and the case of the private one that it replaces.

    Args:
        kind: that of the replacement.
        neutral: as "package-a".
        private: as it was written.
        around: the characters before and after it.
    """
    if kind not in NAMES:
        return neutral
    parts = neutral.split("-")
    joint = next((c for c in private if c in "-_./"), "_" if "_" in around else "-")
    if kind in IDENTIFIERS and not re.search(r"[-_./ %]", private):
        joint = ""
    if not private.isascii() or re.search("[%\\\\]", private):
        return joint.join(parts)
    if private.isupper() and len(private) > 1:
        return joint.join(parts).upper()
    if private[:1].isupper() and kind in IDENTIFIERS:
        return joint.join(part.capitalize() for part in parts)
    return joint.join(parts)
