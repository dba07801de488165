"""Mistakes in where packages are to come from."""

import re
from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from uvmre.lint.case import Case
from uvmre.lint.finding import Finding, mended
from uvmre.lint.project import listed, projects, table_of
from uvmre.lint.shell import with_flag
from uvmre.lint.toml_text import with_first_in_entry, with_line

LOCKS = ("lock", "sync", "run")
PINNED = ("rev", "tag")
UPGRADES = ("--upgrade", "-U", "--upgrade-package", "-P")
DIRECT = ("git", "url", "path")
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"(?:^|[/@v_-])(\d+(?:\.\d+)+)")


def git_not_moved(case: Case) -> Iterator[Finding]:
    """Find a git source that is expected to move to its branch's newest commit by a second `uv lock`.

    https://docs.astral.sh/uv/concepts/projects/sync/: the commit in uv.lock is kept without `--upgrade`.
    """
    rule = "git-not-moved"
    locking = [(step, call) for step, calls in case.steps for call in calls if call.verb in LOCKS]
    locked = any(path.endswith("uv.lock") for path in case.texts)
    again = locking if locked else locking[1:]
    if not again or case.mre.symptom.exit or any(call.has(*UPGRADES) for _, call in locking):
        return
    for project in projects(case):
        for name, source in project.sources.items():
            if "git" not in source or any(key in source for key in PINNED) or project.path in case.made_up:
                continue
            if not case.says(name, str(source["git"])) and not COMMIT.search(case.symptom):
                continue
            why = f"`uv {again[-1][1].verb}` keeps the commit of `{name}` that uv.lock has; only `--upgrade` moves it"
            flag = f"--upgrade-package {name}"
            steps = tuple(
                replace(step, run=with_flag(step.run, again[-1][1].verb, flag)) if step is again[-1][0] else step
                for step in case.mre.steps
            )
            control = mended(rule, f"With `{flag}` it moves to the newest commit.", why, steps=steps)
            yield Finding(rule, case.at_file(project.path, "tool", "uv", "sources", name), f"{why}.", control)


def metadata_without_version(case: Case) -> Iterator[Finding]:
    """Find dependency metadata without a version for a package that comes from git, a URL or a path: uv ignores it.

    https://docs.astral.sh/uv/concepts/resolution/#dependency-metadata: the version is required there.
    """
    rule = "metadata-without-version"
    found = projects(case)
    sources = {name: source for project in found for name, source in project.sources.items()}
    for project in found:
        for at, entry in enumerate(listed(project.uv, "dependency-metadata")):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str) or "version" in entry or project.path in case.made_up:
                continue
            source = sources.get(canonicalize_name(name), {})
            told = next((str(source[key]) for key in DIRECT if key in source), "")
            if not told:
                continue
            why = f"the `dependency-metadata` of `{name}` (from {told}) has no `version`, so that uv ignores it"
            version = next((m[1] for key in ("tag", "url") if (m := VERSION.search(str(source.get(key, ""))))), "0")
            line = f'version = "{version}"'
            text = with_first_in_entry(case.texts[project.path], "tool.uv.dependency-metadata", at, line)
            control = None
            if text and case.says(name):
                control = mended(rule, f"With `{line}` uv takes it.", why, files={project.path: text})
            where = case.at_file(project.path, "tool", "uv", "dependency-metadata", at)
            yield Finding(rule, where, f"{why[0].upper()}{why[1:]}.", control)


def explicit_index(case: Case) -> Iterator[Finding]:
    """Find a dependency that is expected from an explicit index, which has only what names it.

    https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index.
    """
    rule = "explicit-index"
    for project in projects(case):
        indexes = [index for index in listed(project.uv, "index") if isinstance(index, dict)]
        explicit = [index for index in indexes if index.get("explicit") is True and isinstance(index.get("name"), str)]
        if (
            len(explicit) != 1
            or project.path in case.made_up
            or any(call.has("--no-sources") for call in case.all_calls)
        ):
            continue
        index = explicit[0]["name"]
        sourced = {canonicalize_name(each) for each in table_of(project.uv, "sources")}
        for name in dict.fromkeys(project.dependencies):
            if name in sourced or not case.says(f"{name} was not found in the package registry"):
                continue
            why = f"the index `{index}` is explicit, so that it is asked only for what names it, and `{name}` does not"
            line = f'{name} = {{ index = "{index}" }}'
            text = with_line(case.texts[project.path], "tool.uv.sources", line)
            shows = f"With the source `{line}` it comes from there."
            control = mended(rule, shows, why, files={project.path: text}) if text else None
            where = case.at_file(project.path, "project", "dependencies")
            yield Finding(rule, where, f"{why[0].upper()}{why[1:]}.", control)
