"""Repairs of a project: its pyproject.toml and lock file, and the files that commands name."""

import re
import shlex
from dataclasses import replace

from uvmre.core.triage.parsed_issue import PostedFile
from uvmre.issue.files import content_type, pyproject
from uvmre.issue.repairs.rule import Change, Failure, rule

PROJECT = "pyproject.toml"
NO_PROJECT = (
    r"No `pyproject\.toml` found in current directory|Unable to find `pyproject\.toml` for project"
    r"|`?(?P<path>/mre[\w./-]{0,200})`? does not appear to be a Python project"
    r"|[Ss]ource distribution directory contains neither|The archive contains neither a `pyproject\.toml`"
)
NO_FILE = (
    r"(?:[Ff]ailed to (?:read from|open) file|File not found:|to spawn:|can't open file|environment file found at:)"
    r" [`']?(?P<path>[\w./+-]{1,200}\.(?:py|txt|in|toml|env|cfg|ini|json)|[\w./-]{0,200}\.env)\b"
    r"(?!.{0,80}(?:denied|parse))"
)
_LISTS = re.compile(r"\.(?:txt|in)\Z")


def _project_path(failure: Failure, found: re.Match[str]) -> str:
    """Return the path of the missing pyproject.toml; empty if the MRE has it, or a setup.py."""
    paths = [failure.path(f"{found['path']}/{name}" if found["path"] else name) for name in (PROJECT, "setup.py")]
    return "" if any(failure.mre.file(path) for path in paths) else paths[0]


def _unplaced(failure: Failure, path: str) -> PostedFile | None:
    """Return the first block of the post that may be such a file and is none yet."""
    suffix = _LISTS.sub(".txt", path).rpartition(".")[2]
    contents = {file.content.decode(errors="replace").strip() for file in failure.mre.files}
    blocks = (file for file in failure.hypothesis.parsed.unplaced if file.text.strip() not in contents)
    return next((file for file in blocks if file.path.rpartition(".")[2] == suffix), None)


@rule("neutral", NO_PROJECT)
def project_in_folder(failure: Failure, found: re.Match[str]) -> Change:
    """Enter the folder of the only project that the post has, where there is none at the root."""
    paths = [file.path for file in failure.mre.files if file.path.endswith(f"/{PROJECT}")]
    if len(paths) != 1 or _project_path(failure, found) != PROJECT:
        return None
    folder = paths[0].removesuffix(f"/{PROJECT}")
    enter, at = f"cd {shlex.quote(folder)}\n", failure.at
    later = (replace(each, run=f"{enter}{each.run}") for each in failure.mre.steps[at:])
    return replace(failure.mre, steps=(*failure.mre.steps[:at], *later)), f"entered `{folder}`, which has the project"


@rule("neutral", NO_PROJECT)
def no_project_but_block(failure: Failure, found: re.Match[str]) -> Change:
    """Take the post's TOML block without a name as the pyproject.toml that is not there."""
    path, block = _project_path(failure, found), _unplaced(failure, PROJECT)
    if block is None:
        return None
    text, _ = pyproject.complete(block.text, needs_project=True, python=failure.mre.environment.python)
    return failure.with_file(path, text, f"took the block in line {block.line} as `{path}`")


@rule("inventing", NO_PROJECT)
def no_project(failure: Failure, found: re.Match[str]) -> Change:
    """Add a minimal pyproject.toml where there is none."""
    path = _project_path(failure, found)
    name = path.rpartition("/")[0].rpartition("/")[2] or "project"
    text = pyproject.minimal(name, failure.mre.environment.python)
    return failure.with_file(path, text, f"added a minimal `{path}`")


@rule("neutral", r"Unable to find lockfile at|[Ff]ailed to read from file `/mre/[\w./-]{0,200}uv\.lock`")
def no_lockfile(failure: Failure, _: re.Match[str]) -> Change:
    """Add `uv lock` before the first step that needs a lock file."""
    is_locked = any("uv lock" in step.run for step in failure.mre.steps[: failure.at])
    return None if is_locked else (failure.with_step_before("uv lock"), "added `uv lock`")


@rule("neutral", NO_FILE)
def no_file_but_block(failure: Failure, found: re.Match[str]) -> Change:
    """Take the post's block without a name as the requirements file, script or settings that are not there."""
    path = failure.path(found["path"])
    block = _unplaced(failure, path)
    if block is None:
        return None
    text, _ = content_type.without_ellipses(block.text) if path.endswith(".toml") else (block.text, [])
    return failure.with_file(path, f"{text}\n", f"took the block in line {block.line} as `{path}`")


@rule("inventing", NO_FILE)
def no_file(failure: Failure, found: re.Match[str]) -> Change:
    """Write the requirements of the post's sentences, or else a harmless one, into a file that is not there.

    A script, constraints and the like are empty.
    """
    path, text = failure.path(found["path"]), ""
    quoted = failure.hypothesis.parsed.requirements
    if path.endswith(PROJECT):
        text = pyproject.minimal("project", failure.mre.environment.python)
    elif _LISTS.search(path) and not re.search("constraint|override|exclude", path):
        text = "".join(f"{each}\n" for each in quoted or ("iniconfig",))
    return failure.with_file(path, text, f"added `{path}`{' with the quoted requirements' if text and quoted else ''}")
