"""Which files a RUN of a Dockerfile sees."""

import pytest

from uvmre.issue.read import read_issue

PROJECT = '[project]\nname = "a"\nversion = "1"\nreadme = "README.md"\n[build-system]\nrequires = ["hatchling"]\n'
BOTH = ["README.md", "src/a/__init__.py"]


@pytest.mark.parametrize(
    ("copies", "there"),
    [
        ("COPY . .", BOTH),
        ("COPY pyproject.toml README.md ./\nCOPY src/ src/", BOTH),
        ("COPY pyproject.toml ./", []),
        ("COPY pyproject.toml *.md ./", ["README.md"]),
        ("WORKDIR /a", BOTH),
    ],
)
def test_inferred_files_are_there_if_they_are_copied_before(copies: str, there: list[str]) -> None:
    text = (
        f"```toml\n{PROJECT}```\n```dockerfile\nFROM a\n{copies}\nRUN uv sync\nCOPY . .\n```\n```\nerror: It fails\n```"
    )
    found = read_issue(f"# It fails\n\n{text}")
    assert [file.path for file in found.files if file.inferred and not file.before] == there


def test_a_lockfile_that_is_copied_is_made_first() -> None:
    text = "```dockerfile\nFROM a\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --locked\nCOPY . .\n```"
    found = read_issue(f"# It fails\n\n```toml\n{PROJECT}```\n{text}\n```\nerror: It fails\n```")
    assert [each.run for each in found.commands] == ["uv lock", "uv sync --locked"]
    assert [file.before for file in found.files if file.inferred] == [2, 2]
