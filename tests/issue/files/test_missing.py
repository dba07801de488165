"""What the reporter has and the post omits."""

import pytest

from uvmre.core.triage.parsed_issue import Command, PostedFile
from uvmre.issue.files import missing


@pytest.mark.parametrize(
    ("run", "output", "text"),
    [
        ("uv sync", "error: No `project` table found in: `/a`", "[tool.uv.workspace]"),
        ("uv sync", "error: The project is marked as unmanaged", "managed = false"),
        ("uv add a", "", "[project]"),
    ],
)
def test_a_project_that_a_command_requires(run: str, output: str, text: str) -> None:
    file = missing.required_project([Command(run, 1, output)], "")
    assert file is not None
    assert (file.path, file.inferred, text in file.text) == ("pyproject.toml", True, True)


@pytest.mark.parametrize("runs", [["uv init", "uv add a"], ["uv add --script a.py b"], ["uv tree"]])
def test_no_project_is_required(runs: list[str]) -> None:
    assert missing.required_project([Command(run, 1) for run in runs], "") is None


@pytest.mark.parametrize(
    ("runs", "known", "found"),
    [
        (["uv sync --frozen"], set(), (0, "uv lock")),
        (["uv venv", "uv lock --check"], set(), (1, "uv lock")),
        (["uv sync --frozen"], {"uv.lock"}, None),
        (["uv lock", "uv sync --frozen"], set(), None),
        (["uv pip list"], set(), None),
    ],
)
def test_a_lock_file_that_a_command_requires(runs: list[str], known: set[str], found: tuple[int, str] | None) -> None:
    lock = missing.required_lock([Command(run, 1) for run in runs], known)
    assert (lock and (lock[0], lock[1].run)) == found


def test_tools_that_a_listing_shows() -> None:
    listing = Command("uv tool list", 1, "a v1.2\n- a\nb v2")
    assert [each.run for each in missing.required_tools([listing])] == ["uv tool install a==1.2"]
    assert missing.required_tools([Command("uv tool install a", 1), listing]) == []


def test_requirements_files_that_a_command_reads() -> None:
    found = missing.required_requirements([Command("uv pip install -r a.txt -r b.txt", 1)], {"b.txt"})
    assert [file.path for file in found] == ["a.txt"]


def test_files_that_an_error_names() -> None:
    root = PostedFile("pyproject.toml", "[project]\nname = 'root'\n", 1, "")
    output = "error: Failed to build `b @ file:///a/b`\n An index URL (https://a.example/simple) could not be queried"
    command = Command("UV_INDEX_ACME_USERNAME=a uv sync", 1, output)
    files = missing.with_files_of_errors([root], [command])
    assert [file.path for file in files] == ["pyproject.toml", "b/pyproject.toml"]
    assert 'members = ["b"]' in files[0].text
    assert 'name = "acme"\nurl = "https://a.example/simple"' in files[0].text
    assert missing.with_files_of_errors([], [command]) == []
