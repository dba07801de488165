"""How strong the evidence of a symptom is, and when a release that fails differently does not have the bug."""

import pytest

from uvmre.core.mre.model import HOLDS, Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.error_chain import cause_of
from uvmre.core.outcome.observation import Observation, StepResult
from uvmre.core.triage.evidence import Strength, evidence_of, is_distinctive
from uvmre.core.triage.other_release import judge_release, likeness
from uvmre.core.triage.parsed_issue import Claim

BUILD = """\
  × Failed to build `member @ file:///app/member`
  ├─▶ Failed to resolve requirements from `build-system.requires`
  ╰─▶ the extension `ext` is given twice by two workspace members
      hint: look at the members
"""
FAILED = Claim("failure", 0, 1)


def run(stderr: str, *, exit: int = 2, stdout: str = "", uv: str = "0.4.6") -> Observation:
    step = StepResult("uv sync", "uv sync", "observe", exit, stdout, stderr, 0.1)
    return Observation("as reported", uv, "3.11.7", "local", "Linux", (step,))


def mre(*output: str, exit: int | None = None) -> Mre:
    symptom = Symptom("failure" if exit is None else exit, output)
    return Mre("t", Environment("0.4.6"), (Step("uv sync", "observe"),), symptom)


@pytest.mark.parametrize(
    ("reported", "observation", "why"),
    [
        pytest.param(mre("the extension `ext` is given twice"), run(BUILD), "", id="the innermost cause"),
        pytest.param(
            mre("Failed to resolve requirements from", "the extension `ext` is given twice"),
            run(BUILD),
            "",
            id="the chain, up to the innermost cause",
        ),
        pytest.param(
            mre("thread 'main' panicked at x.rs:1"), run("thread 'main' panicked at x.rs:1"), "", id="a panic"
        ),
        pytest.param(mre("all was well"), run("all was well", exit=139), "", id="a signal"),
        pytest.param(mre(), run("error: it broke"), "a headline", id="only that it fails"),
        pytest.param(
            mre("error: No solution found when resolving dependencies:"),
            run("error: No solution found when resolving dependencies:\n  cause: Because a depends on b, …"),
            "a headline",
            id="a headline that many errors share",
        ),
        pytest.param(
            mre("the member cannot be built as it stands"),
            run("error: the member cannot be built as it stands\n  Caused by: the disk is of another make"),
            "the disk is of another make",
            id="a cause that was not reported",
        ),
        pytest.param(
            mre("error sending request for url (https://example.org/simple/)"),
            run("error: error sending request for url (https://example.org/simple/)"),
            "an unreachable network",
            id="no network",
        ),
        pytest.param(
            mre("could not be queried due to a lack of valid authentication credentials (401 Unauthorized)"),
            run("error: could not be queried due to a lack of valid authentication credentials (401 Unauthorized)"),
            "missing credentials",
            id="no credentials",
        ),
        pytest.param(
            mre("Because private-thing was not found in the package registry"),
            run("error: Because private-thing was not found in the package registry and you require it"),
            "an unavailable package or index",
            id="a private package",
        ),
        pytest.param(
            mre("failed to open file `secret.txt`: No such file or directory (os error 2)"),
            run("error: failed to open file `secret.txt`: No such file or directory (os error 2)"),
            "a missing file",
            id="a file that is not in the post",
        ),
        pytest.param(
            mre("sh: 1: make-it: not found"), run("sh: 1: make-it: not found"), "a missing tool", id="no tool"
        ),
        pytest.param(
            mre("ModuleNotFoundError: No module named 'maturin'"),
            run("ModuleNotFoundError: No module named 'maturin'"),
            "a missing module",
            id="no module",
        ),
        pytest.param(
            mre("Unable to find lockfile at `uv.lock`"),
            run("error: Unable to find lockfile at `uv.lock`"),
            "a missing file",
            id="no lock",
        ),
        pytest.param(
            mre("the current Python version (3.11.7) does not satisfy Python>=3.12"),
            run("error: Because the current Python version (3.11.7) does not satisfy Python>=3.12 and so on"),
            "a different Python version",
            id="another Python",
        ),
        pytest.param(
            mre("Because foo==1 depends on bar>=2 and you require bar<2"),
            run("error: No solution found\n  cause: Because foo==1 depends on bar>=2 and you require bar<2, no."),
            "",
            id="a conflict that the post has in whole",
        ),
        pytest.param(
            mre("Resolved 3 packages, of which one twice", exit=0),
            run("Resolved 3 packages, of which one twice", exit=0),
            "the command succeeds",
            id="output of a command that succeeds",
        ),
        pytest.param(mre("something else"), run("error: it broke"), "does not show", id="it does not show"),
    ],
)
def test_strength_of_evidence(reported: Mre, observation: Observation, why: str) -> None:
    found = evidence_of(reported, FAILED, observation)
    assert (found.strength is Strength.STRONG) is not bool(why), found
    assert why in found.why


