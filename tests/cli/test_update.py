"""`uvmre update` on the real command line."""

from pathlib import Path

import pytest

from tests.conftest import CommandLine


@pytest.fixture
def mre(uvmre: CommandLine, tmp_path: Path) -> Path:
    assert uvmre("new", "mre", "-t", "project", "--defaults", "-d", "uv=0.9.14").exit == 0
    return tmp_path / "mre"


def test_other_answers_are_merged_and_edits_stay(uvmre: CommandLine, mre: Path) -> None:
    (mre / "README.md").write_text((mre / "README.md").read_text() + "mine\n")
    (mre.parent / "answers.yml").write_text("uv: 0.9.15\n")
    ended = uvmre("update", "mre", "--defaults", "--data-file", "answers.yml")
    assert ended.exit == 0, ended.stderr
    assert ended.stdout.splitlines()[0] == "updated mre from project"
    assert "  updated mre.toml" in ended.stdout.splitlines()
    assert 'uv = "0.9.15"' in (mre / "mre.toml").read_text()
    assert (mre / "README.md").read_text().endswith("mine\n")
    again = uvmre("update", "mre", "--defaults", "--json")
    assert again.exit == 0
    data = again.json("update")
    assert (data["template"], data["updated"], data["removed"], data["conflicts"]) == ("project", [], [], [])


def test_a_conflict_has_an_exit_code_of_its_own(uvmre: CommandLine, mre: Path) -> None:
    text = (mre / "mre.toml").read_text()
    (mre / "mre.toml").write_text(text.replace('uv = "0.9.14"', 'uv = "0.9.13"'))
    ended = uvmre("update", "mre", "--defaults", "-d", "uv=0.9.15", "--json")
    assert ended.exit == 1
    assert ended.json("update")["conflicts"] == ["mre.toml: has conflict markers"]
    again = uvmre("update", "mre", "--defaults")
    assert again.exit == 2
    assert "error: `mre` has conflicts of its last update\n  mre.toml\n" in again.stderr


def test_what_cannot_be_updated(uvmre: CommandLine, mre: Path, tmp_path: Path) -> None:
    asking = uvmre("update", "mre")
    assert asking.exit == 2
    assert "no terminal to ask the template's questions on" in asking.stderr
    (tmp_path / "other").mkdir()
    other = uvmre("update", "other", "--defaults", "--json")
    assert other.exit == 2
    assert "was not made from a template" in other.json("error")["error"]
