"""Errors in sentences, and errors that are not uv's."""

import pytest

from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.read import read_issue

PROJECT = '```toml\n[project]\nname = "a"\nversion = "1"\n```\n'


def claim(text: str, title: str = "It goes wrong") -> Claim:
    return read_issue(f"# {title}\n\n{PROJECT}\n{text}").claim


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('`uv sync` stops with "the thing is of the wrong shape".', ("the thing is of the wrong shape",)),
        ("`uv sync` fails with “the thing is of the wrong shape”.", ("the thing is of the wrong shape",)),
        ("`uv sync` exits with `the thing is of the wrong shape`.", ("the thing is of the wrong shape",)),
        ("I run `uv sync`. The log says: The `thing` is of the wrong shape.", ("The `thing` is of the wrong shape",)),
        ('`uv sync` fails with "--no-cache is not the cause", I think.', ()),
        ("`uv sync` fails with `uv lock --check` before it.", ()),
        ('`uv sync` correctly fails with "the thing is of the wrong shape".', ()),
        ('`uv sync` does not work as expected, it fails with "the thing is odd".', ("the thing is odd",)),
        ('`uv sync` is "the thing that I really like".', ()),
        ('`uv sync` should fail with "the thing is of the wrong shape".', ()),
    ],
)
def test_quoted_errors(text: str, output: tuple[str, ...]) -> None:
    found = claim(text)
    assert found.output == output


def test_an_error_in_the_title() -> None:
    assert claim("I run `uv sync`.", 'uv sync fails with "it is not to be found"').output == ("it is not to be found",)


STEPS = "1. `uv lock`\n2. `uv sync`\n3. `uv lock` again\n\n"


@pytest.mark.parametrize(
    ("text", "command", "output"),
    [
        (f"{STEPS}Step 3 says that the lockfile needs to be updated.", 2, ("lockfile…needs to be updated",)),
        (f"{STEPS}Step 2 then complains that an environment is missing, always.", 1, ("environment…is missing",)),
        (f"{STEPS}It reports that some package has no source.", 2, ("some package…has no source",)),
        (f"{STEPS}Step 3 should say that the lockfile needs to be updated.", -1, ()),
        (f"{STEPS}My colleague says that the lockfile needs to be updated.", -1, ()),
    ],
)
def test_retold_errors(text: str, command: int, output: tuple[str, ...]) -> None:
    found = claim(text)
    assert (found.command, found.output) == (command, output)
    assert found.unconfirmed or not output


@pytest.mark.parametrize(
    ("script", "unconfirmed"),
    [
        ("raise SystemExit('the setting has the wrong shape')", True),
        ("raise ValueError(f'the setting has the {what}')", False),
        ("print('hello')", False),
    ],
)
def test_an_error_of_a_posted_program_is_unconfirmed(script: str, unconfirmed: bool) -> None:
    text = (
        f"```python\n# a.py\n{script}\n```\n```console\n$ uv run a.py\nValueError: the setting has the wrong shape\n```"
    )
    found = claim(text)
    assert found.output[-1].endswith("the setting has the wrong shape")
    assert found.unconfirmed == unconfirmed


WARNING = "```\nwarning: the member `ext` stands twice in the table\n```\n"


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (
            f"This warning appears:\n\n{WARNING}\n1. `uv lock`\n2. Run `uv tree`",
            ("the member `ext` stands twice in the table",),
        ),
        (
            "I run `uv lock`.\n\n## Log\n\n```\nwarning: `uv lock` is experimental and may change without warning\n```\n",
            (),
        ),
    ],
)
def test_a_warning_below_no_command(text: str, output: tuple[str, ...]) -> None:
    assert claim(text).output == output


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ("warning: the member `ext` stands twice  👈 is this so?", ("the member `ext` stands twice",)),
        ("warning: the member `ext` stands twice   <--- here", ("the member `ext` stands twice",)),
        ("warning: the member `ext` needs six <2", ("the member `ext` needs six <2",)),
        ("warning: the member `ext` stands twice <<< here", ("the member `ext` stands twice",)),
        ("warning: the member `ext` of `cat <<EOF` stands twice", ("the member `ext` of `cat <<EOF` stands twice",)),
    ],
)
def test_a_remark_behind_a_line_is_not_output(line: str, output: tuple[str, ...]) -> None:
    assert claim(f"```console\n$ uv lock\n{line}\n```\n", "The member `ext` stands twice, needs").output == output