def test_an_unconfirmed_claim_is_weak_evidence() -> None:
    reported = mre("the extension `ext` is given twice")
    claim = Claim("failure", 0, 1, unconfirmed=True)
    assert evidence_of(reported, claim, run(BUILD)).strength is Strength.WEAK


@pytest.mark.parametrize(
    ("text", "distinctive"),
    [
        ("error: Failed to build `foo`", False),
        ("× No solution found when resolving dependencies:", False),
        ("Caused by: exit code 1", False),
        ("… …", False),
        ("found dependency `a[x]` with unrecognized extra", True),
        ("error: Failed to parse metadata: unexpected fragment on URL", True),
    ],
)
def test_a_headline_is_not_distinctive(text: str, distinctive: bool) -> None:
    assert is_distinctive(text) is distinctive


@pytest.mark.parametrize(
    ("stderr", "cause"),
    [
        (BUILD, "the extension `ext` is given twice by two workspace members"),
        ("error: one\n  Caused by: two\n  Caused by: three\n", "three"),
        ("error: just one\nhint: do it\n", "just one"),
        ("", "no output"),
    ],
)
def test_the_innermost_cause(stderr: str, cause: str) -> None:
    assert cause_of(run(stderr).steps[0]) == cause


PROJECT = Symptom("failure", ("No `project` table found in `/a/pyproject.toml`",))


@pytest.mark.parametrize(
    ("uv", "stderr", "word"),
    [
        pytest.param("0.4.7", "error: No `project` table found in `/a/pyproject.toml`", "shows", id="the same"),
        pytest.param("0.4.7", "error: No `project` section found in `/a/pyproject.toml`", "shows", id="reworded"),
        pytest.param("0.4.7", "error: Unable to find lockfile at `uv.lock`", "absent", id="newer, fails differently"),
        pytest.param(
            "0.4.6", "error: Unable to find lockfile at `uv.lock`", "different", id="itself, fails differently"
        ),
        pytest.param(
            "0.4.5", "error: Unable to find lockfile at `uv.lock`", "different", id="older, fails differently"
        ),
        pytest.param(
            "0.4.5", "error: No `project` section found in `/a/pyproject.toml`", "shows", id="older, reworded"
        ),
        pytest.param("0.4.5", "error: unrecognized subcommand 'sync'", "broken", id="older, without the command"),
        pytest.param("0.4.7", "error: unrecognized subcommand 'sync'", "broken", id="newer, without the command"),
        pytest.param("0.4.7", "error: error sending request for url", "different", id="newer, but the network"),
        pytest.param("0.4.7", "error: No interpreter found for Python 3.14", "different", id="newer, but a tool"),
        pytest.param("0.4.7", "1c1\n< a\n---\n> b\n", "different", id="newer, but a program without an error"),
    ],
)
def test_a_newer_release_that_fails_differently_does_not_have_the_bug(uv: str, stderr: str, word: str) -> None:
    assert judge_release(PROJECT, None, run(stderr, uv=uv), "0.4.6").word == word


