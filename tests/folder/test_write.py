"""An MRE written into a folder: what is read back, nothing half done, and nothing replaced that uvmre did not write."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BUNDLED, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.errors import InputError, UsageError
from uvmre.folder.read import read_mre
from uvmre.folder.write import staged, write_mre
from uvmre.folder.written import RECORD, read_origin

MRE = Mre(
    title="It breaks",
    environment=Environment("0.5.21"),
    steps=(Step("./bin/run", "observe"),),
    symptom=Symptom(exit=1),
    files=(File("README.md", b"\xff\r\n"), File("bin/run", b"#!/bin/sh\n", executable=True)),
)
OTHER = replace(MRE, title="It breaks otherwise", files=(File("README.md", b"other\n"), File("src/a/b.py", b"")))


def tree(folder: Path) -> Mapping[str, str | bytes]:
    """Return what is in a folder, links as where they lead to, without what uvmre keeps of its own."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and ".uvmre" not in path.parts
    }


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    target = tmp_path / "not" / "yet" / "mre"
    write_mre(MRE, target, force=False)
    assert read_mre(target) == MRE
    assert os.access(target / "bin" / "run", os.X_OK)
    assert [path.name for path in target.parent.iterdir()] == ["mre"]


def test_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    write_mre(MRE, tmp_path / "mre", force=False)
    assert read_mre(tmp_path / "mre") == MRE


def test_a_repository_without_files_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "mre" / ".git").mkdir(parents=True)
    (tmp_path / "mre" / ".git" / "HEAD").write_text("mine")
    write_mre(MRE, tmp_path / "mre", force=False)
    assert read_mre(tmp_path / "mre") == MRE
    assert (tmp_path / "mre" / ".git" / "HEAD").read_text() == "mine"


def test_force_replaces_what_was_written_and_removes_the_rest_of_it(tmp_path: Path) -> None:
    target = tmp_path / "mre"
    write_mre(MRE, target, force=False)
    (target / ".uvmre" / "runs").mkdir()
    with pytest.raises(UsageError, match="already contains an MRE"):
        write_mre(OTHER, target, force=False)
    assert read_mre(target) == MRE
    write_mre(OTHER, target, force=True)
    assert read_mre(target) == OTHER
    assert not (target / "bin").exists()
    assert (target / ".uvmre" / "runs").is_dir()
    write_mre(MRE, target, force=True)
    assert read_mre(target) == MRE
    assert os.access(target / "bin" / "run", os.X_OK)
    assert [path.name for path in tmp_path.iterdir()] == ["mre"]


def test_whoever_is_at_the_terminal_is_a_question_all_that_goes(tmp_path: Path) -> None:
    target = tmp_path / "mre"
    write_mre(MRE, target, force=False)
    questions: list[Sequence[str]] = []

    def answering(answer: bool) -> Callable[[Sequence[str]], bool]:
        return lambda files: questions.append(files) or answer

    with pytest.raises(UsageError, match="was not replaced"):
        write_mre(OTHER, target, force=False, confirm=answering(False))
    assert read_mre(target) == MRE
    write_mre(OTHER, target, force=False, confirm=answering(True))
    assert read_mre(target) == OTHER
    assert questions[0] == questions[1]
    assert {"README.md", "bin/run", "mre.toml"} <= set(questions[0])
    write_mre(OTHER, target, force=False, confirm=answering(False))  # nothing changes
    assert len(questions) == 2


def change(path: str, text: str = "mine") -> Callable[[Path], None]:
    def changed(target: Path) -> None:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text)

    return changed


def link(path: str, to: str) -> Callable[[Path], None]:
    def linked(target: Path) -> None:
        (target.parent / "outside").mkdir()
        (target.parent / "outside" / "b.py").write_text("outside")
        (target / path).unlink(missing_ok=True)
        (target / path).parent.mkdir(exist_ok=True)
        (target / path).symlink_to(to)

    return linked


@pytest.mark.parametrize(
    ("done", "fault"),
    [
        pytest.param(change("notes/mine"), "notes/mine: not written by uvmre", id="a file was added"),
        pytest.param(change("src/a/b.py"), "src/a/b.py: not written by uvmre", id="a file is where a new one comes"),
        pytest.param(change("README.md"), "README.md: changed since uvmre wrote it", id="a file was changed"),
        pytest.param(change("bin/run"), "bin/run: changed since uvmre wrote it", id="an old file was changed"),
        pytest.param(change("mre.toml", "x = 1"), "mre.toml: changed since", id="the manifest was changed"),
        pytest.param(change("src/a"), "src/a: not written by uvmre", id="a file is where a folder comes"),
        pytest.param(link("README.md", "../outside/b.py"), "README.md: a link", id="a link out of the folder"),
        pytest.param(link("README.md", "README.md"), "README.md: a link", id="a link to itself"),
        pytest.param(link("src", "../outside"), "src: a link", id="a folder that is a link out of the folder"),
        pytest.param(link("src/a", "../../outside"), "src/a: a link", id="a folder below that is one"),
        pytest.param(lambda target: (target / RECORD).unlink(), "README.md: not written", id="nothing is recorded"),
        pytest.param(lambda target: (target / RECORD).write_text("[]"), "README.md: not written", id="no record"),
    ],
)
def test_what_uvmre_did_not_write_is_listed_and_stays(tmp_path: Path, done: Callable[[Path], None], fault: str) -> None:
    target = tmp_path / "mre"
    write_mre(MRE, target, force=False)
    done(target)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="not written by uvmre") as raised:
        write_mre(OTHER, target, force=True)
    assert any(each.startswith(fault) for each in raised.value.faults)
    with pytest.raises(InputError):
        write_mre(OTHER, target, force=False, confirm=lambda files: True)
    assert tree(tmp_path) == before


