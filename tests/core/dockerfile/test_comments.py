"""The comment with files of an MRE in a Dockerfile."""

import pytest

from uvmre.core.dockerfile.comments import MARK, comment, split_comment
from uvmre.core.mre.files import File
from uvmre.errors import InputError

FILES = (
    File("mre.toml", b"# a comment\n\nschema = 1\n## 644 text x\n"),
    File("a b", b"  no newline", executable=True),
    File("binary", b"\xff"),
    File("empty", b""),
)


def test_files_in_a_comment_come_back() -> None:
    lines = ["# syntax=docker/dockerfile:1", *comment(FILES), "# another", "FROM x"]
    assert all(not line or line.startswith("#") for line in comment(FILES))
    files, rest = split_comment(lines, "Dockerfile")
    assert tuple(files.values()) == FILES
    assert rest == ["# syntax=docker/dockerfile:1", "# another", "FROM x"]


def test_without_a_comment_nothing_is_taken() -> None:
    assert split_comment(["# x", "FROM y"], "Dockerfile") == ({}, ["# x", "FROM y"])
    assert split_comment([MARK], "Dockerfile") == ({}, [])


def test_a_damaged_file_is_an_error() -> None:
    with pytest.raises(InputError) as raised:
        split_comment([MARK, "## 644 base64 a", "# *"], "Dockerfile")
    assert raised.value.faults[0].startswith("line 2: ")
