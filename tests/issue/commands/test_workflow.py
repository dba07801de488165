"""The commands of a CI workflow."""

import datetime

import pytest

from uvmre.issue.commands.workflow import commands_of
from uvmre.issue.read import read_issue

GITHUB = """
on: push
env: {UV_A: true}
jobs:
  test:
    env:
      UV_B: 1
    steps:
      - uses: actions/checkout@v5
      - uses: astral-sh/setup-uv@v7
        with:
          version: "0.5.20"
      - run: uv init a
      - working-directory: a
        env: {UV_C: c}
        run: |
          # The dependencies
          uv add iniconfig && uv lock
      - run: echo x >> $GITHUB_ENV
      - run: uv sync --python ${{ matrix.python }}
      - run: uv sync
"""
GITLAB = """
image: ghcr.io/astral-sh/uv:0.5.20-python3.12-alpine
variables:
  UV_A: "b c"
test:
  before_script:
    - uv venv
  script:
    - uv pip install iniconfig
"""


@pytest.mark.parametrize(
    ("text", "tag", "commands"),
    [
        (
            GITHUB,
            "yaml",
            [
                *("export UV_A='true'", "export UV_B='1'", "uv init a", "export UV_C='c'", "cd a"),
                *("uv add iniconfig", "uv lock", "cd ..", "unset UV_C", "uv sync"),
            ],
        ),
        (GITLAB, "yml", ["export UV_A='b c'", "uv venv", "uv pip install iniconfig"]),
        ("- run: uv sync\n- run: pytest\n", "", ["uv sync", "pytest"]),
        ("steps:\n  - run: npm ci\n", "yaml", []),
        ("services:\n  a:\n    command: uv run b\n", "yaml", []),
        ("steps: [\n  - run: uv sync", "yaml", []),
        ("run: |\n\tuv sync", "", []),
        ("uv sync", "", []),
    ],
)
def test_commands(text: str, tag: str, commands: list[str]) -> None:
    assert commands_of(text, tag) == commands


def test_a_workflow_names_the_release_and_the_log_below_belongs_to_its_last_uv_command() -> None:
    text = f"# It fails\n\n```yaml{GITHUB}      - run: make\n```\n\nThe log:\n```\nerror: It is wrong in here\n```\n"
    found = read_issue(text, [("0.5.20", datetime.date(2025, 1, 20))])
    assert found.uv
    assert (found.uv.text, found.claim.output) == ("0.5.20", ("It is wrong in here",))
    assert found.commands[found.claim.command].run == "uv sync"
