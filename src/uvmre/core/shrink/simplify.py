"""Passes that replace: a lock by the command that makes it, names and versions by the simplest."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from string import ascii_lowercase

from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import MANIFEST, Step
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.search.shrink import ShrinkPass, ShrinkUnit
from uvmre.core.shell.uv_calls import parse_calls
from uvmre.core.shrink.edits import Subject, decode
from uvmre.core.shrink.files import PROJECT
from uvmre.core.shrink.toml_tree import parse_tree
from uvmre.errors import InputError

LOCK = "uv.lock"
USES_LOCK = {"sync", "run", "export", "tree", "lock", "add", "remove", "version", "audit"}
FIXED = {"schema", "title", "issue", "environment", "needs", "deviation"}
"""The keys of a manifest whose values are not those of the packages."""
SIMPLE = re.compile(r"[a-z]|[1-9]\.0\.0")


def lock_pass() -> ShrinkPass[Subject]:
    """Return the pass that replaces `uv.lock` by a set-up step `uv lock`."""
    unit = ShrinkUnit(LOCK, f"{LOCK}, replaced by a step `uv lock`")
    return ShrinkPass("lock", lambda subject: [unit] if LOCK in subject and MANIFEST in subject else [], _without_lock)


def _without_lock(subject: Subject, _units: Sequence[ShrinkUnit]) -> Subject | None:
    try:
        mre = parse(subject[MANIFEST].decode())
    except InputError:
        return None
    needs = (n for n, step in enumerate(mre.steps) if any(c.verb in USES_LOCK for c in parse_calls(step.run)))
    at = next(needs, None)
    if at is None:
        return None
    added = Step("uv lock", shared=mre.steps[at].shared)
    changed = replace(mre, steps=(*mre.steps[:at], added, *mre.steps[at:]))
    return {**{path: each for path, each in subject.items() if path != LOCK}, MANIFEST: dump(changed).encode()}


def rename_passes() -> Iterator[ShrinkPass[Subject]]:
    """Yield the passes over the names of local and synthetic packages, and the versions of the latter."""
    yield ShrinkPass("names", lambda subject: _rename_units(_names(subject)), _renamed)
    yield ShrinkPass("versions", lambda subject: _rename_units(_versions(subject)), _renamed)


def _rename_units(found: Iterable[Mapping[str, str]]) -> list[ShrinkUnit]:
    return [
        ShrinkUnit(tuple(each.items()), ", ".join(f"{old} → {new}" for old, new in each.items()))
        for each in found
        if each
    ]


def _synthetic(subject: Subject) -> dict[str, list[str]]:
    """Return the versions of the synthetic packages, by name."""
    tree = parse_tree(subject[MANIFEST]) if MANIFEST in subject else None
    found: dict[str, list[str]] = {}
    for node in tree.nodes if tree else ():
        if "packages" in node.path and "versions" in node.path[:-1]:
            at = node.path.index("packages")
            versions = found.setdefault(str(node.path[at + 1]), [])
            if str(node.path[at + 3]) not in versions:
                versions.append(str(node.path[at + 3]))
    return found


def _names(subject: Subject) -> Iterator[Mapping[str, str]]:
    """Yield a short name for each package that exists only here; no two get the same, nor one that is used."""
    local = list(_synthetic(subject))
    for path, content in sorted(subject.items()):
        tree = parse_tree(content) if path.rpartition("/")[2] == PROJECT else None
        local += [
            node.value for node in (tree.nodes if tree else ()) if node.path == ("project", "name") and node.value
        ]
    names = dict.fromkeys(normalize_name(name) for name in local)
    used = set(re.findall(r"(?<![\w-])[a-z](?![\w-])", "\n".join(decode(each) or "" for each in subject.values())))
    free = (letter for letter in ascii_lowercase if letter not in used | set(names))
    for name in names:
        if not SIMPLE.fullmatch(name) and (letter := next(free, "")):
            yield {name: letter}


def _versions(subject: Subject) -> Iterator[Mapping[str, str]]:
    from packaging.version import InvalidVersion, Version

    text = "\n".join(decode(content) or "" for content in subject.values())
    for name, versions in _synthetic(subject).items():
        try:
            ordered = sorted(versions, key=Version)
        except InvalidVersion:
            continue
        if _required_versions(name, text) - set(versions):  # `a>=5` would mean something else for other versions
            continue
        new = [f"{number}.0.0" for number in range(1, len(ordered) + 1)]
        if len(new) < 10 and set(ordered) != set(new):
            yield {old: simple for old, simple in zip(ordered, new, strict=True) if old != simple}


def _required_versions(name: str, text: str) -> set[str]:
    """Return the versions with which a package is required, as they are written."""
    spelled = "[-_.]".join(map(re.escape, re.split(r"[-_.]+", name)))
    specifiers = rf"(?<![\w.-]){spelled}(?:\[[^\]]*\])?\s*((?:[<>=!~]=?=?\s*[\w.*+!-]+[\s,]*)+)"
    return {
        version
        for match in re.finditer(specifiers, text, re.IGNORECASE)
        for version in re.findall(r"(?<=[<>=!~])\s*([\w.*+!-]+)", match[1])
    }


def _in_manifest(content: bytes, change: Callable[[str], str]) -> bytes:
    """Return a manifest whose values and keys are changed, but for those that packages do not decide."""
    tree = parse_tree(content)
    kept = [(node.start, node.end) for node in (tree.nodes if tree else ()) if node.path[0] in FIXED]
    parts, at = list[bytes](), 0
    for start, end in sorted(kept):
        if start >= at:
            parts += [change(content[at:start].decode()).encode(), content[start:end]]
            at = end
    return b"".join([*parts, change(content[at:].decode()).encode()])


def _renamed(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject | None:
    """Return a subject with other names in all files and paths; None if two files would have one path."""
    mapping = {old: new for unit in units for old, new in unit.key}
    spelled = ("[-_.]".join(map(re.escape, old.split("-"))) for old in mapping)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(spelled)})(?![\w-]|\.\d)", re.IGNORECASE)

    def new_name(match: re.Match[str]) -> str:
        found: str = mapping.get(match[0]) or mapping[normalize_name(match[0])]
        return found

    renamed: dict[str, bytes] = {}
    for path, content in subject.items():
        text, new_path = decode(content), pattern.sub(new_name, path)
        if new_path in renamed:
            return None
        if text is None:
            renamed[new_path] = content
        elif path == MANIFEST:
            renamed[path] = _in_manifest(content, lambda part: pattern.sub(new_name, part))
        else:
            renamed[new_path] = pattern.sub(new_name, text).encode()
    return renamed
