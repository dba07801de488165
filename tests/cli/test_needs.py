"""`needs` on real releases of uv: one that lacks something tells nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine, WriteMre

MANIFEST = """\
schema = 1
title = "audit"
needs = [{needs}]
[environment]
uv = "{uv}"
exclude-newer = 2025-01-23
[[step]]
name = "look"
role = "observe"
run = "{run}"
[symptom]
exit = "success"
output = ["nothing was found"]
"""


def run(uvmre: CommandLine, folder: Path, needs: str, uv: str = "0.5.21", run: str = "uv --version") -> dict[str, Any]:
    folder.mkdir()
    (folder / "mre.toml").write_text(MANIFEST.format(needs=json.dumps(needs) if needs else "", uv=uv, run=run))
    ended = uvmre("run", folder, "--json")
    assert ended.stdout, ended.stderr
    return dict(json.loads(ended.stdout))


@pytest.mark.parametrize(
    ("needs", "known"),
    [
        ("uv lock --check", True),
        ("uv audit --fix", False),
        ("default-groups", True),
        ("required-environments", False),
        ("UV_INDEX_STRATEGY", True),
        ("UV_TORCH_BACKEND", False),
    ],
)
def test_a_release_that_lacks_a_need_cannot_tell(uvmre: CommandLine, tmp_path: Path, needs: str, known: bool) -> None:
    data = run(uvmre, tmp_path / "mre", needs)
    base = data["variants"][0]
    assert (base["outcome"], len(base["steps"])) == (("absent", 1) if known else ("broken", 0)), base["reason"]
    assert known or base["reason"] == f"uv 0.5.21 does not support `{needs}`"
    assert data["exit"] == (1 if known else 125)


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        ("uv audit || true", "broken"),
        ("uv audit; true", "broken"),
        ("echo it prints: unrecognized subcommand \\\\'audit\\\\'", "absent"),
    ],
)
def test_a_step_that_hides_an_unknown_command_cannot_tell(
    uvmre: CommandLine, tmp_path: Path, command: str, outcome: str
) -> None:
    assert run(uvmre, tmp_path / "mre", "", run=command)["variants"][0]["outcome"] == outcome


UNSUPPORTED = """\
schema = 1
title = "An option"
[environment]
uv = "0.5.21"
[[step]]
role = "observe"
run = "uv sync --no-such-option"
[symptom]
exit = "failure"
output = ["unexpected argument '{option}' found"]
"""


@pytest.mark.network
@pytest.mark.parametrize(("option", "exit_code"), [("--no-such-option", 0), ("--frobnicate", 125)])
def test_an_option_that_uv_lacks_is_a_symptom_only_if_it_is_the_reported_one(
    uvmre: CommandLine, write_mre: WriteMre, option: str, exit_code: int
) -> None:
    ended = uvmre("run", write_mre(UNSUPPORTED.format(option=option)))
    assert ended.exit == exit_code, ended.stdout + ended.stderr
    assert ("does not support `--no-such-option`" in ended.stdout) is (exit_code != 0)
