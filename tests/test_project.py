"""The files around the code: what nobody runs before it is pushed, and what a newcomer reads first."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

import uvmre

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGES = ("CONTRIBUTING.md", "SECURITY.md", ".github/pull_request_template.md")
SCHEMAS = {
    **dict.fromkeys(sorted((GITHUB / "workflows").iterdir()), "vendor.github-workflows"),
    **dict.fromkeys(sorted((GITHUB / "ISSUE_TEMPLATE").iterdir()), "vendor.github-issue-forms"),
    GITHUB / "ISSUE_TEMPLATE" / "config.yml": "vendor.github-issue-config",
    GITHUB / "dependabot.yml": "vendor.dependabot",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def ran(*words: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def workflow(file: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((GITHUB / "workflows" / file).read_text())
    return loaded


@pytest.mark.parametrize("path", SCHEMAS, ids=name)
def test_what_github_reads_fits_its_schema(path: Path) -> None:
    ran(sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[path], path)


def test_the_workflows_are_sound() -> None:
    ran(Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", "--strict-collection", GITHUB)


def test_ci_runs_on_every_python_that_the_project_supports() -> None:
    (tested,) = [request["strategy"]["matrix"]["python"] for request in workflow("ci.yml")["jobs"].values()]
    prefix = "Programming Language :: Python :: "
    named = [each.removeprefix(prefix) for each in PROJECT["project"]["classifiers"] if each.startswith(f"{prefix}3.")]
    assert tested == named
    oldest = int(tested[0].removeprefix("3."))
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    assert f"3.{oldest}" in supported
    assert f"3.{oldest - 1}" not in supported


def test_the_release_installs_a_group_that_exists() -> None:
    text = (GITHUB / "workflows" / "release.yml").read_text()
    assert [*re.findall(r"--group (\S+)", text)] == ["release"]
    assert "release" in PROJECT["dependency-groups"]


def test_the_version_is_the_same_everywhere() -> None:
    assert uvmre.__version__ == PROJECT["project"]["version"]


def test_the_hooks_run_what_make_test_installs() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    installed = {re.split("[<>=]", each)[0] for each in PROJECT["dependency-groups"]["dev"]}
    for hook in local["hooks"]:
        program = hook["entry"].split()[0]
        assert program.startswith(".venv/bin/")
        assert program.removeprefix(".venv/bin/") in installed


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_paths_that_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    words = re.findall(r"`([^`\s]+)`", text) + re.findall(r"^    \S+ .*?((?:tests|docs)/\S+)", text, re.MULTILINE)
    # `mre.toml` and the like belong to an MRE; `.venv` and `.uvmre` are made.
    ours = [word for word in words if re.match(r"\.?(?:ci|github|pre-commit|src|docs|tests)\b[/.-]", word)]
    ours += [word for word in words if re.fullmatch(r"[A-Z]+\.md|pyproject\.toml|Makefile", word)]
    assert links or ours
    for path in [*links, *ours]:
        assert (ROOT / path).exists(), f"{page} names {path}, which does not exist"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_make_targets_that_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:`|^    )make ([a-z][a-z-]*)", (ROOT / page).read_text(), re.MULTILINE)
    assert named or page == "SECURITY.md"
    assert set(named) <= targets


def test_the_markers_of_the_tests_are_explained() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for marker in PROJECT["tool"]["pytest"]["ini_options"]["markers"]:
        assert f"| `{marker.partition(':')[0]}` |" in text


@pytest.mark.network
@pytest.mark.slow
def test_a_wheel_is_typed_and_has_the_templates(tmp_path: Path) -> None:
    ran(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
        (metadata,) = [each for each in files if each.endswith(".dist-info/METADATA")]
        told = Parser().parsestr(archive.read(metadata).decode())
    assert "uvmre/py.typed" in files
    assert "uvmre/templates/workspace-index/copier.yml" in files
    assert {"uvmre/readers/prompt.md", "uvmre/readers/mre.json"} <= files
    assert "Typing :: Typed" in told.get_all("classifier", [])
    assert {each.partition(",")[0] for each in told.get_all("project-url", [])} >= {"Repository", "Issues"}
