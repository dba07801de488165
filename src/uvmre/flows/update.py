"""Render the template of an MRE again, with other answers or a newer version, and keep what was edited since."""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from uvmre import files
from uvmre.core.generated.names import ANSWERS, is_generated
from uvmre.core.generated.run_script import generated_files
from uvmre.core.mre.files import File
from uvmre.core.text.parse_yaml import parse_yaml
from uvmre.errors import CannotTell, InputError, UsageError
from uvmre.flows.new import TEMPLATE, render_mre
from uvmre.flows.scratch import scratch
from uvmre.folder.read import read_mre, require_own_folders
from uvmre.folder.write import recover, replace_files
from uvmre.folder.written import read_rendered, regular_files
from uvmre.run import process
from uvmre.scaffold.merge import BASE, MARKER, OURS, THEIRS, MergedFiles, merge_files
from uvmre.scaffold.templates import Template, check_answers, find_template

GIT_SECONDS = 60
NO_BASE = (
    "this folder has no record of what its template rendered: what its answers change is merged, but not what changed "
    "in the template itself"
)


@dataclass(frozen=True)
class UpdatedMre:
    """An MRE whose template was rendered again."""

    folder: Path
    template: str
    merged: MergedFiles


def update(folder: Path, *, answers: Mapping[str, Any], ask: bool = False, trust: bool = False) -> UpdatedMre:
    """Render the template of an MRE again and merge the result into its folder.

    Args:
        folder: the MRE.
        answers: new answers to its questions, by name; those that it keeps are the defaults of the others.
        ask: ask the others on the terminal.
        trust: let the template run code.

    Raises:
        UsageError: if the MRE has no answers, has conflicts of the last update, or an answer is invalid.
        CannotTell: if the template cannot be fetched, or git is not installed.
    """
    files.require_folder(folder)
    require_own_folders(folder)
    recover(folder)
    ours, base = regular_files(folder), read_rendered(folder)
    text, kept = _kept_answers(folder, ours.get(ANSWERS) or base.get(ANSWERS))
    source, commit = kept["_src_path"], str(kept.get("_commit", ""))
    if conflicts := [path for path, file in ours.items() if MARKER in file.content.splitlines()]:
        raise InputError(f"`{folder}` has conflicts of its last update", conflicts, "edit these files first")
    notes = () if base or commit else (NO_BASE,)
    with scratch() as temporary:
        template = find_template(source, temporary=temporary)
        given = check_answers(template, answers, kept, trust=trust)
        theirs = _rendered(template, given, temporary, "theirs", kept=text, ask=ask, trust=trust)
        if not base:
            old = find_template(source, temporary=temporary, commit=commit) if commit else template
            base = _rendered(old, {}, temporary, "base", kept=text, ask=False, trust=trust)
        if ANSWERS in base:
            ours[ANSWERS] = base[ANSWERS]  # they are never merged
        blocked = [path for path in {*base, *theirs} if path not in ours and _is_blocked(folder, path)]
        merged = merge_files(ours, base, theirs, blocked, lambda *texts: _merge_texts(texts, temporary))
        merged, theirs = _with_generated(merged, ours, base, theirs, temporary / "merged")
    origin = TEMPLATE if template.outside else ""
    replace_files(folder, merged.files, merged.removed, list(theirs.values()), origin)
    return UpdatedMre(folder, template.name, replace(merged, notes=(*notes, *merged.notes)))


def _kept_answers(folder: Path, file: File | None) -> tuple[str, dict[str, Any]]:
    """Return the answers that an MRE keeps, as text and as values."""
    if file is None:
        message = f"`{folder}` was not made from a template: it has no `{ANSWERS}`"
        raise UsageError(message, "make an MRE with `uvmre new`")
    with suppress(yaml.YAMLError, UnicodeDecodeError):
        text = file.content.decode()
        values = parse_yaml(text)
        if isinstance(values, dict) and isinstance(values.get("_src_path"), str):
            return text, values
    raise InputError(f"failed to read `{folder / ANSWERS}`", ["it does not name the template: `_src_path` is missing"])


def _rendered(
    template: Template, answers: Mapping[str, Any], temporary: Path, name: str, **options: Any
) -> dict[str, File]:
    render_mre(template, answers, temporary / name, temporary=temporary, **options)
    return regular_files(temporary / name)


def _is_blocked(folder: Path, path: str) -> bool:
    """Tell whether something that is no regular file is where a file of the template would be, or in its way."""
    where = folder / path
    parents = [parent for parent in where.parents if parent.is_relative_to(folder) and parent != folder]
    return os.path.lexists(where) or any(
        parent.is_symlink() or (parent.exists() and not parent.is_dir()) for parent in parents
    )


def _merge_texts(texts: tuple[bytes, ...], temporary: Path) -> tuple[bytes, bool]:
    """Merge ours, base and theirs with git, which copier needs too."""
    for name, text in zip(("ours", "base", "new"), texts, strict=True):
        (temporary / f"merge-{name}").write_bytes(text)
    labels = [word for label in (OURS, BASE, THEIRS) for word in ("-L", label)]
    names = ["merge-ours", "merge-base", "merge-new"]
    try:
        done = process.run(
            ["git", "merge-file", "-p", *labels, *names],
            cwd=temporary,
            environment={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            timeout=GIT_SECONDS,
            stop=threading.Event(),
            output_limit=files.LIMIT,
        )
    except FileNotFoundError:
        raise CannotTell("git is not installed, which merges the files", "install git") from None
    if done.exit > 127 or done.truncated or done.timed_out:
        raise CannotTell(
            "git failed to merge a file", "check whether `git merge-file` works", cause=process.failure(done)
        )
    return done.stdout, done.exit > 0


def _with_generated(
    merged: MergedFiles, ours: Mapping[str, File], base: Mapping[str, File], theirs: Mapping[str, File], folder: Path
) -> tuple[MergedFiles, dict[str, File]]:
    """Return what is merged, with the script of the merged MRE where it was not edited, and what was rendered."""
    written = {file.path: file for file in merged.files}
    whole = {path: file for path, file in {**ours, **written}.items() if path not in merged.removed}
    for path, file in whole.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
    generated: dict[str, File] = {}
    with suppress(UsageError):  # a manifest with conflict markers keeps its script
        mre = read_mre(folder)
        generated = {
            file.path: file
            for file in generated_files(mre)
            if (new := theirs.get(file.path)) and is_generated(file.path, new.content)
            and ours.get(file.path) == base.get(file.path)
        }  # fmt: skip
    kept = [file for file in merged.files if file.path not in generated]
    changed = [file for path, file in generated.items() if file != ours.get(path)]
    return replace(merged, files=(*kept, *changed)), {**theirs, **generated}
