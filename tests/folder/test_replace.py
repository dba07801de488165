"""Files are replaced all or none, at whatever moment the process is killed."""

import json
import os
from itertools import count
from pathlib import Path

import pytest

from uvmre.core.mre.files import File
from uvmre.folder.write import recover, replace_files
from uvmre.folder.written import Record, hash_files, read_record, read_rendered, write_record

KILLED = 9


def folder_at(path: Path) -> Path:
    (path / "sub").mkdir(parents=True)
    for name in ("mre.toml", "sub/changed", "sub/removed", "mine"):
        (path / name).write_text(f"old {name}")
    write_record(path, Record(hash_files(path), "an issue", (File("mre.toml", b"old mre.toml"),)))
    return path


def replace(path: Path) -> None:
    new = [File(name, f"new {name}".encode(), name == "new") for name in ("mre.toml", "sub/changed", "new")]
    replace_files(path, new, ["sub/removed"], new)


def state(path: Path) -> tuple[dict[str, str], dict[str, str], list[str]]:
    return dict(hash_files(path)), dict(read_record(path)), sorted(read_rendered(path))


def killed_at(path: Path, moment: int) -> int:
    """Replace the files in a process that is killed at its nth rename, and return its exit code."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    renames, rename = count(), Path.rename

    def counted(self: Path, target: Path) -> Path:
        if next(renames) == moment:
            os._exit(KILLED)
        return rename(self, target)

    try:
        Path.rename = counted  # type: ignore[method-assign,assignment]
        replace(path)
    finally:
        os._exit(0)


def test_a_kill_leaves_the_old_files_or_the_new_ones(tmp_path: Path) -> None:
    before = state(folder_at(tmp_path / "old"))
    replace(folder_at(tmp_path / "new"))
    after = state(tmp_path / "new")
    assert before != after
    assert (tmp_path / "new" / "new").stat().st_mode & 0o100
    assert not (tmp_path / "new" / "sub" / "removed").exists()
    for moment in count():
        path = folder_at(tmp_path / f"killed-{moment}")
        code = killed_at(path, moment)
        recover(path)
        assert state(path) in (before, after), moment
        assert sorted(each.name for each in (path / ".uvmre").iterdir()) == [".gitignore", "written.json"]
        assert (path / "mine").read_text() == "old mine"
        if code == 0:
            break
        assert code == KILLED
    assert moment > 6
    assert state(path) == after


@pytest.mark.parametrize(
    "rendered",
    [
        pytest.param({"../outside": [False, "eA=="]}, id="outside"),
        pytest.param({"/outside": [False, "eA=="]}, id="a whole path"),
        pytest.param({"a": [False, "no base64"]}, id="no base64"),
        pytest.param({"a": "x"}, id="no pair"),
        pytest.param([1], id="a list"),
        pytest.param(None, id="nothing"),
    ],
)
def test_the_record_of_a_stranger_names_nothing_outside(tmp_path: Path, rendered: object) -> None:
    write_record(tmp_path, Record({}))
    data = {"schema": 1, "origin": "", "files": {}, "rendered": rendered}
    (tmp_path / ".uvmre" / "written.json").write_text(json.dumps(data))
    assert read_rendered(tmp_path) == {}
