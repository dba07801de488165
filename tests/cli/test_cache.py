"""`uvmre cache`, by the real command line. Needs no network."""

import json
import os
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conftest import CommandLine, Ended

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
HOUR = 60 * 60


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a cache home with three releases, used two hours, three hours and two days ago, and a body."""
    for version, age in (("0.5.20", 48), ("0.5.21", 2), ("0.10.0", 3)):
        folder = tmp_path / "home" / "uvmre" / "uv" / version
        folder.mkdir(parents=True)
        (folder / "uv").write_bytes(b"x" * 200_000)
        os.utime(folder, (time.time() - age * HOUR - 60,) * 2)
    body = tmp_path / "home" / "uvmre" / "bodies" / "ab" / "abcdef"
    body.parent.mkdir(parents=True)
    body.write_bytes(b"x" * 42)
    return tmp_path / "home"


@pytest.fixture
def cached(uvmre: CommandLine, home: Path) -> CommandLine:
    return lambda *words, **named: uvmre("cache", *words, **{"XDG_CACHE_HOME": str(home), **named})


def told(ended: Ended) -> dict[str, Any]:
    """Return what was answered as JSON, which has to be as its schema says."""
    data: dict[str, Any] = json.loads(ended.stdout)
    jsonschema.validate(data, json.loads((SCHEMAS / "cache.json").read_text()))
    return data


def plain(ended: Ended) -> tuple[int, str, str]:
    return ended.exit, ended.stdout, ended.stderr


def test_its_folder_is_told(cached: CommandLine, home: Path) -> None:
    assert plain(cached("dir")) == (0, f"{home}/uvmre\n", "")
    assert told(cached("dir", "--json")) == {"schema": 1, "path": f"{home}/uvmre"}


def test_its_releases_are_listed_by_their_use(cached: CommandLine) -> None:
    ended = cached("ls")
    assert ended.exit == 0
    assert ended.stdout.splitlines() == [
        "0.5.21  0.2 MB  used 2 hours ago",
        "0.10.0  0.2 MB  used 3 hours ago",
        "0.5.20  0.2 MB  used 2 days ago",
        "3 releases, 0.6 MB",
    ]


def test_its_releases_are_listed_as_json(cached: CommandLine) -> None:
    data = told(cached("ls", "--json"))
    assert [(each["version"], each["bytes"], each["in_use"]) for each in data["releases"]] == [
        ("0.5.21", 200_000, False),
        ("0.10.0", 200_000, False),
        ("0.5.20", 200_000, False),
    ]
    assert data["bytes"] == 600_000


def test_its_size_is_told_by_kind(cached: CommandLine, home: Path) -> None:
    ended = cached("size")
    assert [line.split()[:3] for line in ended.stdout.splitlines()[:2]] == [
        ["uv", "0.6", "MB"],
        ["bodies", "42", "bytes"],
    ]
    assert ended.stdout.splitlines()[-1] == f"0.6 MB in {home}/uvmre"
    data = told(cached("size", "--json"))
    assert {each["kind"]: (each["files"], each["bytes"]) for each in data["kinds"]} == {
        "uv": (3, 600_000),
        "bodies": (1, 42),
        "tape": (0, 0),
        "gateway": (0, 0),
        "tapes": (0, 0),
        "outcomes.sqlite": (0, 0),
        "triage": (0, 0),
        "images": (0, 0),
        "rest": (0, 0),
    }
    assert data["bytes"] == 600_042


def test_prune_says_what_it_freed(cached: CommandLine, home: Path) -> None:
    assert plain(cached("prune", "--keep", "1")) == (0, "2 releases deleted, 0.4 MB freed; 1 kept\n", "")
    assert os.listdir(home / "uvmre" / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts
    assert (home / "uvmre" / "bodies" / "ab" / "abcdef").exists()


def test_prune_tells_the_same_as_json(cached: CommandLine, home: Path) -> None:
    os.utime(home / "uvmre" / "uv" / "0.5.20")
    (home / "uvmre" / "bodies" / ".aside-x").write_bytes(b"x" * 8)
    os.utime(home / "uvmre" / "bodies" / ".aside-x", (0, 0))
    data = told(cached("prune", "--keep", "0", "--json"))
    assert data == {
        "schema": 1,
        "path": f"{home}/uvmre",
        "removed": ["0.5.21", "0.10.0"],
        "spared": ["0.5.20"],
        "kept": 1,
        "left_overs": 1,
        "freed": 400_008,
    }


def test_what_is_spared_is_told(cached: CommandLine, home: Path) -> None:
    os.utime(home / "uvmre" / "uv" / "0.5.20")
    ended = cached("prune", "--keep", "0")
    assert ended.stdout == "2 releases deleted, 0.4 MB freed; 1 kept\n"
    assert "0.5.20" in ended.stderr


def test_twenty_are_kept_where_nothing_else_is_said(cached: CommandLine, home: Path) -> None:
    for number in range(30):
        folder = home / "uvmre" / "uv" / f"0.4.{number}"
        folder.mkdir()
        (folder / "uv").touch()
        os.utime(folder, (0, 0))
    assert told(cached("prune", "--json"))["kept"] == 20
    assert len(told(cached("ls", "--json"))["releases"]) == 20


@pytest.mark.parametrize("words", [("ls",), ("size",), ("prune",), ("dir",)], ids=" ".join)
def test_a_cache_that_is_not_there_is_empty(cached: CommandLine, tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = cached(*words, "--json", XDG_CACHE_HOME=str(tmp_path / "none"))
    assert ended.exit == 0
    told(ended)
    assert cached(*words, XDG_CACHE_HOME=str(tmp_path / "none")).exit == 0
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words", [("prune", "--keep", "-1"), ("prune", "--keep", "many"), ("empty",)], ids=" ".join)
def test_what_is_no_command_is_wrong_usage(cached: CommandLine, words: tuple[str, ...]) -> None:
    ended = cached(*words)
    assert (ended.exit, ended.stdout) == (2, "")
    assert "error: " in ended.stderr
