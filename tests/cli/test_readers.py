"""`uvmre triage --mre` and `--reader`, by the real command line, over real releases: honest readers, and others.

uv 0.9.9 to 0.10.4 refuse `UV_NO_DEFAULT_GROUPS=1`.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import SCHEMAS, CommandLine, Ended
from uvmre.core.progress import Progress
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.flows import other_readers
from uvmre.flows.understand import IssueMre

pytestmark = pytest.mark.network

POST = """\
# The runners refuse 1
<!-- somebody/something#1 created 2026-01-10T10:00:00Z -->

Since `UV_NO_DEFAULT_GROUPS` is 1 on our runners, every project stops there with `error: invalid value '1' for '--no-default-groups'`. 1 is expected to be
the same as true. The token of the runners is ghp_0123456789abcdefghijABCDEFGHIJ012345.

### Version

uv 0.9.9
"""
SYMPTOM = "invalid value '1' for '--no-default-groups'"
HEAD = 'title = "t"\n[environment]\nuv = "{uv}"\n[[setup]]\nrun = "uv init --bare"\n'


def manifest(
    run: str = "UV_NO_DEFAULT_GROUPS=1 uv sync", text: str = SYMPTOM, *, uv: str = "0.9.9", exit_code: str = '"failure"'
) -> str:
    output = f'output = ["{text}"]\n' if text else ""
    return f"{HEAD.format(uv=uv)}[[step]]\nrun = {json.dumps(run)}\n[symptom]\nexit = {exit_code}\n{output}"


@pytest.fixture
def issue(tmp_path: Path) -> Path:
    path = tmp_path / "issue.md"
    path.write_text(POST)
    return path


def answer(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ended.stdout)
    jsonschema.validate(found, json.loads((SCHEMAS / "triage.json").read_text()))
    assert found["exit"] == ended.exit
    return found


def triage_with(uvmre: CommandLine, issue: Path, script: str, *more: str, **variables: str) -> Ended:
    reader = issue.with_name("reader.py")
    reader.write_text(f"import json, os, sys, time\ndata = json.loads(sys.stdin.read())\n{script}")
    return uvmre("triage", issue, "--json", "--reader", f"{sys.executable} reader.py", *more, **variables)


def test_an_mre_that_shows_what_is_reported(uvmre: CommandLine, issue: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mre"
    folder.mkdir()
    (folder / "mre.toml").write_text(manifest())
    found = answer(uvmre("triage", issue, "--mre", folder, "--json"))
    assert (found["verdict"], found["exit"]) == ("reproducible", 0), found["reason"]
    assert found["stand_ins"][0] == "not in the report: `uv init --bare`, `uv sync`"
    assert [path.name for path in folder.iterdir()] == ["mre.toml"]
    assert Path(found["folder"]) != folder


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (manifest(uv="0.10.5"), "the report is about uv 0.9.9"),
        (manifest("uv sync --no-default-groups=1 || uv sync --frozen-not"), "not as reported"),
        (manifest() + '[[control]]\nname = "c"\nvariables = { A = "1" }\n', "is not sound"),
        (
            manifest() + '[[control]]\nname = "c"\nexplains = "1 is no boolean"\nreplace = '
            '{ "UV_NO_DEFAULT_GROUPS=1 uv sync" = "UV_NO_DEFAULT_GROUPS=true uv sync" }\n',
            "1 is no boolean",
        ),
    ],
    ids=["fixed", "another failure", "control", "explained"],
)
def test_an_mre_that_shows_something_else(uvmre: CommandLine, issue: Path, tmp_path: Path, text: str, why: str) -> None:
    folder = tmp_path / "mre"
    folder.mkdir()
    (folder / "mre.toml").write_text(text)
    found = answer(uvmre("triage", issue, "--mre", folder, "--json"))
    assert (found["verdict"], found["exit"]) in [("inconclusive", 125), ("needs_more_information", 125)], found
    assert why in found["reason"]


def test_misuse(uvmre: CommandLine, issue: Path, tmp_path: Path) -> None:
    other = issue.with_name("other.md")
    other.write_text(POST)
    assert "is for one issue" in uvmre("triage", issue, other, "--mre", tmp_path).stderr
    assert "excludes `--reader`" in uvmre("triage", issue, "--mre", tmp_path, "--reader", "true").stderr
    ended = uvmre("triage", issue, "--mre", tmp_path)
    assert (ended.exit, "is not an MRE" in ended.stderr) == (2, True)


HONEST = f"""
import jsonschema
jsonschema.validate(data, json.load(open({str(SCHEMAS / "reader-input.json")!r})))
assert "ghp_" not in json.dumps(data)
tried = [each for each in data["attempts"] if each["source"] == "reader"]
text = {manifest()!r}
if len(tried) == 0:
    text = text.replace("run = \\"UV", "rum = \\"UV")
