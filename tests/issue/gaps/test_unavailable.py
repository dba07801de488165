"""Gaps: platforms, networks, hosts and repositories that are not available."""

import pytest

from uvmre.core.triage.parsed_issue import Claim, Command, Located, PostedFile
from uvmre.issue.environment.versions import PostedEnvironment
from uvmre.issue.gaps.unavailable import private_resources, unavailable_platform

COMMANDS = [Command("uv sync", 3)]


@pytest.mark.parametrize(
    ("output", "title", "words"),
    [
        ("error: Access is denied. (os error 5)", "", ["Windows"]),
        ("error: codesign failed", "", ["macOS"]),
        ("error: a", "uv fails on PyPy", ["CPython"]),
        ("error sending request for url (https://a)", "", ["network"]),
        ("error: Permission denied", "", ["permissions"]),
        ("error: a", "uv hangs", ["hangs"]),
        ("error: a", "uv sync makes the terminal freeze", ["hangs"]),
        ("error: a", "uv pip freeze fails", []),
        ("error: a", "`uv pip freeze` fails, and `pytest-randomly` too", []),
        ("error: a", "uv is slow", ["performance"]),
        ("error: a", "uv fails", []),
    ],
)
def test_blocking_gaps(output: str, title: str, words: list[str]) -> None:
    gaps = unavailable_platform(COMMANDS, Claim("failure", 0, 4, (output,)), PostedEnvironment(), title, "")
    assert [(gap.blocking, word in gap.description) for gap, word in zip(gaps, words, strict=True)] == [
        (True, True) for _ in words
    ]


def test_windows_without_a_command() -> None:
    environment = PostedEnvironment(platform=Located("Windows 11", 9))
    assert unavailable_platform([], Claim("none", -1, 0), environment, "", "")
    assert not unavailable_platform(COMMANDS, Claim("failure", 0, 4, ("a",)), environment, "", "")


def test_a_network_error_of_an_outage_is_not_blocking() -> None:
    claim = Claim("failure", 0, 4, ("connection refused (os error 111)",))
    (gap,) = unavailable_platform(COMMANDS, claim, PostedEnvironment(), "", "", has_outages=True)
    assert not gap.blocking


@pytest.mark.parametrize(("claim", "blocking"), [(Claim("failure", 0, 4, ("a",)), False), (Claim("none", -1, 0), True)])
def test_an_intermittent_failure_blocks_only_an_unclear_claim(claim: Claim, blocking: bool) -> None:
    (gap,) = unavailable_platform(COMMANDS, claim, PostedEnvironment(), "", "It is flaky.")
    assert gap.blocking is blocking


@pytest.mark.parametrize(
    ("run", "gaps"),
    [
        ("uv add a --index https://pypi.org/simple", 0),
        ("uv add a --index https://acme.test/simple", 1),
        ("uv add git+https://acme.test/a", 2),
        ("uv add [package]", 1),
        ("uv add your-company-package", 1),
    ],
)
def test_private_resources_of_a_command(run: str, gaps: int) -> None:
    found = private_resources([Command(run, 3)], Claim("none", -1, 0), [], [])
    assert ([gap.line for gap in found], all(gap.blocking and gap.question for gap in found)) == ([3] * gaps, True)


def test_a_stand_in_is_available() -> None:
    command = Command("uv add a --index https://acme.test/simple", 3)
    assert private_resources([command], Claim("none", -1, 0), [], ["acme.test"]) == []


def test_metadata_and_comments_are_not_requested() -> None:
    text = "[project.urls]\nhomepage = 'https://acme.test'\n# index = 'https://acme.test/simple'\n"
    assert private_resources([], Claim("none", -1, 0), [PostedFile("pyproject.toml", text, 1, "")], []) == []


def test_a_name_in_code_says_nothing_of_chance() -> None:
    claim = Claim("failure", 0, 4, ("error: a",))
    assert not unavailable_platform(COMMANDS, claim, PostedEnvironment(), "", "I add `pytest-randomly` first.")
    assert unavailable_platform(COMMANDS, claim, PostedEnvironment(), "", "It fails randomly.")
