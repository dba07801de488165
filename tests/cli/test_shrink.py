"""`uvmre shrink`: the real command line, with scripts and with MREs on real releases of uv."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from tests.conftest import CommandLine, WriteMre
from uvmre.cli.shrink import picture

PROJECT = """\
# the platform
[project]
name = "acme"
version = "4.2.0"
requires-python = ">=3.11,<3.14"
dependencies = [
    "requests>=2",
    "numpy[all]>=1.2,<2; python_version < '3.14'", # here
    "rich",
]

[tool.uv.sources]
numpy = { index = "first" }
rich = { index = "second" }

[[tool.uv.index]]
name = "first"
url = "https://first.example.com/simple"
[[tool.uv.index]]
name = "second"
url = "https://second.example.com/simple"
"""
SCRIPT = """\
#!{python}
import pathlib, time, tomllib
with open({log!r}, "a") as log:
    log.write("x")
time.sleep({seconds})
text = pathlib.Path("pyproject.toml").read_text()
data = tomllib.loads(text)
raise SystemExit(0 if {condition} else 1)
"""
NEEDED = "any('<2' in each for each in data['project']['dependencies']) and data['tool']['uv']['sources']['numpy']"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return write_script(tmp_path, NEEDED)


def write_script(folder: Path, condition: str, seconds: float = 0.0) -> Path:
    path = folder / "check.py"
    log = str(folder / "log")
    path.write_text(SCRIPT.format(python=sys.executable, log=log, seconds=seconds, condition=condition))
    path.chmod(0o755)
    (folder / "pyproject.toml").write_text(PROJECT)
    return path


def calls(folder: Path) -> int:
    return len((folder / "log").read_text()) if (folder / "log").exists() else 0


def test_a_file_is_shrunk_to_what_a_script_needs(uvmre: CommandLine, tmp_path: Path, script: Path) -> None:
    ended = uvmre("shrink", "--command", script, "pyproject.toml", "--json", "--jobs", "1")
    assert ended.exit == 0, ended.stderr
    data = ended.json("shrink")
    left = (tmp_path / "pyproject-small" / "pyproject.toml").read_text()
    assert tomllib.loads(left) == {
        "project": {"dependencies": ["numpy<2"]},
        "tool": {"uv": {"sources": {"numpy": {"index": "first"}}}},
    }
    assert data["finished"]
    assert data["calls"] + 3 == calls(tmp_path)
    assert data["after"]["bytes"] == len(left) == data["sizes"][-1]
    assert (tmp_path / "pyproject.toml").read_text() == PROJECT


def test_the_path_does_not_depend_on_the_number_of_workers(uvmre: CommandLine, tmp_path: Path, script: Path) -> None:
    found = []
    for jobs in ("1", "3"):
        ended = uvmre("shrink", "--again", "--jobs", jobs, "--command", script, "pyproject.toml", "--json")
        found.append({key: value for key, value in ended.json("shrink").items() if key not in ("seconds", "ran")})
    assert found[0] == found[1]


def test_a_folder_loses_files_and_members_with_their_mentions(uvmre: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    for name in ("one", "two", "three"):
        (folder / "packages" / name).mkdir(parents=True)
        (folder / "packages" / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1"\n')
    (folder / "README.md").write_text("Read this.\n")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "root"\nversion = "1"\ndependencies = ["one", "two", "three"]\n'
        "[tool.uv.sources]\none = { workspace = true }\ntwo = { workspace = true }\nthree = { workspace = true }\n"
    )
    script = write_script(
        tmp_path, "'two' in data['project']['dependencies'] and pathlib.Path('packages/two').is_dir()"
    )
    ended = uvmre("shrink", "--command", script, folder)
    assert ended.exit == 0, ended.stderr
    small = tmp_path / "space-small"
    files = {path.relative_to(small).as_posix() for path in small.rglob("*") if path.is_file()}
    assert {path for path in files if not path.startswith(".uvmre/")} == {
        "pyproject.toml",
        "packages/two/pyproject.toml",
    }
    assert tomllib.loads((small / "pyproject.toml").read_text()) == {"project": {"dependencies": ["two"]}}
    assert "bytes" in ended.stdout
    assert "tries" in ended.stderr


@pytest.mark.parametrize(
    ("condition", "code", "message"),
    [
        ("False", 2, "exits with 1 for the original"),
        ("int(1 / 0)", 2, "exits with 1"),
        ("len(open({log!r}).read()) % 2", 125, "not the same in every run"),
    ],
)
def test_an_original_that_is_not_interesting_is_an_error(
    uvmre: CommandLine, tmp_path: Path, condition: str, code: int, message: str
) -> None:
    script = write_script(tmp_path, condition.format(log=str(tmp_path / "log")))
    ended = uvmre("shrink", "--command", script, "pyproject.toml", "--jobs", "1")
    assert (ended.exit, message in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hint: " in ended.stderr


def test_files_that_uvmre_did_not_write_stay(uvmre: CommandLine, tmp_path: Path, script: Path) -> None:
    mine = tmp_path / "pyproject-small" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    ended = uvmre("shrink", "--command", script, "pyproject.toml")
    assert ended.exit == 2
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]
    assert calls(tmp_path) <= 3
    mine.unlink()
    for _ in range(2):  # what uvmre wrote is replaced
        assert uvmre("shrink", "--command", script, "pyproject.toml").exit == 0
    left = mine.parent / "pyproject.toml"
    left.write_text(f"{left.read_text()}# mine\n")
    assert uvmre("shrink", "--command", script, "pyproject.toml").exit == 2
    assert left.read_text().endswith("# mine\n")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_search_keeps_the_best_and_continues(
    uvmre: CommandLine, cache: Path, tmp_path: Path, number: signal.Signals
) -> None:
    script = write_script(tmp_path, NEEDED, seconds=0.2)
    command = [sys.executable, "-m", "uvmre", "shrink", "--jobs", "1", "--command", str(script), "pyproject.toml"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while calls(tmp_path) < 12 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    first = calls(tmp_path)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    if number == signal.SIGINT:
        assert "the smallest so far is in `pyproject-small`" in stderr
    best = (tmp_path / "pyproject-small" / "pyproject.toml").read_text()
    assert len(best) < len(PROJECT)
    assert "numpy" in best
    data = uvmre("shrink", "--jobs", "1", "--command", script, "pyproject.toml", "--json").json("shrink")
    assert data["finished"]
    assert data["ran"] <= data["calls"] - (first - 3) + 1  # the one that was killed runs again
    again = uvmre("shrink", "--again", "--jobs", "1", "--command", script, "pyproject.toml", "--json").json("shrink")
    assert (again["sizes"], again["ran"]) == (data["sizes"], data["calls"])


def test_the_time_is_limited(uvmre: CommandLine, tmp_path: Path) -> None:
    script = write_script(tmp_path, NEEDED, seconds=0.3)
    started = time.monotonic()
    data = uvmre("shrink", "--seconds", "2", "--command", script, "pyproject.toml", "--json").json("shrink")
    assert not data["finished"]
    assert time.monotonic() - started < 15
    assert (tmp_path / "pyproject-small" / "pyproject.toml").stat().st_size == data["after"]["bytes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--command", "./nothing.sh", "pyproject.toml"), "script `./nothing.sh` does not exist"),
        (("--command", "./check.py", "nothing.toml"), "failed to read `nothing.toml`"),
        (("--command", "./check.py"), "`--command` needs a file or folder"),
        (("--command", "./check.py", "--uv", "0.5.21", "pyproject.toml"), "are for an MRE"),
        (("one", "two"), "expected one MRE, got 2"),
        ((".",), "is not an MRE"),
    ],
)
def test_wrong_usage(uvmre: CommandLine, script: Path, arguments: tuple[str, ...], message: str) -> None:
    ended = uvmre("shrink", *arguments)
    assert (ended.exit, message in ended.stderr) == (2, True), (ended.stderr, script)


def test_the_picture_is_plain_text() -> None:
    assert picture((100,)) == []
    drawn = picture((100, 50, 0), height=2)
    assert drawn == ["100 |#", "  0 |##", "    +--- 2 tries"]


CONFLICT = """\
title = "A conflict"

