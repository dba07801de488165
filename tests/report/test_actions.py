"""An MRE as a workflow: valid, without an injection, and what it runs is the MRE."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.sample import MRE, SEARCH, hostile, sample
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Step
from uvmre.report.actions import write_actions
from uvmre.report.bundle import Bundle
from uvmre.report.page.embedded import read_page

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "bundle", [sample(search=SEARCH), hostile(), sample(run=False)], ids=["run", "hostile", "no run"]
)
def test_linters_find_no_fault(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / ".github" / "workflows" / "mre.yml"
    path.parent.mkdir(parents=True)
    path.write_text(write_actions(bundle))
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["zizmor", "--offline", "--quiet"],
    ):
        done = subprocess.run([BIN / command[0], *command[1:], path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_runs_the_reported_the_boundary_and_the_latest_release() -> None:
    job = yaml.safe_load(write_actions(sample(search={**SEARCH, "first_good": {"version": "0.6.0"}})))["jobs"]["mre"]
    assert job["strategy"]["matrix"] == {
        "os": ["ubuntu-latest", "macos-latest", "windows-latest"],
        "uv": ["0.5.21", "0.6.0", "latest"],
    }
    assert yaml.safe_load(write_actions(sample(run=False)))["permissions"] == {}


def test_its_steps_are_those_of_the_mre(tmp_path: Path) -> None:
    files = (File("bin/tool", b'#!/bin/sh\necho "$A"\n', executable=True), File("data", b"\x00\xff"))
    steps = (Step("false\nbin/tool > out\n  cat out"), Step("exit 3", "observe"))
    environment = replace(MRE.environment, variables={"A": "a 'b' \"c\"\nd"})
    job = yaml.safe_load(write_actions(sample(replace(MRE, files=files, steps=steps, environment=environment))))[
        "jobs"
    ]["mre"]
    codes = []
    for step in job["steps"]:
        if "run" not in step or step["name"] == "Install uv":
            continue
        shell = [sys.executable] if step.get("shell") == "python" else job["defaults"]["run"]["shell"].split()[:-1]
        script = tmp_path / "script"
        script.write_text(step["run"])
        folder = tmp_path / step.get("working-directory", job["defaults"]["run"]["working-directory"])
        done = subprocess.run(
            [*shell, script], cwd=folder, env={**os.environ, **job["env"]}, capture_output=True, text=True
        )
        codes.append((done.returncode, done.stdout))
    assert codes == [(0, ""), (0, "a 'b' \"c\"\nd\n"), (3, "")]
    assert (tmp_path / "mre" / "data").read_bytes() == b"\x00\xff"


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab \n\t${{}}'\"\\#:-|é\U0001f600\x85\u2028"), min_size=1).filter(str.strip))
def test_any_command_is_itself_and_never_an_expression(run: str) -> None:
    text = write_actions(sample(replace(MRE, steps=(Step(run, "observe"),))))
    step = yaml.safe_load(text)["jobs"]["mre"]["steps"][-1]
    assert step["run"].replace("${{ '${{' }}", "${{") == run
    assert step["run"].count("${{") == 2 * run.count("${{")
    assert step["continue-on-error"] is True


def test_what_only_uvmre_has_is_named() -> None:
    mre = replace(MRE, environment=replace(MRE.environment, home="home", clock=True))
    assert "# Only `uvmre run` has `home`, `clock`.\n" in write_actions(sample(mre))


@pytest.mark.parametrize("bundle", [sample(), hostile(), sample(run=False)], ids=["run", "hostile", "no run"])
def test_the_mre_comes_back(bundle: Bundle) -> None:
    assert read_page(write_actions(bundle), "mre.yml") == bundle.files


def test_a_dockerfile_is_built_where_that_is_possible() -> None:
    own = File("Dockerfile", b"FROM ghcr.io/astral-sh/uv:0.5.21-python3.12-bookworm\nCOPY . .\nRUN uv lock\n")
    mre = with_steps(replace(MRE, steps=(), files=(own,)))
    job = yaml.safe_load(write_actions(sample(mre, run=False)))["jobs"]["mre"]
    assert job["strategy"]["matrix"] == {"os": ["ubuntu-latest"], "uv": ["0.5.21"]}
    assert job["steps"][-1]["run"] == "docker build --no-cache --progress=plain ."
