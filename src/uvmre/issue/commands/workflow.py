"""The commands of a CI workflow in YAML: GitHub's `run:`, GitLab's `script:`, with their variables and directories."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from uvmre.core.shell import statements
from uvmre.core.text.parse_yaml import parse_yaml

CALLS_UV = re.compile(r"\buvx?\s")
ENVIRONMENT = ("env", "variables", "environment")
SCRIPTS = ("before_script", "script", "bash", "commands")
EXPRESSION = re.compile(r"\$\{\{[^}]{0,200}\}\}|\$\{?(?:GITHUB|RUNNER|CI)_")
"""What only the service knows."""


def commands_of(text: str, tag: str) -> list[str]:
    """Return the commands of a workflow in order, with `export` and `cd` for what it sets; none if it calls no uv."""
    import yaml

    if not re.match(r"(?i)ya?ml\b", tag) and not re.search(
        r"(?m)^[^\S\n]{0,40}(?:- )?(?:run|script|jobs|steps):", text
    ):
        return []
    try:
        data = parse_yaml(text)
    except yaml.YAMLError:
        return []
    found: list[str] = []
    current: Mapping[str, str] = {}
    for script, folder, variables in _scripts(data, "", {}):
        if runs := list(_step(script, folder)):
            found += [f"unset {name}" for name in current if name not in variables]
            found += [f"export {name}='{each}'" for name, each in variables.items() if current.get(name) != each]
            found, current = [*found, *runs], variables
    while found and re.match(r"(?:cd|export|unset) ", found[-1]):
        found.pop()
    return found if any(CALLS_UV.search(run) for run in found) else []


def _scripts(data: Any, folder: str, variables: Mapping[str, str]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield each script of a workflow with its directory and variables."""
    if isinstance(data, list):
        for each in data:
            yield from _scripts(each, folder, variables)
    if not isinstance(data, dict):
        return
    for key in ENVIRONMENT:
        variables = {**variables, **_variables(data.get(key))}
    inner = data.get("working-directory", folder)
    folder = inner if isinstance(inner, str) and not inner.startswith(("/", "$")) else folder
    defaults = data.get("defaults")
    if isinstance(defaults, dict) and isinstance(defaults.get("run"), dict):
        folder = str(defaults["run"].get("working-directory", folder))
    for key, value in data.items():
        if key in ("run", *SCRIPTS):
            lines = value.get("command", "") if isinstance(value, dict) else value
            lines = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else [lines]
            yield "\n".join(line for line in lines if isinstance(line, str)), folder, variables
        elif key not in (*ENVIRONMENT, "with", "defaults"):
            yield from _scripts(value, folder, variables)


def _variables(value: Any) -> dict[str, str]:
    found = value if isinstance(value, dict) else {}
    pairs = {str(name): str(each).lower() if isinstance(each, bool) else str(each) for name, each in found.items()}
    return {name: each for name, each in pairs.items() if name.isidentifier() and not set("$`'\n") & set(each)}


def _step(script: str, folder: str) -> Iterator[str]:
    """Yield the commands of one script, which starts and ends in the directory of the repository."""
    runs = [part.text for part in statements.statements(script) if not EXPRESSION.search(part.text)]
    if not runs:
        return
    entered = [folder] if folder else []
    yield from (f"cd {each}" for each in entered)
    entered += [found[1] for run in runs if (found := re.fullmatch(r"cd ([\w./-]{1,200})", run))]
    yield from runs
    depth = sum(part not in ("", ".") for each in entered for part in each.split("/"))
    if depth and not any(".." in each for each in entered):
        yield f"cd {'/'.join(['..'] * depth)}"