[environment]
uv = "0.5.21"
python = "3.11"
variables = { UNUSED = "1" }

[[step]]
run = "echo unused"

[[step]]
run = "uv lock --no-progress && echo locked"

[symptom]
exit = "failure"
output = ["long-name==2.3.4 depends on other-name<2"]

[[control]]
name = "any other"
files = { "extra.txt" = "", "pyproject.toml" = '''
[project]
name = "other"
version = "1"
requires-python = ">=3.11"
dependencies = ["long-name"]
[[tool.uv.index]]
url = "https://private.example.com/simple"
default = true
''' }

[[index]]
url = "https://private.example.com/simple"

[index.packages.long-name.versions."2.3.4"]
requires = ["other-name<2"]
[index.packages.other-name.versions."1.9"]
[index.packages.other-name.versions."2.9"]
[index.packages.unused.versions."1"]
"""
CONFLICTING = """\
[project]
name = "acme"
version = "1"
requires-python = ">=3.11"
dependencies = ["long-name", "other-name>=2,<3", "unused"]

[[tool.uv.index]]
url = "https://private.example.com/simple"
default = true

[tool.ruff]
line-length = 100
"""


@pytest.mark.slow
@pytest.mark.network
def test_an_mre_is_shrunk_with_its_controls(uvmre: CommandLine, write_mre: WriteMre) -> None:
    folder = write_mre(CONFLICT)
    (folder / "pyproject.toml").write_text(CONFLICTING)
    (folder / "notes.txt").write_text("unused")
    ended = uvmre("shrink", folder, "--json", "-v")
    assert ended.exit == 0, ended.stderr
    assert ended.json("shrink")["finished"]
    small = folder.with_name("mre-small")
    manifest = tomllib.loads((small / "mre.toml").read_text())
    assert [step["run"] for step in manifest["step"]] == ["uv lock"]
    assert [(each["name"], list(each["files"])) for each in manifest["control"]] == [("any other", ["pyproject.toml"])]
    assert "variables" not in manifest["environment"]
    assert len(manifest["index"][0]["packages"]) <= 2
    assert "unused" not in (small / "mre.toml").read_text()
    assert "ruff" not in (small / "pyproject.toml").read_text()
    assert not (small / "notes.txt").exists()
    project = tomllib.loads((small / "pyproject.toml").read_text())
    assert sorted(project) == ["project", "tool"]
    assert len(project["project"]["dependencies"]) == 2
    before, after = (json.loads(uvmre("run", each, "--json").stdout) for each in (folder, small))
    assert (before["verdict"], after["verdict"]) == ("reproducible", "reproducible")


@pytest.mark.network
def test_an_mre_without_its_symptom_is_an_error(uvmre: CommandLine, write_mre: WriteMre) -> None:
    folder = write_mre(CONFLICT)
    ended = uvmre("shrink", folder)
    assert (ended.exit, "the symptom does not show in the MRE" in ended.stderr) == (2, True), ended.stderr
