"""Variations of an MRE that a maintainer tries before concluding that a bug does not reproduce."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from uvmre.core.mre.model import Mre, Step
from uvmre.core.text.parse_toml import parse_toml

COMMAND = re.compile(r"\buv (?P<verb>sync|run|lock|export|tree|add|remove)\b")
GROUPS = ("sync", "run", "export", "tree")
FROZEN = ("sync", "run", "export", "tree")
MOST = 4


def variations(mre: Mre) -> tuple[tuple[str, Mre], ...]:
    """Return variations of the MRE, each with a name that completes “uv shows it …”."""
    at = next((i for i in reversed(range(len(mre.steps))) if COMMAND.search(mre.steps[i].run)), None)
    if at is None:
        return ()
    step = mre.steps[at]
    found = [
        (name, replace(mre, steps=(*mre.steps[:at], replace(step, run=run), *mre.steps[at + 1 :]), controls=()))
        for name, run in _varied_commands(mre, step)
    ]
    return tuple(found[:MOST])


def _varied_commands(mre: Mre, step: Step) -> Iterator[tuple[str, str]]:
    match = COMMAND.search(step.run)
    if match is None:
        return
    verb, rest = match["verb"], step.run[match.end() :]
    head = step.run[: match.end()]
    if "cd " not in step.run and "--directory" not in rest and "--project" not in rest:
        yield from ((f"in `{folder}`", f"cd {folder} && {step.run}") for folder in _members(mre)[:1])
    if verb in GROUPS and "group" not in rest and "--dev" not in rest and "--no-dev" not in rest:
        yield "with `--no-dev`", f"{head} --no-dev{rest}"
    if verb in FROZEN:
        if re.search(r"--(?:frozen|locked)\b", rest):
            yield "without `--frozen`", head + re.sub(r" --(?:frozen|locked)\b", "", rest)
        elif mre.file("uv.lock") or any("uv lock" in other.run for other in mre.steps):
            yield "with `--frozen`", f"{head} --frozen{rest}"


def _members(mre: Mre) -> list[str]:
    """Return the directories of the workspace members."""
    folders = [
        PurePosixPath(file.path).parent for file in mre.files if PurePosixPath(file.path).name == "pyproject.toml"
    ]
    root = mre.file("pyproject.toml")
    if root is None:
        return []
    try:
        workspace = "workspace" in parse_toml(root.content.decode(errors="replace")).get("tool", {}).get("uv", {})
    except ValueError:
        return []
    return [str(folder) for folder in folders if str(folder) != "."] if workspace else []
