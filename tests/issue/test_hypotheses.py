"""The readings of one post: which commands, errors and files they combine, and which is tried next."""

import pytest

from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_hypotheses

HEAD = "# {title}\n<!-- somebody/something#1 created 2024-10-10T10:00:00Z -->\n\n{text}"
PROJECT = '```toml\n[project]\nname = "a"\nversion = "0.1.0"\n```\n'
ERROR = "```\nerror: the member `ext` stands twice in the table of members\n```\n"
TEXT = "the member `ext` stands twice in the table of members"


def readings(text: str, title: str = "It goes wrong") -> list[tuple[str, str]]:
    """Return the rule and the observed command of every reading."""
    found = read_hypotheses(HEAD.format(title=title, text=text))
    return [(each.claim.rule, each.commands[each.claim.command].run if each.commands else "") for each in found]


@pytest.mark.parametrize(
    ("title", "text", "first"),
    [
        pytest.param("`uv lock` fails", PROJECT + ERROR, ("loose-error", "uv lock"), id="code in the title"),
        pytest.param(
            "uv sync --frozen is broken", PROJECT + ERROR, ("loose-error", "uv sync --frozen"), id="words of the title"
        ),
        pytest.param("It fails", f"{PROJECT}Here `uv export --frozen` did that.\n\n{ERROR}", None, id="a sentence"),
        pytest.param("It fails", PROJECT + ERROR, ("loose-error", "uv lock"), id="what a posted project is for"),
        pytest.param("Sync it with uv, please", "Nothing else.", ("", ""), id="words that are no command"),
    ],
)
def test_a_command_that_the_post_does_not_show(title: str, text: str, first: tuple[str, str] | None) -> None:
    found = readings(text, title)
    assert found[0] == (first or found[0])
    assert first or found[0][1] == "uv export --frozen"


def test_an_error_is_looked_for_at_every_command_that_may_have_printed_it() -> None:
    found = readings(f"{PROJECT}\n```console\n$ uv lock\n$ uv tree\n```\n\nOne of them says:\n\n{ERROR}")
    assert found[:3] == [("failing-output", "uv tree"), ("error-elsewhere", "uv lock"), ("error-elsewhere", "uv sync")]


def test_a_command_that_works_or_has_an_error_of_its_own_did_not_print_another_one() -> None:
    own = "```console\n$ uv lock\nerror: something else is wrong with this file\n$ uv tree\n```\n"
    assert ("error-elsewhere", "uv lock") not in [
        (rule, run) for rule, run in readings(f"{PROJECT}{own}\n\n## Log\n\n{ERROR}") if rule == "loose-error"
    ]


REQUIREMENTS = "```\nsix\n```\n"
TWO = f"Given `requirements.txt`:\n\n{REQUIREMENTS}\nImagine that `requirements.txt` is:\n\n```\niniconfig\n```\n"
COMMAND = f"```console\n$ uv pip compile requirements.txt\nerror: {TEXT}\n```\n"


def requirements(parsed: ParsedIssue) -> str:
    file = to_mre(parsed).file("requirements.txt")
    return file.content.decode() if file else ""


def test_of_two_versions_of_a_file_the_first_is_a_reading_of_its_own() -> None:
    found = read_hypotheses(HEAD.format(title="It goes wrong", text=TWO + COMMAND))
    assert [requirements(each).strip() for each in found[:2]] == ["iniconfig", "six"]
    found = read_hypotheses(HEAD.format(title="It goes wrong", text=REQUIREMENTS + COMMAND))
    assert {requirements(each).strip() for each in found} == {"six"}


def test_a_block_above_the_command_that_uses_a_name_is_that_file() -> None:
    text = f"Given:\n\n{REQUIREMENTS}\n{COMMAND}\nImagine that `requirements.txt` is:\n\n```\niniconfig\n```\n"
    assert requirements(read_hypotheses(HEAD.format(title="It goes wrong", text=text))[0]).strip() == "six"


@pytest.mark.parametrize(
    ("sentence", "run"),
    [
        ("I run `uv lock --check` (I just ran `uv lock`) and get:", "uv lock --check"),
        ("I run `uv lock --check` and then `uv lock`, and get:", "uv lock"),
    ],
)
def test_a_command_in_parentheses_did_not_print_the_output_below(sentence: str, run: str) -> None:
    assert readings(f"{PROJECT}\n{sentence}\n\n{ERROR}")[0] == ("failing-output", run)


@pytest.mark.parametrize(
    ("runs", "python", "pythons"),
    [
        ("$ uv venv -p 3.11 a\n$ uv python pin 3.12", "3.12", ("3.11",)),
        ("$ uv venv -p 3.11 a", "3.11", ()),
        ("$ uv pip compile -p 3.9 requirements.txt", "", ()),
    ],
)
def test_all_requested_interpreters_are_there(runs: str, python: str, pythons: tuple[str, ...]) -> None:
    (first, *_) = read_hypotheses(HEAD.format(title="It goes wrong", text=f"```console\n{runs}\nerror: {TEXT}\n```\n"))
    environment = to_mre(first).environment
    assert {environment.python, *environment.pythons} - {""} == {python, *pythons} - {""}


@pytest.mark.parametrize(
    ("enters", "kept"), [("cd $(mktemp -d)", False), ('cd "$(mktemp -d -t x)"', False), ("mkdir b && cd b", True)]
)
def test_a_new_empty_folder_is_that_of_the_mre(enters: str, kept: bool) -> None:
    text = f"```console\n$ {enters}\n$ uv lock\nerror: {TEXT}\n```\n"
    (first, *_) = read_hypotheses(HEAD.format(title="It goes wrong", text=text))
    assert ("cd" in to_mre(first).steps[-1].run) == kept
