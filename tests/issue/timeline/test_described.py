"""The project that a sentence describes."""

import tomllib

import pytest

from uvmre.issue.timeline.described import described_project


def project(*sentences: str) -> dict[str, object] | None:
    file = described_project([(each, i) for i, each in enumerate(sentences, 1)], "3.12")
    return tomllib.loads(file.text) if file else None


def test_requirements_and_the_python_version() -> None:
    found = project("Create a project with dependencies `a ; os_name == 'nt'` and `b>=2`, Python >=3.9.")
    assert found == {
        "project": {
            "name": "project",
            "version": "0.1.0",
            "requires-python": ">=3.9",
            "dependencies": ["a ; os_name == 'nt'", "b>=2"],
        }
    }


def test_keys_belong_to_their_tables() -> None:
    found = project(
        'The project has `readme = "docs/A.md"`, `build-backend = "hatchling.build"` and `managed = false`.'
    )
    assert found
    assert (found["build-system"], found["tool"]) == (
        {"build-backend": "hatchling.build", "requires": ["hatchling"]},
        {"uv": {"managed": False}},
    )


@pytest.mark.parametrize(
    "sentence",
    [
        "The project should depend on `a`.",
        "My project installs `a==1` although `b` is there.",
        "The project resolves to dependency `a==1`.",
        "The project depends on many things, see `pyproject.toml`.",
        "We use `a>=1` everywhere.",
    ],
)
def test_other_sentences_describe_nothing(sentence: str) -> None:
    assert project(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "free"),
    [
        ("In any project at all, it fails.", True),
        ("It fails in a fresh uv project.", True),
        ("It fails in my project.", False),
        ("It fails in an empty folder.", False),
    ],
)
def test_any_project_does(sentence: str, free: bool) -> None:
    file = described_project([(sentence, 3)], "")
    assert (file is not None and file.inferred and file.line == 3) == free
