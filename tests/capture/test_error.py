import pytest

from uvmre.capture.error import Complaint, same_error, symptom_of
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.outcome.observation import StepResult

FIRST = """
  × No solution found when resolving dependencies:
  ╰─▶ Because b==5.0.0 depends on idna>=3 and only b<=5.0.0 is available, we
      can conclude that b>=5.0.0 depends on idna>=3.
      And because a depends on b>=5 and your project requires a, we can
      conclude that your project's requirements are unsatisfiable.

      hint: `b` was found on https://x, but only because it is there
"""
OTHER_ORDER = """
  × No solution found when resolving dependencies:
  ╰─▶ Because only b<=5.0.0 is available and a depends on b>=5, we can conclude that a depends on b==5.0.0.
      And because b==5.0.0 depends on idna>=3 and your project requires a, we can
      conclude that your project's requirements are unsatisfiable.
"""
OTHER_CONFLICT = FIRST.replace("idna>=3", "idna>=4")
FETCH = "error: Failed to fetch: `{url}`\n  Caused by: HTTP status client error ({status}) for url ({url})\n"


def step(stderr: str) -> StepResult:
    return StepResult("uv sync", "uv sync", "observe", 1, "", stderr, 0.1)


def test_the_order_of_a_conflict_does_not_matter() -> None:
    symptom = symptom_of(step(FIRST))
    assert same_error(symptom, FIRST, step(OTHER_ORDER))
    assert not same_error(symptom, FIRST, step(OTHER_CONFLICT))
    assert not same_error(symptom, FIRST, step("error: Because of that"))


@pytest.mark.parametrize(
    ("url", "status", "same"),
    [
        ("https://gitlab.example.com/api/v4/files/00/a-1.whl", "401 Unauthorized", True),
        ("https://gitlab.example.com/api/v4/files/00/a-1.whl", "404 Not Found", False),
    ],
)
def test_an_address_does_not_matter_but_the_status_does(url: str, status: str, same: bool) -> None:
    ours = step(FETCH.format(url="https://gitlab.corp.io/api/v4/files/ff/a-1.whl", status="401 Unauthorized"))
    assert same_error(symptom_of(ours), ours.stderr, step(FETCH.format(url=url, status=status))) is same


def test_an_error_without_a_chain_is_its_last_line() -> None:
    assert symptom_of(step("something\nwent wrong\n")) == Symptom(exit="failure", output=("went wrong",))


@pytest.mark.parametrize(
    ("complaint", "symptom"),
    [
        (Complaint(), None),
        (Complaint(prints=("x",)), Symptom(exit="success", output=("x",))),
        (Complaint(lacks=("x",)), Symptom(exit="success", absent=("x",))),
        (Complaint(leaves="a"), Symptom(exit="success", files=(FileSymptom("a", exists=True),))),
        (Complaint(leaves_no="a"), Symptom(exit="success", files=(FileSymptom("a", exists=False),))),
        (Complaint(hangs=True), Symptom(exit="timeout")),
    ],
)
def test_what_is_wrong_with_a_command_that_succeeds(complaint: Complaint, symptom: Symptom | None) -> None:
    assert complaint.symptom == symptom


@pytest.mark.parametrize(
    ("stderr", "texts"),
    [
        (
            "Error: Expected a Python module at: src/a/__init__.py\n\n  × Failed to build `/home/ann/a`\n"
            "  ├─▶ The build backend returned an error\n  ╰─▶ Call to `uv_build.build_wheel` failed (exit status: 1)\n",
            ("Expected a Python module at: src/a/__init__.py",),
        ),
        ("LookupError: no version for /home/ann/a.\n", ("LookupError: no version for …",)),
        ("LookupError: no version for /mre.\n", ("LookupError: no version for ….",)),
        (
            "error: Failed to spawn: `ruff`\n  Caused by: No such file or directory (os error 2)\n",
            ("Failed to spawn: `ruff`", "No such file or directory (os error 2)"),
        ),
    ],
)
def test_the_symptom_says_what_is_wrong_and_not_where(stderr: str, texts: tuple[str, ...]) -> None:
    assert symptom_of(step(stderr)).output == texts


def test_the_folder_of_a_project_does_not_matter() -> None:
    ours, theirs = (step(f"LookupError: no version for {folder}.\n") for folder in ("/home/ann/a", "/mre"))
    assert same_error(symptom_of(ours), ours.stderr, theirs)
