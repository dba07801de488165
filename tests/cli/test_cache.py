"""`uvmre cache`, by the real command line. Needs no network."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, Ended
from uvmre.cli.console import format_size
from uvmre.releases import cache_users

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
HOUR = 60 * 60


def du(path: Path) -> int:
    """Return what `du` says."""
    return int(subprocess.check_output(["du", "-s", "-B1", path]).split()[0])


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
    return lambda *arguments, **variables: uvmre("cache", *arguments, **{"XDG_CACHE_HOME": str(home), **variables})


def plain(ended: Ended) -> tuple[int, str, str]:
    return ended.exit, ended.stdout, ended.stderr


def test_its_folder_is_reported(cached: CommandLine, home: Path) -> None:
    assert plain(cached("dir")) == (0, f"{home}/uvmre\n", "")
    assert cached("dir", "--json").json("cache") == {"schema": 1, "path": f"{home}/uvmre"}


def test_its_releases_are_listed_by_their_use(cached: CommandLine) -> None:
    ended = cached("ls")
    assert ended.exit == 0
    assert ended.stdout.splitlines() == [
        "0.5.21  0.2 MB  used 2 hours ago",
        "0.10.0  0.2 MB  used 3 hours ago",
        "0.5.20  0.2 MB  used 2 days ago",
        "3 releases, 0.6 MB",
    ]


def test_its_releases_are_listed_as_json(cached: CommandLine, home: Path) -> None:
    data = cached("ls", "--json").json("cache")
    assert [(each["version"], each["bytes"], each["in_use"]) for each in data["releases"]] == [
        (version, du(home / "uvmre" / "uv" / version), False) for version in ("0.5.21", "0.10.0", "0.5.20")
    ]
    assert data["bytes"] == sum(each["bytes"] for each in data["releases"])


def test_its_size_is_reported_by_kind(cached: CommandLine, home: Path) -> None:
    ended = cached("size")
    assert [line.split()[:3] for line in ended.stdout.splitlines()[:2]] == [
        ["uv", "0.6", "MB"],
        ["bodies", *format_size(du(home / "uvmre" / "bodies")).split()],
    ]
    assert ended.stdout.splitlines()[-1] == f"0.6 MB in {home}/uvmre"
    data = cached("size", "--json").json("cache")
    assert {each["kind"]: (each["files"], each["bytes"]) for each in data["kinds"]} == {
        "uv": (3, du(home / "uvmre" / "uv")),
        "bodies": (1, du(home / "uvmre" / "bodies")),
        "recording": (0, 0),
        "gateway": (0, 0),
        "recordings": (0, 0),
        "outcomes.sqlite": (0, 0),
        "triage": (0, 0),
        "images": (0, 0),
        "rest": (0, 0),
    }
    assert data["bytes"] == du(home / "uvmre") - (home / "uvmre").stat().st_blocks * 512


def test_prune_says_what_it_freed(cached: CommandLine, home: Path) -> None:
    (home / "uvmre" / "prune.lock").touch()
    before = du(home)
    ended = cached("prune", "--keep", "1", "--size", "none")
    assert plain(ended) == (0, f"deleted 2 releases; {format_size(before - du(home))} freed; 1 release kept\n", "")
    assert os.listdir(home / "uvmre" / "uv") == ["0.5.21"]  # noqa: PTH208 - what is hidden counts
    assert (home / "uvmre" / "bodies" / "ab" / "abcdef").exists()


def test_what_is_in_use_is_spared_and_what_is_freed_is_what_du_finds_gone(cached: CommandLine, home: Path) -> None:
    cache = home / "uvmre"
    (cache / "bodies" / ".aside-x").write_bytes(b"x" * 8)
    os.utime(cache / "bodies" / ".aside-x", (0, 0))
    cache_users.hold(cache, "uv/0.5.20")
    try:
        (cache / "prune.lock").touch()
        before = du(home)
        data = cached("prune", "--keep", "0", "--json").json("cache")
        assert data == {
            "schema": 1,
            "path": str(cache),
            "removed": ["0.5.21", "0.10.0"],
            "spared": ["0.5.20"],
            "kept": 1,
            "left_overs": 1,
            "others": {},
            "freed": before - du(home),
        }
        assert "kept because in use: 0.5.20" in cached("prune", "--keep", "0").stderr
    finally:
        cache_users.release_all(cache)
    assert cached("prune", "--keep", "0", "--json").json("cache")["removed"] == ["0.5.20"]


@pytest.mark.parametrize("where", ["option", "variable"])
def test_the_limits_are_options_or_variables(cached: CommandLine, home: Path, where: str) -> None:
    def prune(size: str, age: str) -> dict[str, Any]:
        arguments = ("--size", size, "--age", age) if where == "option" else ()
        variables = {} if where == "option" else {"UVMRE_CACHE_SIZE": size, "UVMRE_CACHE_AGE": age}
        return cached("prune", "--json", *arguments, **variables).json("cache")

    assert prune("none", "none")["removed"] == []
    assert prune("5 GB", "1 day")["removed"] == ["0.5.20"]
    assert prune("0.3 MB", "none")["removed"] == ["0.10.0"]
    data = prune("0", "none")
    assert (data["removed"], data["others"]) == (["0.5.21"], {"bodies": 1})


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        pytest.param(("--size", "much"), {}, "`--size` is not valid: `much`", id="no number"),
        pytest.param(("--size", "5 days"), {}, "`--size` is not valid", id="no unit of size"),
        pytest.param(("--age", "-1 day"), {}, "`--age` is not valid", id="less than nothing"),
        pytest.param((), {"UVMRE_CACHE_AGE": "5 GB"}, "`UVMRE_CACHE_AGE` is not valid: `5 GB`", id="a variable"),
    ],
)
def test_a_limit_that_is_none_is_wrong_usage(
    cached: CommandLine, arguments: tuple[str, ...], variables: dict[str, str], message: str
) -> None:
    ended = cached("prune", *arguments, **variables)
    assert (ended.exit, message in ended.stderr, "use a number with a unit" in ended.stderr) == (2, True, True)


@pytest.mark.parametrize("arguments", [("ls",), ("size",), ("prune",), ("dir",)], ids=" ".join)
def test_a_cache_that_is_not_there_is_empty(cached: CommandLine, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = cached(*arguments, "--json", XDG_CACHE_HOME=str(tmp_path / "none"))
    assert ended.exit == 0
    ended.json("cache")
    assert cached(*arguments, XDG_CACHE_HOME=str(tmp_path / "none")).exit == 0
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "arguments", [("prune", "--keep", "-1"), ("prune", "--keep", "many"), ("empty",)], ids=" ".join
)
def test_what_is_no_command_is_wrong_usage(cached: CommandLine, arguments: tuple[str, ...]) -> None:
    ended = cached(*arguments)
    assert (ended.exit, ended.stdout) == (2, "")
    assert "error: " in ended.stderr
