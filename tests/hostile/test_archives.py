"""Recordings and archives that a stranger sent."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.hostile.outside import Stranger, stranger
from uvmre.gateway.index.distributions import read_metadata

__all__ = ["stranger"]

ENTRY = {
    "method": "GET",
    "url": "https://pypi.org/simple/a/",
    "status": 200,
    "headers": [],
    "sha256": "0" * 64,
    "size": 1,
}
UNREADABLE = "`x.json` is not an entry of a recording; delete it"


def recording(stranger: Stranger) -> Path:
    folder = stranger.mre() / ".uvmre" / "recording"
    folder.mkdir(parents=True)
    return folder


ENTRIES = {
    "deep": "[" * 100_000,
    "a digest that is a path": json.dumps({**ENTRY, "sha256": "../../../outside/precious.json"}),
    "escapes": json.dumps({**ENTRY, "url": "https://pypi.org/\x1b[2J"}),
    "two lines": json.dumps({**ENTRY, "url": "https://pypi.org/\n1 answer, no faults"}),
    "a negative size": json.dumps({**ENTRY, "size": -1}),
    "large": json.dumps({**ENTRY, "url": "https://pypi.org/" + "x" * 2_000_000}),
}


@pytest.mark.parametrize("content", ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_that_cannot_be_true_is_none(stranger: Stranger, content: str) -> None:
    (recording(stranger) / "x.json").write_text(content)
    ended = stranger.uvmre("recording", "ls", stranger.folder)
    assert ended.exit == 0
    assert ended.stdout == "0 answers, 0 bytes\n"
    assert UNREADABLE in ended.stderr


@pytest.mark.parametrize("kind", ["pipe", "link", "device"])
def test_an_entry_that_is_no_file_is_none(stranger: Stranger, kind: str) -> None:
    path = recording(stranger) / "x.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else stranger.outside / "precious.json")
    ended = stranger.uvmre("recording", "ls", stranger.folder)
    assert (ended.exit, "is a symbolic link" in ended.stderr) in ((0, False), (2, True))
    assert kind != "pipe" or UNREADABLE in ended.stderr


@pytest.mark.parametrize("kind", ["pipe", "link", "device"])
def test_a_body_that_is_no_file_is_damaged(stranger: Stranger, kind: str) -> None:
    folder = recording(stranger)
    (folder / "x.json").write_text(json.dumps(ENTRY))
    body = folder / "bodies" / "00" / ("0" * 64)
    body.parent.mkdir(parents=True)
    if kind == "pipe":
        os.mkfifo(body)
    else:
        body.symlink_to("/dev/zero" if kind == "device" else stranger.outside / "precious.json")
    ended = stranger.uvmre("recording", "verify", stranger.folder)
    assert ended.exit == 1
    assert "its body 000000000000 is damaged" in ended.stdout


def test_deleting_a_recording_deletes_only_entries(stranger: Stranger) -> None:
    folder = recording(stranger)
    (folder / "x.json").write_text(json.dumps(ENTRY))
    (folder / "notes.txt").write_text("kept")
    assert stranger.uvmre("recording", "rm", stranger.folder).stdout == "deleted 1 answer\n"
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["..\\..\\evil", "a\nb", "\x1b[2J"])
def test_a_pack_has_no_name_that_leaves_its_folder_elsewhere(stranger: Stranger, name: str) -> None:
    (recording(stranger) / "x.json").write_text(json.dumps(ENTRY))
    (stranger.folder / name).touch()
    ended = stranger.uvmre("recording", "pack", "made", stranger.folder)
    assert ended.exit == 2
    assert "has a character that not every system has" in ended.stderr
    assert not (stranger.root / "made").exists()


def test_a_pack_does_not_replace_another_file(stranger: Stranger) -> None:
    recording(stranger)
    ended = stranger.uvmre("recording", "pack", stranger.outside / ".bashrc", stranger.folder)
    assert ended.exit == 2
    assert "already exists and is not a pack" in ended.stderr


def wheel(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def sdist(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_the_metadata_of_archives_is_read() -> None:
    assert read_metadata("a.whl", wheel(("a-1.dist-info/METADATA", b"x"))) == b"x"
    assert read_metadata("a.tar.gz", sdist((member("a-1/x"), b"y"), (member("a-1/PKG-INFO"), b"x"))) == b"x"


def encrypted() -> bytes:
    data = bytearray(wheel(("a-1.dist-info/METADATA", b"x"), method=zipfile.ZIP_STORED))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def unknown_method() -> bytes:
    data = bytearray(wheel(("a-1.dist-info/METADATA", b"x"), method=zipfile.ZIP_STORED))
    data[data.index(b"PK\x01\x02") + 10] = data[8] = 97
    return bytes(data)


ARCHIVES = {
    "a bomb in a wheel": ("a.whl", lambda: wheel(("a-1.dist-info/METADATA", bytes(50_000_000)))),
    "a bomb in an sdist": ("a.tar.gz", lambda: sdist((member("a-1/PKG-INFO"), bytes(50_000_000)))),
    "encrypted": ("a.whl", encrypted),
    "an unknown compression": ("a.whl", unknown_method),
    "a link": ("a.tar.gz", lambda: sdist((member("a-1/PKG-INFO", tarfile.SYMTYPE, "/etc/passwd"), b""))),
    "a hard link": ("a.tar.gz", lambda: sdist((member("a-1/PKG-INFO", tarfile.LNKTYPE, "/etc/passwd"), b""))),
    "a device": ("a.tar.gz", lambda: sdist((member("a-1/PKG-INFO", tarfile.CHRTYPE), b""))),
    "cut off": ("a.tar.gz", lambda: sdist((member("a-1/PKG-INFO"), os.urandom(10_000)))[:5_000]),
    "no archive": ("a.whl", lambda: b"PK\x03\x04" + bytes(100)),
    "rubbish in a gzip": ("a.tar.gz", lambda: gzip.compress(os.urandom(2_000))),
}


@pytest.mark.parametrize(("name", "make"), ARCHIVES.values(), ids=ARCHIVES.keys())
def test_an_archive_without_readable_metadata_has_none(name: str, make) -> None:  # type: ignore[no-untyped-def]
    assert read_metadata(name, make()) is None


def test_the_first_of_two_members_of_a_name_counts() -> None:
    twice = sdist((member("a-1/PKG-INFO"), b"first"), (member("a-1/PKG-INFO"), b"second"))
    assert read_metadata("a.tar.gz", twice) == b"first"