elif len(tried) == 1:
    assert "did you mean `run`" in tried[0]["rejected"], tried
    text = text.replace("=1", "=true")
else:
    assert (tried[1]["outcome"], tried[1]["steps"][-1]["exit"]) == ("absent", 0), tried
print("I think:", json.dumps({{"mre": {{"manifest": text, "files": {{}}}}}}))
"""


def test_a_reader_that_repairs_after_feedback(uvmre: CommandLine, issue: Path) -> None:
    ended = triage_with(uvmre, issue, HONEST)
    found = answer(ended)
    assert (found["verdict"], found["exit"]) == ("reproducible", 0), ended.stderr
    assert "no-default-groups" in found["reason"]


class Notes(Progress):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notes:
    monkeypatch.chdir(tmp_path)
    return Notes()


def propose(script: str, notes: Notes) -> Hypothesis | None:
    """Return what becomes of a program's proposals before anything runs."""
    Path("reader.py").write_text(f"import json, os, sys\ndata = json.loads(sys.stdin.read())\n{script}")
    return propose_by(f"{sys.executable} -S reader.py", notes)


def propose_by(command: str, notes: Notes) -> Hypothesis | None:
    read = IssueMre(ParsedIssue("t"), None, "0.9.9", uv_stated=True)
    facts = other_readers.IssueFacts(read, POST, comments=False, today=False)
    program = other_readers.prepare_reader(command)
    return other_readers.OtherReader(program, facts, "issue.md", Path.cwd(), notes).propose([])


LIAR = """
print(json.dumps({{"mre": {{"manifest": {text!r}, "files": {files!r}}}}}))
open("rounds", "a").write(data["attempts"][-1]["rejected"] + "\\n" if data["attempts"] else "first\\n")
"""


def test_an_honest_proposal_is_run(notes: Notes) -> None:
    found = propose(LIAR.format(text=manifest(), files={"a/b.txt": "x"}), notes)
    assert found
    assert [file.path for file in found.mre.files] == ["a/b.txt"]
    assert Path("rounds").read_text() == "first\n"


