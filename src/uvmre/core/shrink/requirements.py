"""Requirements and specifiers as parts that can be left out: marker, extras, bounds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uvmre.core.search.shrink import ShrinkPass, ShrinkUnit
from uvmre.core.shrink.edits import Subject, decode, edit_files
from uvmre.core.shrink.toml_tree import encode_string, parse_tree

REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?:(?P<url>@\s*[^;]*?(?=\s;|$))|\(?(?P<bounds>[^;@()]*?)\)?)\s*(?:;\s*(?P<marker>.*\S))?\s*"
)
LINE = re.compile(rb"[ \t]*(?P<text>[^\s#-][^\n#\\]*?)(?=[ \t]+--|[ \t]*\\?$|[ \t]+#)")
LONGEST = 1_000
"""Characters of a requirement, beyond which it stays as it is."""
OPTION = re.compile(r"-{1,2}[A-Za-z]")
EXTENSIONS = (".txt", ".in")


@dataclass(frozen=True)
class RequirementParts:
    """A requirement, or a specifier without a name."""

    name: str
    extras: tuple[str, ...] = ()
    url: str = ""
    bounds: tuple[str, ...] = ()
    marker: str = ""

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Return what can go, each with its kind; of a specifier, one bound is left."""
        found = [("marker", self.marker)] if self.marker else []
        found += [("url", self.url)] if self.url else []
        found += [("extra", extra) for extra in self.extras]
        return [*found, *(("bound", bound) for bound in self.bounds)]

    def without(self, gone: set[int]) -> str:
        """Return the text without some of its parts."""
        left = [part for number, part in enumerate(self.parts) if number not in gone]
        extras = ",".join(text for kind, text in left if kind == "extra")
        bounds = ",".join(text for kind, text in left if kind == "bound")
        url = "".join(f" {text}" for kind, text in left if kind == "url")
        marker = "".join(f"{' ' if url else ''}; {text}" for kind, text in left if kind == "marker")
        return f"{self.name}{f'[{extras}]' if extras else ''}{url}{bounds}{marker}"


def parse_requirement(text: str) -> RequirementParts | None:
    """Return the parts of a requirement (PEP 508); None if it is none."""
    from packaging.requirements import InvalidRequirement, Requirement

    match = REQUIREMENT.fullmatch(text) if len(text) <= LONGEST else None
    try:
        Requirement(text)
    except InvalidRequirement:
        return None
    if not match:
        return None
    return RequirementParts(
        match["name"],
        _split(match["extras"]),
        (match["url"] or "").strip(),
        _split(match["bounds"]),
        match["marker"] or "",
    )


def parse_specifier(text: str) -> RequirementParts | None:
    """Return the parts of a specifier with several bounds; None if it is none."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return None
    bounds = _split(text)
    return RequirementParts("", bounds=bounds) if len(bounds) > 1 else None


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def requirement_name(text: str) -> str:
    """Return the name of a requirement; empty if it is none."""
    match = REQUIREMENT.fullmatch(text) if len(text) <= LONGEST else None
    return match["name"] if match else ""


def is_requirements(path: str, content: bytes) -> bool:
    """Tell whether a file has requirements, one a line."""
    text = decode(content) if path.endswith(EXTENSIONS) else None
    rows = [line.partition(" #")[0].strip() for line in (text or "").replace("\\\n", " ").splitlines()]
    rows = [row for row in rows if row and not row.startswith("#")]
    return bool(rows) and all(OPTION.match(row) or requirement_name(row.partition(" --")[0].strip()) for row in rows)


Located = tuple[str, int, int, RequirementParts, bool]
"""A file, where the text is in it, its parts, and whether it is a string of TOML."""


def requirement_pass() -> ShrinkPass[Subject]:
    """Return the pass over the parts of requirements and specifiers."""
    return ShrinkPass("requirements", _units, _without)


def _units(subject: Subject) -> list[ShrinkUnit]:
    return [
        ShrinkUnit((located, number), f"{located[0]}: {located[3].name or 'specifier'}: {kind} {text}")
        for located in _located(subject)
        for number, (kind, text) in enumerate(located[3].parts)
    ]


def _located(subject: Subject) -> Iterator[Located]:
    for path, content in sorted(subject.items()):
        tree = parse_tree(content) if path.endswith(".toml") else None
        for node in tree.nodes if tree else ():
            if node.value is None:
                continue
            parts = parse_requirement(node.value) if node.kind == "element" else None
            if node.kind == "pair" and node.path[-1] == "requires-python":
                parts = parse_specifier(node.value)
            if parts and parts.parts:
                yield path, node.value_start, node.value_end, parts, True
        if is_requirements(path, content):
            yield from _in_lines(path, content)


def _in_lines(path: str, content: bytes) -> Iterator[Located]:
    start = 0
    for line in content.split(b"\n"):
        match = LINE.match(line) if len(line) <= LONGEST else None
        parts = parse_requirement(match["text"].decode()) if match else None
        if match and parts and parts.parts:
            yield path, start + match.start("text"), start + match.end("text"), parts, False
        start += len(line) + 1


def _without(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject | None:
    gone: dict[Located, set[int]] = {}
    for unit in units:
        located, number = unit.key
        gone.setdefault(located, set()).add(number)
    edits = []
    for (path, start, end, parts, quoted), numbers in gone.items():
        text = parts.without(numbers)
        if not text:
            return None
        edits.append((path, (start, end, encode_string(text) if quoted else text.encode())))
    return edit_files(subject, edits)
