"""The templates: where they are, what each asks, and whether answers are allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from jinja2_ansible_filters import AnsibleCoreFiltersExtension

from uvmre.errors import InputError, UsageError

HERE = Path(__file__).resolve()
# In the wheel they are inside the package; in a checkout they are at the top.
FOLDER = next(
    (f for f in (HERE.parents[1] / "templates", HERE.parents[3] / "templates") if f.is_dir()), HERE.parents[1]
)

Answers = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One question of a template."""

    name: str
    type: str
    help: str
    choices: tuple[Any, ...]
    default: Any
    validator: str
    when: Any


@dataclass(frozen=True)
class Template:
    """One folder of `templates/`."""

    name: str
    summary: str
    folder: Path
    questions: tuple[Question, ...]

    @property
    def asked(self) -> tuple[Question, ...]:
        """Return the questions that a person is asked; the rest follows from their answers."""
        return tuple(question for question in self.questions if question.when is not False)


def templates() -> list[Template]:
    """Return every template, by name."""
    return [_read(path.parent) for path in sorted(FOLDER.glob("*/copier.yml"))]


def find(name: str) -> Template:
    """Return one template.

    Raises:
        UsageError: when there is none of that name.
    """
    known = templates()
    for template in known:
        if template.name == name:
            return template
    names = ", ".join(template.name for template in known)
    raise UsageError(f"There is no template {name!r}.", f"There is {names}; `uvmre new --list` says what each is for.")


def _read(folder: Path) -> Template:
    data = yaml.safe_load((folder / "copier.yml").read_text(encoding="utf-8"))
    questions = tuple(_question(name, spec) for name, spec in data.items() if not name.startswith("_"))
    return Template(folder.name, data["_summary"], folder, questions)


def _question(name: str, spec: Mapping[str, Any]) -> Question:
    choices = spec.get("choices", ())
    return Question(
        name,
        spec.get("type", "str"),
        spec.get("help", ""),
        tuple(choices.values()) if isinstance(choices, dict) else tuple(choices),
        spec.get("default"),
        spec.get("validator", ""),
        spec.get("when", True),
    )


def check(template: Template, given: Mapping[str, Any]) -> Answers:
    """Return the given answers in their types.

    Raises:
        InputError: with every answer that is not allowed, and what is.
    """
    environment = SandboxedEnvironment(extensions=[AnsibleCoreFiltersExtension], undefined=StrictUndefined)
    asked = {question.name: question for question in template.asked}
    faults = [
        f"{name} is no question of {template.name}: it asks {', '.join(asked)}" for name in given if name not in asked
    ]
    answers: Answers = {}
    context: Answers = {}
    for question in template.questions:
        value = given.get(question.name) if question.name in asked else None
        if value is None:
            default = question.default
            context[question.name] = (
                environment.from_string(default).render(context) if isinstance(default, str) else default
            )
            continue
        typed = _typed(question, value)
        context[question.name] = question.default if typed is None else typed
        if fault := _fault(question, typed, environment, context):
            faults.append(f"{question.name} cannot be {value!r}: give {fault}")
        answers[question.name] = typed
    if faults:
        raise InputError(f"{len(faults)} of the answers cannot be taken.", faults, "Mend them and run it again.")
    return answers


def _typed(question: Question, value: Any) -> Any:
    """Return an answer of the command line in the question's type; None where it is none."""
    if question.type == "bool":
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return words.get(str(value).lower())
    if question.type == "int":
        try:
            return int(value)
        except (ValueError, TypeError):
            return None
    return str(value)


def _fault(question: Question, value: Any, environment: SandboxedEnvironment, context: Answers) -> str:
    if question.choices:
        return "" if value in question.choices else f"one of {', '.join(map(str, question.choices))}"
    if value is None:
        return {"bool": "true or false", "int": "a whole number"}[question.type]
    return environment.from_string(question.validator).render(context).strip()
