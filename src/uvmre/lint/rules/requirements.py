"""Mistakes about the difference of `uv pip` and `uv lock`."""

from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from uvmre.core.shell.uv_calls import Call, changes_directory
from uvmre.lint.finding import Finding, with_fix
from uvmre.lint.projects import Project, projects
from uvmre.lint.subject import PROJECT, Subject, package_name
from uvmre.lint.toml_edit import with_line

PIP = ("pip compile", "pip install", "pip sync")
LOCKS = ("lock", "sync", "add", "run")
ELSEWHERE = (
    "includes Python versions that are not supported by your dependencies",
    "the resolution failed for other Python versions supported by your project",
    "the resolution failed for an environment that is not the current one",
)
"""uv's hints that there is a solution for this environment."""


def sources_in_requirements(subject: Subject) -> Iterator[Finding]:
    """Find a requirements file that is expected to use `[tool.uv.sources]`.

    Sources belong to the project's own dependencies (https://docs.astral.sh/uv/concepts/projects/dependencies/):
    `uv pip compile pyproject.toml` reads them, `uv pip compile requirements.in` does not.
    """
    rule = "sources-in-requirements"
    project = _root_project(subject)
    if project is None or not project.sources:
        return
    for step, calls in subject.steps:
        for path in dict.fromkeys(path for call in calls for path in _files(call)):
            if changes_directory(step.run) or path not in subject.texts:
                continue
            lines = subject.texts[path].splitlines()
            for number, line in enumerate(lines, 1):
                name = package_name(line.split(" #")[0].strip())
                if name not in project.sources or "@" in line or not subject.symptom_contains(name):
                    continue
                why = f"`[tool.uv.sources]` says where `{name}` comes from, but only for the {PROJECT}, not for {path}"
                right = _direct(subject, line.split(" #")[0].strip(), project.sources[name])
                control = None
                if right:
                    text = "\n".join([*lines[: number - 1], right, *lines[number:], ""])
                    control = with_fix(rule, f"With `{right}` in {path} it comes from there.", why, files={path: text})
                elif name in project.dependencies and all(
                    package_name(each) in project.dependencies for each in lines if each
                ):
                    steps = subject.with_step(step, step.run.replace(path, PROJECT))
                    control = with_fix(rule, f"With {PROJECT} instead of {path} it comes from there.", why, steps=steps)
                yield Finding(rule, f"{path}:{number}", f"{why}.", control)


def _files(call: Call) -> list[str]:
    """Return the requirements files of a `uv pip` command; none where it reads the project as well."""
    if call.verb not in PIP or call.has("--no-sources"):
        return []
    named = call.values("-r", "--requirement", "--requirements")
    found = named if call.verb == "pip install" else [*named, *call.arguments]
    return [] if any(path.endswith(".toml") for path in found) else [path.removeprefix("./") for path in found]


def _direct(subject: Subject, line: str, source: Any) -> str:
    """Return a requirement with its source as a URL; empty where there is none."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return ""
    where = ""
    if isinstance(source.get("git"), str):
        rev = next((source[key] for key in ("rev", "tag", "branch") if isinstance(source.get(key), str)), "")
        where = f"git+{source['git']}{f'@{rev}' if rev else ''}"
    elif isinstance(source.get("url"), str):
        where = source["url"]
    elif isinstance(source.get("path"), str) and not source["path"].startswith(("/", "..")):
        where = f"./{source['path'].removeprefix('./')}"
    elif source.get("workspace") is True:
        name = canonicalize_name(requirement.name)
        where = next((f"./{each.folder}" for each in projects(subject) if each.name == name), "")
    if where and isinstance(source.get("subdirectory"), str):
        where = f"{where}#subdirectory={source['subdirectory']}"
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras} @ {where}{marker}" if where else ""


def universal(subject: Subject) -> Iterator[Finding]:
    """Find a comparison of `uv lock`, which is universal, with `uv pip compile`, which is for one environment.

    https://docs.astral.sh/uv/concepts/resolution/: with `environments`, `uv lock` is for one environment as well.
    """
    rule = "universal"
    locking = [(step, call) for step, calls in subject.steps for call in calls if call.verb in LOCKS]
    if not locking or not subject.symptom_contains(
        "No solution found when resolving", "requirements are unsatisfiable"
    ):
        return
    compared = [
        call
        for call in subject.all_calls
        if call.verb in ("pip compile", "pip install") and not call.has("--universal", "--python-platform")
    ]
    project = _root_project(subject)
    if not compared or project is None or project.path in subject.inferred_files or "environments" in project.uv:
        return
    here = f"the Python {subject.mre.environment.python}" if subject.mre.environment.python else "the Python"
    why = (
        "`uv lock` resolves for every platform and every Python of `requires-python`,"
        f" `{compared[0].name}` without `--universal` only for {here} and the platform it runs on"
    )
    marker = "sys_platform == 'linux'"
    if minor := ".".join(subject.mre.environment.python.split(".")[:2]):
        marker += f" and python_version == '{minor}'"
    text = with_line(subject.texts[project.path], "tool.uv", f'environments = ["{marker}"]')
    shows = f"With `environments` limited to {marker} `uv lock` finds a solution as well."
    control = (
        with_fix(rule, shows, why, files={project.path: text})
        if text and subject.symptom_contains(*ELSEWHERE)
        else None
    )
    yield Finding(rule, subject.at_step(locking[-1][0]), f"{why}.", control)


def _root_project(subject: Subject) -> Project | None:
    return next((each for each in projects(subject) if each.path == PROJECT), None)
