import os
from pathlib import Path

import pytest

from uvmre.core.progress import Progress
from uvmre.errors import CannotTell, UsageError
from uvmre.flows.capturing.user_run import UserRun, UserRunRequest, run_as_user
from uvmre.project.folder import read_project


def run(tmp_path: Path, command: str, *, seconds: float = 30, hangs: bool = False, **variables: str) -> UserRun:
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"\n')
    (project / "conf.toml").write_text("")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables}
    request = UserRunRequest((command,), environment, "0.8.0", seconds, hangs)
    return run_as_user(read_project(project, (command,)), request, Progress())


def test_the_output_names_the_project_and_not_its_copy(tmp_path: Path) -> None:
    found = run(tmp_path, "pwd; echo no >&2; exit 2")
    assert (found.last.exit, found.last.stdout.strip(), found.last.stderr) == (2, str(tmp_path / "project"), "no\n")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("UV_INDEX_STRATEGY", "unsafe-best-match", True),
        ("UV_CONFIG_FILE", "{project}/conf.toml", True),
        ("UV_PYTHON", "/home/ann/.venv/bin/python", False),
        ("UV_CACHE_DIR", "cache", False),
        ("UV_PROJECT_ENVIRONMENT", "env", False),
        ("NAMED", "by the command", True),
        ("OTHER", "nobody reads it", False),
    ],
)
def test_variables_that_uv_or_the_command_reads_are_kept(tmp_path: Path, name: str, value: str, kept: bool) -> None:
    found = run(tmp_path, "echo $NAMED; exit 1", **{name: value.format(project=tmp_path / "project")})
    assert (name in found.project.variables) is kept
    assert str(tmp_path) not in found.project.variables.get(name, "")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("echo 'the input device is not a TTY' >&2; exit 1", "needs a terminal"),
        ("python3 -c 'input()'", "needs a terminal"),
        ("read answer </dev/tty", "needs a terminal"),
        ("sleep 30", "did not end in 1 s"),
    ],
)
def test_a_command_without_an_answer_is_one_sentence(tmp_path: Path, command: str, sentence: str) -> None:
    with pytest.raises(CannotTell, match=sentence):
        run(tmp_path, command, seconds=1)


def test_a_command_may_hang_if_that_is_the_bug(tmp_path: Path) -> None:
    assert run(tmp_path, "sleep 30", seconds=1, hangs=True).last.timed_out


def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="was not found"):
        run(tmp_path, "no-such-command --flag")
    assert run(tmp_path, "echo no-such: not found; exit 127").last.exit == 127


def test_an_engine_that_is_missing_leaves_the_build_to_the_mre(tmp_path: Path) -> None:
    found = run(tmp_path, "podman build .", PATH="/nowhere")
    assert found.results == ()
    assert found.build
