"""Which symptoms of another reader's MRE are the claim of a report, and what counts as added to it."""

import datetime
from dataclasses import replace

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.manifest import parse
from uvmre.core.mre.model import Control, Mre, Step
from uvmre.core.mre.symptom import Count, FileSymptom, Symptom
from uvmre.core.triage.parsed_issue import Claim, Command, ParsedIssue, PostedFile
from uvmre.core.triage.proposal import PostText, build_hypothesis, rejection

ERROR = "error: invalid value '1' for '--no-default-groups'"
POST = PostText(
    (
        "The runners refuse 1",
        "Since we set `UV_NO_DEFAULT_GROUPS` to 1, every project stops in `uv sync`. `uv.lock` is not written.",
        "With `uv run hello.py` it prints “hello from the runners”, and hangs forever.",
    ),
    (
        f"Using CPython 3.12.3\nCreating virtual environment at: .venv\n{ERROR}\n  [possible values: true, false]\n",
        "demo v0.1.0 (group: docs)\n└── idna v3.10\n",
        'print("hello from the runners")\n',
    ),
    (ParsedIssue("The runners refuse 1"),),
)
MRE = parse("""
title = "1 is refused"
[environment]
uv = "0.9.9"
[[setup]]
run = "uv init --bare"
[[step]]
run = "UV_NO_DEFAULT_GROUPS=1 uv sync"
[symptom]
exit = "failure"
output = ["invalid value '1' for '--no-default-groups'"]
""")


def symptom(**fields: object) -> Mre:
    return replace(MRE, symptom=Symptom(**fields))  # type: ignore[arg-type]


def observing(run: str, mre: Mre = MRE) -> Mre:
    return replace(mre, steps=(Step(run, "observe"),))


@pytest.mark.parametrize(
    "mre",
    [
        MRE,
        symptom(exit=2, output=("error: … value '1' for '--no-default-groups'", "[possible values: true, false]")),
        symptom(exit="failure", any=(ERROR,)),
        symptom(counts=(Count(lines=ERROR, least=2),)),
        symptom(files=(FileSymptom("uv.lock", exists=False),), exit=0),
        symptom(exit=0, output=(ERROR,)),
        replace(observing("uv run hello.py", symptom(exit="timeout"))),
        replace(MRE, expected=Symptom(output=("└── idna v3.10",))),
    ],
    ids=["as it is", "wildcard", "any", "count", "missing file", "an error where it succeeds", "hang", "expected"],
)  # fmt: skip
def test_a_symptom_of_the_report(mre: Mre) -> None:
    assert rejection(POST, mre, "0.9.9") == ""


@pytest.mark.parametrize(
    ("mre", "why"),
    [
        (symptom(exit="failure", output=("error: invalid value '2' for '--no-default-groups'",)), "not in the report"),
        (symptom(exit="failure", output=(ERROR,), absent=("Resolved 1 package",)), "not in the report"),
        (replace(MRE, expected=Symptom(output=("Audited in 1ms",))), "not in the report"),
        (symptom(exit=0), "not specific"),
        (symptom(exit=2), "not specific"),
        (symptom(exit="failure", output=("true",)), "not specific"),
        (symptom(exit="failure", output=("er…in…va…de…gr",)), "not specific"),
        (symptom(counts=(Count(requests="https://pypi.org/*"),)), "not specific"),
        (symptom(exit="failure", output=(ERROR,), guess=True), "guess"),
        (symptom(exit="failure", output=("Creating virtual environment at: .venv",)), "when all is well"),
        (symptom(exit=0, output=("Using CPython 3.12.3",)), "when all is well"),
        (observing("uv sync", symptom(exit=0, output=("demo v0.1.0 (group: docs)",))), "when all is well"),
        (symptom(files=(FileSymptom("poetry.lock", exists=False),)), "does not name `poetry.lock`"),
        (observing("uv run hello.py", symptom(exit="timeout", output=("…nothing of it",))), "not in the report"),
        (replace(symptom(exit="timeout"), steps=(Step("uv sync", "observe", timeout=2),)), "too short"),
        (observing(f'echo "{ERROR}" && uv sync'), "prints the symptom by itself"),
        (observing(f"cat <<E\n{ERROR}\nE\nuv sync"), "prints the symptom by itself"),
        (replace(MRE, files=(File("out.txt", ERROR.encode()),)), "prints the symptom by itself"),
        (replace(MRE, files=(File("a.py", f'print("{ERROR}")'.encode()),)), "prints the symptom by itself"),
        (replace(MRE, files=(File("bin/uv", b"#!/bin/sh\nexit 2\n"),)), "replaces `uv`"),
        (replace(MRE, controls=(Control("c", files={"uv": "x"}),)), "replaces `uv`"),
        (observing("uv() { false; }; uv sync"), "replaces `uv`"),
        (replace(MRE, environment=replace(MRE.environment, uv="0.10.5")), "is about uv 0.9.9"),
        (replace(MRE, environment=replace(MRE.environment, uv="latest")), "is about uv 0.9.9"),
    ],
)
def test_another_symptom(mre: Mre, why: str) -> None:
    assert why in rejection(POST, mre, "0.9.9")


