"""The protocol with programs that read issues: what is an answer, and which files it may have."""

import json
from pathlib import Path

import jsonschema
import pytest

from uvmre.core.triage.parsed_issue import ParsedIssue
from uvmre.core.triage.state import TriageState
from uvmre.readers import protocol
from uvmre.readers.protocol import ReaderAnswer, UnreadableAnswerError, parse_answer

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
ONE = {"mre": {"manifest": "title = 'a {b}'", "files": {"a/b.txt": "{"}}}
TWO = {"mre": {"manifest": "", "files": {}}}
FACTS = {"issue": "a.md", "post": "text", "uv": "0.9.9", "python": "", "created": None}


def test_an_answer_fits_its_schema() -> None:
    schema = json.loads((SCHEMAS / "reader-output.json").read_text())
    for each in (ONE, TWO, {"give_up": "why"}):
        jsonschema.validate(each, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"mre": {"files": {}}}, schema)


@pytest.mark.parametrize(
    "output",
    [
        json.dumps(ONE),
        f"I think:\n\n```json\n{json.dumps(ONE, indent=2)}\n```\nThat is {{all}}.",
        f"First {json.dumps(TWO)}, or rather {json.dumps(ONE)}!",
        f"```\n{json.dumps(TWO)}\n```\nno:\n```json\n{json.dumps(ONE)}\n```\n",
        f'{{"mre_schema": {json.dumps(TWO)}}} {{ {{ {json.dumps(ONE)}',
    ],
)
def test_text_around_an_answer_is_ignored(output: str) -> None:
    assert parse_answer(output) == ReaderAnswer(ONE["mre"]["manifest"], ONE["mre"]["files"])  # type: ignore[arg-type]


def test_a_program_may_give_up() -> None:
    assert parse_answer('{"give_up": "needs\\n macOS"}').give_up == "needs macOS"


@pytest.mark.parametrize(
    "output",
    [
        *("", "no", "[]", "3", "{}", '{"mre": 3}', '{"mre": {}}', '{"mre": {"manifest": 1}}', '{"give_up": 1}'),
        '{"mre": {"manifest": "", "files": []}}',
        '{"mre": {"manifest": "", "files": {"a": 1}}}',
        '{"mre": {"manifest": "\\ud800"}}',
        '{"mre":' * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        "{" * 1_000_000,
    ],
    ids=range(15),
)
def test_rubbish_is_no_answer(output: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        parse_answer(output)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../a", "a/../../b", "mre.toml", ".git/config", ".uvmre/uv/uv", "a\\b", "", "a//b", "x" * 300],
)
def test_files_stay_in_the_folder(path: str) -> None:
    assert ReaderAnswer("", {path: ""}).faults()


def test_files_have_limits() -> None:
    assert not ReaderAnswer("", {"a/b.txt": "x"}).faults()
    assert ReaderAnswer("", {"a": "", "A": ""}).faults()
    assert ReaderAnswer("", {str(n): "" for n in range(protocol.MOST_FILES + 1)}).faults()
    assert ReaderAnswer("", {"a": "x" * (protocol.MOST_CHARACTERS + 1)}).faults()


def test_a_request_fits_its_schema() -> None:
    state = protocol.attempt(TriageState(ParsedIssue("t"), None), "inconclusive", "why")
    refused = protocol.refused("reader", ReaderAnswer("x"), "mistakes")
    schema = json.loads((SCHEMAS / "reader-input.json").read_text())
    data = json.loads(protocol.request(FACTS, [state, refused], prompt=False))
    jsonschema.validate(data, schema)
    assert data["mre_schema"]["required"] == ["title", "environment", "symptom"]
    with_prompt = protocol.request(FACTS, [], prompt=True)
    assert with_prompt.startswith("You reproduce bugs of uv")
    jsonschema.validate(json.loads(with_prompt.splitlines()[-1]), schema)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("claude", ("claude -p", True)),
        ("codex", ("codex exec --skip-git-repo-check -", True)),
        ("llm", ("llm", True)),
        ("claude --model x", ("claude --model x", False)),
        ("./claude", ("./claude", False)),
        ("python it's", ("python it's", False)),
    ],
)
def test_presets(command: str, expected: tuple[str, bool]) -> None:
    assert protocol.command_line(command) == expected
