"""Interpreters of this machine, and made-up ones that answer as real ones do."""

import os
import sys
from pathlib import Path

import pytest

from uvmre.run import interpreters
from uvmre.run.interpreters import Interpreter, find_interpreter

THIS = ".".join(map(str, sys.version_info[:3]))
MINOR = ".".join(map(str, sys.version_info[:2]))


class Machine:
    """A machine with none but the interpreters that a test installs."""

    def __init__(self, root: Path) -> None:
        self.one, self.other, self.shims = root / "one", root / "other", root / "shims"
        self.pyenv, self.uv = root / "pyenv", root / "uv"
        for folder in (self.one, self.other, self.shims):
            folder.mkdir()

    def install(self, path: Path, script: str, mode: int = 0o755) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(mode)
        return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (machine.shims, machine.one, machine.other))))
    monkeypatch.setenv("PYENV_ROOT", str(machine.pyenv))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(machine.uv))
    return machine


def says(version: str) -> str:
    return f"#!/bin/sh\necho {version}\n"


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("", id="nothing wanted: this very one"),
        pytest.param(MINOR, id="this one's line"),
        pytest.param(THIS, id="this one's full version"),
    ],
)
def test_this_very_interpreter_is_found(machine: Machine, version: str) -> None:
    found = find_interpreter(version)
    assert found is not None
    assert (found.version, found.minor) == (THIS, MINOR)
    assert os.access(found.path, os.X_OK)
    assert found.path.is_relative_to(Path(sys.base_prefix).resolve())


def test_this_interpreter_is_tried_first(machine: Machine) -> None:
    machine.install(machine.one / f"python{MINOR}", says(f"{MINOR}.99"))
    found = find_interpreter(MINOR)
    assert found is not None
    assert found.version == THIS


def test_another_patch_of_this_line_is_found_beside_it(machine: Machine) -> None:
    path = machine.install(machine.one / f"python{MINOR}", says(f"{MINOR}.99"))
    assert find_interpreter(f"{MINOR}.99") == Interpreter(path, f"{MINOR}.99")


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("3.97", id="a line that nobody has"),
        pytest.param(f"{MINOR}.98", id="a patch that nobody has"),
        pytest.param("3.9.1", id="a version whose text another begins with"),
        pytest.param("4.0", id="a Python that is not there yet"),
    ],
)
def test_a_version_that_is_not_there_is_not_found(machine: Machine, version: str) -> None:
    machine.install(machine.one / "python3.9", says("3.9.18"))
    assert find_interpreter(version) is None


@pytest.mark.parametrize("version", ["3.98", "3.98.4"], ids=["by its line", "by its full version"])
@pytest.mark.parametrize(
    "where",
    ["one/python3.98", "other/python3.98", "pyenv/versions/3.98.4/bin/python3.98", "uv/cpython-3.98.4/bin/python3.98"],
    ids=["first on PATH", "later on PATH", "in pyenv's folder", "in uv's folder"],
)
def test_an_interpreter_is_found_where_it_is(machine: Machine, tmp_path: Path, where: str, version: str) -> None:
    path = machine.install(tmp_path / where, says("3.98.4"))
    assert find_interpreter(version) == Interpreter(path, "3.98.4")


def test_of_two_the_one_with_the_requested_patch_is_accepted(machine: Machine) -> None:
    machine.install(machine.one / "python3.98", says("3.98.1"))
    path = machine.install(machine.pyenv / "versions/3.98.2/bin/python3.98", says("3.98.2"))
    assert find_interpreter("3.98.2") == Interpreter(path, "3.98.2")


@pytest.mark.parametrize(
    ("script", "mode"),
    [
        pytest.param("#!/bin/sh\necho 'pyenv: python3.98: command not found' >&2\nexit 127\n", 0o755, id="it fails"),
        pytest.param("#!/bin/sh\necho 3.98.1\nexit 1\n", 0o755, id="it answers and fails"),
        pytest.param("#!/bin/sh\n", 0o755, id="it says nothing"),
        pytest.param("#!/bin/sh\necho 3.97.1\n", 0o755, id="it is another one than its name says"),
        pytest.param("#!/no/such/shell\n", 0o755, id="its shell is not there"),
        pytest.param("", 0o755, id="it is an empty file"),
        pytest.param("#!/bin/sh\necho 3.98.1\n", 0o644, id="it is not executable"),
        pytest.param("#!/bin/sh\nkill -9 $$\n", 0o755, id="it dies"),
        pytest.param("#!/bin/sh\nprintf '\\377'\n", 0o755, id="it answers with bytes that are no text"),
    ],
)
def test_what_does_not_answer_is_passed_over(machine: Machine, script: str, mode: int) -> None:
    machine.install(machine.one / "python3.98", script, mode)
    assert find_interpreter("3.98") is None
    path = machine.install(machine.other / "python3.98", says("3.98.4"))
    assert find_interpreter("3.98") == Interpreter(path, "3.98.4")


def test_a_folder_of_that_name_is_passed_over(machine: Machine) -> None:
    (machine.one / "python3.98").mkdir()
    assert find_interpreter("3.98") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="no folder is closed to root")
def test_a_folder_that_is_closed_to_us_is_passed_over(machine: Machine) -> None:
    machine.install(machine.one / "python3.99", says("3.99.1"))
    found = machine.install(machine.other / "python3.99", says("3.99.2"))
    machine.one.chmod(0)
    try:
        assert find_interpreter("3.99") == Interpreter(found, "3.99.2")
    finally:
        machine.one.chmod(0o755)


def test_shims_are_not_run(machine: Machine, tmp_path: Path) -> None:
    machine.install(machine.shims / "python3.98", f"#!/bin/sh\n: > '{tmp_path}/asked'\necho 3.98.4\n")
    assert find_interpreter("3.98") is None
    assert not (tmp_path / "asked").exists()


def test_it_is_run_with_nothing_of_our_environment(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    machine.install(machine.one / "python3.98", '#!/bin/sh\necho "3.98.4$PYTHONPATH"\n')
    assert getattr(find_interpreter("3.98"), "version", None) == "3.98.4"


def test_available_tells_every_line_once_in_the_order_of_numbers(machine: Machine) -> None:
    for path in ("one/python3.9", "one/python3.10", "other/python3.9", "pyenv/versions/3.101.4/bin/python3.101"):
        machine.install(machine.one.parent / path, says("any"))
    for other in ("python3", "python3.10-config", "python3.10.1", "python4.1", "pythonw3.12", "python3.x"):
        machine.install(machine.one / other, says("any"))
    machine.install(machine.shims / "python3.55", says("any"))
    assert interpreters.available() == ["3.9", "3.10", "3.101"]


def test_available_bears_folders_that_are_not_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(["", str(machine.one / "missing"), str(machine.one)]))
    (machine.pyenv / "versions").mkdir(parents=True)
    (machine.pyenv / "versions" / "a-file").touch()
    assert interpreters.available() == []
