from pathlib import Path

import pytest

from uvmre.errors import UsageError
from uvmre.project.folder import home_files, read_project, workspace_root

WORKSPACE = '[project]\nname = "root"\nversion = "1"\n[tool.uv.workspace]\nmembers = ["libs/*"]\n'


def test_a_member_is_captured_with_its_workspace(tmp_path: Path) -> None:
    (tmp_path / "libs" / "é b").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(WORKSPACE)
    (tmp_path / "libs" / "é b" / "pyproject.toml").write_text('[project]\nname = "b"\n')
    tree = read_project(tmp_path / "libs" / "é b", ("uv sync",))
    assert (tree.root, tree.folder) == (tmp_path, "libs/é b")
    assert {file.path for file in tree.files} == {"pyproject.toml", "libs/é b/pyproject.toml"}


def test_a_folder_without_a_workspace_is_its_own_root(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\n')
    (tmp_path / "sub").mkdir()
    assert workspace_root(tmp_path / "sub") == tmp_path / "sub"


def test_sources_are_left_out_by_default(tmp_path: Path) -> None:
    (tmp_path / "src" / "a").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\n')
    (tmp_path / "src" / "a" / "__init__.py").write_text("secret = 1")
    (tmp_path / "src" / "a" / "core.py").write_text("secret = 2")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\0")
    tree = read_project(tmp_path, ("uv build",))
    assert tree.left_out == ("logo.png", "src/a/core.py")
    whole = read_project(tmp_path, ("uv build",), sources=True)
    assert {file.path: file.content for file in whole.files}["src/a/core.py"] == b"secret = 2"
    assert whole.left_out == ("logo.png",)


def test_environments_and_caches_are_not_read(tmp_path: Path) -> None:
    for folder in (".venv", "node_modules", "a.egg-info", ".git"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pyproject.toml").write_text("[project]")
    assert read_project(tmp_path, ()).files == ()


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_project(tmp_path / "gone", ())


def test_files_of_the_home_are_found_where_variables_put_them(tmp_path: Path) -> None:
    (tmp_path / "conf" / "uv").mkdir(parents=True)
    (tmp_path / "conf" / "uv" / "uv.toml").write_text("a = 1")
    (tmp_path / "mine").write_text("machine x")
    found = home_files(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "conf"), "NETRC": str(tmp_path / "mine")})
    assert {file.path: file.content for file in found} == {".netrc": b"machine x", ".config/uv/uv.toml": b"a = 1"}
    assert home_files(tmp_path, {}) == ()


def test_a_file_is_also_named_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "conf.toml").write_text("a = 1")
    assert [file.path for file in read_project(tmp_path, (f"{tmp_path}/conf.toml",)).files] == ["conf.toml"]
    assert read_project(tmp_path, ("uv sync",)).files == ()
