import threading
from pathlib import Path

import pytest

from uvmre.core.progress import Progress
from uvmre.errors import CannotTell
from uvmre.flows.capturing.in_copy import copy_project, run_commands, user_environment


def test_the_copy_is_writable_and_the_project_is_not_written(tmp_path: Path) -> None:
    root, copy = tmp_path / "project", tmp_path / "copy"
    (root / "sub").mkdir(parents=True)
    (root / ".venv").mkdir()
    (root / "sub" / "a").write_text("1")
    (root / "sub").chmod(0o555)
    try:
        copy_project(root, copy, {".venv"})
    finally:
        (root / "sub").chmod(0o755)
    (copy / "sub" / "b").write_text("2")
    assert sorted(path.name for path in copy.rglob("*")) == ["a", "b", "sub"]
    assert not (root / "sub" / "b").exists()


def test_a_project_that_cannot_be_copied_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(CannotTell, match="failed to copy"):
        copy_project(tmp_path / "project", tmp_path / "file" / "copy", ())


def test_variables_that_lead_out_of_the_copy_are_dropped(tmp_path: Path) -> None:
    root, copy = tmp_path / "project", tmp_path / "copy"
    given = {
        "VIRTUAL_ENV": "/x",
        "UV_PROJECT_ENVIRONMENT": "/y",
        "UVMRE_X": "1",
        "UV_ENV_FILE": f"{root}/.env",
        "A": "b",
    }
    assert user_environment(given, copy, root) == {"UV_ENV_FILE": f"{copy}/.env", "A": "b"}


def test_commands_run_until_one_fails(tmp_path: Path) -> None:
    results = run_commands(
        ("touch made", "echo no >&2; exit 3", "touch never"),
        tmp_path,
        {"PATH": "/usr/bin:/bin"},
        timeout=10,
        stop=threading.Event(),
        progress=Progress(),
    )
    assert [(each.exit, each.stderr) for each in results] == [(0, ""), (3, "no\n")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made"]
