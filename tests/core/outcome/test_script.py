"""What a script says by its exit code, and what it may not say."""

import pytest

from uvmre.core.outcome import script
from uvmre.core.outcome.observation import Observation, StepResult


def ended(code: int, *, timed_out: bool = False, said: str = "the last line\n") -> Observation:
    step = StepResult("./a.sh", "exec ./a.sh", "observe", code, said, "", 1.5, timed_out)
    return Observation("as reported", "0.5.21", "", "local", "here", (step,))


@pytest.mark.parametrize(
    ("code", "word", "reason"),
    [
        (0, "shows", "the script exits with code 0"),
        (1, "absent", "the script exits with code 1"),
        (125, "broken", "the script exits with code 125 (cannot tell): the last line"),
        (2, "broken", "the script exits with code 2: the last line"),
        (126, "broken", "the script cannot be executed (126): the last line"),
        (127, "broken", "the script does not find a command (127): the last line"),
        (139, "broken", "the script or its last command is killed by signal 11 (139): the last line"),
    ],
)
def test_an_exit_code_is_an_outcome(code: int, word: str, reason: str) -> None:
    outcome = script.judge(ended(code))
    assert (outcome.word, outcome.reason) == (word, reason)
    complaint = script.invalid_exit(ended(code))
    assert bool(complaint) == (code not in (0, 1, 125))
    if complaint:
        assert complaint.startswith("on uv 0.5.21, the script ")


def test_one_whose_time_was_up_cannot_tell() -> None:
    assert script.judge(ended(143, timed_out=True)).reason == "the script exceeds its time limit (2 s)"
    assert script.invalid_exit(ended(143, timed_out=True)) == ""


def test_one_that_was_interrupted_says_nothing() -> None:
    interrupted = Observation("as reported", "0.5.21", "", "local", "here", (), obstacle="it was interrupted")
    assert script.judge(interrupted).word == "broken"
    assert script.invalid_exit(interrupted) == ""


def test_its_words_stay_what_they_are() -> None:
    (step,) = script.script_mre(["/a b/c.sh", "it's", "$HOME"]).steps
    assert step.run == """exec '/a b/c.sh' 'it'"'"'s' '$HOME'"""
    assert step.role == "observe"
