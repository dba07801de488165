"""`uvmre new` on the real command line: what it refuses to write over, and templates that cannot be used."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from uvmre.core.triage.fill_in import NO_COMMAND, NO_SYMPTOM
from uvmre.folder.read import read_mre
from uvmre.run import interpreters


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["new", ".", "-t", "workspace-index", "--defaults", "--force"], id="a template"),
        pytest.param(["new", ".", "--from-issue", "issue.md", "--force"], id="an issue"),
        pytest.param(["new", ".", "--from-packse", "kettle.toml", "--uv", "0.5.21", "--force"], id="a scenario"),
        pytest.param(["new", ".", "--from-dockerfile", "Dockerfile", "--force"], id="a Dockerfile"),
        pytest.param(["demo", "."], id="the demo"),
    ],
)
@pytest.mark.parametrize("manifest", [False, True], ids=["no MRE", "an MRE of somebody's own"])
@pytest.mark.few(4)
def test_a_project_of_a_user_stays_as_it_is(
    uvmre: CommandLine, home: Path, tmp_path: Path, words: list[str], manifest: bool
) -> None:
    files = {
        "pyproject.toml": "[project]\n",
        "issue.md": "uv 0.5.21\n\n```console\n$ uv lock\nerror: It broke\n```\n",
        "kettle.toml": 'name = "kettle"\n[root]\nrequires = ["tea"]\n[expected]\nsatisfiable = true\n',
        "Dockerfile": "FROM ghcr.io/astral-sh/uv:0.5.21-python3.11-bookworm\nRUN uv lock\n# mine\n",
        **({"mre.toml": "# mine\n"} if manifest else {}),
    }
    project = tmp_path / "project"
    project.mkdir()
    for name, text in files.items():
        (project / name).write_text(text)
    extra = ["-d", "output=It broke"] if "--from-dockerfile" in words else []
    ended = uvmre(*words, *extra, cwd=project, XDG_CACHE_HOME=str(home))
    assert ended.exit == 2, ended.stderr
    assert "  pyproject.toml" in ended.stderr
    assert "choose another folder" in ended.stderr
    assert {path.name: path.read_text() for path in project.iterdir()} == files


TOOL = "_summary: A tool\ntitle: {type: str, default: x}\n"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        pytest.param({"copier.yml": "title: {type: str}\n", "mre.toml": ""}, "has no `_summary`", id="no summary"),
        pytest.param(
            {"copier.yml": "_summary: [1]\n", "mre.toml": ""},
            "has no `_summary`",
            id="an odd summary",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"copier.yml": "- 1\n", "mre.toml": ""}, "copier.yml is not a mapping", id="a list", marks=pytest.mark.slow
        ),
        pytest.param(
            {"copier.yml": "", "mre.toml": ""},
            "copier.yml is not a mapping",
            id="nothing in it",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"copier.yml": "a: [\n", "mre.toml": ""}, "copier.yml: while parsing", id="no YAML", marks=pytest.mark.slow
        ),
        pytest.param(
            {"copier.yml": "_summary: A\na: b\n", "mre.toml": ""}, "the question `a` is not a mapping", id="short"
        ),
        pytest.param({"copier.yml": TOOL}, "it has no mre.toml.jinja", id="no manifest"),
        pytest.param({"copier.yml": TOOL, "mre.toml": "schema = 1\n"}, "title", id="a manifest with faults"),
        pytest.param({"copier.yml": TOOL, "mre.toml.jinja": "{{ nothing( }}"}, "TemplateSyntaxError", id="no Jinja"),
        pytest.param(
            {"copier.yml": TOOL + "_exclude: [mre.toml]\n", "mre.toml": ""}, "it makes no mre.toml", id="excluded"
        ),
        pytest.param(
            {"copier.yml": TOOL.replace("default: x", "default: '{{ x.y }}'"), "mre.toml": ""},
            "UndefinedError",
            id="a default that cannot be rendered",
        ),
    ],
)
@pytest.mark.few(1)
def test_a_template_that_cannot_be_used_is_named_and_nothing_is_written(
    uvmre: CommandLine, tmp_path: Path, files: dict[str, str], fault: str
) -> None:
    """Templates are inside the package; so a copy of it is run, which has one more."""
    package = Path(__file__).parents[2]
    shutil.copytree(package / "src" / "uvmre", tmp_path / "lib" / "uvmre", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(package / "templates", tmp_path / "lib" / "uvmre" / "templates")
    broken = tmp_path / "lib" / "uvmre" / "templates" / "broken"
    broken.mkdir()
    for name, text in files.items():
        (broken / name).write_text(text)
    library = {"PYTHONPATH": str(tmp_path / "lib")}
    ended = uvmre("new", "made", "-t", "broken", "--defaults", **library)
    assert ended.exit == 2, ended.stderr
    assert "the template `broken` cannot be used" in ended.stderr
    assert fault in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lib"]
    assert "workspace-index" in uvmre("new", "--list", **library).stdout
    assert uvmre("new", "good", "-t", "workspace-index", "--defaults", **library).exit == 0


ISSUE = """\
# `uv lock` does not read a project
<!-- somebody/something#1 created 2025-01-20T10:00:00Z -->
_@somebody_

