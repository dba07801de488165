"""Mistakes in the sources of packages."""

import re
from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from uvmre.core.shell.uv_calls import with_flag
from uvmre.lint.finding import Finding, sentence, with_fix
from uvmre.lint.projects import list_of, projects, table_of
from uvmre.lint.subject import Subject
from uvmre.lint.toml_edit import with_first_in_entry, with_line

LOCKS = ("lock", "sync", "run")
PINNED = ("rev", "tag")
UPGRADES = ("--upgrade", "-U", "--upgrade-package", "-P")
DIRECT = ("git", "url", "path")
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"(?:^|[/@v_-])(\d+(?:\.\d+)+)")


def git_not_moved(subject: Subject) -> Iterator[Finding]:
    """Find a second `uv lock` that is expected to update a git source to the branch's newest commit.

    https://docs.astral.sh/uv/concepts/projects/sync/: the commit in uv.lock is kept without `--upgrade`.
    """
    rule = "git-not-moved"
    locking = [(step, call) for step, calls in subject.steps for call in calls if call.verb in LOCKS]
    locked = any(path.endswith("uv.lock") for path in subject.texts)
    again = locking if locked else locking[1:]
    if not again or subject.mre.symptom.exit or any(call.has(*UPGRADES) for _, call in locking):
        return
    for project in projects(subject):
        for name, source in project.sources.items():
            if "git" not in source or any(key in source for key in PINNED) or project.path in subject.inferred_files:
                continue
            if not subject.symptom_contains(name, str(source["git"])) and not COMMIT.search(subject.symptom):
                continue
            why = f"`uv {again[-1][1].verb}` keeps the commit of `{name}` in uv.lock without `--upgrade`"
            flag = f"--upgrade-package {name}"
            steps = tuple(
                replace(step, run=with_flag(step.run, again[-1][1].verb, flag)) if step is again[-1][0] else step
                for step in subject.mre.steps
            )
            control = with_fix(rule, f"With `{flag}` it is updated to the newest commit.", why, steps=steps)
            yield Finding(rule, subject.at_file(project.path, "tool", "uv", "sources", name), f"{why}.", control)


def metadata_without_version(subject: Subject) -> Iterator[Finding]:
    """Find dependency metadata without a version for a package from git, a URL or a path.

    https://docs.astral.sh/uv/concepts/resolution/#dependency-metadata: uv ignores it there.
    """
    rule = "metadata-without-version"
    found = projects(subject)
    sources = {name: source for project in found for name, source in project.sources.items()}
    for project in found:
        for at, entry in enumerate(list_of(project.uv, "dependency-metadata")):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str) or "version" in entry or project.path in subject.inferred_files:
                continue
            source = sources.get(canonicalize_name(name), {})
            origin = next((str(source[key]) for key in DIRECT if key in source), "")
            if not origin:
                continue
            why = f"the `dependency-metadata` of `{name}` (from {origin}) has no `version`, so uv ignores it"
            version = next((m[1] for key in ("tag", "url") if (m := VERSION.search(str(source.get(key, ""))))), "0")
            line = f'version = "{version}"'
            text = with_first_in_entry(subject.texts[project.path], "tool.uv.dependency-metadata", at, line)
            control = None
            if text and subject.symptom_contains(name):
                control = with_fix(rule, f"With `{line}` uv uses it.", why, files={project.path: text})
            where = subject.at_file(project.path, "tool", "uv", "dependency-metadata", at)
            yield Finding(rule, where, sentence(why), control)


def explicit_index(subject: Subject) -> Iterator[Finding]:
    """Find a dependency that is expected from an explicit index without a source.

    https://docs.astral.sh/uv/concepts/indexes/#pinning-a-package-to-an-index.
    """
    rule = "explicit-index"
    for project in projects(subject):
        indexes = [index for index in list_of(project.uv, "index") if isinstance(index, dict)]
        explicit = [index for index in indexes if index.get("explicit") is True and isinstance(index.get("name"), str)]
        if (
            len(explicit) != 1
            or project.path in subject.inferred_files
            or any(call.has("--no-sources") for call in subject.all_calls)
        ):
            continue
        index = explicit[0]["name"]
        sourced = {canonicalize_name(each) for each in table_of(project.uv, "sources")}
        for name in dict.fromkeys(project.dependencies):
            if name in sourced or not subject.symptom_contains(f"{name} was not found in the package registry"):
                continue
            why = f"the index `{index}` is explicit, so uv uses it only for its sources, and `{name}` is none"
            line = f'{name} = {{ index = "{index}" }}'
            text = with_line(subject.texts[project.path], "tool.uv.sources", line)
            shows = f"With the source `{line}` it comes from there."
            control = with_fix(rule, shows, why, files={project.path: text}) if text else None
            where = subject.at_file(project.path, "project", "dependencies")
            yield Finding(rule, where, sentence(why), control)