def test_the_same_mre_is_written_where_nothing_is_recorded(tmp_path: Path) -> None:
    write_mre(MRE, tmp_path / "mre", force=False)
    (tmp_path / "mre" / RECORD).unlink()
    write_mre(MRE, tmp_path / "mre", force=True)
    write_mre(OTHER, tmp_path / "mre", force=True)
    assert read_mre(tmp_path / "mre") == OTHER


@pytest.mark.parametrize("force", [False, True])
def test_a_project_is_no_place_for_an_mre(tmp_path: Path, force: bool) -> None:
    (tmp_path / "pyproject.toml").write_text("mine")
    (tmp_path / "src").mkdir()
    (tmp_path / ".git").mkdir()
    with pytest.raises(InputError, match="is not empty and not an MRE") as raised:
        write_mre(MRE, tmp_path, force=force, confirm=lambda files: True)
    assert raised.value.faults == ("pyproject.toml", "src/")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "pyproject.toml", "src"]


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}").touch()
    with pytest.raises(InputError) as raised:
        write_mre(MRE, tmp_path, force=True)
    assert raised.value.faults[20:] == ("and 80 more",)


@pytest.mark.parametrize("to", ["elsewhere", "nowhere", "mre"], ids=["a folder", "nothing", "itself"])
def test_a_link_is_accepted_only_where_it_leads_to_a_folder(tmp_path: Path, to: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mre").symlink_to(to)
    if to == "elsewhere":
        write_mre(MRE, tmp_path / "mre", force=False)
        assert read_mre(tmp_path / "elsewhere") == MRE
    else:
        with pytest.raises(UsageError, match="is a link that is not to a folder"):
            write_mre(MRE, tmp_path / "mre", force=True)
        assert not (tmp_path / "nowhere").exists()


def test_its_own_folder_may_be_no_link(tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "mre" / ".uvmre").symlink_to("../outside")
    with pytest.raises(UsageError, match="is not a folder"):
        write_mre(MRE, tmp_path / "mre", force=True)
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mre").write_text("mine")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        write_mre(MRE, tmp_path / "mre", force=True)
    with pytest.raises(UsageError, match="cannot be written"):
        write_mre(MRE, tmp_path / "mre" / "below", force=True)
    assert (tmp_path / "mre").read_text() == "mine"


def half(target: Path, *, force: bool = False) -> None:
    with staged(target, force=force) as folder:
        folder.mkdir()
        (folder / "half").touch()
        raise RuntimeError("in the middle")


@pytest.mark.parametrize("there", [False, True], ids=["a new folder", "an empty one"])
def test_no_reader_finds_half_of_one(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "mre"
    if there:
        target.mkdir()
    with pytest.raises(RuntimeError, match="in the middle"):
        half(target)
    assert list(tmp_path.iterdir()) == ([target] if there else [])
    assert not there or list(target.iterdir()) == []


def test_an_mre_that_cannot_be_replaced_in_whole_is_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "mre"
    write_mre(MRE, target, force=False)
    (target / "src" / "a" / "b.py").mkdir(parents=True)  # the new file cannot be moved onto it
    before = tree(target)
    with pytest.raises(IsADirectoryError):
        write_mre(OTHER, target, force=True)
    assert tree(target) == before
    assert read_mre(target) == MRE
    assert sorted(path.name for path in (target / ".uvmre").iterdir()) == [".gitignore", "written.json"]


def test_the_origin_of_a_stranger_s_mre_is_kept_until_the_user_s_own_replaces_it(tmp_path: Path) -> None:
    write_mre(MRE, tmp_path / "mre", force=False, origin="an issue")
    assert read_origin(tmp_path / "mre") == "an issue"
    write_mre(OTHER, tmp_path / "mre", force=True, origin="a report")
    assert read_origin(tmp_path / "mre") == "a report"
    write_mre(MRE, tmp_path / "mre", force=True)
    assert read_origin(tmp_path / "mre") == ""


@pytest.mark.parametrize("record", ["", "{", "[]", '{"schema": 1}', '{"schema": 9, "origin": "an issue"}'])
def test_a_folder_written_by_hand_has_no_origin(tmp_path: Path, record: str) -> None:
    (tmp_path / ".uvmre").mkdir()
    (tmp_path / RECORD).write_text(record)
    assert read_origin(tmp_path) == ""


def test_a_folder_with_a_release_of_its_own_is_a_pack(tmp_path: Path) -> None:
    (tmp_path / BUNDLED).mkdir(parents=True)
    assert read_origin(tmp_path) == "a pack"
