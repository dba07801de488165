"""Zip archives: those of uvmre, and those of strangers."""

import io
import stat
import zipfile

import pytest

from uvmre.core.mre.files import File
from uvmre.errors import InputError
from uvmre.report.archive import write_zip
from uvmre.report.read_back import read_back

OWN = (File("mre.toml", b"schema = 1\n"), File("a b/x", b"\0\xff", executable=True), File("é", b""))


def archive(*entries: tuple[str, bytes, int]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            made.writestr(info, content)
    return buffer.getvalue()


def test_an_archive_is_the_same_for_the_same_files() -> None:
    assert write_zip(OWN) == write_zip(OWN)
    assert read_back(write_zip(OWN), "x") == OWN


def test_a_folder_around_all_files_is_left_out() -> None:
    top = write_zip([File(f"bug/{file.path}", file.content, file.executable) for file in OWN])
    assert read_back(top, "x") == OWN


def test_what_working_in_a_folder_left_is_no_part_of_it() -> None:
    more = (File(".git/config", b""), File(".uvmre/runs/1/run.json", b"{}"), File("a b/.venv/x", b""))
    assert read_back(write_zip((*OWN, *more)), "x") == OWN


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(b"PK\x03\x04 nothing", "it is not a usable zip archive", id="damaged"),
        pytest.param(write_zip(OWN)[:-30], "it is not a usable zip archive", id="cut"),
        pytest.param(
            archive(("mre.toml", b"x", 0), ("a", b"/etc/passwd", stat.S_IFLNK | 0o777)), "a is a link", id="a link"
        ),
        pytest.param(write_zip([*OWN, File("../x", b"")]), "../x is outside the folder", id="above the folder"),
        pytest.param(write_zip([*OWN, File("/etc/x", b"")]), "/etc/x is outside the folder", id="an absolute path"),
        pytest.param(
            write_zip([*OWN, File("a\\b", b"")]), "has a character that not every system has", id="a backslash"
        ),
        pytest.param(write_zip([*OWN, File("A B/X", b"")]), "are the same name on some systems", id="the same name"),
        pytest.param(write_zip([*OWN, File("é/x", b"")]), "é is both a file and a folder", id="a file and a folder"),
        pytest.param(
            write_zip([*OWN, File("MRE.toml", b"")]), "MRE.toml is not a file of an MRE", id="another manifest"
        ),
        pytest.param(write_zip([File("x", b"")]), "it has no `mre.toml`", id="no manifest"),
        pytest.param(write_zip([*OWN, File(".uvmre/uv/0.5.0/uv", b"")]), "`uvmre recording pack`", id="a pack"),
        pytest.param(archive(("mre.toml", b"\0" * 100_000_001, 0)), "it has more than 100000000 bytes", id="too large"),
        pytest.param(archive(*((str(n), b"", 0) for n in range(10_001))), "or 10000 files", id="too many"),
    ],
)
def test_an_archive_of_a_stranger_is_refused(content: bytes, fault: str) -> None:
    with pytest.raises(InputError) as raised:
        read_back(content, "x")
    assert any(fault in each for each in raised.value.faults), raised.value.faults


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_all_faults_are_reported_at_once() -> None:
    names = ["mre.toml", "a", "a", "../b", "c\nd", ".UVMRE/x"]
    with pytest.raises(InputError) as raised:
        read_back(archive(*((name, b"", 0) for name in names)), "x")
    text = "\n".join(raised.value.faults)
    assert all(
        part in text
        for part in ("a is there 2 times", "../b is outside", "'c\\nd' has a character", ".UVMRE/x is not a file")
    )


def test_an_entry_that_lies_about_its_size_is_refused() -> None:
    content = archive(("mre.toml", b"x" * 1000, 0))
    lying = content.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != content
    with pytest.raises(InputError):
        read_back(lying, "x")
