"""The templates and their questions; which answers are allowed."""

from typing import Any

import pytest

from uvmre.errors import InputError, UsageError
from uvmre.scaffold.templates import Question, Template, check_answers, find_template, templates

ALL = templates()
ASKED = [
    pytest.param(question, id=f"{template.name} asks for {question.name}")
    for template in ALL
    for question in template.prompts
]


@pytest.fixture(scope="module")
def template() -> Template:
    return find_template("workspace-index")


def faults(template: Template, **given: Any) -> tuple[str, ...]:
    with pytest.raises(InputError) as raised:
        check_answers(template, given)
    return raised.value.faults


def test_workspace_index_is_among_the_templates() -> None:
    assert "workspace-index" in [template.name for template in ALL]
    assert [template.name for template in ALL] == sorted(template.name for template in ALL)


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_every_template_says_in_one_line_what_it_is_for(template: Template) -> None:
    assert template.summary.strip() == template.summary
    assert 10 < len(template.summary) <= 120
    assert "\n" not in template.summary
    assert template.folder.name == template.name


@pytest.mark.parametrize("question", ASKED)
def test_every_question_has_help_a_default_and_a_limit(question: Question) -> None:
    assert question.help.endswith(("?", "?)", ".)"))
    assert question.default is not None
    assert question.type in ("str", "int", "bool")
    assert question.choices or question.validator or question.type == "bool"


@pytest.mark.parametrize("question", ASKED)
def test_a_default_is_one_of_the_choices(question: Question) -> None:
    assert not question.choices or question.default in question.choices
    assert question.type != "bool" or isinstance(question.default, bool)


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_the_defaults_themselves_are_allowed(template: Template) -> None:
    plain = {question.name: question.default for question in template.prompts if "{{" not in str(question.default)}
    assert check_answers(template, plain) == plain


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_what_follows_from_answers_is_not_a_prompt(template: Template) -> None:
    derived = {question.name for question in template.questions} - {question.name for question in template.prompts}
    for name in derived:
        [fault] = faults(template, **{name: "anything"})
        assert fault.startswith(f"{name} is not a question of {template.name}")


def test_nothing_given_leaves_all_to_the_defaults(template: Template) -> None:
    assert check_answers(template, {}) == {}


PACKAGE = "a package name in lower case"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        pytest.param("title", "", "one line of text", id="an empty title"),
        pytest.param("title", "  ", "one line of text", id="a title of spaces"),
        pytest.param("title", "two\nlines", "one line of text", id="a title of two lines"),
        pytest.param("issue", "#10903", "an address, as https://", id="an issue by its number"),
        pytest.param("issue", "ftp://example.com/1", "an address, as https://", id="an address of another kind"),
        pytest.param("issue", "https://a b", "an address, as https://", id="an address with a space"),
        pytest.param("uv", "latest", "one release, as 0.5.21", id="a release by a word"),
        pytest.param("uv", "0.5", "one release, as 0.5.21", id="a release with a number too few"),
        pytest.param("uv", "v0.5.21", "one release, as 0.5.21", id="a release by its tag"),
        pytest.param("python", "3", "a minor version, as 3.11", id="a Python without its minor version"),
        pytest.param("python", "3.11.7", "a minor version, as 3.11", id="a Python in full"),
        pytest.param("python", "2.7", "a minor version, as 3.11", id="a Python of old"),
        pytest.param("python", "3x11", "a minor version, as 3.11", id="a Python without its dot"),
        pytest.param("workspace", "Foo", PACKAGE, id="a root in capitals"),
        pytest.param("workspace", "", PACKAGE, id="a root without a name"),
        pytest.param("workspace", "../foo", PACKAGE, id="a root that is a path"),
        pytest.param("workspace", "foo--bar", PACKAGE, id="a root with two dashes"),
        pytest.param("workspace", '"; rm -rf', PACKAGE, id="a root that is a command"),
        pytest.param("member", "foo_bar", PACKAGE, id="a member with an underscore"),
        pytest.param("member", "foo-workspace", "not the root's", id="a member called as the root"),
        pytest.param("members", "0", "a number from 1 to 50", id="no members"),
        pytest.param("members", "51", "a number from 1 to 50", id="too many members"),
        pytest.param("members", "-1", "a number from 1 to 50", id="fewer than no members"),
        pytest.param("members", "many", "a whole number", id="members that are no number"),
        pytest.param("members", "1.5", "a whole number", id="half a member"),
        pytest.param("build_backend", "poetry", "one of hatchling, setuptools, flit-core", id="another backend"),
        pytest.param("index", "test", "one of heron, eagle, relative, pypi", id="another index"),
        pytest.param("index", "Heron", "one of heron, eagle, relative, pypi", id="an index in capitals"),
        pytest.param("index_name", "", "letters, digits, and - _ .", id="an index without a name"),
        pytest.param("index_name", "a b", "letters, digits, and - _ .", id="an index with a space"),
        pytest.param("index_name", "-a", "letters, digits, and - _ .", id="an index that begins with a dash"),
        pytest.param("index_name", "a$b", "letters, digits, and - _ .", id="an index with a dollar"),
        pytest.param("credentials", "", "one of environment, netrc, url, keyring, none, wrong", id="empty credentials"),
        pytest.param("credentials", "In .netrc", "one of environment, netrc", id="credentials by their label"),
        pytest.param("dockerfile", "copy", "one of env, same-run, secret, arg, run-export", id="another place"),
        pytest.param("layers", "2", "one of one, dependencies-first", id="layers by their number"),
        pytest.param("all_packages", "maybe", "true or false", id="neither true nor false"),
        pytest.param("all_packages", "", "true or false", id="an empty truth"),
    ],
)
def test_a_bad_answer_is_reported_with_its_question_and_what_is_allowed(
    template: Template, name: str, value: str, allowed: str
) -> None:
    [fault] = faults(template, **{name: value})
    assert fault.startswith(f"{name} cannot be {value!r}: give ")
    assert allowed in fault


