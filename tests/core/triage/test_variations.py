"""Variations that are tried before a verdict of `not_reproducible`."""

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.triage.variations import MOST, variations

ROOT = File("pyproject.toml", b"[tool.uv.workspace]\nmembers = ['a']\n")
MEMBER = File("a/pyproject.toml", b"")


def changed_commands(*runs: str, files: tuple[File, ...] = ()) -> dict[str, str]:
    """Return the changed command of each variation, by its name."""
    steps = tuple(Step(run, "observe" if run == runs[-1] else "setup") for run in runs)
    mre = Mre("t", Environment("0.5.21"), steps, Symptom(2), files=files)
    found = {}
    for name, other in variations(mre):
        (changed,) = [step.run for step, before in zip(other.steps, steps, strict=True) if step != before]
        found[name] = changed
    return found


@pytest.mark.parametrize(
    ("runs", "files", "found"),
    [
        pytest.param(("uv pip install a",), (), {}, id="nothing to vary"),
        pytest.param((), (), {}, id="no steps"),
        pytest.param(("uv sync",), (), {"with `--no-dev`": "uv sync --no-dev"}, id="groups"),
        pytest.param(("uv sync --group docs",), (), {}, id="explicit groups stay"),
        pytest.param(
            ("uv lock", "uv sync --all-groups -v"),
            (),
            {"with `--frozen`": "uv sync --frozen --all-groups -v"},
            id="frozen if there is a lock file",
        ),
        pytest.param(
            ("uv run --frozen --no-dev a",),
            (),
            {"without `--frozen`": "uv run --no-dev a"},
            id="not frozen",
        ),
        pytest.param(
            ("uv lock",), (ROOT, MEMBER), {"in `a`": "cd a && uv lock"}, id="in the member of a workspace, not the root"
        ),
        pytest.param(("cd a && uv lock",), (ROOT, MEMBER), {}, id="not with an explicit directory"),
        pytest.param(("uv lock --project a",), (ROOT, MEMBER), {}, id="not with an explicit project"),
        pytest.param(
            ("uv lock",), (File("pyproject.toml", b""), MEMBER), {}, id="a directory is not a member by itself"
        ),
        pytest.param(("uv lock",), (File("pyproject.toml", b"["), MEMBER), {}, id="a root that is not TOML"),
    ],
)
def test_variations(runs: tuple[str, ...], files: tuple[File, ...], found: dict[str, str]) -> None:
    assert changed_commands(*runs, files=files) == found


def test_the_number_of_variations_is_limited() -> None:
    assert len(changed_commands("uv lock", "uv sync", files=(ROOT, MEMBER))) == 3 <= MOST
