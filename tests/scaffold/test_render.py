"""Folders made of workspace-index: each is a valid MRE, whatever was answered."""

import os
import re
import subprocess
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from uvmre.core.generated.names import ANSWERS
from uvmre.core.mre.model import Mre, overlay
from uvmre.errors import UsageError
from uvmre.folder.read import read_mre
from uvmre.folder.write import staged
from uvmre.scaffold.templates import check_answers, find_template, render

SECRET = "--mount=type=secret,id=mre set -a && . /run/secrets/mre && "
GIVEN = ("environment", "wrong")

Answers = dict[str, Any]


def sample() -> list[Answers]:
    """Return combinations in which every place of credentials meets every layering, index and choice of packages."""
    placed = [(way, where) for way in GIVEN for where in ("env", "same-run", "secret", "arg", "run-export")]
    placed += [(way, "") for way in ("netrc", "url", "keyring", "none")]
    layers, indexes, everything = ("one", "dependencies-first"), ("heron", "eagle", "relative", "pypi"), (True, False)
    others = list(product(layers, indexes, everything))
    found: list[Answers] = []
    for i, (credentials, dockerfile) in enumerate(placed):
        for layering, index, all_packages in (others[(5 * i) % 16], others[(5 * i + 11) % 16]):
            answers = {"credentials": credentials, "layers": layering, "index": index, "all_packages": all_packages}
            found.append({**answers, **({"dockerfile": dockerfile} if dockerfile else {})})
    return [
        *found,
        {},
        {"members": 3, "layers": "dependencies-first", "build_backend": "uv_build", "index_name": "my-index.2"},
        {"title": "it \"says\" <this> & \\that\\ 'so' — für {{ alle }}", "issue": "https://example.com/1?a=b&c#d"},
        {"uv": "0.6.0", "python": "3.12", "workspace": "acme", "member": "acme-core", "build_backend": "flit-core"},
    ]


def told(answers: Answers) -> str:
    return ", ".join(f"{name} {value}" for name, value in answers.items())[:110] or "the defaults"


def make(target: Path, answers: Answers, *, force: bool = False) -> Mre:
    template = find_template("workspace-index")
    with staged(target, force=force) as folder:
        render(template, check_answers(template, answers), folder, ask=False, temporary=folder.parent)
    return read_mre(target)


