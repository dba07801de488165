"""Paths that are missing after a command, or left."""

import pytest

from uvmre.core.mre.symptom import FileSymptom
from uvmre.issue.build_mre import to_mre
from uvmre.issue.read import read_hypotheses

HEAD = "# It goes wrong\n<!-- some/where#1 created 2025-01-20T10:00:00Z -->\n\nuv 0.5.20\n\n"
PROJECT = '```toml\n[project]\nname = "thing"\nversion = "1"\n```\n\n'
FAILS = "```console\n$ uv build\nerror: The build is all wrong\n```\n\n"


def states(text: str) -> list[tuple[str, bool]]:
    """Return the paths that a post is about, and whether they exist in the failing case."""
    found = [each.claim for each in read_hypotheses(HEAD + PROJECT + text)]
    return [(each.file, each.exists) for each in found if each.exists is not None]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`uv init` does not create `src/thing/py.typed`.", [("src/thing/py.typed", False)]),
        ("I run `uv build`. The file `dist/thing.whl` is missing.", [("dist/thing.whl", False)]),
        ("`uv venv --clear` does not remove `.venv/extra.txt`.", [(".venv/extra.txt", True)]),
        ("`uv init` leaves `thing/main.py` behind.", [("thing/main.py", True)]),
        (f"{FAILS}But `dist/thing.tar.gz` is still created.", [("dist/thing.tar.gz", True)]),
        (
            f"{FAILS}But an archive is still created:\n\n```console\n$ ls dist/thing.tar.gz\ndist/thing.tar.gz\n```\n",
            [("dist/thing.tar.gz", True)],
        ),
    ],
)
def test_paths_that_are_missing_or_left(text: str, found: list[tuple[str, bool]]) -> None:
    assert states(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "`uv init` creates `src/thing/py.typed`.",
        "`uv init` does not work with `--lib`.",
        "`uv init`: the old `src/thing` no longer exists.",
        "`uv lock` works. Poetry does not write `src/thing.lock`.",
        f"{FAILS}The file `dist/thing.whl` is missing.",
        "`uv add` is fine. It does not create a `foo>=1`.",
    ],
)
def test_other_sentences_about_paths(text: str) -> None:
    assert not states(text)


def test_the_reverse_is_expected_of_a_command_that_ends_in_the_same_way() -> None:
    text = f"{FAILS}But `dist/thing.tar.gz` is still created."
    mre = to_mre(next(each for each in read_hypotheses(HEAD + PROJECT + text) if each.claim.exists))
    assert mre.expected
    assert (mre.symptom.exit, mre.expected.exit) == ("failure", "failure")
    assert mre.symptom.files == (FileSymptom("dist/thing.tar.gz", exists=True),)
    assert mre.expected.files == (FileSymptom("dist/thing.tar.gz", exists=False),)
