"""Files that a user names."""

import os
from pathlib import Path

import pytest

from uvmre import files
from uvmre.errors import UsageError


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * 1000)
    assert files.read_bytes(path, limit=1000) == b"x" * 1000
    with pytest.raises(UsageError, match=r"` is larger than 0 MB$"):
        files.read_bytes(path, limit=999)


def test_a_virtual_file_without_a_size_is_read() -> None:
    assert files.read_text("/proc/self/stat").startswith(str(os.getpid()))


def test_a_pipe_of_a_shell_is_read() -> None:
    read, write = os.pipe()
    os.write(write, b"piped")
    os.close(write)
    try:
        assert files.read_text(f"/dev/fd/{read}") == "piped"
    finally:
        os.close(read)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_text_is_utf_8(tmp_path: Path, mark: bytes) -> None:
    (tmp_path / "x").write_bytes(mark + "ä".encode())
    assert files.read_text(tmp_path / "x") == "ä"


def test_another_encoding_is_an_error_with_its_byte(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"ab\xff")
    with pytest.raises(UsageError, match="is not UTF-8") as raised:
        files.read_text(tmp_path / "x")
    assert raised.value.cause == "byte 2 is 0xff"


@pytest.mark.parametrize(("name", "message"), [("none", "file not found: `"), (".", "` is a folder, not a file")])
def test_what_is_no_file_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        files.read_bytes(tmp_path / name)
    assert message in raised.value.message


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is a named pipe, not a file"):
        files.read_bytes(tmp_path / "pipe")


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("none")
    files.require_folder(tmp_path)
    for name, message in (("file", "is not a folder"), ("link", "is a broken symbolic link"), ("none", "not found")):
        with pytest.raises(UsageError, match=message):
            files.require_folder(tmp_path / name)
