"""`uvmre lint`: what it prints, its JSON, its exit codes. Needs no network."""

import json
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import CommandLine
from tests.lint_cases import JSON, MISTAKES
from uvmre.folder.write import write_mre

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "lint.json").read_text())


@pytest.fixture
def bug(tmp_path: Path) -> Path:
    write_mre(MISTAKES["json-credential"], tmp_path / "bug", force=False)
    return tmp_path / "bug"


def test_a_mistake_is_reported_with_its_place(uvmre: CommandLine, bug: Path) -> None:
    ended = uvmre("lint", bug)
    assert ended.exit == 1
    first, second = ended.stdout.splitlines()
    assert first.startswith("mre.toml, environment.variables.UV_INDEX_PRIVATE_ONE_PASSWORD: json-credential: ")
    assert second.startswith("  fixed: With only the token")
    assert ended.stderr == "1 finding\n"


def test_as_json(uvmre: CommandLine, bug: Path) -> None:
    ended = uvmre("lint", bug, "--json")
    told = json.loads(ended.stdout)
    jsonschema.validate(told, SCHEMA)
    assert (ended.exit, told["exit"]) == (1, 1)
    assert [finding["rule"] for finding in told["findings"]] == ["json-credential"]


def test_no_secret_is_reported(uvmre: CommandLine, tmp_path: Path) -> None:
    write_mre(MISTAKES["run-export"], tmp_path / "x", force=False)
    for folder in (tmp_path / "x", tmp_path / "bug"):
        if not folder.exists():
            write_mre(MISTAKES["json-credential"], folder, force=False)
        for words in ((), ("--json",)):
            ended = uvmre("lint", folder, *words)
            assert ended.exit == 1
            assert "a-made-up-token" not in ended.stdout + ended.stderr
            assert JSON not in ended.stdout


def test_nothing_found(uvmre: CommandLine, tmp_path: Path) -> None:
    assert uvmre("new", "bug", "-t", "workspace-index", "--defaults", "-d", "dockerfile=env").exit == 0
    ended = uvmre("lint", "bug")
    assert (ended.exit, ended.stdout, ended.stderr) == (0, "", "no findings\n")
    told = json.loads(uvmre("lint", "bug", "--json").stdout)
    jsonschema.validate(told, SCHEMA)
    assert (told["findings"], told["exit"]) == ([], 0)


def test_what_is_no_mre(uvmre: CommandLine, tmp_path: Path) -> None:
    ended = uvmre("lint", tmp_path, "--json")
    assert ended.exit == 2
    assert "is not an MRE" in json.loads(ended.stdout)["error"]