@pytest.mark.parametrize(
    ("text", "files", "why"),
    [
        (manifest("uv sync --nonsense", "unexpected argument '--nonsense' found"), {}, "not in the report"),
        (manifest("uv sync", "", exit_code="0"), {}, "not specific"),
        (manifest(f'printf "%s\n" "{SYMPTOM}"; exit 2'), {}, "prints the symptom by itself"),
        (manifest("sh a.sh"), {"a.sh": f'echo "{SYMPTOM}"; exit 2'}, "prints the symptom by itself"),
        (manifest(uv="0.10.5"), {}, "the report is about uv 0.9.9"),
        (manifest(text="1 f"), {}, "too short"),
        (manifest(), {"../a": ""}, "outside the folder"),
        (manifest(), {"a": "", "a/b": ""}, "both a file and a folder"),
        ("title = ", {}, "Invalid value"),
    ],
    ids=[
        "another error",
        "exit 0",
        "echo",
        "script",
        "fixed",
        "three characters",
        "outside",
        "file and folder",
        "TOML",
    ],
)
def test_a_reader_that_lies(notes: Notes, text: str, files: dict[str, str], why: str) -> None:
    assert propose(LIAR.format(text=text, files=files), notes) is None
    rounds = Path("rounds").read_text().splitlines()
    assert len(rounds) == other_readers.MOST_ROUNDS
    assert all(why in each for each in rounds[1:]), rounds


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("while True: print('x' * 10_000)", "printed more than 4 MB"),
        ("print('no idea')", "printed no JSON object"),
        ('print(\'{"mre": {"manifest": 1}}\')', "no `manifest`"),
        ("sys.exit('broken')", "exits with 1 (broken)"),
        ("print(json.dumps({'give_up': 'needs macOS'}))", "gave up: needs macOS"),
        ("os.kill(os.getpid(), 9)", "exits with 137"),
    ],
    ids=["floods", "rubbish", "wrong types", "fails", "gives up", "is killed"],
)
def test_a_reader_that_proposes_nothing(notes: Notes, script: str, why: str) -> None:
    assert propose(script, notes) is None
    (line,) = notes.notes
    assert why in line


def test_a_reader_that_hangs_is_ended_with_its_children(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_readers, "ROUND_SECONDS", 0.5)
    started = time.monotonic()
    assert propose_by("sleep 98765 & sleep 98765", notes) is None
    assert time.monotonic() - started < 20
    assert "exceeded its time limit" in notes.notes[-1]
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(b"98765" in command for command in commands)


@pytest.mark.parametrize(
    "script",
    [
        "print('no idea')",
        f"print(json.dumps({{'mre': {{'manifest': {manifest('UV_NO_DEFAULT_GROUPS=true uv sync')!r}}}}}))",
    ],
    ids=["rubbish", "does not show it"],
)
def test_the_verdict_of_the_rules_stands(uvmre: CommandLine, issue: Path, script: str) -> None:
    expected = answer(uvmre("triage", issue, "--json"))
    found = answer(triage_with(uvmre, issue, script))
    assert expected["verdict"] == "needs_more_information"
    assert [found[key] for key in ("verdict", "reason", "questions")] == [
        expected[key] for key in ("verdict", "reason", "questions")
    ]


def test_rules_come_first(uvmre: CommandLine, issue: Path) -> None:
    issue.write_text(
        POST.replace("every project", "`uv sync` in")
        + f"\n```console\n$ uv init --bare\n$ UV_NO_DEFAULT_GROUPS=1 uv sync\nerror: {SYMPTOM}\n```\n"
    )
    found = answer(triage_with(uvmre, issue, "open('asked', 'w')"))
    assert found["verdict"] == "reproducible", found["reason"]
    assert not issue.with_name("asked").exists()


def test_a_reader_has_the_users_variables_and_an_agent_an_empty_folder(
    uvmre: CommandLine, issue: Path, tmp_path: Path
) -> None:
    agent = tmp_path / "bin" / "claude"
    agent.parent.mkdir()
    agent.write_text(
        f'#!/bin/sh\necho "$* $ANTHROPIC_API_KEY $(ls | wc -l)" > {tmp_path}/seen\ncat > {tmp_path}/asked\n'
    )
    agent.chmod(0o755)
    secret = {"ANTHROPIC_API_KEY": "planted-key", "PATH": f"{agent.parent}:{os.environ['PATH']}"}
    ended = uvmre("triage", issue, "--json", "--reader=claude", **secret)
    assert "printed no JSON object" in ended.stderr
    assert (tmp_path / "seen").read_text().split() == ["-p", "planted-key", "0"]
    assert (tmp_path / "asked").read_text().startswith("You reproduce bugs of uv")
    assert "planted-key" not in ended.stdout + ended.stderr
