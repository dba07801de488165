"""Parsing releases, Python versions and platforms."""

import datetime

import pytest

from uvmre.issue.environment.versions import parse_environment, requested_pythons
from uvmre.issue.markdown.blocks import parse_blocks

DAY = datetime.date(2025, 1, 20)
RELEASES = [
    ("0.4.9", datetime.date(2024, 9, 10)),
    ("0.4.18", datetime.date(2024, 10, 1)),
    ("0.5.1", datetime.date(2024, 11, 8)),
    ("0.5.20", datetime.date(2025, 1, 15)),
    ("0.5.21", datetime.date(2025, 1, 17)),
    ("0.5.22", datetime.date(2025, 1, 23)),
]


def read(text: str, title: str = "A bug") -> tuple[str, int, str]:
    told = parse_environment(title, parse_blocks(text.split("\n")), RELEASES, DAY)
    return (told.uv.text, told.uv.line, told.good.text if told.good else "") if told.uv else ("", 0, "")


@pytest.mark.parametrize(
    ("text", "version", "line"),
    [
        ("### Version\n\nuv 0.5.1 (abc 2024-11-08)", "0.5.1", 3),
        ("### Version\n\n0.5.1", "0.5.1", 3),
        ("### Version\n\n0.5", "0.5.21", 3),
        ("```\n$ uv --version\nuv 0.5.1 (Homebrew 2024-11-08)\n```", "0.5.1", 3),
        ("```\nDEBUG uv 0.5.1\n```", "0.5.1", 2),
        ("```\nuv-tool-uvx 0.5.1\n```", "0.5.1", 2),
        ("```\nCOPY --from=ghcr.io/astral-sh/uv:0.5.1 /uv /bin/\n```", "0.5.1", 2),
        ("It is broken since 0.5.1.", "0.5.1", 1),
        ("With `uv==0.5.1` it happens", "0.5.1", 1),
        ("I have checked this on `v0.5.1`", "0.5.1", 1),
        ("Affected: uv v0.5.1, macOS", "0.5.1", 1),
        ("Affected versions: uv 0.4.9 to uv 0.5.1+", "0.5.1", 1),
        ("Nothing is said.", "0.5.21", 0),
        ("### Version\n\n0.16.14\n\nIt fails.", "0.5.21", 0),
        ("### Version\n\nuv 0.5.22", "0.5.21", 0),
        ("### Version\n\nlatest\n\n### Python version\n\n3.12.1", "0.5.21", 0),
    ],
)
def test_the_release_of_the_report(text: str, version: str, line: int) -> None:
    assert read(text)[:2] == (version, line)


def test_release_in_the_title() -> None:
    assert read("It fails.", "lock fails (since 0.4.18)")[:2] == ("0.4.18", 1)


@pytest.mark.parametrize(
    ("text", "bad", "good"),
    [
        ("works in 0.5.1, broken in 0.5.20", "0.5.20", "0.5.1"),
        ("uv 0.5.20 fails. `0.5.1` works fine.", "0.5.20", "0.5.1"),
        ("In uv 0.5.1 this worked for me.\n\nIn uv 0.5.20 it does not.", "0.5.20", "0.5.1"),
        ("It fails in 0.5.20; downgrading to 0.5.1 helps.", "0.5.20", "0.5.1"),
        ("- v0.5.20: it fails\n- v0.5.1: works", "0.5.20", "0.5.1"),
        ("`uv 0.5.1` respected it, whereas `uv 0.5.20` does not.", "0.5.20", "0.5.1"),
    ],
)
def test_a_release_that_works(text: str, bad: str, good: str) -> None:
    found = read(text)
    assert (found[0], found[2]) == (bad, good)


def test_a_release_after_the_post_is_a_doubt() -> None:
    environment = parse_environment("a", parse_blocks(["### Version", "", "0.16.14"]), RELEASES, DAY)
    assert [doubt.text for doubt in environment.doubts] == ["uv 0.16.14 did not exist at the date of the post"]


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("### Python version\n\nPython 3.11.4", "3.11.4"),
        ("### Python version\n\n3.12", "3.12"),
        ("### Python version\n\n_No response_", ""),
        ("```\nUsing CPython 3.10.2 interpreter at: /usr/bin/python\n```", "3.10.2"),
        ("I use python 3.9.1 here", "3.9.1"),
        ("`uv pip compile --python-version 3.8 a.in`", ""),
    ],
)
def test_python(text: str, python: str) -> None:
    told = parse_environment("a", parse_blocks(text.split("\n")))
    assert (told.python.text if told.python else "") == python


@pytest.mark.parametrize(
    ("runs", "pythons"),
    [
        (["uv venv --python 3.9", "uv sync"], ["3.9"]),
        (["uv python pin 3.12"], ["3.12"]),
        (["uv sync -p 3.9", "uv sync -p 3.10"], ["3.9", "3.10"]),
        (["uv pip compile -p 3.7 a.in"], []),
    ],
)
def test_requested_pythons(runs: list[str], pythons: list[str]) -> None:
    assert requested_pythons(runs) == pythons


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("### Platform\n\nWindows 11", "Windows 11"),
        ("I am on macOS 14", "macOS"),
        ("My machine:\n\n```\nuv==0.2.25\nRunning on Windows\n```", "Windows"),
        ("```\nerror: the wheel for windows is missing\n```", ""),
        ("### Platform\n\n_No response_", ""),
    ],
)
def test_platform(text: str, platform: str) -> None:
    told = parse_environment("a", parse_blocks(text.split("\n")))
    assert (told.platform.text if told.platform else "") == platform
