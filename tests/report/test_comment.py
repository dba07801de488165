"""The answer as a comment: what is in it, that nothing in it ends a block, and that it always fits."""

import datetime
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from uvmre.core.answer import Answer, answer
from uvmre.core.case import Case, Trial, Wish
from uvmre.core.draft import Claim, Command, Draft, Gap
from uvmre.core.mre import BASE, Environment, File, Mre, Step, Symptom
from uvmre.core.observation import Observation, StepResult
from uvmre.core.result import Result, Variant
from uvmre.core.symptom import match
from uvmre.core.verdict import verdict
from uvmre.report.comment import LIMIT, comment

BROKE = "error: the extension `ext` is given twice\n"
DRAFT = Draft(
    "t",
    datetime.date(2024, 9, 6),
    commands=(Command("uv sync", 7),),
    claim=Claim("failure", 0, 7, ("the extension `ext` is given twice",)),
)


def told(stderr: str = BROKE, *, files: tuple[File, ...] = (), draft: Draft = DRAFT, run: str = "uv sync") -> Answer:
    symptom = Symptom("failure", ("the extension `ext` is given twice",))
    mre = Mre("t", Environment("0.4.6"), (Step(run, "observe"),), symptom, files=files)
    step = StepResult(run, run, "observe", 2, "", stderr, 0.1)
    observation = Observation(BASE, "0.4.6", "3.11.7", "local", "Linux", (step,))
    variant = Variant(BASE, "", observation, match(symptom, observation))
    judged = verdict(mre, {BASE: variant.outcome})
    result = Result("t", "", "0.4.6", "0.4.6", "3.11.7", "local", "Linux", "auto", "", "", (variant,), judged)
    case = Case(draft, mre, trials=(Trial(Wish("reported", mre), result, judged),))
    return answer("issue.md", case, uv="0.4.6", folder="")


def test_it_has_the_verdict_the_commands_and_the_files() -> None:
    text = comment(told(files=(File("pyproject.toml", b"[project]\n"),)))
    assert text.startswith("**reproducible**: uv 0.4.6 shows it: ")
    assert "```console\n$ uv sync\nerror: the extension `ext` is given twice\n```\nexit code 2\n" in text
    assert "`pyproject.toml`:\n\n```\n[project]\n```" in text


def test_it_asks_and_says_what_is_not_as_reported() -> None:
    gap = Gap(3, "a.txt is not in the post", True, "What is in a.txt?")
    text = comment(told(draft=replace(DRAFT, gaps=(gap,), stood_in=("a made-up index",))))
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
            said, files=(File("a.txt", said.encode()),), draft=replace(DRAFT, title=token), run=f"uv sync {token}"
        )
        assert "0123456789" not in comment(whole)


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("`~ a\n<>"), max_size=60), st.sampled_from([1, 500, 4_000]))
def test_it_always_fits_and_nothing_ends_its_blocks(said: str, times: int) -> None:
    text = comment(told(BROKE + said * times, files=(File("a.md", (said * times).encode()),)))
    assert len(text.encode()) <= LIMIT
    fences = [token for token in MarkdownIt().parse(text) if token.type == "fence"]
    assert fences[0].content.startswith("$ uv sync\n")
