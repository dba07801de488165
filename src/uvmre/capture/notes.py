"""What a capture replaced, and a word diff: for the user alone, outside the MRE."""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from uvmre.capture.private.surroundings import Replacement
from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Mre

TOKENS = re.compile(r"\w+|\s+|[^\w\s]")


def word_diff(before: Mre, after: Mre) -> str:
    """Return the lines of an MRE that differ from those of the project, with `[-old-]` and `{+new+}` words."""
    old = {MANIFEST: dump(before), **{each.path: each.content.decode(errors="replace") for each in before.files}}
    new = {MANIFEST: dump(after), **{each.path: each.content.decode(errors="replace") for each in after.files}}
    renamed = dict(zip(old, new, strict=False)) if len(old) == len(new) else {path: path for path in old}
    return "".join(
        _file_diff(path, renamed.get(path, path), text, new.get(renamed.get(path, path), ""))
        for path, text in old.items()
    )


def _file_diff(old_path: str, new_path: str, old: str, new: str) -> str:
    lines = [line for line in _marked(old, new).split("\n") if "[-" in line or "{+" in line]
    name = old_path if old_path == new_path else f"[-{old_path}-]{{+{new_path}+}}"
    return "\n".join([f"# {name}", *lines, ""]) + "\n" if lines or old_path != new_path else ""


def _marked(old: str, new: str) -> str:
    return "".join(_line_groups(old.splitlines(keepends=True), new.splitlines(keepends=True)))


def _line_groups(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from old[a:b]
        else:
            yield _words("".join(old[a:b]), "".join(new[c:d]))


def _words(old: str, new: str) -> str:
    ours, theirs = TOKENS.findall(old), TOKENS.findall(new)
    parts = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            parts += ours[a:b]
            continue
        # A mark never spans lines, so that each line is complete.
        parts += [_mark("".join(ours[a:b]), "[-", "-]"), _mark("".join(theirs[c:d]), "{+", "+}")]
    return "".join(parts)


def _mark(text: str, start: str, end: str) -> str:
    return "\n".join(f"{start}{line}{end}" if line else "" for line in text.split("\n"))


def count_by_kind(replacements: Sequence[Replacement]) -> dict[str, int]:
    """Return how many there are of each kind."""
    return dict(sorted(Counter(each.kind for each in replacements if each.neutral).items()))


def spelling(replacement: Replacement) -> str:
    """Return the plainest of the spellings of what is replaced."""
    return min(replacement.private, key=lambda text: (len(text), text))


def private_notes(before: Mre, after: Mre, replaced: Sequence[Replacement], more: Mapping[str, Sequence[str]]) -> str:
    """Return what was replaced by what, other lists by their titles, and a word diff."""
    pairs = sorted((each.kind, spelling(each), each.neutral) for each in replaced if each.neutral)
    parts = ["This file has private values: do not share it.", "", "Replaced:"]
    parts += [f"  {kind}: {private} → {neutral}" for kind, private, neutral in pairs]
    for title, lines in more.items():
        parts += ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []
    return "\n".join([*parts, "", "Changes:", "", word_diff(before, after)])
