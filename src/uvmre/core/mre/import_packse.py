"""Convert a packse scenario into an MRE that shows if uv does what the scenario expects.

The keys are those of astral-sh/packse and of astral-sh/uv's `test/scenarios`. As in uv's own tests, a universal
scenario becomes `uv lock`, one with another Python `uv pip compile`, any other `uv pip install`.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any, Literal

from uvmre.core.mre.files import File
from uvmre.core.mre.keys import python_version
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import check_packages, read_packages, requirement, specifier
from uvmre.core.text.parse_toml import parse_toml
from uvmre.core.text.toml_checks import (
    Keys,
    Mistake,
    Path,
    boolean,
    check_subtable,
    check_table,
    line_of_text,
    list_of,
    one_of,
)
from uvmre.errors import InputError

PYPI = "https://pypi.org/simple"
PYTHON = "3.12"
REQUIRES_PYTHON = ">=3.12"
"""The default of a scenario's root and packages."""
UNSATISFIABLE = "No solution found when resolving"
REQUIREMENTS = "requirements.in"

Kind = Literal["install", "compile", "lock"]


def import_scenario(text: str, source: str, *, uv: str) -> Mre:
    """Read a scenario.

    Args:
        text: its TOML.
        source: its name in messages.
        uv: the release of the MRE.

    Raises:
        InputError: with everything that is invalid, or that an MRE does not support.
    """
    try:
        data = parse_toml(text)
    except ValueError as error:
        raise InputError(f"`{source}` is not valid TOML", [str(error)]) from None
    if found := list(_mistakes(data)):
        from uvmre.core.text.toml_positions import format_mistakes

        message = f"`{source}` is not a valid packse scenario: {len(found)} error{'s' * (len(found) > 1)}"
        raise InputError(message, format_mistakes(text, found), "fix them and try again")
    return _mre(data, uv)


def _anything(_: Any) -> str:
    return ""


def _unsupported(value: Any) -> str:
    return "is not supported, an MRE has one interpreter: remove it" if value else ""


def _versions(value: Any) -> str:
    fine = isinstance(value, dict) and all(isinstance(version, str) for version in value.values())
    return "" if fine else "must be a table of versions (in quotes) by package"


TOP: Keys = {"name": (line_of_text, True), "description": (_anything, False), "template": (_anything, False)}
ROOT: Keys = {"requires": (list_of(requirement), False), "requires_python": (specifier, False)}
EXPECTED: Keys = {"satisfiable": (boolean, True), "packages": (_versions, False), "explanation": (_anything, False)}
ENVIRONMENT: Keys = {"python": (python_version, False), "additional_python": (_unsupported, False)}
OPTIONS: Keys = {
    "python": (python_version, False),
    "prereleases": (boolean, False),
    "no_build": (list_of(line_of_text), False),
    "no_binary": (list_of(line_of_text), False),
    "universal": (boolean, False),
    "python_platform": (line_of_text, False),
    "required_environments": (list_of(line_of_text), False),
    "resolution": (one_of("highest", "lowest", "lowest-direct"), False),
}
PACKAGE = ("requires", "requires_python", "extras", "sdist", "wheel", "yanked", "wheel_tags", "description")
CANNOT = {
    "install": ("universal", "required_environments"),
    "compile": ("required_environments",),
    "lock": ("python", "python_platform"),
}
"""The resolver options that each kind of command does not support."""


def _mistakes(data: dict[str, Any]) -> Iterator[Mistake]:
    tables = ("packages", "root", "expected", "environment", "resolver_options", "testgen")
    yield from check_table(data, TOP, (), tables)
    yield from check_subtable(data, "root", ROOT)
    yield from check_subtable(data, "expected", EXPECTED)
    yield from check_subtable({"environment": {}, **data}, "environment", ENVIRONMENT)
    yield from check_subtable({"resolver_options": {}, **data}, "resolver_options", OPTIONS)
    packages = data.get("packages", {})
    for path, version in _each(packages):
        yield from check_table(version, dict.fromkeys(PACKAGE, (_anything, False)), path)
    for path, mistake in check_packages(_to_manifest(packages), ("packages",)):
        yield _scenario_path(path), mistake
    kind, options = _kind(data), data.get("resolver_options", {})
    for key in CANNOT[kind]:
        if isinstance(options, dict) and options.get(key):
            yield ("resolver_options", key), f"is not supported by `{COMMANDS[kind]}`: remove it"


