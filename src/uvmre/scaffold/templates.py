"""The templates: their questions, checked answers, and rendering."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from copier._template import load_template_config
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from jinja2_ansible_filters import AnsibleCoreFiltersExtension

from uvmre.core.mre.model import MANIFEST
from uvmre.errors import InputError, UsageError

HERE = Path(__file__).resolve()
# In the wheel they are in the package, in a checkout at the top.
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
    """Why it cannot be used."""

    @property
    def prompts(self) -> tuple[Question, ...]:
        """Return the questions to ask; the others are computed from the answers."""
        return tuple(question for question in self.questions if question.when is not False)


def templates() -> list[Template]:
    """Return every template, by name."""
    return [_load(path.parent) for path in sorted(FOLDER.glob(f"*/{CONFIG}"))]


def find_template(name: str) -> Template:
    """Return a template by its name.

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
    raise UsageError(f"no template named `{name}`", f"available templates: {names}; `uvmre new --list` describes them")


def unusable(name: str, faults: Sequence[str]) -> InputError:
    """Return the error for an unusable template."""
    return InputError(f"the template `{name}` cannot be used", faults, "fix it, or choose another one with `-t`")


def _load(folder: Path) -> Template:
    """Load a template; an unusable one has faults instead of questions."""
    try:
        data = load_template_config(folder / CONFIG, quiet=True)
    except (OSError, ValueError, yaml.YAMLError) as error:
        return Template(folder.name, "", folder, (), (f"{CONFIG}: {error}",))
    if not isinstance(data, dict):
        return Template(folder.name, "", folder, (), (f"{CONFIG} is not a mapping",))
    questions = {str(name): spec for name, spec in data.items() if not str(name).startswith("_")}
    faults = [
        f"{CONFIG}: the question `{name}` is not a mapping"
        for name, spec in questions.items()
        if not isinstance(spec, dict)
    ]
    summary = data.get("_summary")
    if not isinstance(summary, str) or not summary.strip():
        faults.insert(0, f"{CONFIG} has no `_summary`, which `uvmre new --list` shows")
    if not any(
        (folder / name).is_file() for name in (MANIFEST, f"{MANIFEST}{data.get('_templates_suffix', '.jinja')}")
    ):
        faults.append(f"it has no {MANIFEST}.jinja")
    if faults:
        return Template(folder.name, "", folder, (), tuple(faults))
    return Template(folder.name, str(summary), folder, tuple(_question(name, spec) for name, spec in questions.items()))


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


def check_answers(template: Template, values: Mapping[str, Any]) -> Answers:
    """Return the answers converted to their types.

    Raises:
        InputError: with every invalid answer; or when the template cannot be used.
    """
    try:
        return _check(template, values)
    except TemplateError as error:
        raise unusable(template.name, [f"{CONFIG}: {type(error).__name__}: {error}"]) from None


def _check(template: Template, values: Mapping[str, Any]) -> Answers:
    environment = SandboxedEnvironment(extensions=[AnsibleCoreFiltersExtension], undefined=StrictUndefined)
    prompts = {question.name: question for question in template.prompts}
    faults = [
        f"{name} is not a question of {template.name}: it asks {', '.join(prompts)}"
        for name in values
        if name not in prompts
    ]
    answers: Answers = {}
    context: Answers = {}
    for question in template.questions:
        value = values.get(question.name) if question.name in prompts else None
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
        raise InputError(f"{len(faults)} invalid answer{'s' * (len(faults) > 1)}", faults, "fix them and try again")
    return answers


def _convert(question: Question, value: Any) -> Any:
    """Convert an answer of the command line to the question's type; None where that fails."""
    if question.type == "bool":
        booleans = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return booleans.get(str(value).lower())
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


def render(template: Template, answers: Answers, folder: Path, *, ask: bool, temporary: Path) -> None:
    """Render a template into a new folder.

    Args:
        template: the template.
        answers: as `check_answers` returns them.
        folder: the folder to create.
        ask: ask the other questions at the terminal, instead of using their defaults.
        temporary: the folder of copier's own temporary ones, which it leaves where this process is killed.

    Raises:
        InputError: when the template cannot be rendered.
    """
    import copier
    from copier.errors import CopierError

    before, tempfile.tempdir = tempfile.tempdir, str(temporary)
    try:
        copier.run_copy(str(template.folder), str(folder), data=answers, defaults=not ask, quiet=True)
    except (CopierError, TemplateError) as error:
        raise unusable(template.name, [f"{type(error).__name__}: {error}"]) from None
    finally:
        tempfile.tempdir = before