def test_a_hang_that_the_report_does_not_have() -> None:
    post = replace(POST, prose=POST.prose[:2])
    assert "hangs" in rejection(post, symptom(exit="timeout"), "0.9.9")


def test_a_posted_script_may_print_the_symptom() -> None:
    text = 'print("hello from the runners")\n'
    mre = observing("uv run hello.py", symptom(exit=0, output=("hello from the runners",)))
    mre = replace(mre, files=(File("hello.py", text.encode()),))
    assert "by itself" in rejection(POST, mre, "")
    posted = ParsedIssue("t", files=(PostedFile("hello.py", text, 1, "why"),))
    assert rejection(replace(POST, readings=(posted,)), mre, "") == ""


def test_a_text_of_a_claim_that_the_rules_read_counts() -> None:
    mre = observing("uv tree --outdated", symptom(exit=0, output=("demo v0.1.0 (group: docs)",)))
    assert rejection(POST, mre, "")
    read = replace(POST, readings=(ParsedIssue("t", claim=Claim("output", 0, 1, output=("v0.1.0 (group: docs)",))),))
    assert rejection(read, mre, "") == ""
    assert rejection(read, observing("uv tree", symptom(exit=0, output=("└── idna v3.10",))), "")


def stand_ins(mre: Mre, post: PostText = POST) -> str:
    day = datetime.date(2026, 1, 10)
    built = build_hypothesis(post, mre, uv="0.9.9", created=day, today=False, source="reader")
    assert (built.source, built.mre.environment.uv, built.mre.environment.exclude_newer) == ("reader", "0.9.9", day)
    return " ".join(built.parsed.stand_ins)


def test_what_the_report_does_not_have_is_added() -> None:
    assert stand_ins(MRE) == "not in the report: `uv init --bare`"
    assert stand_ins(observing("UV_NO_DEFAULT_GROUPS=1 uv sync")) == ""
    assert stand_ins(observing("uv venv && uv sync")) == ""
    assert "a.py" in stand_ins(replace(MRE, files=(File("a.py", b"import b\n"),)))
    skeleton = b'[project]\nname = "x"\nversion = "1"\n'
    assert "pyproject" not in stand_ins(replace(MRE, files=(File("pyproject.toml", skeleton),)))
    assert "UV_OTHER" in stand_ins(observing("UV_OTHER=1 uv sync"))
    other = replace(POST, readings=(ParsedIssue("t", commands=(Command("uv init", 1),)),))
    assert "uv init" in stand_ins(MRE, other)


def test_a_state_without_a_text_is_unconfirmed() -> None:
    mre = symptom(files=(FileSymptom("uv.lock", exists=False),), exit=0)
    built = build_hypothesis(POST, mre, uv="0.9.9", created=None, today=True, source="mre")
    assert built.parsed.claim.unconfirmed
    assert built.parsed.claim.kind == "file"
