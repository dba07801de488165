"""The templates and their questions; which answers are allowed."""

from pathlib import Path
from typing import Any

import pytest

from uvmre.errors import InputError, UsageError
from uvmre.scaffold.templates import Question, Template, check_answers, find_template, templates

ALL = templates()
PROMPTS = [
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


@pytest.mark.parametrize("question", PROMPTS)
def test_every_question_has_help_a_default_and_a_limit(question: Question) -> None:
    assert question.help.endswith(("?", "?)", ".)"))
    assert question.default is not None
    assert question.type in ("str", "int", "bool")
    assert question.choices or question.validator or question.type == "bool"


@pytest.mark.parametrize("question", PROMPTS)
def test_a_default_is_one_of_the_choices(question: Question) -> None:
    assert not question.choices or "{" in str(question.default) or question.default in question.choices
    assert question.type != "bool" or isinstance(question.default, bool)


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_the_defaults_themselves_are_allowed(template: Template) -> None:
    plain = {question.name: question.default for question in template.prompts if "{" not in str(question.default)}
    assert check_answers(template, plain) == plain


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_every_template_has_keywords(template: Template) -> None:
    assert len(template.keywords) >= 3


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


OTHER = """\
title: {type: str, default: It breaks}
n: {type: float, default: 1.5}
data: {type: json, default: "{}"}
more: {type: yaml, default: "[]"}
where: {type: path, default: a/b}
several: {type: str, multiselect: true, choices: [a, b, c], default: [a]}
pair: {type: int, choices: [[one, 1], [two, 2]], default: 1}
some: {type: str, choices: "{{ ['x', 'y'] if n > 1 else ['z'] }}", default: "{{ 'x' if n > 1 else 'z' }}"}
barred: {type: str, choices: {A: a, B: {value: b, validator: "{% if n > 1 %}not for large ones{% endif %}"}}, default: a}
plain: 3
computed: {type: str, when: false, default: "{{ title }}!"}
"""


@pytest.fixture
def other(tmp_path: Path) -> Template:
    (tmp_path / "copier.yml").write_text(OTHER)
    (tmp_path / "mre.toml.jinja").write_text("")
    return find_template(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "given", "typed"),
    [
        pytest.param("n", "2", 2.0, id="a float"),
        pytest.param("data", '{"a": [1]}', {"a": [1]}, id="JSON"),
        pytest.param("data", {"a": 1}, {"a": 1}, id="a mapping of a data file"),
        pytest.param("more", "[1, x]", [1, "x"], id="YAML"),
        pytest.param("where", "c/d", "c/d", id="a path"),
        pytest.param("several", "[c, a]", ["a", "c"], id="several choices, in their order"),
        pytest.param("several", ["b"], ["b"], id="a list of a data file"),
        pytest.param("pair", "2", 2, id="a choice with a label"),
        pytest.param("some", "y", "y", id="a choice of a rendered list"),
        pytest.param("plain", "4", 4, id="a question that is only its default"),
    ],
)
def test_an_answer_of_any_type_of_copier(other: Template, name: str, given: Any, typed: Any) -> None:
    assert check_answers(other, {name: given}) == {name: typed}


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        pytest.param({"n": "x"}, "give a number", id="no float"),
        pytest.param({"data": "{"}, "give JSON", id="no JSON"),
        pytest.param({"more": "["}, "give YAML", id="no YAML"),
        pytest.param({"several": "[a, d]"}, "give a list of a, b, c", id="one that is no choice among others"),
        pytest.param({"several": "a"}, "give a list of a, b, c", id="no list"),
        pytest.param({"pair": "3"}, "give one of 1, 2", id="no choice with a label"),
        pytest.param({"some": "z"}, "give one of x, y", id="no choice of a rendered list"),
        pytest.param({"n": "0.5", "some": "x"}, "give one of z", id="a choice that another answer removed"),
        pytest.param({"barred": "b"}, "give one of a", id="a choice that another answer bars"),
        pytest.param({"computed": "x"}, "computed is not a question", id="a computed value"),
    ],
)
def test_an_invalid_answer_of_any_type_is_reported(other: Template, given: dict[str, Any], allowed: str) -> None:
    [fault] = faults(other, **given)
    assert allowed in fault


def test_kept_answers_are_the_defaults_unless_the_template_no_longer_allows_them(other: Template) -> None:
    assert check_answers(other, {"some": "z"}, {"n": 0.5}) == {"some": "z"}
    assert check_answers(other, {"some": "y"}, {"n": "odd"}) == {"some": "y"}


def test_only_the_needed_template_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("good", "broken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mre.toml").touch()
    (tmp_path / "good" / "copier.yml").write_text("_summary: A good one\n---\n!include more.yml\n---\nb: 2\n")
    (tmp_path / "good" / "more.yml").write_text("a: 1\n_exclude: [x]\n")
    (tmp_path / "broken" / "copier.yml").write_text("a: [\n")
    monkeypatch.setattr("uvmre.scaffold.templates.FOLDER", tmp_path)
    assert [question.name for question in find_template("good").questions] == ["a", "b"]
    with pytest.raises(InputError, match="`broken` cannot be used"):
        find_template("broken")
