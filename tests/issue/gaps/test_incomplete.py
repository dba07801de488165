"""Gaps: files, variables and commands that are not in the post."""

import pytest

from uvmre.core.triage.parsed_issue import Claim, Command, PostedFile
from uvmre.issue.files.pyproject import ELIDED
from uvmre.issue.gaps import incomplete

CLAIM = Claim("failure", 0, 4, ("a",))


@pytest.mark.parametrize(
    ("run", "paths", "found"),
    [
        ("uv sync", set(), [("pyproject.toml", True)]),
        ("uv sync", {"pyproject.toml"}, []),
        ("uv run --with a b", set(), []),
        ("uv add a", set(), []),
        ("uv pip install -r a.txt", set(), [("a.txt", True)]),
        ("uv pip install -r a.txt", {"a.txt"}, []),
        ("uv sync --frozen", {"pyproject.toml"}, [("uv.lock", False)]),
        ("uv pip install ./a", set(), [("./a", True)]),
        ("uv pip install ./a", {"a/pyproject.toml"}, []),
        ("uv pip install .", set(), [("pyproject.toml", True)]),
    ],
)
def test_missing_files(run: str, paths: set[str], found: list[tuple[str, bool]]) -> None:
    gaps = incomplete.missing_files([Command(run, 3)], CLAIM, [], paths, from_dockerfile=False)
    assert [(gap.description, gap.blocking) for gap in gaps] == [
        (f"`{path}` is not in the post", blocking) for path, blocking in found
    ]


def test_a_file_that_a_command_creates_is_not_missing() -> None:
    commands = [Command("echo a > a.txt", 2), Command("uv pip install -r a.txt", 3)]
    claim = Claim("failure", 1, 4, ("a",))
    assert incomplete.missing_files(commands, claim, [], set(), from_dockerfile=False) == []


@pytest.mark.parametrize(("kind", "blocking"), [("output", True), ("failure", False)])
def test_a_file_that_is_not_toml(kind: str, blocking: bool) -> None:
    file = PostedFile("uv.toml", "not = [toml", 2, "")
    claim = Claim("output" if kind == "output" else "failure", -1, 4)
    (gap,) = incomplete.missing_files([], claim, [file], {"uv.toml"}, from_dockerfile=False)
    assert (gap.blocking, gap.line) == (blocking, 2)


def test_a_file_posted_in_part() -> None:
    files = [PostedFile("a", "", 5, f"added: {ELIDED}"), PostedFile("b", "", 9, "x"), PostedFile("c", "", 1, "x")]
    gaps = incomplete.shortened_files(files, [("The relevant part of the file:", 8)])
    assert [(gap.line, gap.blocking) for gap in gaps] == [(5, False), (9, False)]


@pytest.mark.parametrize(("runs", "count"), [([], 1), (["ls"], 1), (["uv sync"], 1)])
def test_an_unclear_claim_is_blocking(runs: list[str], count: int) -> None:
    gaps = incomplete.unclear_claim([Command(run, 1) for run in runs], Claim("none", -1, 0))
    assert [gap.blocking for gap in gaps] == [True] * count
    assert incomplete.unclear_claim([], CLAIM) == []


@pytest.mark.parametrize(
    ("run", "variables", "count"),
    [
        ("uv add $A", (), 1),
        ("uv add $A $A", (), 1),
        ("uv add $A", (("A", "1"),), 0),
        ("A=1 uv add $A", (), 0),
        ("uv add $HOME '$A'", (), 0),
        ("for A in 1 2; do uv add $A; done", (), 0),
    ],
)
def test_undefined_variables(run: str, variables: tuple[tuple[str, str], ...], count: int) -> None:
    assert len(incomplete.undefined_variables([Command(run, 1)], CLAIM, variables)) == count
