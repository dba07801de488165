"""Which template and which answers fit a text."""

from pathlib import Path

import pytest

from uvmre.flows.new import propose
from uvmre.scaffold.propose import fitting_answers, has, propose_templates, without_logs
from uvmre.scaffold.templates import Template, find_template, templates


def template(name: str, *keywords: str, faults: tuple[str, ...] = ()) -> Template:
    return Template(name, name, name, Path(), (), keywords, faults)


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        pytest.param("run uv lock now", "uv lock", True, id="words"),
        pytest.param("UV Lock", "uv lock", True, id="in another case"),
        pytest.param("uv lockfile", "uv lock", False, id="a part of a word"),
        pytest.param("my_uv lock", "uv lock", False, id="the end of a name"),
        pytest.param("mock_uv lock, then uv lock", "uv lock", True, id="only the second one"),
        pytest.param("uv sync --locked", "--locked", True, id="an option"),
        pytest.param("uv sync --locked=1", "--locked", True, id="an option with a value"),
        pytest.param("uv sync --frozenly", "--frozen", False, id="another option"),
        pytest.param("--extra-index-url x", "--extra", False, id="the start of an option"),
        pytest.param("UV_INDEX_FOO_USERNAME", "UV_INDEX_", True, id="the start of a name"),
        pytest.param("", "uv", False, id="nothing"),
    ],
)
def test_words_are_found_as_they_are(text: str, words: str, expected: bool) -> None:
    assert has(text, words) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a <!-- as `uv pip sync` --> b", "a  b", id="a comment"),
        pytest.param("a <!-- b\nc --> d <!-- e -->", "a  d ", id="comments"),
        pytest.param("a <!-- b", "a  b", id="a comment that does not end"),
        pytest.param("a\n  0.1s DEBUG uv_cache Cached interpreter\nb\n", "a\nb", id="a line of a log"),
    ],
)
def test_comments_and_logs_tell_nothing(text: str, expected: str) -> None:
    assert without_logs(text) == expected


def weights(title: str, commands: str, text: str, *known: Template) -> list[tuple[str, float]]:
    return [(each.template.name, each.weight) for each in propose_templates(known, title, commands, text)]


def test_a_title_weighs_more_than_a_command_and_that_more_than_the_rest() -> None:
    one, two, three = (template(word, word) for word in ("one", "two", "three"))
    assert weights("one", "two", "one two three", one, two, three) == [("one", 3.0), ("two", 2.0)]


def test_a_keyword_of_several_templates_weighs_less() -> None:
    first, second = template("first", "Shared", "own"), template("second", "shared")
    assert weights("shared own", "", "", first, second) == [("first", 4.5), ("second", 1.5)]


def test_a_keyword_within_another_one_counts_once() -> None:
    assert weights("uv pip compile", "", "", template("pip", "uv pip", "uv pip compile")) == [("pip", 3.0)]


def test_an_unusable_template_is_never_proposed() -> None:
    assert weights("word", "", "", template("broken", "word", faults=("x",))) == []


REPORT = """\
# `uv sync --frozen` ignores a missing lock file
<!-- astral-sh/uv#123 created 2025-01-20T10:00:00Z -->

uv 0.5.21, Python 3.12.4

```console
$ uv lock --upgrade
$ uv sync --frozen
error: Unable to find lockfile at `uv.lock`
```
"""


@pytest.mark.parametrize(
    ("text", "name", "answers"),
    [
        pytest.param(
            REPORT,
            "project",
            {
                "title": "`uv sync --frozen` ignores a missing lock file",
                "issue": "https://github.com/astral-sh/uv/issues/123",
                "uv": "0.5.21",
                "python": "3.12",
                "command": "frozen",
            },
            id="a report",
        ),
        pytest.param(
            "error: Unable to find lockfile at `uv.lock`",
            "project",
            {"title": "Unable to find lockfile at `uv.lock`"},
            id="an error",
        ),
        pytest.param("workspace and keyring", "workspace-index", {"title": "workspace and keyring"}, id="words"),
        pytest.param(
            "workspace keyring netrc, member of flit-core",
            "workspace-index",
            {"title": "workspace keyring netrc, member of flit-core", "build_backend": "flit-core"},
            id="a choice by its name",
        ),
    ],
)
def test_a_text_proposes_a_template_and_the_answers_that_it_gives(
    text: str, name: str, answers: dict[str, str]
) -> None:
    proposal = propose(text)
    assert proposal
    assert proposal.template.name == name
    assert proposal.answers == answers
    assert proposal.keywords


@pytest.mark.parametrize("text", ["", "  \n", "hello there", "\x1b[31m\0", "#" * 100_000])
def test_what_fits_no_template_proposes_none(text: str) -> None:
    assert propose(text) is None


def test_a_secret_of_a_pasted_text_is_no_answer() -> None:
    token = f"ghp_{'x1Y2' * 9}"
    proposal = propose(f"uv sync --frozen fails with https://me:{token}@example.com/simple")
    assert proposal
    assert token not in str(proposal.answers)


def test_another_template_gets_the_answers_that_fit_it() -> None:
    proposal = propose("uv lock fails with uv 0.4.3, setuptools", "workspace-index")
    assert proposal
    assert proposal.answers == {
        "title": "uv lock fails with uv 0.4.3, setuptools", "uv": "0.4.3", "build_backend": "setuptools",
    }  # fmt: skip


def test_two_choices_that_are_named_are_no_answer() -> None:
    found = fitting_answers(find_template("workspace-index"), {}, ["hatchling or setuptools"])
    assert "build_backend" not in found


@pytest.mark.parametrize("each", templates(), ids=lambda each: each.name)
def test_every_template_is_proposed_for_its_own_summary_and_keywords(each: Template) -> None:
    proposal = propose(f"{each.summary}\n\n{'. '.join(each.keywords)}")
    assert proposal
    assert proposal.template.name == each.name
