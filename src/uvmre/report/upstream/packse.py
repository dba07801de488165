"""An MRE with synthetic packages as a packse scenario, which `import_packse` reads back to an equivalent MRE."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import tomli_w

from uvmre.core.mre import import_packse as packse
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import dump_packages
from uvmre.core.shell.uv_calls import Call, parse_calls
from uvmre.core.text.parse_toml import parse_toml
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle

EXPECTED = (
    re.compile(r'name = "([^"]+)"\nversion = "([^"]+)"'),
    re.compile(r"(?m)^([\w.-]+)==([^\s;]+)"),
    re.compile(r'\{"name":"([^"]+)","version":"([^"]+)"\}'),
)
"""How an imported MRE looks for a version: in a lock file, a compiled requirements file, and a list of packages."""
VALUES = {"resolution": "--resolution", "python_platform": "--python-platform", "python": "--python-version"}
PARTS = {
    "steps": "its steps are not those of a scenario: `uv lock`, or `uv venv` and `uv pip compile` or `uv pip install`",
    "symptom": "its symptom is not that uv resolves to certain versions, or finds no solution",
    "indexes": "its packages have what a scenario lacks: a build backend, an upload time, or a file",
    "environment": "its environment is more than a Python",
    "files": "its files are more than the requirements",
}
ANY_PYTHON = ">=0"
"""Of a package that does not say which it supports: in a scenario that would be Python 3.12."""
FIELDS = ("controls", "services", "answers", "repositories", "faults", "deviations", "expected", "needs")


def write_packse(bundle: Bundle) -> str:
    """Return the scenario.

    Raises:
        InputError: with everything that a scenario cannot express.
    """
    mre = bundle.mre
    faults = [f"it has `{field}`" for field in FIELDS if getattr(mre, field)]
    if [replace(index, packages=()) for index in mre.indexes] != [Index(packse.PYPI, synthetic="replace")]:
        faults.append(f'its only index is not {packse.PYPI} with `synthetic = "replace"`')
    else:
        try:
            text = tomli_w.dumps(_scenario(mre))
            again = packse.import_scenario(text, "the scenario", uv=mre.environment.uv)
            other = [part for part in PARTS if _comparable(again, part) != _comparable(mre, part)]
            # Other steps have other files.
            faults += [PARTS[part] for part in other if part != "files" or "steps" not in other]
        except InputError as error:
            faults += error.faults
        except (ValueError, AttributeError) as error:
            faults.append(f"its pyproject.toml is not valid: {error}")
    if faults:
        raise InputError("it cannot be a packse scenario", faults)
    return text


def _comparable(mre: Mre, part: str) -> Any:
    """Return the part of an MRE that a scenario must give again."""
    if part == "files":
        return {file.path: _content(file) for file in mre.files if file.path != "README.md"}
    if part == "indexes":
        packages = (
            replace(each, requires_python=each.requires_python or ANY_PYTHON) for each in mre.indexes[0].packages
        )
        return sorted(packages, key=repr)
    if part == "environment":
        variables = {name: value for name, value in mre.environment.variables.items() if name != "UV_PYTHON_DOWNLOADS"}
        return replace(mre.environment, python=mre.environment.python or packse.PYTHON, variables=variables)
    return getattr(mre, part)


def _content(file: File) -> Any:
    """Return the content of a file, without what names the project."""
    if file.path != "pyproject.toml":
        return file.content
    data = parse_toml(file.content.decode())
    project = {key: value for key, value in data.get("project", {}).items() if key not in ("name", "version")}
    return {**data, "project": {"dependencies": [], **project}}


def _scenario(mre: Mre) -> dict[str, Any]:
    calls = [call for step in mre.steps for call in parse_calls(step.run)]
    found = [(kind, call) for call in calls for kind, name in packse.COMMANDS.items() if call.name == name]
    kind, command = found[0] if found else ("install", Call((), {}))
    options: dict[str, Any] = {key: values[-1] for key, flag in VALUES.items() if (values := command.values(flag))}
    no_build = command.values("--no-build-package", "--only-binary")
    no_binary = command.values("--no-binary-package", "--no-binary")
    options |= {key: names for key, names in (("no_build", no_build), ("no_binary", no_binary)) if names}
    options |= {"prereleases": True} if command.values("--prerelease") == ["allow"] else {}
    options |= {"universal": True} if command.has("--universal") or kind == "lock" else {}
    root, environments = _requirements(mre)
    options |= {"required_environments": environments} if environments else {}
    texts = "\n".join([*mre.symptom.output, *(file.contains for file in mre.symptom.files)])
    satisfiable = packse.UNSATISFIABLE not in texts
    versions = dict(found for pattern in EXPECTED for found in pattern.findall(texts)) if satisfiable else {}
    name, _, description = mre.title.partition(": ")
    return {
        "name": name,
        "description": description,
        "root": root,
        "expected": {"satisfiable": satisfiable, "packages": versions},
        "environment": {"python": mre.environment.python or packse.PYTHON},
        "resolver_options": options,
        "testgen": {"kind": kind},
        "packages": dict(_packages(mre)),
    }


def _requirements(mre: Mre) -> tuple[dict[str, Any], list[str]]:
    """Return the root of a scenario, and the required environments."""
    if project := mre.file("pyproject.toml"):
        data = parse_toml(project.content.decode())
        table, own = data.get("project", {}), data.get("tool", {}).get("uv", {})
        root = {"requires": table.get("dependencies", [])}
        root |= {"requires_python": table["requires-python"]} if "requires-python" in table else {}
        return root, own.get("required-environments", [])
    requirements = mre.file(packse.REQUIREMENTS)
    return {"requires": requirements.content.decode().splitlines() if requirements else []}, []


def _packages(mre: Mre) -> Iterator[tuple[str, Any]]:
    for name, package in dump_packages(mre.indexes[0].packages).items():
        versions: dict[str, Any] = {version: {"requires_python": ANY_PYTHON} for version in package["versions"]}
        for version, table in package["versions"].items():
            values = {key.replace("-", "_"): value for key, value in table.items()}
            versions[version] |= {key: value for key, value in values.items() if key in packse.PACKAGE}
        yield name, {"versions": versions}
