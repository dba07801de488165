"""Controls, set-up, guesses and deviations of an MRE, on real releases of uv."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine

pytestmark = pytest.mark.network
HEAD = """\
title = "uv cannot lock a project without a version"
[environment]
uv = "0.5.21"
python = "3.11"
[[setup]]
run = "mkdir src; echo made > src/made"
[[step]]
name = "lock"
run = "test -f src/made && uv lock"
[symptom]
exit = "failure"
output = ["the required `project.version` field is neither set"]
"""
PROJECT = '[project]\nname = "a"\nrequires-python = ">=3.8"\n'
LOCKED = """\
[[control]]
name = "with a version"
files = { "pyproject.toml" = "[project]\\nname='a'\\nversion='1'\\nrequires-python = '>=3.8'\\n" }
"""
CONTROLS = f"""\
{LOCKED}
[[control]]
name = "an older release"
uv = "0.5.20"
expect = "present"
[[control]]
name = "without uv"
without-uv = true
replace = {{ lock = "test -f src/made && uv lock" }}
[[control]]
name = "another interpreter"
python = "3.12"
expect = "different"
replace = {{ lock = "python --version | grep 3.11 && uv lock" }}
[[control]]
name = "a symptom of its own"
expect = "present"
replace = {{ lock = "uv --version" }}
[control.symptom]
output = ["uv 0.5.21"]
"""


def run(uvmre: CommandLine, folder: Path, manifest: str, *options: str) -> dict[str, Any]:
    (folder / "mre.toml").write_text(manifest)
    (folder / "pyproject.toml").write_text(PROJECT)
    ended = uvmre("run", folder, "--json", *options)
    assert ended.stdout, ended.stderr
    data: dict[str, Any] = json.loads(ended.stdout)
    return data


@pytest.mark.parametrize("backend", ["local", "sandbox"])
def test_each_control_changes_what_it_says(uvmre: CommandLine, tmp_path: Path, backend: str) -> None:
    data = run(uvmre, tmp_path, HEAD + CONTROLS, "--backend", backend)
    assert {variant["name"]: variant["outcome"] for variant in data["variants"]} == {
        "as reported": "shows",
        "with a version": "absent",
        "an older release": "shows",
        "without uv": "different",
        "another interpreter": "different",
        "a symptom of its own": "shows",
    }
    assert data["verdict"] == "reproducible"
    assert "all 4 controls behave as expected" in data["reason"]
    assert "the control “without uv” proves nothing: a command was not found" in data["reason"]
    assert [variant["steps"][0]["run"][:5] for variant in data["variants"]] == ["mkdir"] * 6


def test_a_search_runs_the_controls_with_what_is_their_own(uvmre: CommandLine, tmp_path: Path) -> None:
    run(uvmre, tmp_path, HEAD + CONTROLS)
    found = json.loads(uvmre("matrix", tmp_path, "--uv", "0.5.21", "--all-variants", "--json").stdout)
    words = {cell["variant"]: cell["outcome"] for cell in found["cells"]}
    assert (words["an older release"], words["another interpreter"], words["without uv"]) == (
        "shows", "different", "different",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("manifest", "word", "reason"),
    [
        pytest.param(
            HEAD.replace("uv lock", "echo the required project.version field is neither set; exit 1")
            + '[[control]]\nname = "python"\nwithout-uv = true\n',
            "explained",
            "The symptom shows without uv too (“python”): it is not uv's.",
            id="it is not uv's",
        ),
        pytest.param(
            HEAD.replace("neither set", "neither here") + LOCKED.replace("lock", "x") + "",
            "inconclusive",
            "It fails, but not as reported",
            id="another failure",
        ),
        pytest.param(
            HEAD.replace("mkdir src;", "false; mkdir src;"),
            "inconclusive",
            "The run does not reach the symptom: the setup step `false; mkdir src; echo made > src/made` fails (1)",
            id="a set-up step of which the first command fails",
        ),
        pytest.param(
            HEAD.replace("mkdir src;", "false || mkdir src;"), "reproducible", "The symptom shows", id="a failure that is handled"
        ),
        pytest.param(
            HEAD.replace("uv lock", "uv --version").replace('exit = "failure"', "guess = true"),
            "inconclusive",
            "The symptom is absent, but it is a guess",
            id="a guess that is absent",
        ),
        pytest.param(
            HEAD.replace("uv lock", "uv --version").replace('exit = "failure"\n', "")
            + '[[deviation]]\nfrom = "Windows"\nto = "Linux"\ndecides = true\n',
            "inconclusive",
            "The symptom is absent, where the MRE departs in what may decide: `lock` succeeds, and no control confirms the MRE. "
            "The MRE departs from the report: “Windows” is “Linux” here.",
            id="a deviation that may decide",
        ),
        pytest.param(
            HEAD + '[[deviation]]\nfrom = "a private name"\nto = "a"\n',
            "reproducible",
            "“a private name” is “a” here",
            id="a deviation",
        ),
    ],
)  # fmt: skip
def test_the_verdict_says_what_the_mre_can_prove(
    uvmre: CommandLine, tmp_path: Path, manifest: str, word: str, reason: str
) -> None:
    data = run(uvmre, tmp_path, manifest)
    assert data["verdict"] == word, data["reason"]
    assert reason in data["reason"]


def test_a_control_may_change_an_index(uvmre: CommandLine, tmp_path: Path) -> None:
    index = '[[{}]]\nurl = "https://acme.example.com/simple"\n[{}.packages.acme.versions."{}"]\n'
    manifest = (
        'title = "acme 2 cannot be found"\n[environment]\nuv = "0.5.21"\n'
        '[[step]]\nrun = "uv pip install --target out -i https://acme.example.com/simple acme==2"\n'
        '[symptom]\noutput = ["there is no version of acme==2"]\n'
        + index.format("index", "index", "1.0")
        + '[[control]]\nname = "acme 2"\n'
        + index.format("control.index", "control.index", "2.0")
    )
    data = run(uvmre, tmp_path, manifest)
    assert [variant["outcome"] for variant in data["variants"]] == ["shows", "absent"], data["reason"]
