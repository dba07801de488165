"""What stand-ins are made of: an interpreter of this machine without what was installed into it, and when there is none."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from uvmre.errors import CannotTell
from uvmre.run import interpreters
from uvmre.run.engines import rootfs


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the prefix of an interpreter, the only one of its version."""
    folder = tmp_path / "prefix"
    for name in (
        "lib/python3.99/os.py",
        "lib/python3.99/__pycache__/os.pyc",
        "lib/python3.99/site-packages/torch/big.bin",
        "lib/python3.99/test/test_os.py",
        "lib/python3.99/ensurepip/__init__.py",
        "lib/libpython3.99.so.1.0",
        "lib/other.so",
        "include/python3.99/Python.h",
        "share/doc",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "bin").mkdir()
    (folder / "bin" / "python3.99").write_text("#!/bin/sh\necho 3.99.7\n")
    (folder / "bin" / "python3.99").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin:/usr/bin:/bin")
    yield folder
    interpreters._version.cache_clear()


def test_an_interpreter_is_packed_once_without_what_was_installed_into_it(prefix: Path, tmp_path: Path) -> None:
    messages: list[str] = []
    cache = tmp_path / "cache"
    version, archive = rootfs.interpreter("3.99", cache, messages.append)
    assert (version, archive) == ("3.99.7", cache / "images" / "python-3.99.7.tar")
    with tarfile.open(archive) as packed:
        files = {member.name for member in packed if member.isfile()}
        assert {(member.uid, member.gid) for member in packed} == {(0, 0)}
    assert files == {
        "bin/python3.99",
        "lib/python3.99/os.py",
        "lib/python3.99/ensurepip/__init__.py",
        "lib/libpython3.99.so.1.0",
        "include/python3.99/Python.h",
    }
    written = archive.stat().st_ino
    assert rootfs.interpreter("3.99.7", cache, messages.append) == (version, archive)
    assert (archive.stat().st_ino, len(messages)) == (written, 1)
    assert not list(cache.glob(".aside-*"))


def test_a_version_that_is_not_here_is_reported_with_those_that_are(prefix: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match=r"Python 3\.99\.8") as caught:
        rootfs.interpreter("3.99.8", tmp_path, print)
    assert "uv python install 3.99.8" in caught.value.hint
    assert "3.99" in caught.value.cause


def test_the_systems_own_interpreter_cannot_be_copied(prefix: Path, tmp_path: Path) -> None:
    (prefix / "lib" / "python3.99" / "os.py").unlink()
    with pytest.raises(CannotTell) as caught:
        rootfs.interpreter("3.99", tmp_path, print)
    assert "system" in caught.value.cause


def test_a_root_that_is_kept_needs_no_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotTell, match="debootstrap"):
        rootfs.debian("bookworm", tmp_path / "cache", print)
    archive = tmp_path / "cache" / "images" / "bookworm.tar"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"")
    assert rootfs.debian("bookworm", tmp_path / "cache", print) == archive


@pytest.mark.parametrize("script", ["echo 'E: no such suite' >&2; exit 1", "echo 'E: no such suite'; exit 3"])
def test_a_debootstrap_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    tool = tmp_path / "bin" / "debootstrap"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}")
    with pytest.raises(CannotTell, match="debootstrap") as caught:
        rootfs.debian("bookworm", tmp_path / "cache", print)
    assert caught.value.cause == "E: no such suite"
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["bookworm.lock"]
