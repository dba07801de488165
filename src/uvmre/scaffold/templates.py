"""The templates: where they are, what each asks, and whether answers are allowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from jinja2_ansible_filters import AnsibleCoreFiltersExtension

from uvmre.core.mre.model import MANIFEST
from uvmre.errors import InputError, UsageError

HERE = Path(__file__).resolve()
# In the wheel they are inside the package; in a checkout they are at the top.
FOLDER = next(
    (f for f in (HERE.parents[1] / "templates", HERE.parents[3] / "templates") if f.is_dir()), HERE.parents[1]
)

CONFIG = "copier.yml"

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
    faults: tuple[str, ...] = ()
    """Why it cannot be used, where it cannot."""

    @property
    def prompts(self) -> tuple[Question, ...]:
        """Return the questions that a person is asked; the rest follows from their answers."""
        return tuple(question for question in self.questions if question.when is not False)


def templates() -> list[Template]:
    """Return every template, by name."""
    return [_load(path.parent) for path in sorted(FOLDER.glob(f"*/{CONFIG}"))]


def find_template(name: str) -> Template:
    """Return one template.

    Raises:
        UsageError: when there is none of that name.
        InputError: when it cannot be used.
    """
    known = templates()
    for template in known:
        if template.name == name:
            if template.faults:
                raise unusable(name, template.faults)
            return template
    names = ", ".join(template.name for template in known if not template.faults)
    raise UsageError(f"There is no template {name!r}.", f"There is {names}; `uvmre new --list` says what each is for.")


def unusable(name: str, faults: Sequence[str]) -> InputError:
    """Return the error that a template cannot be used."""
    return InputError(f"The template {name} cannot be used.", faults, "Correct it, or take another one with `-t`.")


def _load(folder: Path) -> Template:
    """Read a template; one that cannot be used has faults instead of questions."""
    try:
        data = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return Template(folder.name, "", folder, (), (f"{CONFIG}: {error}",))
    if not isinstance(data, dict):
        return Template(folder.name, "", folder, (), (f"{CONFIG} is no table",))
    asked = {str(name): spec for name, spec in data.items() if not str(name).startswith("_")}
    faults = [
        f"{CONFIG}: the question {name} is no table" for name, spec in asked.items() if not isinstance(spec, dict)
    ]
    summary = data.get("_summary")
    if not isinstance(summary, str) or not summary.strip():
        faults.insert(0, f"{CONFIG} has no `_summary`, the line that `uvmre new --list` shows")
    if not any(
        (folder / name).is_file() for name in (MANIFEST, f"{MANIFEST}{data.get('_templates_suffix', '.jinja')}")
    ):
        faults.append(f"it has no {MANIFEST}.jinja, so what it makes is no MRE")
    if faults:
        return Template(folder.name, "", folder, (), tuple(faults))
    return Template(folder.name, str(summary), folder, tuple(_question(name, spec) for name, spec in asked.items()))


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


def check_answers(template: Template, given: Mapping[str, Any]) -> Answers:
    """Return the given answers in their types.

    Raises:
        InputError: with every answer that is not allowed, and what is; or when the template cannot be used.
    """
    try:
        return _check(template, given)
    except TemplateError as error:
        raise unusable(template.name, [f"{CONFIG}: {type(error).__name__}: {error}"]) from None


def _check(template: Template, given: Mapping[str, Any]) -> Answers:
    environment = SandboxedEnvironment(extensions=[AnsibleCoreFiltersExtension], undefined=StrictUndefined)
    asked = {question.name: question for question in template.prompts}
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
        typed = _convert(question, value)
        context[question.name] = question.default if typed is None else typed
        if fault := _fault(question, typed, environment, context):
            faults.append(f"{question.name} cannot be {value!r}: give {fault}")
        answers[question.name] = typed
    if faults:
        raise InputError(f"{len(faults)} of the answers cannot be taken.", faults, "Fix them and run it again.")
    return answers


def _convert(question: Question, value: Any) -> Any:
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


def render(template: Template, answers: Answers, folder: Path, *, ask: bool) -> None:
    """Write the files.

    Args:
        template: what they are made of.
        answers: those given already, as `templates.check` returns them.
        folder: where to; it is made.
        ask: ask the other questions at the terminal, instead of taking their defaults.

    Raises:
        InputError: when the template cannot be rendered.
    """
    import copier
    from copier.errors import CopierError
    from jinja2 import TemplateError

    try:
        copier.run_copy(str(template.folder), str(folder), data=answers, defaults=not ask, quiet=True)
    except (CopierError, TemplateError) as error:
        raise unusable(template.name, [f"{type(error).__name__}: {error}"]) from None