def _each(packages: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every version of a table that may be invalid."""
    for name, package in packages.items() if isinstance(packages, dict) else ():
        versions = package.get("versions") if isinstance(package, dict) else None
        for version, table in versions.items() if isinstance(versions, dict) else ():
            if isinstance(table, dict):
                yield ("packages", name, "versions", version), table


def _to_manifest(packages: Any) -> Any:
    """Return packages with the manifest's keys; what is not a table is left for the check."""
    if not isinstance(packages, dict):
        return packages
    found: dict[str, Any] = {
        name: {**package, "versions": dict(package["versions"])}
        if isinstance(package, dict) and isinstance(package.get("versions"), dict)
        else package
        for name, package in packages.items()
    }
    for (_, name, _, version), table in _each(packages):
        found[str(name)]["versions"][version] = _version(table)
    return found


def _version(table: Mapping[str, Any]) -> dict[str, Any]:
    values = {key.replace("_", "-"): value for key, value in table.items() if key in PACKAGE}
    # An empty list or string is the default; tags without a wheel have no effect.
    dropped = {key for key in ("wheel-tags", "description") if not values.get(key)}
    dropped |= {"wheel-tags"} if values.get("wheel") is False else set()
    return {"requires-python": REQUIRES_PYTHON} | {key: value for key, value in values.items() if key not in dropped}


def _scenario_path(path: Path) -> Path:
    """Return the path in the scenario of a path in `_to_manifest`."""
    key = str(path[4]).replace("-", "_") if len(path) > 4 else ""
    return (*path[:4], key, *path[5:]) if key in PACKAGE else path


COMMANDS = {"install": "uv pip install", "compile": "uv pip compile", "lock": "uv lock"}


def _kind(data: Mapping[str, Any]) -> Kind:
    testgen, options = (data.get(key) for key in ("testgen", "resolver_options"))
    kind: Kind | None = testgen.get("kind") if isinstance(testgen, dict) else None
    options = options if isinstance(options, dict) else {}
    if kind in COMMANDS:
        return kind
    return "lock" if options.get("universal") else "compile" if options.get("python") else "install"


def _mre(data: Mapping[str, Any], uv: str) -> Mre:
    python = data.get("environment", {}).get("python", PYTHON)
    kind = _kind(data)
    steps = _steps(data, kind, python)
    return Mre(
        title=_title(data),
        # An MRE has one interpreter; uv goes out for another where these commands could use it.
        environment=Environment(uv, python, variables={} if kind == "install" else {"UV_PYTHON_DOWNLOADS": "never"}),
        indexes=(Index(PYPI, synthetic="replace", packages=read_packages(_to_manifest(data.get("packages", {})))),),
        steps=steps,
        symptom=_symptom(data, kind),
        files=(
            File("README.md", _readme(data, uv, steps).encode()),
            _pyproject(data) if kind == "lock" else File(REQUIREMENTS, _lines(data["root"].get("requires", ()))),
        ),
    )


def _title(data: Mapping[str, Any]) -> str:
    first = re.split(r"(?<=[.!?])\s", " ".join(str(data.get("description", "")).split()))[0]
    return f"{data['name']}: {first}" if first else str(data["name"])


def _lines(lines: Any) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _pyproject(data: Mapping[str, Any]) -> File:
    import tomli_w

    root, options = data["root"], data.get("resolver_options", {})
    project = {
        "name": "project",
        "version": "0.1.0",
        "requires-python": root.get("requires_python", REQUIRES_PYTHON),
        "dependencies": root.get("requires", []),
    }
    environments = options.get("required_environments")
    tool = {"tool": {"uv": {"required-environments": environments}}} if environments else {}
    return File("pyproject.toml", tomli_w.dumps({"project": project, **tool}).encode())


def _steps(data: Mapping[str, Any], kind: Kind, python: str) -> tuple[Step, ...]:
    command = shlex.join([*COMMANDS[kind].split(), *_options(data.get("resolver_options", {}), kind)])
    if kind == "lock":
        return (Step(command, "observe"),)
    venv = Step(f"uv venv --python {python}")
    if kind == "compile":
        return venv, Step(f"{command} {REQUIREMENTS}", "observe")
    # As JSON, in which `1.2.3` is not also the start of `1.2.3+local`.
    listed = " && uv pip list --format json" if _expected(data) else ""
    return venv, Step(f"{command} -r {REQUIREMENTS}{listed}", "observe")


def _options(options: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    if "resolution" in options:
        yield from ("--resolution", options["resolution"])
    if options.get("prereleases"):
        yield from ("--prerelease", "allow")
    no_build, no_binary = (
        ("--no-build-package", "--no-binary-package") if kind == "lock" else ("--only-binary", "--no-binary")
    )
    for flag, names in ((no_build, options.get("no_build", ())), (no_binary, options.get("no_binary", ()))):
        for name in names:
            yield from (flag, name)
    if "python_platform" in options:
        yield from ("--python-platform", options["python_platform"])
    if "python" in options:
        yield from ("--python-version", options["python"])
    if options.get("universal") and kind == "compile":
        yield "--universal"


def _expected(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the expected versions by normalized name, sorted as in uv's output."""
    from packaging.utils import canonicalize_name

    expected = data["expected"]
    packages = expected.get("packages", {}) if expected["satisfiable"] else {}
    return dict(sorted((canonicalize_name(name), version) for name, version in packages.items()))


def _symptom(data: Mapping[str, Any], kind: Kind) -> Symptom:
    if not data["expected"]["satisfiable"]:
        return Symptom(exit=1, output=(UNSATISFIABLE,))
    expected = _expected(data).items()
    if kind == "lock":
        # What follows the version ends it.
        patterns = (f'name = "{name}"\nversion = "{version}"\nsource =' for name, version in expected)
        return Symptom(exit=0, files=tuple(FileSymptom("uv.lock", pattern) for pattern in patterns))
    if kind == "compile":
        # With `--universal` a marker may follow.
        end = "" if data.get("resolver_options", {}).get("universal") else "\n    # via"
        return Symptom(exit=0, output=tuple(f"{name}=={version}{end}" for name, version in expected))
    listed = tuple(f'{{"name":"{name}","version":"{version}"}}' for name, version in expected)
    return Symptom(exit=0, output=listed)


def _readme(data: Mapping[str, Any], uv: str, steps: tuple[Step, ...]) -> str:
    texts = [str(data.get("description", "")), str(data["expected"].get("explanation", ""))]
    paragraphs = [fill(" ".join(text.split()), 110) for text in texts]
    return "\n\n".join(
        [
            f"# {data['name']}, for uv {uv}",
            *filter(None, paragraphs),
            fill(
                "A packse scenario as an MRE: `mre.toml` has its synthetic packages and what the scenario expects. It"
                " shows if uv does what is expected.",
                110,
            ),
            "    uvmre run .        # exit 0: as expected, 1: not, 125: cannot tell\n"
            "    uvmre gateway .    # the same packages by hand: run what it prints, then\n"
            + "\n".join(f"    {step.run}" for step in steps)
            + "\n",
        ]
    )
