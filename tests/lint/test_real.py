"""Every rule on a real uv: the symptom shows, and in the fixed variant it is gone. Only that makes a mistake explain it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from tests.lint_cases import IN_AN_IMAGE, MISTAKES, TWO_PYTHONS, mre
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.mre.model import Mre
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Index
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.folder.write import write_mre
from uvmre.lint.find import find_mistakes
from uvmre.lint.finding import Finding

pytestmark = [pytest.mark.network, pytest.mark.slow]
BY_THE_RUN = sorted(set(MISTAKES) - {"unknown-issuer"})


def told(uvmre: CommandLine, folder: Path, base: Mre, finding: Finding) -> dict[str, Any]:
    """Return what `uvmre run` says of an MRE with a finding's fixed variant."""
    assert finding.fixed is not None
    write_mre(replace(base, controls=(finding.fixed,)), folder, force=False)
    ended = uvmre("run", folder, "--json")
    assert ended.stdout, ended.stderr
    data: dict[str, Any] = json.loads(ended.stdout)
    return data


@pytest.mark.parametrize("name", BY_THE_RUN)
def test_the_fixed_variant_makes_the_symptom_go(uvmre: CommandLine, tmp_path: Path, name: str) -> None:
    (finding,) = find_mistakes(MISTAKES[name])
    data = told(uvmre, tmp_path / "bug", MISTAKES[name], finding)
    assert [variant["outcome"] for variant in data["variants"]] == ["shows", "absent"], data["reason"]
    assert data["verdict"] == "explained"
    assert finding.fixed is not None
    assert finding.fixed.explains in data["reason"]


@pytest.mark.parametrize("name", IN_AN_IMAGE)
def test_the_same_by_the_runs_of_a_dockerfile(uvmre: CommandLine, tmp_path: Path, name: str) -> None:
    (finding,) = find_mistakes(with_steps(IN_AN_IMAGE[name]))
    data = told(uvmre, tmp_path / "bug", IN_AN_IMAGE[name], finding)
    assert [variant["outcome"] for variant in data["variants"]] == ["shows", "absent"], data["reason"]
    assert data["verdict"] == "explained"


@pytest.mark.parametrize("release", ["0.5.21", "0.13.9"])
def test_a_proxy_with_an_unknown_ca(uvmre: CommandLine, tmp_path: Path, release: str) -> None:
    base = MISTAKES["unknown-issuer"]
    base = replace(base, environment=replace(base.environment, uv=release))
    (finding,) = find_mistakes(base)
    data = told(uvmre, tmp_path / "bug", base, finding)
    reported, fixed = data["variants"]
    assert "UnknownIssuer" in reported["steps"][-1]["stderr"]
    assert fixed["outcome"] == "absent"


def test_on_the_interpreter_that_pip_had_uv_finds_the_wheel(uvmre: CommandLine, tmp_path: Path) -> None:
    requested = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True)
    minor = requested.stdout.split(".")[1]
    if int(minor) == 12:
        pytest.skip("the system's Python is the one that the other must not be")
    tag = f"cp3{minor}-cp3{minor}-manylinux_2_17_x86_64"
    made = SyntheticPackage("zz-lib", "1.0", wheel_tags=(tag,), sdist=False)
    symptom = Symptom("failure", ("zz-lib==1.0 has no wheels with a matching Python ABI tag",))
    index = Index("https://pypi.org/simple", packages=(made,))
    base = mre({}, symptom, "uv venv", "uv pip install zz-lib", indexes=(index,))
    base = replace(base, environment=replace(base.environment, python="3.12"))
    pip = replace(TWO_PYTHONS.commands[0], output=f"Downloading zz_lib-1.0-{tag}.whl (25.0 MB)")
    findings = find_mistakes(base, replace(TWO_PYTHONS, commands=(pip, TWO_PYTHONS.commands[1])))
    (finding,) = findings
    data = told(uvmre, tmp_path / "bug", base, finding)
    assert data["verdict"] == "explained", data["reason"]
