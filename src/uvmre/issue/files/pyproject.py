"""Complete a pyproject.toml that is posted in part, with as little as uv needs."""

import re
from typing import Any

from uvmre.issue.files import content_type

PROJECT = re.compile(r"^[^\S\n]*\[project\]\s*(?:#.*)?$", re.MULTILINE)
DEFAULT_PYTHON = ">=3.8"
ELIDED = "`...` is left out"


def complete(text: str, *, needs_project: bool, python: str = "") -> tuple[str, str]:
    """Return the completed text, and a short description of the additions; empty if there are none.

    Args:
        text: the TOML, as posted.
        needs_project: whether a command requires a `[project]`.
        python: the Python version that `requires-python` must allow.
    """
    text, removed = content_type.without_ellipses(text)
    data = content_type.parse_toml(text)
    if data is None:
        return text, ""
    additions = [ELIDED] if removed else []
    if data.keys() & {"dependencies", "requires-python"} and "project" not in data:
        text, data = f"[project]\n{text}", {"project": data}
        additions.append("[project] above its keys")
    project = data.get("project")
    if isinstance(project, dict):
        missing = _missing_keys(project, data)
        if missing and not PROJECT.search(text):  # only tables below it, as [project.optional-dependencies]
            text = f"{minimal('project', python)}\n{text}"
            additions.append("[project] above its tables")
        elif missing:
            text = PROJECT.sub(lambda found: found[0] + "".join(f"\n{line}" for line in missing), text, count=1)
            additions.append(", ".join(line.split(" ", 1)[0] for line in missing))
    elif needs_project and not _is_root(data):
        # A source is of something that the project requires.
        sources = content_type.table(data, "tool", "uv", "sources")
        text = f"{minimal('project', python, dependencies=tuple(sources))}\n{text}"
        additions.append("a [project]")
    return text if text.endswith("\n") else f"{text}\n", "; ".join(additions)


def _missing_keys(project: dict[str, Any], data: dict[str, Any]) -> list[str]:
    dynamic = project.get("dynamic", [])
    lines = []
    if "name" not in project:
        lines.append('name = "project"')
    if "version" not in project and "version" not in dynamic and "poetry" not in data.get("tool", {}):
        lines.append('version = "0.1.0"')
    return lines


def _is_root(data: dict[str, Any]) -> bool:
    tool = content_type.table(data, "tool")
    return "poetry" in tool or "workspace" in content_type.table(tool, "uv")


def minimal(
    name: str, python: str = "", *, version: str = "0.1.0", build: bool = False, dependencies: tuple[str, ...] = ()
) -> str:
    """Return a minimal pyproject.toml."""
    minor = ".".join(python.split(".")[:2])
    requires = f">={minor}" if minor else DEFAULT_PYTHON
    entries = "".join(f'\n    "{each}",' for each in dependencies)
    text = (
        f'[project]\nname = "{name}"\nversion = "{version}"\nrequires-python = "{requires}"\n'
        f"dependencies = [{entries}{chr(10) if entries else ''}]\n"
    )
    if build:
        text += '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    return text
