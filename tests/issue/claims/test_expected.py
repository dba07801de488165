"""What the output or a file of a command lacks, according to the post."""

import pytest

from uvmre.core.mre.symptom import FileSymptom
from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_hypotheses

HEAD = "# {title}\n<!-- some/where#1 created 2025-01-20T10:00:00Z -->\n\nuv 0.5.20\n\n"
PROJECT = '```toml\n[project]\nname = "thing"\nversion = "1"\n```\n\n'
TREE = "```console\n$ uv tree\nResolved 2 packages in 3ms\nthing v1\n```\n\n"
LINE = "└── iniconfig v2.0.0 (group: dev)"


def missing(text: str, title: str = "It goes wrong") -> list[Claim]:
    """Return the claims of something missing."""
    return [each.claim for each in read_hypotheses(HEAD.format(title=title) + PROJECT + text) if each.claim.absent]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{TREE}Expected output:\n\n```\nthing v1\n{LINE}\n```\n", id="a block below its sentence"),
        pytest.param(f"{TREE}### Expected behaviour\n\n```\nthing v1\n{LINE}\n```\n", id="a block below its heading"),
        pytest.param(f"{TREE}It should contain `{LINE}`.\n", id="a sentence"),
        pytest.param(f"{TREE}I get `thing v1` instead of `{LINE}`.\n", id="what it is instead of"),
        pytest.param(
            f"{TREE}With an older one it works:\n\n```console\n$ uv tree\nthing v1\n{LINE}\n```\n", id="a pair"
        ),
    ],
)
def test_expected_output_is_looked_for(text: str) -> None:
    (claim,) = missing(text)
    assert (claim.absent, claim.unconfirmed, claim.two_sided) == ((LINE,), True, True)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        pytest.param(f"{TREE}I did not expect this:\n\n```\n{LINE}\n```\n", "It goes wrong", id="not expected"),
        pytest.param(f"{TREE}Expected:\n\n```\n$ uv tree --all\n{LINE}\n```\n", "It goes wrong", id="another command"),
        pytest.param(
            f"{TREE}Expected:\n\n```\nResolved 3 packages in 2ms\n```\n", "It goes wrong", id="always printed"
        ),
        pytest.param(f"{TREE}It should contain `thing v1`.\n", "It goes wrong", id="printed, and short"),
        pytest.param(f"{TREE}You should run `uv tree --all-groups --no-dev`.\n", "It goes wrong", id="a command"),
        pytest.param(f"{TREE}It should contain `{LINE}`.\n", "Add an option to show groups", id="a new feature"),
        pytest.param(
            f"```console\n$ uv tree\nerror: It is all wrong here\n```\n\nIt should contain `{LINE}`.\n",
            "It goes wrong",
            id="the command fails",
        ),
    ],
)
def test_other_text_is_not_missing(text: str, title: str) -> None:
    assert not missing(text, title)


def test_a_missing_text_is_the_symptom_of_a_command_that_succeeds() -> None:
    reading = next(
        each for each in read_hypotheses(HEAD + PROJECT + f"{TREE}It should contain `{LINE}`.\n") if each.claim.absent
    )
    mre = to_mre(reading)
    assert mre.expected
    assert (mre.symptom.exit, mre.symptom.absent, mre.symptom.output) == ("success", (LINE,), ())
    assert (mre.expected.exit, mre.expected.output) == ("success", (LINE,))


def test_a_missing_error_is_expected_of_a_command_that_fails() -> None:
    text = "I run\n\n```\nuv lock\n```\n\nand it should say `error: the table of groups is wrong`, but it succeeds.\n"
    reading = next(each for each in read_hypotheses(HEAD + PROJECT + text) if each.claim.absent)
    mre = to_mre(reading)
    assert mre.expected
    assert (mre.symptom.exit, mre.expected.exit) == ("success", "failure")


RESULT = '[project]\nname = "thing"\nversion = "1"\ndependencies = [\n    "iniconfig>=2",\n]\n'


def test_an_expected_file_without_the_actual_one() -> None:
    text = f"```\nuv add iniconfig\n```\n\nI expect this `pyproject.toml`:\n\n```toml\n{RESULT}```\n"
    (claim,) = missing(text)
    mre = to_mre(next(each for each in read_hypotheses(HEAD + PROJECT + text) if each.claim.absent))
    assert (claim.kind, claim.file) == ("file", "pyproject.toml")
    assert mre.symptom.files == (FileSymptom("pyproject.toml", absent=claim.absent[0]),)
    assert mre.expected
    assert mre.expected.files == (FileSymptom("pyproject.toml", contains=claim.absent[0]),)


def test_an_expected_file_beside_the_actual_one_is_no_missing_text() -> None:
    got = RESULT.replace("iniconfig>=2", "iniconfig")
    text = (
        f"```\nuv add iniconfig\n```\n\nI get this `pyproject.toml`:\n\n```toml\n{got}```\n\n"
        f"I expect this `pyproject.toml`:\n\n```toml\n{RESULT}```\n"
    )
    assert not missing(text)
    mre = to_mre(read_hypotheses(HEAD + PROJECT + text)[0])
    assert mre.expected
    assert [file.path for file in mre.expected.files] == ["pyproject.toml"]