def test_a_member_may_not_be_called_as_the_root_that_was_given(template: Template) -> None:
    [fault] = faults(template, workspace="bar", member="bar")
    assert fault.startswith("member cannot be 'bar'")
    assert check_answers(template, {"workspace": "bar", "member": "foo-workspace"})["member"] == "foo-workspace"


def test_all_faults_are_reported_at_once(template: Template) -> None:
    output = faults(template, uv="new", members="none", index="mine", color="red", python="3.12")
    assert sorted(fault.split()[0] for fault in output) == ["color", "index", "members", "uv"]


def test_an_unknown_question_is_reported_with_those_there_are(template: Template) -> None:
    [fault] = faults(template, colour="red")
    assert fault.startswith("colour is not a question of workspace-index: it asks title, issue, uv, ")


@pytest.mark.parametrize(
    ("name", "value", "typed"),
    [
        pytest.param("members", "7", 7, id="a number as text"),
        pytest.param("members", 7, 7, id="a number"),
        pytest.param("members", "50", 50, id="the largest number"),
        pytest.param("all_packages", "true", True, id="true"),
        pytest.param("all_packages", "No", False, id="no, in capitals"),
        pytest.param("all_packages", "0", False, id="0"),
        pytest.param("all_packages", "yes", True, id="yes"),
        pytest.param("all_packages", False, False, id="false itself"),
        pytest.param("python", 3.11, "3.11", id="a version that YAML took for a number"),
        pytest.param("python", "3.9", "3.9", id="an old minor version"),
        pytest.param("uv", "0.10.0", "0.10.0", id="a release"),
        pytest.param("issue", "", "", id="no issue"),
        pytest.param("issue", "https://github.com/astral-sh/uv/issues/1", "https://github.com/astral-sh/uv/issues/1"),
        pytest.param("index_name", "My-Index_2.x", "My-Index_2.x", id="an index with all that its name may have"),
        pytest.param("member", "a1-b2", "a1-b2", id="a member with digits"),
        pytest.param("credentials", "keyring", "keyring", id="a choice"),
        pytest.param(
            "title", 'a "title" with {{ braces }} \\', 'a "title" with {{ braces }} \\', id="a title as it is"
        ),
    ],
)
def test_a_good_answer_has_its_questions_type(template: Template, name: str, value: Any, typed: Any) -> None:
    answers = check_answers(template, {name: value})
    assert answers == {name: typed}
    assert type(answers[name]) is type(typed)


def test_find_tells_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="no template named `no-such`") as raised:
        find_template("no-such")
    assert "workspace-index" in raised.value.hint
