import pytest

from uvmre.capture.conflict import contradiction, premises

UV = """
  × No solution found when resolving dependencies:
  ╰─▶ Because b==5.0.0 depends on idna>=3 and only b<=5.0.0 is available, we
      can conclude that b>=5.0.0 depends on idna>=3.
      And because c depends on b>=5 and your project requires c, we can
      conclude that your project depends on idna>=3.
      And because your project depends on idna==2.10, we can conclude that your project's requirements are unsatisfiable.

      hint: `b` was found on https://x, because it is there
"""


def test_premises_are_what_is_given_and_not_what_follows() -> None:
    assert premises(UV) == (
        "b==5.0.0 depends on idna>=3",
        "only b<=5.0.0 is available",
        "c depends on b>=5",
        "your project requires c",
        "your project depends on idna==2.10",
    )


@pytest.mark.parametrize("text", ["", "error: No such file", "warning: because"])
def test_other_errors_have_none(text: str) -> None:
    assert premises(text) == ()


def test_what_contradicts_itself_is_the_core_of_a_conflict() -> None:
    assert contradiction(premises(UV)) == ("b==5.0.0 depends on idna>=3", "depends on idna==2.10")


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("a>=2", "a<2", True),
        ("a>=2", "a<=2", False),
        ("a>1", "a<2", False),
        ("a==1.*", "a==2.0", True),
        ("a>=1,<3", "a>=3", True),
        ("a>=1,<3", "a>=2.5", False),
        ("a!=1", "a==1", True),
        ("a~=1.4", "a>=2", True),
        ("a[x]>=2", "a==1", True),
        ("a>=2", "b<2", False),
    ],
)
def test_two_requirements_contradict_each_other_if_no_version_satisfies_both(
    one: str, other: str, contradict: bool
) -> None:
    found = (f"x depends on {one}", "only y is available", f"your workspace requires {other}")
    assert bool(contradiction(found)) is contradict


def test_a_version_that_does_not_exist_contradicts_nothing() -> None:
    assert contradiction(("there is no version of a==9", "your project depends on a==9")) == ()
