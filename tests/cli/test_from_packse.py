"""`uvmre new --from-packse`: a scenario becomes a folder, and real uv is seen to do what the scenario expects."""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import CommandLine
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.folder.read import read_mre

PYTHON = ".".join(map(str, sys.version_info[:2]))
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
UV = "0.13.9"
HEAD = f"""\
name = "kettle"
description = "Tea wants water."
environment.python = "{PYTHON}"
"""
ANY = 'requires_python = ">=3.8"'

SCENARIOS = {
    "the newest that fits": f"""
root.requires = ["tea"]
expected = {{ satisfiable = true, packages = {{ tea = "2.0", water = "1.0" }} }}
[packages.tea.versions."1.0"]
{ANY}
[packages.tea.versions."2.0"]
requires = ["water<2"]
{ANY}
[packages.water.versions."1.0"]
{ANY}
[packages.water.versions."2.0"]
{ANY}
""",
    "a conflict": f"""
root.requires = ["tea", "water>1"]
expected.satisfiable = false
[packages.tea.versions."1.0"]
requires = ["water<1"]
{ANY}
[packages.water.versions."0.9"]
{ANY}
[packages.water.versions."2.0"]
{ANY}
""",
    "an extra": f"""
root.requires = ["tea[with_milk]"]
expected = {{ satisfiable = true, packages = {{ tea = "1.0", milk = "1.0" }} }}
[packages.tea.versions."1.0"]
extras = {{ with_milk = ["milk; python_version >= '3'"], with_lemon = ["lemon"] }}
{ANY}
[packages.milk.versions."1.0"]
{ANY}
""",
    "a yanked version": f"""
root.requires = ["tea"]
expected = {{ satisfiable = true, packages = {{ tea = "1.0" }} }}
[packages.tea.versions."1.0"]
{ANY}
[packages.tea.versions."2.0"]
yanked = true
{ANY}
""",
    "a prerelease, where they are wanted": f"""
root.requires = ["tea"]
expected = {{ satisfiable = true, packages = {{ tea = "2.0b1" }} }}
resolver_options.prereleases = true
[packages.tea.versions."1.0"]
{ANY}
[packages.tea.versions."2.0b1"]
{ANY}
""",
    "a Python that is not there": """
root.requires = ["tea"]
expected.satisfiable = false
[packages.tea.versions."1.0"]
requires_python = ">=3.90"
""",
    "wheels that fit nowhere, and no sdist": f"""
root.requires = ["tea"]
expected.satisfiable = false
[packages.tea.versions."1.0"]
wheel_tags = ["foo-none-any", "py3-none-macosx_10_0_ppc64"]
sdist = false
{ANY}
""",
    "an sdist that must be built": f"""
root.requires = ["tea"]
expected = {{ satisfiable = true, packages = {{ tea = "1.0+local" }} }}
resolver_options.no_binary = ["tea"]
[packages.tea.versions."1.0+local"]
{ANY}
""",
    "a Python to compile for": f"""
root.requires = ["tea"]
expected = {{ satisfiable = true, packages = {{ tea = "1.0" }} }}
resolver_options.python = "{PYTHON}"
[packages.tea.versions."1.0"]
{ANY}
""",
    "a fork": f"""
root.requires = ["tea>=2; sys_platform == 'linux'", "tea<2; sys_platform != 'linux'"]
root.requires_python = ">=3.8"
expected = {{ satisfiable = true, packages = {{ tea = "2.0" }} }}
resolver_options.universal = true
[packages.tea.versions."1.0"]
{ANY}
[packages.tea.versions."2.0"]
{ANY}
""",
}


@pytest.mark.network
@pytest.mark.parametrize(
    "name", [*[*SCENARIOS][:2], *(pytest.param(n, marks=pytest.mark.slow) for n in [*SCENARIOS][2:])]
)
def test_uv_does_what_a_scenario_expects(uvmre: CommandLine, tmp_path: Path, name: str) -> None:
    (tmp_path / "kettle.toml").write_text(HEAD + SCENARIOS[name])
    created = uvmre("new", "mre", "--from-packse", "kettle.toml", "--uv", UV)
    assert created.exit == 0, created.stderr
    ended = uvmre("run", "mre", "--json")
    data = json.loads(ended.stdout)
    [variant] = data["variants"]
    assert variant["outcome"] == "shows", (variant["reason"], [step["stderr"] for step in variant["steps"]])
    assert ended.exit == 0
    assert {request["host"] for request in variant["requests"]} <= {"pypi.org", "files.pythonhosted.org"}


@pytest.mark.network
def test_without_a_release_it_is_the_latest(uvmre: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "kettle.toml").write_text(HEAD + SCENARIOS["a conflict"])
    assert uvmre("new", "mre", "--from-packse", "kettle.toml").exit == 0
    assert tuple(map(int, read_mre(tmp_path / "mre").environment.uv.split("."))) >= (0, 13, 9)


def test_the_folder_says_what_it_is(uvmre: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "kettle.toml").write_text(HEAD + SCENARIOS["a yanked version"])
    ended = uvmre("new", "mre", "--from-packse", "kettle.toml", "--uv", UV, "--json")
    assert ended.exit == 0, ended.stderr
    data = json.loads(ended.stdout)
    jsonschema.validate(data, json.loads((SCHEMAS / "new.json").read_text()))
    assert data["template"] == "kettle.toml"
    assert data["files"] == ["Dockerfile", "README.md", "mre.toml", "requirements.in", "run.sh"]
    mre = read_mre(tmp_path / "mre")
    assert mre.title == "kettle: Tea wants water."
    assert (mre.environment.uv, mre.environment.python) == (UV, PYTHON)
    assert mre.indexes[0].packages == (
        SyntheticPackage("tea", "1.0", requires_python=">=3.8"),
        SyntheticPackage("tea", "2.0", requires_python=">=3.8", yanked=True),
    )
    assert "uvmre run ." in (tmp_path / "mre" / "README.md").read_text()
    again = uvmre("new", "mre", "--from-packse", "kettle.toml", "--uv", UV)
    assert again.exit == 2
    assert "already contains an MRE" in again.stderr
    assert uvmre("new", "mre", "--from-packse", "kettle.toml", "--uv", "0.5.21", "--force").exit == 0
    assert read_mre(tmp_path / "mre").environment.uv == "0.5.21"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        pytest.param(["--from-packse", "none.toml"], "file not found: `none.toml`", "check the path", id="no file"),
        pytest.param(
            ["--from-packse", "empty.toml", "--uv", UV],
            "`empty.toml` is not a valid packse scenario: 3 errors",
            "fix them",
            id="no scenario",
        ),
        pytest.param(
            ["--from-packse", "empty.toml", "--uv", "0.13"],
            "`0.13` is not a release of uv",
            "0.5.21",
            id="no release",
        ),
        pytest.param(
            ["--from-packse", "empty.toml", "--defaults", "-d", "uv=0.5.21"],
            "`--data`, `--defaults` are not supported with `--from-packse`",
            "use a template or",
            id="a template's options",
        ),
        pytest.param(["--uv", UV], "`--uv` is not supported with a template", "-d uv=", id="a release for a template"),
    ],
)
def test_what_cannot_be_accepted_is_reported(
    uvmre: CommandLine, tmp_path: Path, arguments: list[str], message: str, hint: str
) -> None:
    (tmp_path / "empty.toml").touch()
    ended = uvmre("new", "mre", *arguments)
    assert ended.exit == 2
    assert f"error: {message}" in ended.stderr
    assert hint in ended.stderr
    assert not (tmp_path / "mre").exists()
