"""An MRE written into a folder: what is read back, and nothing half done."""

import os
from pathlib import Path

import pytest

from uvmre.core.mre import Environment, File, Mre, Step, Symptom
from uvmre.errors import UsageError
from uvmre.folder.read import read
from uvmre.folder.write import whole, write

MRE = Mre(
    title="It breaks",
    environment=Environment("0.5.21"),
    steps=(Step("./bin/run", "observe"),),
    symptom=Symptom(exit=1),
    files=(File("README.md", b"\xff\r\n"), File("bin/run", b"#!/bin/sh\n", executable=True)),
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    target = tmp_path / "not" / "yet" / "mre"
    write(MRE, target, force=False)
    assert read(target) == MRE
    assert os.access(target / "bin" / "run", os.X_OK)
    assert [path.name for path in target.parent.iterdir()] == ["mre"]


def test_a_folder_with_something_in_it_is_written_over_only_by_force(tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "notes").write_text("mine")
    (tmp_path / "mre" / "README.md").write_text("mine too")
    with pytest.raises(UsageError, match="has something in it already"):
        write(MRE, tmp_path / "mre", force=False)
    assert sorted(path.name for path in (tmp_path / "mre").iterdir()) == ["README.md", "notes"]
    write(MRE, tmp_path / "mre", force=True)
    assert (tmp_path / "mre" / "notes").read_text() == "mine"
    assert (tmp_path / "mre" / "README.md").read_bytes() == b"\xff\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mre"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    write(MRE, tmp_path / "mre", force=False)
    assert read(tmp_path / "mre") == MRE


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mre").write_text("mine")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        write(MRE, tmp_path / "mre", force=True)
    with pytest.raises(UsageError, match="cannot be written"):
        write(MRE, tmp_path / "mre" / "below", force=True)
    assert (tmp_path / "mre").read_text() == "mine"


def half(target: Path, *, force: bool = False) -> None:
    with whole(target, force=force) as folder:
        folder.mkdir()
        (folder / "half").touch()
        raise RuntimeError("in the middle")


@pytest.mark.parametrize("there", [False, True], ids=["a new folder", "an empty one"])
def test_nobody_finds_half_of_one(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "mre"
    if there:
        target.mkdir()
    with pytest.raises(RuntimeError, match="in the middle"):
        half(target)
    assert list(tmp_path.iterdir()) == ([target] if there else [])
    assert not there or list(target.iterdir()) == []