def test_directories_do_not_count_in_a_reworded_error() -> None:
    symptom = Symptom("failure", ("No `project` table found in: `…/pyproject.toml`",))
    observation = run("error: No `project` section found in: `/home/me/thing/pyproject.toml`", uv="0.1.43")
    assert judge_release(symptom, None, observation, "0.4.6").word == "shows"


def test_an_older_release_with_a_similar_error_is_inconclusive() -> None:
    observation = run("error: No `project` part stands in `/a/pyproject.toml`", uv="0.1.43")
    assert judge_release(PROJECT, None, observation, "0.4.6").word == "broken"


@pytest.mark.parametrize(
    ("expected", "uv", "word"),
    [
        ((), "0.4.7", "different"),
        (("name does not match",), "0.4.7", "absent"),
        (("something else",), "0.4.7", "different"),
        (("name does not match",), "0.4.5", "different"),
    ],
)
def test_a_newer_release_that_prints_the_expected_output_is_fixed_even_if_it_fails(
    expected: tuple[str, ...], uv: str, word: str
) -> None:
    silent = Symptom(0, ("all is well",))
    assert (
        judge_release(silent, Symptom(output=expected), run("error: the name does not match", uv=uv), "0.4.6").word
        == word
    )


@pytest.mark.parametrize(
    ("symptom", "uv", "exit_code", "stderr", "word"),
    [
        pytest.param(Symptom(HOLDS), "0.4.7", HOLDS, "error: it broke", "shows", id="any failure"),
        pytest.param(Symptom(HOLDS), "0.4.7", HOLDS, "error: dns error", "broken", id="the network may cause it"),
        pytest.param(Symptom(HOLDS), "0.1.0", HOLDS, "error: unrecognized subcommand 'a'", "broken", id="no command"),
        pytest.param(Symptom(HOLDS), "0.1.0", HOLDS, "warning: unknown field `a`, expected", "broken", id="no setting"),
        pytest.param(Symptom(0), "0.4.7", 0, "", "shows", id="any success"),
        pytest.param(Symptom(0), "0.4.7", 2, "error: it is refused", "absent", id="a newer one refuses it"),
        pytest.param(Symptom(0), "0.4.5", 2, "error: it is refused", "different", id="an older one fails"),
        pytest.param(Symptom(0), "0.4.7", 2, "error: dns error", "broken", id="a newer one without a network"),
        pytest.param(Symptom(0), "0.4.7", 2, "error: unexpected argument '--a' found", "broken", id="no option"),
        pytest.param(PROJECT, "0.4.5", 0, "warning: unknown field `a`", "broken", id="an older one ignores a setting"),
        pytest.param(PROJECT, "0.4.7", 0, "warning: unknown field `a`", "absent", id="a newer one ignores a typo"),
        pytest.param(PROJECT, "0.4.5", 0, "Resolved 1 package", "absent", id="an older one succeeds"),
    ],
)
def test_an_exit_code_alone(symptom: Symptom, uv: str, exit_code: int, stderr: str, word: str) -> None:
    assert judge_release(symptom, None, run(stderr, exit=exit_code, uv=uv), "0.4.6").word == word


def test_a_headline_does_not_tell_whether_a_newer_release_is_fixed() -> None:
    assert (
        judge_release(Symptom("failure", ("Failed to build `a`",)), None, run("error: no", uv="0.4.7"), "0.4.6").word
        == "different"
    )


def test_likeness_is_a_share_of_word_pairs() -> None:
    assert likeness("a b c", "x a b c y") == 1
    assert likeness("a b c", "a b x") == 0.5
    assert likeness("a b c", "c b a") == 0
    assert likeness("", "a b") == 0
