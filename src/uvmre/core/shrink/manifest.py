"""What of `mre.toml` must stay, and which passes an MRE has."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.core.search.shrink import ShrinkPass
from uvmre.core.shrink.commands import command_passes
from uvmre.core.shrink.edits import Subject
from uvmre.core.shrink.files import comments, contents, edit_pass, folder_passes, lines, member_pass
from uvmre.core.shrink.passes import named_in, paths_in
from uvmre.core.shrink.requirements import requirement_pass
from uvmre.core.shrink.simplify import lock_pass, rename_passes
from uvmre.core.shrink.toml_passes import toml_passes
from uvmre.core.text.toml_checks import Path

HELD = frozenset({"schema", "title", "issue", "private", "needs", "symptom", "expected", "deviation"})
"""The keys of a manifest that say what the report says."""
HELD_IN_ENVIRONMENT = frozenset({"uv", "python", "exclude-newer", "reported-platform"})
"""What the same run needs elsewhere and later."""
FREE_IN_CONTROL = frozenset({"variables", "unset", "files", "replace", "step", "index"})
"""What a control may lose; that it exists, and what it expects, stays."""


def subject_of(mre: Mre) -> Subject:
    """Return the files of an MRE's folder, with its manifest as uvmre writes it."""
    return {MANIFEST: dump(mre).encode(), **{file.path: file.content for file in mre.files}}


def is_held(file: str, path: Path) -> bool:
    """Tell whether a part of a file must stay."""
    if file != MANIFEST:
        return False
    if path[0] == "environment":
        return len(path) == 1 or path[1] in HELD_IN_ENVIRONMENT
    if path[0] == "control":
        return len(path) < 3 or path[2] not in FREE_IN_CONTROL
    return path[0] in HELD


def mre_passes(mre: Mre, is_valid: Callable[[Subject], bool]) -> tuple[ShrinkPass[Subject], ...]:
    """Return the passes over an MRE; a candidate that is not valid is none."""
    hint = "\n".join(_texts(mre.symptom))
    likely = named_in(hint)
    everywhere = lambda _: False  # noqa: E731
    found = (
        edit_pass("comments", comments, everywhere, easy=True),
        member_pass(likely),
        *folder_passes(paths_in(hint), frozenset({MANIFEST})),
        lock_pass(),
        edit_pass("contents", contents, everywhere),
        *toml_passes(likely, is_held),
        edit_pass("lines", lines, likely),
        *command_passes(),
        requirement_pass(),
        *rename_passes(),
    )
    return tuple(_checked(each, is_valid) for each in found)


def _texts(symptom: Symptom) -> Iterator[str]:
    yield from symptom.texts
    for file in symptom.files:
        yield from (file.path, file.contains, file.raw, file.absent)


def _checked(found: ShrinkPass[Subject], is_valid: Callable[[Subject], bool]) -> ShrinkPass[Subject]:
    def without(subject: Subject, units: object) -> Subject | None:
        candidate = found.without(subject, units)  # type: ignore[arg-type]
        return candidate if candidate is not None and is_valid(candidate) else None

    return replace(found, without=without)
