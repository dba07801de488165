"""Every template with its answers, pairwise: what it renders is an MRE without findings, whose verdict is the stated one."""

import functools
import json
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import copier
import jinja2
import pytest
from allpairspy import AllPairs
from copier._main import Worker
from jinja2.sandbox import SandboxedEnvironment
from jinja2_ansible_filters import AnsibleCoreFiltersExtension

from tests.available_engines import AtHand
from tests.cli.test_run_container import stocked
from tests.conftest import CommandLine, no_sandbox
from uvmre.folder.read import read_mre
from uvmre.lint.find import find_mistakes
from uvmre.scaffold.templates import Question, Template, check_answers, templates

Answers = dict[str, Any]

TEMPLATES = Path(__file__).parents[2] / "templates"
SHARED = {"title", "issue", "uv", "python"}
"""What every template asks, and what does not change the outcome that it states."""

MISTAKES = {"workspace-index": {"run-export"}, "docker-layers": {"all-packages", "dependency-layer", "run-export"}}
"""The lint rules of mistakes that a template is about."""


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def values(question: Question) -> list[Any]:
    return [*question.choices] or ([True, False] if question.type == "bool" else [])


@functools.cache
def condition(text: str) -> jinja2.Template:
    return SandboxedEnvironment(extensions=[AnsibleCoreFiltersExtension]).from_string(text)


def asked(template: Template, answers: Answers) -> Answers:
    """Return the answers to the questions that copier asks, with these answers to the others."""
    context = {question.name: question.default for question in template.prompts}
    for question in template.prompts:
        when = condition(str(question.when)).render(context)
        if question.name in answers and when.strip().lower() == "true":
            context[question.name] = answers[question.name]
    return {name: value for name, value in answers.items() if context[name] == value}


def sets_of(template: Template) -> list[Answers]:
    """Return the defaults, and sets in which every two answers to two questions meet."""
    varied = {question.name: values(question) for question in template.prompts if question.name not in SHARED}
    names = [name for name, choices in varied.items() if len(choices) > 1]
    pairs = AllPairs([varied[name] for name in names]) if len(names) > 1 else product(*(varied[name] for name in names))
    sets = [asked(template, dict(zip(names, row, strict=True))) for row in pairs]
    return [{}, *(each for number, each in enumerate(sets) if each not in sets[:number])]


def title(template: Template, answers: Answers) -> str:
    return f"{template.name}: {', '.join(f'{k} {v}' for k, v in answers.items()) or 'the defaults'}"


KNOWN = templates()
ALL = [(template, answers) for template in KNOWN for answers in sets_of(template)]
EVERY = [pytest.param(*each, id=title(*each)) for each in ALL]
DEFAULTS_AT_ONCE = [pytest.param(*each, id=title(*each), marks=[pytest.mark.slow] if each[1] else []) for each in ALL]


def rendered(template: Template, answers: Answers, folder: Path) -> Worker:
    return copier.run_copy(str(template.folder), str(folder), data=answers, defaults=True, quiet=True)


@pytest.mark.parametrize("template", KNOWN, ids=lambda template: template.name)
def test_its_copy_of_what_is_shared_is_the_shared_one(template: Template) -> None:
    assert files(template.folder / "_shared") == files(TEMPLATES / "_shared"), "run `make templates`"


@pytest.mark.parametrize("template", KNOWN, ids=lambda template: template.name)
def test_it_is_listed_in_the_documentation(template: Template) -> None:
    assert f"\n| `{template.name}` | " in (TEMPLATES.parent / "docs" / "templates.md").read_text()


@pytest.mark.parametrize(("template", "answers"), EVERY)
@pytest.mark.few(10)
def test_what_it_renders_is_an_mre_without_findings(template: Template, answers: Answers, tmp_path: Path) -> None:
    folder = tmp_path / "mre"
    assert check_answers(template, answers) == answers
    rendered(template, answers, folder)
    mre = read_mre(folder)
    assert {each.rule for each in find_mistakes(mre)} <= MISTAKES.get(template.name, set())
    assert mre.controls, "nothing proves that it is sound"
    assert not {path for path in files(folder) if "_shared" in path.parts or path.suffix in (".jinja", ".yml")}
    for name, most in (("README.md", 20), ("Dockerfile", 60)):
        assert 2 < len((folder / name).read_text().splitlines()) <= most
    dockerfile = (folder / "Dockerfile").read_text()
    assert f"uv:{mre.environment.uv}" in dockerfile
    assert f"python:{mre.environment.python}" in dockerfile
    if template.name != "workspace-index":  # its Dockerfile has secrets, which steps do not have
        assert all(step.run in dockerfile for step in mre.steps)


@pytest.mark.parametrize("template", KNOWN, ids=lambda template: template.name)
def test_what_is_typed_in_is_kept_as_it_is(template: Template, tmp_path: Path) -> None:
    typed = {
        "title": "it \"says\" <this> & \\that\\ 'so' — für {{ alle }}",
        "issue": "https://example.com/1?a=b&c#d",
        "uv": "0.6.0",
        "python": "3.13",
    }
    rendered(template, typed, tmp_path / "mre")
    mre = read_mre(tmp_path / "mre")
    assert (mre.title, mre.issue, mre.environment.uv, mre.environment.python) == tuple(typed.values())


def judged(uvmre: CommandLine, template: Template, answers: Answers, tmp_path: Path, *options: str, **env: str) -> None:
    stated = rendered(template, answers, tmp_path / "mre").answers.combined["outcome"]
    ended = uvmre("run", "mre", "--json", *options, **env)
    data = json.loads(ended.stdout)
    assert data["verdict"] == stated, ended.stdout
    assert "proves nothing" not in data["reason"], data["reason"]


@pytest.mark.network
@pytest.mark.parametrize(("template", "answers"), DEFAULTS_AT_ONCE)
def test_its_verdict_is_the_stated_one(
    uvmre: CommandLine, template: Template, answers: Answers, tmp_path: Path
) -> None:
    judged(uvmre, template, answers, tmp_path, "--backend", "local")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize(("template", "answers"), EVERY)
def test_its_verdict_in_the_sandbox_is_the_stated_one(
    uvmre: CommandLine, template: Template, answers: Answers, tmp_path: Path
) -> None:
    if why := no_sandbox():
        pytest.skip(f"{why}: this was not tested")
    judged(uvmre, template, answers, tmp_path, "--backend", "sandbox")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.engine
@pytest.mark.parametrize("template", KNOWN, ids=lambda template: template.name)
def test_its_verdict_in_a_container_is_the_stated_one(
    uvmre: CommandLine, engine: AtHand, template: Template, tmp_path: Path
) -> None:
    rendered(template, {}, tmp_path / "other")
    environment = read_mre(tmp_path / "other").environment
    images = (f"python:{environment.python}-slim-bookworm", f"ghcr.io/astral-sh/uv:{environment.uv}")
    stocked(tuple(engine.variables.items()), images)
    shutil.rmtree(tmp_path / "other")
    judged(uvmre, template, {}, tmp_path, "--backend", engine.name, **engine.variables)
