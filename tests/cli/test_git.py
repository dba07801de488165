"""Repositories of an MRE, reached by git and real releases of uv at their real addresses."""

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine, WriteMre, no_sandbox
from tests.releases.caches import VERSIONS

MANIFEST = """\
title = "a repository"
[environment]
uv = "{uv}"
exclude-newer = 2025-01-23
[[git]]
url = "https://github.com/org/sub"
[[git.commit]]
folder = "sub"
[[git]]
url = "https://github.com/org/repo"
[[git.commit]]
folder = "one"
tag = "v1.0"
[[git.commit]]
folder = "two"
submodules = {{ "vendor/sub" = "https://github.com/org/sub" }}
[[git.commit]]
folder = "one"
branch = "dev"
[[git]]
url = "https://git.example.com/team/private.git"
username = "me"
password = "hunter22"
[[git.commit]]
folder = "one"
[[step]]
run = '''
{step}
'''
[symptom]
exit = 3
output = {output}
"""
PROJECT = """\
[project]
name = "acme"
version = "{}"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """\
import os, zipfile
def build_wheel(folder, settings=None, metadata=None):
    version = open("pyproject.toml").read().split('version = "')[1].split('"')[0]
    name, info = f"acme-{version}-py3-none-any.whl", f"acme-{version}.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\\nName: acme\\nVersion: {version}\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""


@pytest.fixture(params=["local", pytest.param("sandbox", marks=pytest.mark.slow)])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "sandbox" and (why := no_sandbox()):
        pytest.skip(why)
    return str(request.param)


def written(write_mre: WriteMre, step: str, *output: str, uv: str = VERSIONS[0]) -> Path:
    folder = write_mre(MANIFEST.format(uv=uv, step=step, output=json.dumps(output)))
    for name, version in (("one", "1.0"), ("two", "2.0"), ("one/inner", "3.0")):
        (folder / name).mkdir()
        (folder / name / "pyproject.toml").write_text(PROJECT.format(version))
        (folder / name / "backend.py").write_text(BACKEND)
    (folder / "one" / "script").write_text("#!/bin/sh\necho it is executable\n")
    (folder / "one" / "script").chmod(0o755)
    (folder / "sub").mkdir()
    (folder / "sub" / "text").write_text("text of the submodule\n")
    return folder


CLONE = """
set -e
git clone -q --recursive git@github.com:org/repo.git x
cat x/vendor/sub/text
git -C x fsck --strict
git -C x log --format='%h %ad %s' --date=iso-strict
git clone -q --depth 1 -b dev https://github.com/org/repo y
git -C y log --oneline
y/script
git clone -q ssh://git@git.example.com/team/private z
git -C z rev-parse HEAD
git ls-remote https://git.example.com/team/private </dev/null || echo "no credentials"
git ls-remote https://me:wrong@git.example.com/team/private </dev/null || echo "wrong credentials"
git ls-remote https://me:hunter22@git.example.com/team/private >/dev/null && echo "right credentials"
git -C x push -q origin HEAD:other || echo "no push"
exit 3
"""


def test_git_clones_over_https_and_ssh_with_submodules_and_credentials(
    uvmre: CommandLine, write_mre: WriteMre, home: Path, backend: str
) -> None:
    expected = [
        "text of the submodule",
        "2025-01-23T01:00:00+00:00 Update",
        "2025-01-23T00:00:00+00:00 Update",
        "it is executable",
    ]
    expected += ["no credentials", "wrong credentials", "right credentials", "no push"]
    folder = written(write_mre, CLONE, *expected)
    ran = uvmre("run", folder, "--backend", backend, "--json", XDG_CACHE_HOME=str(home)).json("run")
    assert ran["verdict"] == "reproducible", ran


def test_another_repository_of_the_host_is_no_answer(uvmre: CommandLine, write_mre: WriteMre, home: Path) -> None:
    folder = written(write_mre, "git ls-remote https://github.com/org/other; exit 3", "some text")
    ran = uvmre("run", folder, "--json", XDG_CACHE_HOME=str(home)).json("run")
    assert ran["variants"][0]["outcome"] == "broken"
    assert "no `[[answer]]` or `[[git]]` matches GET https://github.com/org/other/info/refs" in ran["reason"]


def test_a_folder_without_files_is_a_mistake(uvmre: CommandLine, write_mre: WriteMre, home: Path) -> None:
    folder = written(write_mre, "exit 3", "some text")
    (folder / "sub" / "text").unlink()
    ran = uvmre("run", folder, XDG_CACHE_HOME=str(home))
    assert (ran.exit, "names the folder sub, which has no files" in ran.stderr) == (2, True)


UV = """
set -e
uv venv -q
first=$(git ls-remote https://github.com/org/repo v1.0 | cut -f 1)
for ref in "" @v1.0 @dev @main @$first @$(echo $first | cut -c 1-9); do
    uv pip install --reinstall "git+https://github.com/org/repo$ref" 2>&1 | grep '^ . acme.*git' | tail -n 1
done
uv pip install --reinstall "git+https://github.com/org/repo@v1.0#subdirectory=inner"
uv pip install --reinstall git+ssh://git@github.com/org/repo@v1.0
uv pip install --reinstall git+https://me:hunter22@git.example.com/team/private
uv pip install --reinstall git+https://git.example.com/team/private </dev/null || exit 3
"""


@pytest.mark.network
@pytest.mark.parametrize("uv", ["0.2.5", pytest.param("0.9.3", marks=pytest.mark.slow)])
def test_uv_installs_from_every_kind_of_reference(
    uvmre: CommandLine, write_mre: WriteMre, backend: str, uv: str
) -> None:
    folder = written(write_mre, UV, "acme==2.0", "acme==1.0", "acme==3.0", "Git operation failed", uv=uv)
    ran = uvmre("run", folder, "--backend", backend, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran
    log = next(folder.glob(".uvmre/runs/*/as-reported/requests.log")).read_text()
    assert "GET api.github.com/repos/org/repo/commits/v1.0 200 no credentials stand-in" in log
    assert " refused " not in log


PROJECT_STEP = """
cat >pyproject.toml <<'END'
[project]
name = "p"
version = "1"
requires-python = ">=3.8"
dependencies = ["acme"]
[tool.uv.sources]
acme = { git = "https://github.com/org/repo", branch = "dev" }
END
uv lock && grep git+ uv.lock || grep -A 5 'name = "acme"' uv.lock
exit 3
"""


@pytest.mark.network
def test_a_lockfile_has_the_same_commit_on_every_machine(uvmre: CommandLine, write_mre: WriteMre) -> None:
    folder = written(write_mre, PROJECT_STEP, 'git = "https://github.com/org/repo?branch=dev#…"', uv="0.5.21")
    ran = uvmre("run", folder, "--json").json("run")
    assert ran["verdict"] == "reproducible", ran
