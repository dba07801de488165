"""Controls that could not have had the symptom."""

import pytest

from uvmre.core.mre.model import BASE, Control, Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.outcome.matching import Outcome, Word
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.outcome.vacuous import vacuous_controls

LOCK = Symptom(files=(FileSymptom("uv.lock", "six"),))
NO_LOCK = Symptom(files=(FileSymptom("uv.lock", exists=False),))
TEXT = Symptom("failure", ("401 Unauthorized",))


def observation(name: str, run: str, exit_code: int, lock: str | None, stderr: str = "") -> Observation:
    step = StepResult("lock", run, "observe", exit_code, "", stderr, 0.1)
    return Observation(
        name, "0.5.21", "3.11.7", "local", "Linux", (step,), files=(FileState("uv.lock", lock is not None, lock),)
    )


def steps(run: str) -> tuple[Step, ...]:
    return (Step(run, "observe", "lock"),)


@pytest.mark.parametrize(
    ("symptom", "control", "exit_code", "lock", "word", "expected"),
    [
        pytest.param(TEXT, Control("c", variables={"A": "1"}), 0, None, "absent", "", id="the same command"),
        pytest.param(TEXT, Control("c", replace={"lock": "uv sync"}), 0, None, "absent", "", id="another command of uv"),
        pytest.param(TEXT, Control("c", replace={"lock": "sh run.sh"}), 0, None, "absent", "", id="a script"),
        pytest.param(TEXT, Control("c", replace={"lock": "cat <<E\nuv\nE"}), 0, None, "absent", "", id="a heredoc"),
        pytest.param(TEXT, Control("c", replace={"lock": "cd a && echo"}), 0, None, "absent", "its observed step runs no uv command", id="no uv"),
        pytest.param(TEXT, Control("c", steps=steps("true")), 0, None, "absent", "its observed step runs no uv command", id="no uv in steps of its own"),
        pytest.param(TEXT, Control("c", variables={"A": "1"}), 2, None, "shows", "", id="it shows"),
        pytest.param(TEXT, Control("c", without_uv=True), 127, None, "shows", "a command was not found", id="it shows as uv is missing"),
        pytest.param(TEXT, Control("c", "different", replace={"lock": "uvv lock"}), 127, None, "different", "a command was not found", id="a typing mistake"),
        pytest.param(TEXT, Control("c", "different", replace={"lock": "uv x"}), 2, None, "different", "", id="another failure"),
        pytest.param(LOCK, Control("c", variables={"A": "1"}), 0, "idna", "absent", "", id="another lock file"),
        pytest.param(LOCK, Control("c", variables={"A": "1"}), 0, None, "absent", "it has no uv.lock", id="no lock file"),
        pytest.param(NO_LOCK, Control("c", "present", replace={"lock": "uv lock && uv x"}), 0, None, "shows", "", id="no lock file, as it must be"),
    ],
)  # fmt: skip
def test_a_control_that_proves_nothing_is_named(
    symptom: Symptom, control: Control, exit_code: int, lock: str | None, word: Word, expected: str
) -> None:
    mre = Mre("t", Environment("0.5.21"), steps("uv lock"), symptom, (control,))
    runs = [
        (BASE, observation(BASE, "uv lock", 2, "six"), Outcome("shows", "so it is")),
        ("c", observation("c", "", exit_code, lock), Outcome(word, "so it is")),
    ]
    assert vacuous_controls(mre, runs) == ({"c": expected} if expected else {})


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        ("/bin/sh: 1: nosuch: not found\n", True),
        ("bash: line 1: nosuch: command not found\n", True),
        ("uvx: not found\n", True),
        ("error: package `a` was not found\n", False),
        ("  cause: the file: not found here\n", False),
    ],
)
def test_a_command_that_does_not_exist_is_noticed_in_a_step_that_goes_on(stderr: str, expected: bool) -> None:
    control = Control("c", replace={"lock": "nosuch lock || true"})
    mre = Mre("t", Environment("0.5.21"), steps("uv lock"), TEXT, (control,))
    runs = [
        (BASE, observation(BASE, "uv lock", 2, None), Outcome("shows", "so it is")),
        ("c", observation("c", "", 0, None, stderr), Outcome("absent", "so it is")),
    ]
    assert bool(vacuous_controls(mre, runs)) == expected
