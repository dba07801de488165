"""Commands that print nothing."""

import pytest

from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_hypotheses

HEAD = "# {title}\n<!-- some/where#1 created 2025-01-20T10:00:00Z -->\n\nuv 0.5.20\n\n"
PROJECT = '```toml\n[project]\nname = "thing"\nversion = "1"\n```\n\n'
QUIET = "```console\n$ uv tree\nthing v1\n$ uv tree --invert\nResolved 2 packages in 1ms\n```\n\n"


def silent(text: str, title: str = "It goes wrong") -> list[str]:
    """Return the commands that print nothing, according to a post."""
    found = read_hypotheses(HEAD.format(title=title) + PROJECT + text)
    return [each.commands[each.claim.command].run for each in found if each.claim.rule == "no-output"]


@pytest.mark.parametrize(
    ("text", "title", "run"),
    [
        (QUIET, "uv tree has no output", "uv tree --invert"),
        (f"{QUIET}The last one yields nothing.", "It goes wrong", "uv tree --invert"),
        (f"{QUIET}It does not show the packages.", "It goes wrong", "uv tree --invert"),
        ("```console\n$ uv lock\n$ uv export\n```\n\nThis returns an empty list.", "It goes wrong", "uv export"),
        ("`uv export` gives nothing.", "It goes wrong", "uv export"),
    ],
)
def test_no_output(text: str, title: str, run: str) -> None:
    assert silent(text, title) == [run]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (QUIET, "uv tree is wrong"),
        ("```console\n$ uv tree\nthing v1\n```\n\nI expect no output.", "It goes wrong"),
        ("```console\n$ uv tree\nerror: It is all wrong\n```\n\nSo there is no output.", "It goes wrong"),
        ("```console\n$ uv lock\n```\n\nIt yields nothing.", "It goes wrong"),
        ("With two packages it yields an empty tree.", "`uv pip tree` is wrong"),
    ],
)
def test_output_that_is_there_or_not_to_be_expected(text: str, title: str) -> None:
    assert not silent(text, title)


def test_a_command_that_works_is_no_control_of_a_test_that_runs_the_failing_one() -> None:
    works = "This works:\n\n```console\n$ uv tree\nthing v1\n```\n\n"
    fails = "This has no output:\n\n```console\n$ uv tree --invert\nResolved 2 packages in 1ms\n```\n\n"
    reading = next(each for each in read_hypotheses(HEAD + PROJECT + works + fails) if each.claim.rule == "no-output")
    assert "uv tree --invert" in reading.claim.test
    assert not to_mre(reading).controls
