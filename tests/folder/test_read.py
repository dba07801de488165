"""The folder of an MRE into its value."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.errors import InputError, UsageError
from uvmre.folder.read import read_mre

MANIFEST = """\
schema = 1
title = "t"
[environment]
uv = "0.5.21"
[[step]]
role = "observe"
run = "uv sync"
[symptom]
exit = 2
"""
BARE = Mre("t", Environment("0.5.21"), (Step("uv sync", "observe"),), Symptom(2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mre"
    made.mkdir()
    (made / "mre.toml").write_text(MANIFEST)
    return made


def test_a_folder_with_only_a_manifest_has_no_files(folder: Path) -> None:
    assert read_mre(folder) == BARE


def test_files_are_read_as_bytes_with_their_paths_inside(folder: Path) -> None:
    (folder / "packages" / "foo").mkdir(parents=True)
    (folder / "packages" / "foo" / "pyproject.toml").write_bytes(b"[project]\r\n")
    (folder / "packages" / "mre.toml").write_bytes(b"another")
    (folder / ".netrc").write_bytes(b"\xff\x00")
    assert sorted(read_mre(folder).files, key=lambda file: file.path) == [
        File(".netrc", b"\xff\x00"),
        File("packages/foo/pyproject.toml", b"[project]\r\n"),
        File("packages/mre.toml", b"another"),
    ]


def test_the_executable_bit_is_read(folder: Path) -> None:
    for name, mode in (("run.sh", 0o755), ("notes", 0o644)):
        (folder / name).write_bytes(b"")
        (folder / name).chmod(mode)
    assert read_mre(folder).files == (File("notes", b""), File("run.sh", b"", executable=True))


@pytest.mark.parametrize(
    "name", [".uvmre", ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"]
)
def test_what_comes_by_working_in_it_is_left_out(folder: Path, name: str) -> None:
    for where in (folder / name, folder / "packages" / name):
        where.mkdir(parents=True)
        (where / "x").write_text("x")
    assert read_mre(folder).files == ()


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read_mre(tmp_path / "none")
    assert raised.value.message == f"folder not found: `{tmp_path / 'none'}`"
    assert raised.value.hint == "check the path, or create an MRE with `uvmre new`"
    assert raised.value.exit_code == 2


def test_a_folder_without_a_manifest_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not an MRE: it has no `mre\.toml`$"):
        read_mre(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_reported(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"mre\.toml` is not a folder$"):
        read_mre(folder / "mre.toml")


def test_a_manifest_that_is_not_utf_8_is_reported(folder: Path) -> None:
    (folder / "mre.toml").write_bytes('title = "ä"'.encode("latin-1"))
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.message == f"failed to read `{folder / 'mre.toml'}`"
    assert raised.value.faults == ("it is not UTF-8, which TOML must be",)


def test_the_faults_of_a_manifest_come_with_its_path(folder: Path) -> None:
    (folder / "mre.toml").write_text(MANIFEST.replace('"t"', '""'))
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.message == f"`{folder / 'mre.toml'}` has 1 error"
    assert raised.value.faults == ("line 2: title must be a non-empty string",)


def test_a_link_inside_the_folder_is_read_as_the_file(folder: Path) -> None:
    (folder / "a").write_bytes(b"1")
    (folder / "b").symlink_to("a")
    assert read_mre(folder).files == (File("a", b"1"), File("b", b"1"))


def test_what_is_no_file_of_the_folder_is_reported_all_at_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    (folder / "a").symlink_to(tmp_path / "secret")
    (folder / "b").symlink_to("../secret")
    (folder / "c").symlink_to("nowhere")
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.message == f"`{folder}` has 3 errors"
    assert raised.value.faults == (
        "a is a link that leaves the folder: copy the file instead",
        "b is a link that leaves the folder: copy the file instead",
        "'c' is a broken link, or its name is not UTF-8",
    )


def test_a_folder_that_is_itself_a_link_is_read(folder: Path, tmp_path: Path) -> None:
    (folder / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to(folder)
    assert read_mre(tmp_path / "link").files == (File("a", b"1"),)


def test_an_env_file_that_is_not_there_is_reported(folder: Path) -> None:
    (folder / "mre.toml").write_text(MANIFEST.replace("[[step]]", 'env-file = "mre.env"\n[[step]]'))
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.faults == ("environment.env-file names mre.env, which is not in the folder",)


def test_an_env_file_that_is_there_gives_the_variables(folder: Path) -> None:
    (folder / "mre.toml").write_text(MANIFEST.replace("[[step]]", 'env-file = "mre.env"\n[[step]]'))
    (folder / "mre.env").write_text("A=1\n")
    assert read_mre(folder).variables == {"A": "1"}


def test_a_folder_that_is_too_large_is_reported(folder: Path) -> None:
    with (folder / "disk.img").open("wb") as sparse:
        sparse.truncate(100_000_001)
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.faults == ("with disk.img the folder is larger than 100 MB",)


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)


@given(st.dictionaries(st.tuples(NAMES, NAMES), st.tuples(st.binary(max_size=20), st.booleans()), max_size=5))
def test_what_is_written_is_read(files: dict[tuple[str, str], tuple[bytes, bool]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mre.toml").write_text(MANIFEST)
        for (inside, file), (content, executable) in files.items():
            (folder / inside).mkdir(exist_ok=True)
            (folder / inside / file).write_bytes(content)
            (folder / inside / file).chmod(0o755 if executable else 0o644)
        found = read_mre(folder).files
    assert {file.path: (file.content, file.executable) for file in found} == {
        "/".join(path): value for path, value in files.items()
    }
    assert len(found) == len(files)


def test_a_link_to_a_folder_or_to_itself_is_reported(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "linked").symlink_to("real")
    (folder / "loop").symlink_to("loop")
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.faults == (
        "linked is neither a file nor a folder",
        "'loop' is a broken link, or its name is not UTF-8",
    )


def test_a_manifest_that_is_a_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "mre.toml").mkdir()
    with pytest.raises(UsageError, match="is a folder, not a file"):
        read_mre(tmp_path)


def test_a_name_in_the_env_file_that_is_none_is_reported(folder: Path) -> None:
    (folder / "mre.toml").write_text(MANIFEST.replace("[[step]]", 'env-file = "mre.env"\n[[step]]'))
    (folder / "mre.env").write_text("A=1\nC D=1\n=x\nALONE\n")
    with pytest.raises(InputError) as raised:
        read_mre(folder)
    assert raised.value.faults == (
        "mre.env: 'C D' is not the name of a variable",
        "mre.env: '' is not the name of a variable",
    )
