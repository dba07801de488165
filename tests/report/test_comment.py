"""The answer as a comment: its content, its fences, and its size."""

import datetime
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.report.sample import MRE, SEARCH, hostile, sample
from uvmre.core.mre.files import File
from uvmre.core.mre.model import BASE, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.matching import match
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.outcome.verdict import verdict
from uvmre.core.triage.answer import TriageAnswer, build_answer
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, ParsedIssue
from uvmre.core.triage.state import PlannedRun, TriageRun, TriageState
from uvmre.report.bundle import Bundle
from uvmre.report.comment import LIMIT, comment, write_comment
from uvmre.report.file_blocks import read_blocks

FAILURE = "error: the extension `ext` is given twice\n"
PARSED = ParsedIssue(
    "t",
    datetime.date(2024, 9, 6),
    commands=(Command("uv sync", 7),),
    claim=Claim("failure", 0, 7, ("the extension `ext` is given twice",)),
)


def triage_answer(
    stderr: str = FAILURE, *, files: tuple[File, ...] = (), parsed: ParsedIssue = PARSED, run: str = "uv sync"
) -> TriageAnswer:
    symptom = Symptom("failure", ("the extension `ext` is given twice",))
    mre = Mre("t", Environment("0.4.6"), (Step(run, "observe"),), symptom, files=files)
    step = StepResult(run, run, "observe", 2, "", stderr, 0.1)
    observation = Observation(BASE, "0.4.6", "3.11.7", "local", "Linux", (step,))
    variant = Variant(BASE, "", observation, match(symptom, observation))
    judged = verdict(mre, {BASE: variant.outcome})
    result = Result("t", "", "0.4.6", "0.4.6", "3.11.7", "local", "Linux", "auto", "", "", (variant,), judged)
    state = TriageState(parsed, mre, runs=(TriageRun(PlannedRun("reported", mre), result, judged),))
    return build_answer("issue.md", "", state, uv="0.4.6", folder="")


def test_verdict_commands_and_files() -> None:
    text = comment(triage_answer(files=(File("pyproject.toml", b"[project]\n"),)))
    assert text.startswith("**reproducible**: uv 0.4.6 shows it: ")
    assert "```console\n$ uv sync\nerror: the extension `ext` is given twice\n```\nexit code 2\n" in text
    assert "`pyproject.toml`:\n\n```\n[project]\n```" in text


def test_questions_and_differences_from_the_report() -> None:
    gap = Gap(3, "a.txt is not in the post", True, "What is in a.txt?")
    text = comment(triage_answer("other", parsed=replace(PARSED, gaps=(gap,), stand_ins=("a stand-in index",))))
    assert text.startswith("**needs_more_information**: a.txt is not in the post.")
    assert "To reproduce this, please answer:\n\n- What is in a.txt?\n" in text
    assert "Differences from the report:\n\n- a stand-in index\n" in text


def test_no_secrets() -> None:
    run = "UV_INDEX_CORP_PASSWORD=hunter2hunter2 uv sync"
    text = comment(triage_answer("hunter2hunter2 is wrong", run=run))
    assert "hunter2" not in text
    # Not even half of one where the output or a file is truncated.
    token = "ghp_" + "0123456789abcdef" * 3
    for shift in range(0, 60, 7):
        output = "x" * (3_950 + shift) + f" {token} " + "y" * 30_000
        whole = triage_answer(
            output, files=(File("a.txt", output.encode()),), parsed=replace(PARSED, title=token), run=f"uv sync {token}"
        )
        assert "0123456789" not in comment(whole)


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("`~ a\n<>"), max_size=60), st.sampled_from([1, 500, 4_000]))
def test_it_always_fits_and_no_output_closes_a_fence(output: str, times: int) -> None:
    text = comment(triage_answer(FAILURE + output * times, files=(File("a.md", (output * times).encode()),)))
    assert len(text.encode()) <= LIMIT
    fences = [token for token in MarkdownIt().parse(text) if token.type == "fence"]
    assert fences[0].content.startswith("$ uv sync\n")


@pytest.mark.parametrize("bundle", [sample(search=SEARCH), hostile()], ids=["ordinary", "hostile"])
def test_a_comment_on_an_mre_has_the_observed_step_and_the_mre(bundle: Bundle) -> None:
    text = write_comment(bundle)
    assert text.startswith("**reproducible** on uv 0.5.21: The symptom shows.\n")
    assert ("- first bad: uv 0.5.21\n" in text) == bool(bundle.search)
    assert "$ uv lock\n" not in text
    assert text.count("exit code 2") == 1
    assert tuple(read_blocks(text, "comment")) == bundle.files


@pytest.mark.parametrize("size", [70_000, 3_000_000])
def test_a_comment_on_an_mre_fits_and_names_what_it_omits(size: int) -> None:
    mre = replace(MRE, files=(File("large", b"x\n" * (size // 2)), File("small", b"y\n")))
    bundle = sample(mre, output="z\n" * 10_000_000)
    started = time.process_time()
    text = write_comment(bundle)
    assert time.process_time() - started < 1
    assert len(text.encode()) <= LIMIT
    assert f"`large` is omitted: it is too long for an issue ({size} bytes)." in text
    assert "`small`:\n\n```\ny\n```" in text
