"""The answer as a comment: what is in it, that nothing in it ends a block, and that it always fits."""

import datetime
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, Environment, Mre, Step, Symptom
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.outcome.symptom import match
from uvmre.core.outcome.verdict import verdict
from uvmre.core.triage.answer import TriageAnswer, build_answer
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, ParsedIssue
from uvmre.core.triage.state import PlannedRun, TriageRun, TriageState
from uvmre.report.comment import LIMIT, comment

BROKE = "error: the extension `ext` is given twice\n"
DRAFT = ParsedIssue(
    "t",
    datetime.date(2024, 9, 6),
    commands=(Command("uv sync", 7),),
    claim=Claim("failure", 0, 7, ("the extension `ext` is given twice",)),
)


def told(
    stderr: str = BROKE, *, files: tuple[File, ...] = (), parsed: ParsedIssue = DRAFT, run: str = "uv sync"
) -> TriageAnswer:
    symptom = Symptom("failure", ("the extension `ext` is given twice",))
    mre = Mre("t", Environment("0.4.6"), (Step(run, "observe"),), symptom, files=files)
    step = StepResult(run, run, "observe", 2, "", stderr, 0.1)
    observation = Observation(BASE, "0.4.6", "3.11.7", "local", "Linux", (step,))
    variant = Variant(BASE, "", observation, match(symptom, observation))
    judged = verdict(mre, {BASE: variant.outcome})
    result = Result("t", "", "0.4.6", "0.4.6", "3.11.7", "local", "Linux", "auto", "", "", (variant,), judged)
    state = TriageState(parsed, mre, runs=(TriageRun(PlannedRun("reported", mre), result, judged),))
    return build_answer("issue.md", state, uv="0.4.6", folder="")


def test_it_has_the_verdict_the_commands_and_the_files() -> None:
    text = comment(told(files=(File("pyproject.toml", b"[project]\n"),)))
    assert text.startswith("**reproducible**: uv 0.4.6 shows it: ")
    assert "```console\n$ uv sync\nerror: the extension `ext` is given twice\n```\nexit code 2\n" in text
    assert "`pyproject.toml`:\n\n```\n[project]\n```" in text


def test_it_asks_and_says_what_is_not_as_reported() -> None:
    gap = Gap(3, "a.txt is not in the post", True, "What is in a.txt?")
    text = comment(told(parsed=replace(DRAFT, gaps=(gap,), stand_ins=("a made-up index",))))
    assert text.startswith("**needs_more_information**: a.txt is not in the post.")
    assert "To go on, this is needed:\n\n- What is in a.txt?\n" in text
    assert "Not as it was reported:\n\n- a made-up index\n" in text


def test_no_secret_is_in_it() -> None:
    run = "UV_INDEX_CORP_PASSWORD=hunter2hunter2 uv sync"
    text = comment(told("hunter2hunter2 is wrong", run=run))
    assert "hunter2" not in text
    # Nor is half of one where the output, or a file, was cut.
    token = "ghp_" + "0123456789abcdef" * 3
    for shift in range(0, 60, 7):
        said = "x" * (3_950 + shift) + f" {token} " + "y" * 30_000
        whole = told(
            said, files=(File("a.txt", said.encode()),), parsed=replace(DRAFT, title=token), run=f"uv sync {token}"
        )
        assert "0123456789" not in comment(whole)


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("`~ a\n<>"), max_size=60), st.sampled_from([1, 500, 4_000]))
def test_it_always_fits_and_nothing_ends_its_blocks(said: str, times: int) -> None:
    text = comment(told(BROKE + said * times, files=(File("a.md", (said * times).encode()),)))
    assert len(text.encode()) <= LIMIT
    fences = [token for token in MarkdownIt().parse(text) if token.type == "fence"]
    assert fences[0].content.startswith("$ uv sync\n")
