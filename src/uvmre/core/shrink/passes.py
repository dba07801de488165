"""All passes, in their order: coarse before fine, removals before what becomes simpler."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from uvmre.core.dockerfile.build_context import IGNORE
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.core.search.shrink import ShrinkPass, ShrinkUnit
from uvmre.core.shrink.commands import command_passes
from uvmre.core.shrink.edits import Subject
from uvmre.core.shrink.files import Likely, comments, contents, edit_pass, folder_passes, lines, member_pass
from uvmre.core.shrink.requirements import requirement_name, requirement_pass
from uvmre.core.shrink.simplify import lock_pass, rename_passes
from uvmre.core.shrink.toml_passes import toml_passes
from uvmre.core.text.toml_checks import Path

HELD = frozenset({"schema", "private", "title", "issue", "needs", "symptom", "expected", "deviation"})
"""The keys of a manifest that say what the report says."""
HELD_IN_ENVIRONMENT = frozenset({"uv", "python", "exclude-newer", "reported-platform"})
"""What the same run needs elsewhere and later."""
FREE_IN_CONTROL = frozenset({"variables", "unset", "files", "replace", "step", "index"})
"""What a control may lose; that it exists, and what it expects, stays."""
WORDS = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
PATHS = re.compile(r"(?<![\w./-])(?:\./)?([\w.-]+(?:/[\w.-]+)*)")
README = "README.md"


def subject_of(mre: Mre) -> Subject:
    """Return the files of an MRE's folder, with its manifest as uvmre writes it."""
    return {MANIFEST: dump(mre).encode(), **{file.path: file.content for file in mre.files}}


def is_companion(mre: Mre, path: str) -> bool:
    """Tell whether a file serves those who read an MRE, or build it with an engine, and need not go."""
    return path == README or (path in (DOCKERFILE, IGNORE) and not any(step.layer for step in mre.steps))


def folder_shrink_passes(hint: str = "", *, single: bool = False) -> tuple[ShrinkPass[Subject], ...]:
    """Return the passes over any folder; what `hint` names is probably needed. A `single` file stays."""
    likely = named_in(hint)
    return (
        edit_pass("comments", comments, easy=True),
        *(() if single else (member_pass(likely), *folder_passes(paths_in(hint)))),
        lock_pass(),
        edit_pass("contents", contents),
        *toml_passes(likely, is_held),
        edit_pass("lines", lines),
        *command_passes(),
        requirement_pass(),
    )


def mre_passes(mre: Mre, normal: Callable[[Subject], Subject | None]) -> tuple[ShrinkPass[Subject], ...]:
    """Return the passes over an MRE; `normal` returns a candidate as uvmre writes it, or None if it is not valid."""
    found = (*folder_shrink_passes("\n".join(_texts(mre.symptom))), *rename_passes())
    return tuple(_checked(each, normal) for each in found)


def is_held(file: str, path: Path) -> bool:
    """Tell whether a part of an MRE's manifest must stay."""
    if file != MANIFEST:
        return False
    if path[0] == "environment":
        return len(path) == 1 or path[1] in HELD_IN_ENVIRONMENT
    if path[0] == "control":
        return len(path) < 3 or path[2] not in FREE_IN_CONTROL
    return path[0] in HELD


def _texts(symptom: Symptom) -> Iterator[str]:
    yield from symptom.texts
    for file in symptom.files:
        yield from (file.path, file.contains, file.raw, file.absent)


def _checked(found: ShrinkPass[Subject], normal: Callable[[Subject], Subject | None]) -> ShrinkPass[Subject]:
    def without(subject: Subject, units: Sequence[ShrinkUnit]) -> Subject | None:
        candidate = found.without(subject, units)
        return None if candidate is None else normal(candidate)

    return replace(found, without=without)


def named_in(hint: str) -> Likely:
    """Return what tells whether a text is named in another one, as a whole word."""
    words = set(WORDS.findall(hint.lower()))

    def likely(text: str) -> bool:
        name = (requirement_name(text) or text).lower()
        return len(name) > 1 and (name in words or name.replace("_", "-") in words)

    return likely


def paths_in(hint: str) -> Likely:
    """Return what tells whether a path is named in a text, or a folder with something in it."""
    paths = PATHS.findall(hint)
    return lambda text: text in paths or (text.endswith("/") and any(path.startswith(text) for path in paths))