With uv 0.5.21 and this `pyproject.toml`:

```toml
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={python}"
dependencies = [{dependency}]
```

```console
$ uv lock
error: Failed to parse: `pyproject.toml`
```
"""


@pytest.mark.network
@pytest.mark.parametrize(
    ("dependency", "served", "alone"),
    [
        pytest.param("1", 0, 0, id="it shows"),
        pytest.param("", 1, 125, id="it is absent, which PyPI of today does not prove"),
    ],
)
def test_an_issue_gets_a_script_that_answers_as_run_does_on_a_real_uv(
    uvmre: CommandLine, cache: Path, tmp_path: Path, dependency: str, served: int, alone: int
) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / "issue.md").write_text(ISSUE.format(dependency=dependency, python=minor))
    made = uvmre("new", "bug", "--from-issue", "issue.md")
    assert made.exit == 0, made.stderr
    ran = uvmre("run", "bug")
    assert ran.exit == served, ran.stdout + ran.stderr
    report = uvmre("report", "bug")
    assert report.exit == 0
    assert "run.sh" not in report.stdout
    interpreter = interpreters.find_interpreter(read_mre(tmp_path / "bug").environment.python)
    assert interpreter
    path = f"{cache / 'uvmre' / 'uv' / '0.5.21'}:{interpreter.path.parent}:{os.environ['PATH']}"
    command = ["sh", tmp_path / "bug" / "run.sh"]

    def ended(script: list[str | Path]) -> int:
        return subprocess.run(script, env={"PATH": path}, capture_output=True, timeout=120, check=False).returncode

    assert ended(command) == alone
    gateway = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "gateway", tmp_path / "bug"],
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert gateway.stdout
        exports = ""
        for line in gateway.stdout:
            exports += line
            if "UVMRE_GATEWAY" in line:
                break
        assert ended(["sh", "-c", f"{exports}\nexec sh {tmp_path}/bug/run.sh"]) == served
    finally:
        gateway.send_signal(signal.SIGINT)
        gateway.communicate(timeout=30)


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        pytest.param("```console\n$ uv lock\n```\n\nIt fails with an error.\n", NO_SYMPTOM, id="no text of the error"),
        pytest.param("It does not work for me.\n", NO_COMMAND, id="no command"),
    ],
)
def test_what_is_not_understood_of_an_issue_is_a_comment_and_the_mre_runs(
    uvmre: CommandLine, home: Path, tmp_path: Path, post: str, expected: str
) -> None:
    (tmp_path / "issue.md").write_text(f"# It fails\n\n{post}")
    made = uvmre("new", "bug", "--from-issue", "issue.md", XDG_CACHE_HOME=str(home))
    assert made.exit == 0, made.stderr
    assert f"# {expected}\n" in (tmp_path / "bug" / "mre.toml").read_text()
    ran = uvmre("run", "bug", XDG_CACHE_HOME=str(home))
    assert ran.exit == 125, ran.stdout
    assert "inconclusive" in ran.stdout


def test_without_a_terminal_and_a_template_those_that_there_are_are_listed(uvmre: CommandLine, tmp_path: Path) -> None:
    for more in ([], ["--defaults"]):
        ended = uvmre("new", "bug", *more)
        assert ended.exit == 2
        assert "error: no template is selected" in ended.stderr
        for name in ("project", "workspace-index"):
            assert f"  {name} " in ended.stderr
        assert "hint: select one with `-t`, or describe the bug with `--about`" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_words_choose_the_template_and_its_answers(uvmre: CommandLine, tmp_path: Path) -> None:
    ended = uvmre(
        "new", "bug", "--about", "uv sync --frozen without a uv.lock, uv 0.5.21", "-d", "python=3.12", "--json"
    )
    assert ended.json("new")["template"] == "project"
    assert "template: project, A project" in ended.stderr
    assert "because of: “uv sync”" in ended.stderr
    assert "  uv: 0.5.21" in ended.stderr
    environment = read_mre(tmp_path / "bug").environment
    assert (environment.uv, environment.python) == ("0.5.21", "3.12")
    nothing = uvmre("new", "other", "--about", "hello there")
    assert nothing.exit == 2
    assert "no template fits these words" in nothing.stderr
    assert "  project " in nothing.stderr
    assert not (tmp_path / "other").exists()


PASTED = "error: Unable to find lockfile at `uv.lock`\n\n$ uv sync --frozen\n\nuv 0.5.21"


@pytest.mark.parametrize(
    ("steps", "template"),
    [
        pytest.param(
            [("lists the templates", f"\x1b[200~{PASTED}\x1b[201~\r\r"), ("Use it?", "\r")], "project", id="pasted"
        ),
        pytest.param(
            [("lists the templates", "uv sync\r\r"), ("Use it?", "n\r"), ("Template", "workspace-index\r")],
            "workspace-index",
            id="another one",
        ),
        pytest.param(
            [("lists the templates", "\r"), ("Template", "no-such\r"), ("is not one of", "project\r")],
            "project",
            id="from the list",
        ),
    ],
)
def test_at_a_terminal_words_or_a_pasted_error_propose_a_template(
    home: Path, tmp_path: Path, steps: list[tuple[str, str]], template: str
) -> None:
    """Several lines are pasted, with an empty one among them, as terminals mark them."""
    code, shown = at_a_terminal(["new", "bug", "--defaults"], steps, tmp_path, home)
    assert code == 0, shown
    assert f"_src_path: {template}\n" in (tmp_path / "bug" / ".copier-answers.yml").read_text()
    if "frozen" in steps[0][1]:
        assert read_mre(tmp_path / "bug").environment.uv == "0.5.21"
        assert "Unable to find lockfile at `uv.lock`" in (tmp_path / "bug" / "mre.toml").read_text()


def at_a_terminal(words: list[str], steps: list[tuple[str, str]], folder: Path, cache: Path) -> tuple[int, str]:
    """Run a command line at a terminal, and type each text when another one is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "uvmre", *words]
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, mark, left, end = b"", 0, list(steps), time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                text = os.read(ours, 65536)
            except OSError:  # it ended
                break
            shown += text
            if b"\x1b[6n" in text:  # where is the cursor?
                os.write(ours, b"\x1b[1;1R")
        if left and left[0][0].encode() in shown[mark:]:
            time.sleep(0.3)
            mark = len(shown)
            os.write(ours, left.pop(0)[1].encode())
    process.kill() if process.poll() is None and time.monotonic() >= end else None
    os.close(ours)
    return process.wait(30), shown.decode(errors="replace")
