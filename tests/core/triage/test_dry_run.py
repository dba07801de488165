"""The result of a dry run, as lines and as JSON data."""

import datetime

import pytest

from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Fault
from uvmre.core.triage.dry_run import as_data, as_lines
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, Located, ParsedIssue, PostedFile

PARSED = ParsedIssue(
    "t",
    datetime.date(2024, 9, 6),
    uv=Located("0.4.6", 3),
    files=(PostedFile("README.md", "", 0, "`readme` names it", inferred=True),),
    commands=(Command("uv init", 6, works=True), Command("uv sync", 7, added_because="the post omits it")),
    claim=Claim("output", 1, 8, ("one\ntwo",), expected=("three",), why="the output", unconfirmed=True),
    gaps=(Gap(9, "`a.txt` is not in the post", True, "What is in `a.txt`?"),),
    outages=(Fault("https://pypi.org/*", refused=True),),
)
MRE = Mre("t", Environment("0.4.6"), (Step("uv sync", "observe"),), Symptom(0, ("one",)))


@pytest.mark.parametrize(
    "line",
    [
        "line    3  uv 0.4.6",
        "        -  file README.md (`readme` names it, inferred)",
        "line    6  $ uv init (works, according to the post)",
        "line    7  $ uv sync (added: the post omits it)",
        "line    8  claim: output of command 2, unconfirmed until another release behaves differently",
        "           output: “one⏎two”",
        "           expected: “three”",
        "        -  known mistake: rule, pyproject.toml:1: It is wrong",
        "line    9  `a.txt` is not in the post (blocking) → What is in `a.txt`?",
        "           observe  uv sync",
    ],
)
def test_lines(line: str) -> None:
    assert line in as_lines(PARSED, MRE, [("rule", "pyproject.toml:1", "It is wrong")], "0.4.6")


def test_lines_without_an_mre() -> None:
    lines = as_lines(ParsedIssue("t"), None, (), "0.4.6")
    assert "        -  uv 0.4.6, the latest before the post, which names none" in lines
    assert "missing: nothing" in lines


def test_data() -> None:
    data = as_data(PARSED, MRE, [("rule", "here", "It is wrong")], ["Python 3.8"])
    assert (data["created"], data["reported_uv"]) == ("2024-09-06", {"text": "0.4.6", "line": 3})
    assert data["gaps"][0]["blocking"] is True
    assert data["outages"] == [{"url": "https://pypi.org/*", "kind": "refused"}]
    assert (data["missing"], data["findings"][0]["rule"]) == (["Python 3.8"], "rule")


def test_no_secrets() -> None:
    run = "UV_INDEX_A_PASSWORD=hunter2hunter2 uv sync"
    mre = Mre("t", Environment("0.4.6"), (Step(run, "observe"),), Symptom(0))
    parsed = ParsedIssue("t", commands=(Command(run, 1),))
    assert "hunter2" not in "\n".join(as_lines(parsed, mre, (), "")) + str(as_data(parsed, mre, (), ()))
