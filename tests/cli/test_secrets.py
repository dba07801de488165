"""No secret leaves by any way: the report, JSON, the evidence, the terminal. By the real command line."""

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine

TOKEN = "glpat-0123456789abcdefghij"
"""Obviously made up."""
PLANTED = {
    "title": TOKEN,
    "in the command": "abc123def",
    "in a file": "fff222ggg",
    "in a header": "ppp333qqq",
    "in a URL that only the output has": "uuu444vvv",
    "in a query": "sss555ttt",
    "behind a name that only the output has": "nnn666mmm",
}
COMMAND = "UV_PUBLISH_TOKEN=abc123def; uv lock && echo TOKEN=abc123def|cat; sh say.sh; false"
MRE = f"""\
schema = 1
title = "It breaks with {TOKEN}"

[environment]
uv = "0.5.21"

[[step]]
role = "observe"
run = '''{COMMAND}'''

[symptom]
exit = 1

[[control]]
name = "without {TOKEN}"
expect = "absent"
[[control.step]]
role = "observe"
run = "true"
"""
SAY = """\
printf 'PRIVATE-TOKEN: ppp333%s\\n' qqq
printf 'asked https://me:uuu444%s@host.example/simple\\n' vvv
printf 'GET /simple?private_token=sss555%s&page=2\\n' ttt
printf 'GITLAB_PAT=nnn666%s\\nand again: nnn666%s\\n' mmm mmm >&2
"""


@pytest.fixture
def ran(uvmre: CommandLine, home: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "mre"
    folder.mkdir()
    (folder / "mre.toml").write_text(MRE)
    (folder / "say.sh").write_text(SAY)
    (folder / ".pypirc").write_text("[pypi]\nusername: __token__\npassword: fff222ggg\n")
    ended = uvmre("run", "mre", "--json", XDG_CACHE_HOME=str(home))
    assert json.loads(ended.stdout)["verdict"] == "reproducible", ended.stdout
    assert [value for value in PLANTED.values() if value in ended.stdout] == []
    return folder


@pytest.mark.parametrize(
    "arguments", [("report",), ("report", "--json"), ("report", "--format", "dockerfile"), ("lint", "--json")]
)
@pytest.mark.few(2)
def test_no_secret_is_in_what_is_reported(uvmre: CommandLine, ran: Path, arguments: tuple[str, ...]) -> None:
    ended = uvmre(arguments[0], "mre", *arguments[1:])
    assert ended.stdout
    assert [kind for kind, value in PLANTED.items() if value in ended.stdout + ended.stderr] == []


def test_the_command_in_the_report_is_the_same_program(uvmre: CommandLine, ran: Path) -> None:
    report = uvmre("report", "mre").stdout
    assert f"\n$ {COMMAND.replace('abc123def', '****')}\n" in report
    assert "\nGET /simple?private_token=****&page=2\n" in report
    assert "\nasked https://me:****@host.example/simple\n" in report


def test_no_secret_is_in_the_evidence(ran: Path) -> None:
    files = [path for path in (ran / ".uvmre" / "runs").rglob("*") if path.is_file()]
    texts = {path.name: path.read_text() for path in files}
    assert len(texts) > 4
    found = [(name, kind) for name, text in texts.items() for kind, value in PLANTED.items() if value in text]
    assert found == []


def test_a_token_in_an_issue_is_reported_nowhere(uvmre: CommandLine, home: Path, tmp_path: Path) -> None:
    output = f"# A title with {TOKEN}\n\nuv 0.5.21\n\n```console\n$ {COMMAND}\nerror: {TOKEN} was refused\n```\n"
    (tmp_path / "issue.md").write_text(output)
    for form in ("--dry-run", "--json", "--comment"):
        ended = uvmre("triage", "issue.md", form, XDG_CACHE_HOME=str(home))
        assert TOKEN not in ended.stdout + ended.stderr
        assert "abc123def" not in ended.stdout + ended.stderr
