"""From a draft to an MRE: steps, the symptom, controls, and what the manifest takes."""

import pytest

from uvmre.core import manifest
from uvmre.core.mre import Mre
from uvmre.issue.mre import to_mre
from uvmre.issue.read import read

PROJECT = '[project]\nname = "thing"\nversion = "1"\nrequires-python = ">=3.11"\n'
ERROR = "error: Failed\n  Caused by: The innermost cause of it all"


def mre(text: str) -> Mre:
    return to_mre(
        read(
            f"# It goes wrong\n<!-- some/where#1 created 2025-01-20T10:00:00Z -->\n\n### Version\n\nuv 0.5.20\n\n# x\n{text}"
        )
    )


def steps(text: str) -> list[tuple[str, str]]:
    return [(step.role, step.run) for step in mre(text).steps]


@pytest.mark.parametrize(
    ("commands", "found"),
    [
        (f"$ uv lock\n$ uv sync\n{ERROR}", [("setup", "uv lock"), ("observe", "uv sync")]),
        (f"$ uv sync\n{ERROR}\n$ uv lock", [("observe", "uv sync")]),
        (
            f"$ mkdir a\n$ cd a\n$ uv init\n$ uv sync\n{ERROR}",
            [("setup", "mkdir a"), ("setup", "cd a\nuv init"), ("observe", "cd a\nuv sync")],
        ),
        (
            f"$ mkdir a && cd $_ && uv init\n$ uv sync\n{ERROR}",
            [("setup", "mkdir a"), ("setup", "cd a\nuv init"), ("observe", "cd a\nuv sync")],
        ),
        (f"$ export UV_A=1\n$ uv sync\n{ERROR}", [("observe", "uv sync")]),
        (
            f"$ uv lock\n$ export UV_A=1\n$ uv sync\n{ERROR}",
            [("setup", "uv lock"), ("observe", "export UV_A=1\nuv sync")],
        ),
        (
            f"$ [[ -e a ]] || uv lock\n$ uv sync\n{ERROR}",
            [("setup", "bash -c '[[ -e a ]] || uv lock'"), ("observe", "uv sync")],
        ),
    ],
)
def test_steps(commands: str, found: list[tuple[str, str]]) -> None:
    assert steps(f"```toml\n{PROJECT}```\n```\n{commands}\n```") == found


def test_variables_that_are_exported_first_are_those_of_every_step() -> None:
    assert mre(f"```\n$ export UV_A=1\n$ uv lock\n{ERROR}\n```").environment.variables == {"UV_A": "1"}


def test_a_command_that_failed_for_the_reporter_too_does_not_stop_the_story() -> None:
    found = steps("# It\n```\n$ uv lock\nerror: Another thing is wrong\n$ uv sync\nerror: It goes all wrong here\n```")
    assert found[0][1].endswith("|| true") or found[0][0] == "observe"


def test_an_edit_is_a_step() -> None:
    text = f"```toml\n{PROJECT}```\n```\n$ uv lock\n```\nThen I changed it to\n```toml\n{PROJECT}# b\n```\n```\n$ uv sync\n{ERROR}\n```"
    assert steps(text)[1][1] == f"cat > pyproject.toml <<'END'\n{PROJECT}# b\nEND"


def test_the_environment() -> None:
    environment = mre(f"```toml\n{PROJECT}```\n```\n$ uv sync\n{ERROR}\n```").environment
    assert (environment.uv, environment.python, str(environment.date)) == ("0.5.20", "3.12", "2025-01-20")


@pytest.mark.parametrize(
    ("text", "exit_code", "output"),
    [
        (f"```\n$ uv sync\n{ERROR}\n```", "failure", ("The innermost cause of it all",)),
        (f"```\n$ uv sync | cat\n{ERROR}\n```", None, ("The innermost cause of it all",)),
        ("`uv lock` fails.", "failure", ("it failed, as the post says",)),
        ("```\n$ uv lock\nResolved 1 package\n```\nIt silently does nothing.", 0, ("it succeeded, as the post says",)),
        (
            "`uv python pin 3.12` makes a `.python-version` without a trailing newline.",
            None,
            ("it shows, as the post says",),
        ),
        ("`uv tree` is wrong, it shows:\n```\n-e .\n```", None, ("it shows, as the post says",)),
    ],
)
def test_the_symptom(text: str, exit_code: object, output: tuple[str, ...]) -> None:
    symptom = mre(text).symptom
    assert (symptom.exit, symptom.output) == (exit_code, output)


def test_what_works_is_a_control() -> None:
    good = f"This works fine:\n```toml\n{PROJECT}```\nBut this fails:\n```toml\n{PROJECT}# b\n```\n`uv lock` fails."
    assert [(control.expect, list(control.files)) for control in mre(good).controls] == [("absent", ["pyproject.toml"])]


def test_a_command_that_works_is_a_control_with_the_file_it_wants() -> None:
    text = (
        "Save this as file `thing`:\n```python\n# /// script\n# ///\n```\n"
        f"```\n$ uv run thing\n{ERROR}\n```\nIf you rename it, it works fine:\n```\n$ uv run thing.py\n```"
    )
    control = mre(text).controls[0]
    assert control.steps[-1].run == "cp thing thing.py\nuv run thing.py"


@pytest.mark.parametrize(
    "text",
    [
        f"```toml\n{PROJECT}```\n```\n$ uv sync\n{ERROR}\n```",
        "`uv lock` fails.",
        "`uv tree` is wrong, it shows:\n```\n-e .\n```",
        "```\n$ uv add a --index https://pypi.acme.example/simple\nerror: The thing is wrong\n```",
    ],
)
def test_the_manifest_can_be_read_back(text: str) -> None:
    made = mre(text)
    assert manifest.parse(manifest.dump(made)).symptom == made.symptom
