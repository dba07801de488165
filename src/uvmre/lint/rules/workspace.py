"""Mistakes in the installation of workspace members."""

import re
from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from uvmre.core.mre.model import Step
from uvmre.core.shell.uv_calls import Call, changes_directory, with_flag
from uvmre.lint.finding import Finding, sentence, with_fix
from uvmre.lint.projects import Project, members_of, projects, reachable, root_of, table_of
from uvmre.lint.subject import Subject

MISSING = re.compile(r"No module named ['\"]?([A-Za-z_]\w*)")
NOT_SPAWNED = re.compile(r"Failed to spawn: ?[`'\"]?([\w.-]+)")
BUILD_SYSTEM = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


def member_not_built(subject: Subject) -> Iterator[Finding]:
    """Find a member that is not installed because it has no build system.

    https://docs.astral.sh/uv/concepts/projects/config/#build-systems; from 0.4.0 on, except
    from 0.8.0 on for a member that another one depends on.
    """
    rule = "member-not-built"
    found = projects(subject)
    root = root_of(found)
    for project in members_of(root, found) if root else ():
        if "build-system" in project.data or "package" in project.uv or project.path in subject.inferred_files:
            continue
        if not set(_missing(subject)) & set(project.modules):
            continue
        if not any(project.name in each.dependencies for each in found):
            continue
        why = f"the member `{project.name}` has no `[build-system]`, so uv does not install it"
        control = with_fix(
            rule,
            f"With a build system `{project.name}` is installed.",
            why,
            files={project.path: _with_build_system(subject, project)},
        )
        yield Finding(rule, subject.at_file(project.path, "project"), sentence(why), control)


def _with_build_system(subject: Subject, project: Project) -> str:
    text = f"{subject.texts[project.path].rstrip()}\n{BUILD_SYSTEM}"
    if "hatch" in table_of(project.data, "tool") or len(project.modules) != 1:
        return text
    (module,) = project.modules
    base = "" if project.folder == "." else f"{project.folder}/"
    for folder in (f"src/{module}", module):
        if subject.mre.file(f"{base}{folder}/__init__.py"):
            return f'{text}\n[tool.hatch.build.targets.wheel]\npackages = ["{folder}"]\n'
    return text


def all_packages(subject: Subject) -> Iterator[Finding]:
    """Find a member, or its dependency, that is expected where only the root is installed.

    https://docs.astral.sh/uv/concepts/projects/workspaces/: `uv sync` and `uv run` are for the root by
    default, unless it has no `[project]`.
    """
    rule = "all-packages"
    found = projects(subject)
    root = root_of(found)
    if root is None or not root.name or root.path in subject.inferred_files:
        return
    at_root = [
        (step, call)
        for step, calls in subject.steps
        for call in calls
        if call.verb in ("sync", "run") and _is_of_the_root(call, step)
    ]
    others = any(call.has("--all-packages", "--package") for _, calls in subject.steps for call in calls)
    mine = reachable(root, found)
    for member in members_of(root, found):
        expected = _expected(subject, member)
        if not at_root or others or not expected or member.name in mine or not member.built:
            continue
        if canonicalize_name(expected) in mine | {name for group in root.groups.values() for name in group}:
            continue
        needed = f"the root does not depend on the member `{member.name}`"
        why = f"{needed}, and without `--all-packages` only the root is installed"
        steps = tuple(replace(step, run=_with_all(step, at_root)) for step in subject.mre.steps)
        control = with_fix(
            rule, f"With `--all-packages` `{member.name}` and what it needs are installed.", why, steps=steps
        )
        yield Finding(rule, subject.at_step(at_root[-1][0]), sentence(why), control)


def _expected(subject: Subject, member: Project) -> str:
    """Return the missing module or command of a member or its dependencies."""
    for module in _missing(subject):
        if module in member.modules or canonicalize_name(module) in (member.name, *member.dependencies):
            return module
    spawned = NOT_SPAWNED.findall("\n".join(subject.mre.symptom.output))
    scripts = table_of(member.table, "scripts")
    return next((command for command in spawned if command in scripts), "")


def _is_of_the_root(call: Call, step: Step) -> bool:
    return not changes_directory(step.run) and not call.has("--package", "--all-packages", "--project", "--script")


def _with_all(step: Step, at_root: list[tuple[Step, Call]]) -> str:
    text = step.run
    for verb in {call.verb for each, call in at_root if each == step}:
        text = with_flag(text, verb, "--all-packages")
    return text


def _missing(subject: Subject) -> list[str]:
    return MISSING.findall("\n".join(subject.mre.symptom.output))
