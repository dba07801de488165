"""What is varied before it is said that something does not show."""

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step, Symptom
from uvmre.core.triage.variations import MOST, variations

ROOT = File("pyproject.toml", b"[tool.uv.workspace]\nmembers = ['a']\n")
MEMBER = File("a/pyproject.toml", b"")


def varied(*runs: str, files: tuple[File, ...] = ()) -> dict[str, str]:
    """Return the command that is another one in each variation, by its name."""
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
        pytest.param(("uv sync --group docs",), (), {}, id="groups that are named stay"),
        pytest.param(
            ("uv lock", "uv sync --all-groups -v"),
            (),
            {"with `--frozen`": "uv sync --frozen --all-groups -v"},
            id="frozen where there is a lock",
        ),
        pytest.param(
            ("uv run --frozen --no-dev a",),
            (),
            {"without `--frozen`": "uv run --no-dev a"},
            id="and the other way round",
        ),
        pytest.param(
            ("uv lock",), (ROOT, MEMBER), {"in `a`": "cd a && uv lock"}, id="in the member of a workspace, not the root"
        ),
        pytest.param(("cd a && uv lock",), (ROOT, MEMBER), {}, id="not where it is somewhere on purpose"),
        pytest.param(("uv lock --project a",), (ROOT, MEMBER), {}, id="nor about something on purpose"),
        pytest.param(("uv lock",), (File("pyproject.toml", b""), MEMBER), {}, id="a folder is no member by itself"),
        pytest.param(("uv lock",), (File("pyproject.toml", b"["), MEMBER), {}, id="a root that is no TOML"),
    ],
)
def test_what_is_varied(runs: tuple[str, ...], files: tuple[File, ...], found: dict[str, str]) -> None:
    assert varied(*runs, files=files) == found


def test_no_more_than_a_few() -> None:
    assert len(varied("uv lock", "uv sync", files=(ROOT, MEMBER))) == 3 <= MOST
