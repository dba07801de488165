"""Building an MRE of a parsed issue: steps, the symptom, controls, and the manifest."""

import os
import subprocess
from pathlib import Path

import pytest

from uvmre.core.mre import manifest
from uvmre.core.mre.model import HOLDS, Mre
from uvmre.core.outcome.matching import match
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_issue

PROJECT = '[project]\nname = "thing"\nversion = "1"\nrequires-python = ">=3.11"\n'
ERROR = "error: Failed\n  Caused by: The innermost cause of it all"


def mre(text: str) -> Mre:
    return to_mre(
        read_issue(
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


def test_variables_exported_first_apply_to_every_step() -> None:
    assert mre(f"```\n$ export UV_A=1\n$ uv lock\n{ERROR}\n```").environment.variables == {"UV_A": "1"}


def test_a_command_that_failed_for_the_reporter_too_does_not_stop_the_run() -> None:
    found = steps("# It\n```\n$ uv lock\nerror: Another thing is wrong\n$ uv sync\nerror: It goes all wrong here\n```")
    assert found[0][1].endswith("|| true") or found[0][0] == "observe"


def test_an_edit_is_a_step() -> None:
    text = f"```toml\n{PROJECT}```\n```\n$ uv lock\n```\nThen I changed it to\n```toml\n{PROJECT}# b\n```\n```\n$ uv sync\n{ERROR}\n```"
    assert steps(text)[1][1] == f"cat > pyproject.toml <<'END'\n{PROJECT}# b\nEND"


def test_the_environment() -> None:
    environment = mre(f"```toml\n{PROJECT}```\n```\n$ uv sync\n{ERROR}\n```").environment
    assert (environment.uv, environment.python, str(environment.exclude_newer)) == (
        "0.5.20",
        "3.12",
        "2025-01-20 10:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("text", "exit_code", "output"),
    [
        (f"```\n$ uv sync\n{ERROR}\n```", "failure", ("The innermost cause of it all",)),
        (f"```\n$ uv sync | cat\n{ERROR}\n```", None, ("The innermost cause of it all",)),
        ("`uv lock` fails.", HOLDS, ()),
        ("```\n$ uv lock\nResolved 1 package\n```\nIt silently does nothing.", 0, ()),
        ("`uv python pin 3.12` makes a `.python-version` without a trailing newline.", HOLDS, ()),
        ("`uv tree` is wrong, it shows:\n```\n-e .\n```", HOLDS, ()),
    ],
)
def test_the_symptom(text: str, exit_code: object, output: tuple[str, ...]) -> None:
    symptom = mre(text).symptom
    assert (symptom.exit, symptom.output) == (exit_code, output)


WRAPPED = [
    "`uv lock` fails.",
    "```\n$ uv lock\nResolved 1 package\n```\nIt silently does nothing.",
    "`uv tree` is wrong, it shows:\n```\n-e .\n```",
]


@pytest.mark.parametrize("text", WRAPPED)
@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_release_that_lacks_the_command_shows_no_claim(tmp_path: Path, text: str, stream: str) -> None:
    # The real shell runs the real step, over a uv that knows no command.
    (tmp_path / "uv").write_text(f"#!/bin/sh\necho \"error: unrecognized subcommand '$1'\" {stream}; exit 2\n")
    (tmp_path / "uv").chmod(0o755)
    built = mre(text)
    (step,) = built.steps
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    ran = subprocess.run(["/bin/sh", "-c", step.run], env=environment, capture_output=True, text=True, check=False)
    result = StepResult(step.title, step.run, step.role, ran.returncode, ran.stdout, ran.stderr, 0.1)
    observation = Observation("as reported", "0.1.0", "3.12.1", "local", "Linux", (result,))
    assert match(built.symptom, observation).word == "broken"


@pytest.mark.parametrize(
    "text",
    [
        *WRAPPED,
        f"```\n$ uv sync\n{ERROR}\n```",
        "`uv python pin 3.12` makes a `.python-version` without a trailing newline.",
    ],
)
def test_a_symptom_is_never_a_text_that_a_step_prints_by_itself(text: str) -> None:
    built = mre(text)
    scripts = " ".join(step.run for step in built.steps)
    assert not [output for output in built.symptom.output if output in scripts or output not in text]


def test_a_working_file_is_a_control() -> None:
    good = f"This works fine:\n```toml\n{PROJECT}```\nBut this fails:\n```toml\n{PROJECT}# b\n```\n`uv lock` fails."
    assert [(control.expect, list(control.files)) for control in mre(good).controls] == [("absent", ["pyproject.toml"])]


def test_a_working_command_is_a_control_with_its_file() -> None:
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
    built = mre(text)
    assert manifest.parse(manifest.dump(built)).symptom == built.symptom


@pytest.mark.parametrize(
    ("run", "output", "tolerated"),
    [
        ("ls uv.lock", "ls: cannot access 'uv.lock': No such file or directory", True),
        ("which python3.8", "python3.8 not found", True),
        ("ls", "pyproject.toml", False),
        ("sed -i s/a/b/ a.txt", "sed: cannot read a.txt: No such file or directory", False),
    ],
)
def test_a_look_at_what_is_missing_does_not_stop_the_run(run: str, output: str, tolerated: bool) -> None:
    first = steps(f"```\n$ {run}\n{output}\n$ uv init\n$ uv sync\n{ERROR}\n```")[0]
    assert first[1] == (f"( {run}\n) || true" if tolerated else run)
