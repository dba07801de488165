"""The premises of a conflict that uv's resolver explains, and the two that contradict each other."""

import re
from itertools import combinations

CONFLICT = re.compile(r"[Bb]ecause .*?(?=\s{2,}(?:hint|help)?:|\shint: |\shelp: |\Z)", re.DOTALL)
"""The explanation of the resolver."""
SENTENCE = re.compile(r"(?:^|\s)(?:And )?[Bb]ecause ")
CONCLUSION = re.compile(r",? we can conclude that|, your (?:project|workspace)'s")
NEXT_PREMISE = re.compile(r" and (?=\S+ (?:dep|req)|only |there |your )")
REQUIRED = re.compile(
    r"(?:depends on|requires?) (?P<name>[\w.-]*\w)(?:\[[^\]]*\])?(?P<specifiers>[<>=!~][^\s,]*(?:,[^\s,]+)*)$"
)
PACKAGE = re.compile(r"\S+[<>=!~]=?\S*\d\S* ")
VERSION = re.compile(r"\d[\w.!+]*")


def premises(output: str) -> tuple[str, ...]:
    """Return what an explanation starts from, in its order, without its conclusions; none if there is no conflict."""
    text = " ".join(line.strip("│╰─▶> ") for line in output.split("\n"))
    found = CONFLICT.search(text)
    if not found:
        return ()
    sentences = SENTENCE.split(" ".join(found[0].split()))
    parts = (part for each in sentences for part in NEXT_PREMISE.split(CONCLUSION.split(each)[0]))
    return tuple(dict.fromkeys(part.strip(" .") for part in parts if part.strip(" .")))


def contradiction(found: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first two premises that no version of a package satisfies; none if they only lack versions."""
    required = [(each, match["name"], match["specifiers"]) for each in found if (match := REQUIRED.search(each))]
    for (one, name, specifiers), (other, other_name, other_specifiers) in combinations(required, 2):
        if name == other_name and _are_disjoint(specifiers, other_specifiers):
            return _without_project(one), _without_project(other)
    return ()


def _without_project(premise: str) -> str:
    """Leave out the user's own project, which is `your project` or its name, depending on the workspace."""
    return premise if PACKAGE.match(premise) else REQUIRED.search(premise)[0]  # type: ignore[index]


def _are_disjoint(one: str, other: str) -> bool:
    """Tell whether none of the versions at, between and around the bounds of two specifiers satisfies both."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        both = SpecifierSet(f"{one},{other}")
    except InvalidSpecifier:
        return False
    bounds = [match.rstrip(".*") for match in VERSION.findall(f"{one},{other}")]
    candidates = [spelling for each in bounds for spelling in (each, f"{each}.1", f"{each}.dev0", f"{each}a1")]
    return not any(both.contains(each, prereleases=True) for each in ("0", *candidates, "99999"))