def shell(*words: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


@pytest.mark.parametrize("answers", sample(), ids=told)
@pytest.mark.few(12)
def test_a_folder_is_a_valid_mre_and_its_parts_say_the_same(tmp_path: Path, answers: Answers) -> None:
    target = tmp_path / "mre"
    mre = make(target, answers)
    uv, python = answers.get("uv", "0.5.21"), answers.get("python", "3.11")
    assert (mre.environment.uv, mre.environment.python) == (uv, python)
    assert mre.title == answers.get("title", mre.title)
    assert mre.issue == answers.get("issue", "")

    lines = (target / "Dockerfile").read_text().splitlines()
    instructions = [line for line in lines if not line.startswith("#")]
    assert instructions[0] == f"FROM python:{python}-slim-bookworm"
    assert instructions[1].startswith(f"COPY --from=ghcr.io/astral-sh/uv:{uv} ")
    assert "" not in lines
    runs = [line.removeprefix("RUN ").removeprefix(SECRET) for line in lines if line.startswith("RUN ")]
    assert runs == [step.run for step in mre.steps]
    assert any(SECRET in line for line in lines) is (answers.get("dockerfile") == "secret")

    assert len((target / "README.md").read_text().splitlines()) <= 20
    assert f"uv {uv}" in (target / "README.md").read_text().splitlines()[0]

    assert os.access(target / "run.sh", os.X_OK)
    checked = shell("sh", "-n", target / "run.sh")
    assert (checked.returncode, checked.stderr) == (0, "")
    script = (target / "run.sh").read_text()
    assert f"uv=={uv} " in script
    assert all(step.run in script for step in mre.steps)

    assert [path.name for path in tmp_path.iterdir()] == ["mre"]
    for path in target.rglob("*"):
        assert path.name == ANSWERS or not re.search(r"[{}%]|\.jinja$|copier", path.name)
    for variant in (mre, *(overlay(mre, control) for control in mre.controls)):
        project = variant.file("pyproject.toml")
        assert project is not None
        [index] = tomllib.loads(project.content.decode())["tool"]["uv"]["index"]
        assert index["name"] == answers.get("index_name", "foo")


@pytest.mark.parametrize(
    ("answers", "variables"),
    [
        pytest.param(
            {"credentials": "environment", "dockerfile": where},
            {"UV_INDEX_FOO_USERNAME": "public", "UV_INDEX_FOO_PASSWORD": "heron"} if carries else {},
            id=f"{where}: {'all steps have them' if carries else 'no step has them of itself'}",
        )
        for where, carries in (
            ("env", True),
            ("secret", True),
            ("arg", True),
            ("same-run", False),
            ("run-export", False),
        )
    ]
    + [
        pytest.param({"credentials": "netrc"}, {}, id=".netrc: no variables"),
        pytest.param({"credentials": "none"}, {}, id="none: no variables"),
        pytest.param({"credentials": "keyring"}, {"UV_KEYRING_PROVIDER": "subprocess"}, id="keyring: its provider"),
        pytest.param(
            {"credentials": "wrong", "dockerfile": "env", "index_name": "a.b-C"},
            {"UV_INDEX_A_B_C_USERNAME": "public", "UV_INDEX_A_B_C_PASSWORD": "wrong"},
            id="wrong: a wrong password, under the index's own name",
        ),
        pytest.param(
            {"credentials": "environment", "dockerfile": "env", "index": "eagle"},
            {"UV_INDEX_FOO_USERNAME": "public", "UV_INDEX_FOO_PASSWORD": "eagle"},
            id="eagle: its own password",
        ),
    ],
)
def test_the_steps_have_the_variables_that_were_requested(
    tmp_path: Path, answers: Answers, variables: dict[str, str]
) -> None:
    assert make(tmp_path / "mre", answers).variables == variables


@pytest.mark.parametrize(
    ("answers", "url"),
    [
        pytest.param({"index": "heron"}, "https://pypi-proxy.fly.dev/basic-auth/simple", id="heron"),
        pytest.param({"index": "eagle"}, "https://pypi-proxy.fly.dev/basic-auth-eagle/simple", id="eagle"),
        pytest.param({"index": "relative"}, "https://pypi-proxy.fly.dev/basic-auth/relative/simple", id="relative"),
        pytest.param({"index": "pypi"}, "https://pypi.org/simple", id="PyPI"),
        pytest.param(
            {"credentials": "url"}, "https://public:heron@pypi-proxy.fly.dev/basic-auth/simple", id="with credentials"
        ),
        pytest.param(
            {"credentials": "keyring"}, "https://public@pypi-proxy.fly.dev/basic-auth/simple", id="with a name"
        ),
    ],
)
def test_the_index_is_the_requested_one(tmp_path: Path, answers: Answers, url: str) -> None:
    make(tmp_path / "mre", answers)
    assert f'\nurl = "{url}"\n' in (tmp_path / "mre" / "pyproject.toml").read_text()


def test_every_member_is_a_package_of_its_own(tmp_path: Path) -> None:
    make(tmp_path / "mre", {"members": 3, "member": "some-lib"})
    packages = tmp_path / "mre" / "packages"
    assert sorted(path.name for path in packages.iterdir()) == ["some-lib", "some-lib-2", "some-lib-3"]
    assert (packages / "some-lib-2/src/some_lib_2/__init__.py").is_file()
    assert 'name = "some-lib-3"' in (packages / "some-lib-3/pyproject.toml").read_text()


def test_the_keyring_program_answers(tmp_path: Path) -> None:
    make(tmp_path / "mre", {"credentials": "keyring", "index": "eagle"})
    asked = shell(tmp_path / "mre" / "bin" / "keyring", "get", "https://pypi-proxy.fly.dev", "public")
    assert (asked.returncode, asked.stdout) == (0, "eagle\n")


@pytest.mark.parametrize("force", [False, True], ids=["without force", "with force"])
def test_a_folder_with_something_in_it_is_refused_and_untouched(tmp_path: Path, force: bool) -> None:
    target = tmp_path / "mre"
    target.mkdir()
    (target / ".hidden").write_text("mine")
    with pytest.raises(UsageError, match="is not empty and not an MRE"):
        make(target, {}, force=force)
    assert [(path.name, path.read_text()) for path in target.iterdir()] == [(".hidden", "mine")]
    assert list(tmp_path.iterdir()) == [target]


def test_force_replaces_the_scaffold_and_removes_what_the_answers_no_longer_make(tmp_path: Path) -> None:
    target = tmp_path / "mre"
    make(target, {"uv": "0.5.20", "members": 3, "credentials": "keyring"})
    with pytest.raises(UsageError, match="already contains an MRE") as raised:
        make(target, {})
    assert "--force" in raised.value.hint
    mre = make(target, {"uv": "0.5.21", "credentials": "netrc"}, force=True)
    assert mre == make(tmp_path / "other", {"uv": "0.5.21", "credentials": "netrc"})
    assert not (target / "bin").exists()
    assert [path.name for path in (target / "packages").iterdir()] == ["foo-workspace-member"]


@pytest.mark.parametrize("force", [False, True], ids=["without force", "with force"])
def test_a_file_is_refused(tmp_path: Path, force: bool) -> None:
    target = tmp_path / "mre"
    target.write_text("mine")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        make(target, {}, force=force)
    assert target.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("force", [False, True], ids=["without force", "with force"])
def test_an_empty_folder_is_accepted_as_it_is(tmp_path: Path, force: bool) -> None:
    target = tmp_path / "mre"
    target.mkdir(mode=0o700)
    make(target, {}, force=force)
    assert (target / "mre.toml").is_file()
    assert list(tmp_path.iterdir()) == [target]


def test_missing_folders_above_are_made(tmp_path: Path) -> None:
    make(tmp_path / "a" / "b" / "mre", {})
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["mre"]


def test_the_same_answers_make_the_same_folder(tmp_path: Path) -> None:
    answers = {"members": 2, "credentials": "keyring"}
    first, second = make(tmp_path / "one", answers), make(tmp_path / "other", answers)
    assert first == second


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    with pytest.raises(UsageError, match="cannot be written"):
        make(locked / "mre", {})
