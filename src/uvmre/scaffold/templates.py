"""The templates: their questions, checked answers, and rendering, by the rules of copier."""

import contextlib
import gc
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml
from jinja2 import TemplateError

from uvmre.core.generated.names import ANSWERS
from uvmre.core.mre.model import MANIFEST
from uvmre.errors import CannotTell, InputError, UsageError

if TYPE_CHECKING:
    from copier._main import Worker
    from copier._user_data import Question as CopierQuestion

HERE = Path(__file__).resolve()
# In the wheel they are in the package, in a checkout at the top.
FOLDER = next(
    (f for f in (HERE.parents[1] / "templates", HERE.parents[3] / "templates") if f.is_dir()), HERE.parents[1]
)

CONFIG = "copier.yml"
HEAD = "# Changes here will be overwritten by Copier; NEVER EDIT MANUALLY\n"
TYPES = {"int": "a whole number", "float": "a number", "json": "JSON", "yaml": "YAML"}
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Answers = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One question of a template."""

    name: str
    settings: Mapping[str, Any]
    """Those of copier."""
    type: str
    help: str
    choices: tuple[Any, ...]
    """Empty if they depend on answers."""
    default: Any
    validator: str
    when: Any


@dataclass(frozen=True)
class Template:
    """A folder that copier renders."""

    name: str
    """That of its folder in `templates/`; of another one its path or URL."""
    source: str
    """Where an update finds it."""
    summary: str
    folder: Path
    questions: tuple[Question, ...]
    keywords: tuple[str, ...] = ()
    """Texts of a report that it fits."""
    faults: tuple[str, ...] = ()
    """Why it cannot be used."""
    outside: bool = False
    """Whether it was fetched."""
    loaded: Any = field(default=None, compare=False, repr=False)
    """What copier knows of it."""

    @property
    def prompts(self) -> tuple[Question, ...]:
        """Return the questions to ask; the others are computed from the answers."""
        return tuple(question for question in self.questions if question.when is not False)


def templates() -> list[Template]:
    """Return every template, by name."""
    return [_load(path.parent.name, path.parent) for path in sorted(FOLDER.glob(f"*/{CONFIG}"))]


def find_template(name: str, *, temporary: Path | None = None, commit: str = "") -> Template:
    """Return a template by its name, its path or its URL; only that one is read.

    Args:
        name: as `-t` takes it.
        temporary: the folder into which a template is fetched.
        commit: the version of a fetched template; by default the latest one.

    Raises:
        UsageError: when there is none of that name.
        InputError: when it cannot be used.
        CannotTell: when it cannot be fetched.
    """
    if "/" not in name and (FOLDER / name / CONFIG).is_file():
        found = _load(name, FOLDER / name)
    elif not (path := Path(name).expanduser()).is_dir() and not path.is_file() and ":" not in name:
        names = ", ".join(path.parent.name for path in sorted(FOLDER.glob(f"*/{CONFIG}")))
        raise UsageError(
            f"no template named `{name}`", f"available templates: {names}; `uvmre new --list` describes them"
        )
    elif urlsplit(name).password:
        raise UsageError("the template's URL has a password", "let git's credential helper give it")
    else:
        with _temporary_in(temporary):
            found = _load(name, None, commit)
    if found.faults:
        raise unusable(name, found.faults)
    return found


def unusable(name: str, faults: Sequence[str]) -> InputError:
    """Return the error for an unusable template."""
    return InputError(f"the template `{name}` cannot be used", faults, "fix it, or choose another one with `-t`")


@contextlib.contextmanager
def _temporary_in(folder: Path | None) -> Iterator[None]:
    """Let copier make its temporary folders in one of ours: where this process is killed it leaves them."""
    before = tempfile.tempdir
    tempfile.tempdir = str(folder) if folder else before
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _naming(template: str) -> Iterator[None]:
    """Turn the errors of copier into those of a template."""
    from copier.errors import CopierAnswersInterrupt, CopierError, UnsafeTemplateError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CopierAnswersInterrupt:
        raise KeyboardInterrupt from None
    except UnsafeTemplateError as error:
        faults = [str(error).split(".")[0]]
        hint = "read what it runs, and use `--trust` if you trust it"
        raise InputError(f"the template `{template}` runs code of its own", faults, hint) from None
    except (CopierError, TemplateError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise unusable(template, [f"{type(error).__name__}: {error}"]) from None
    except OSError as error:
        if not (lines := str(getattr(error, "stderr", "")).strip().splitlines()):
            raise
        cause = next((line for line in lines if line.startswith("fatal")), lines[-1])
        hint = "check its URL, and whether git reaches it"
        raise CannotTell(f"failed to fetch the template `{template}`", hint, cause=cause) from None


def _load(name: str, folder: Path | None, commit: str = "") -> Template:
    """Load a template; an unusable one has faults instead of questions."""
    gc.disable()  # nothing of the import below is garbage, and looking for it takes a tenth of the time
    from copier._template import Template as CopierTemplate

    gc.enable()
    local = folder or Path(name).expanduser()
    source = str(local.absolute()) if local.exists() else name
    loaded = CopierTemplate(url=source, ref=commit or None)
    if folder:
        loaded.vcs = None  # ours are no repositories, and git need not look
    try:
        with _naming(name):
            where, config = loaded.local_abspath, loaded.config_data
            questions = tuple(_question(*each) for each in loaded.questions_data.items())
            suffix = loaded.templates_suffix
    except InputError as error:
        return Template(name, source, "", local, (), faults=error.faults)
    faults = []
    summary = config.get("summary", "" if folder else name)
    if not isinstance(summary, str) or not summary.strip():
        faults.append(f"{CONFIG} has no `_summary`, which `uvmre new --list` shows")
    if folder and not any((where / file).is_file() for file in (MANIFEST, f"{MANIFEST}{suffix}")):
        faults.append(f"it has no {MANIFEST}{suffix}")
    keywords = tuple(map(str, config.get("keywords", ())))
    return Template(
        name, name if folder else source, str(summary), where, questions, keywords, tuple(faults),
        not local.exists(), loaded,
    )  # fmt: skip


def _question(name: str, settings: Mapping[str, Any]) -> Question:
    choices = settings.get("choices", ())
    values = choices.values() if isinstance(choices, dict) else () if isinstance(choices, str) else choices
    words = {key: str(settings.get(key, "")) for key in ("type", "help", "validator")}
    return Question(
        name, settings, choices=tuple(values), default=settings.get("default"), when=settings.get("when", True), **words
    )


def _worker(template: Template, folder: Path, *, trust: bool, **arguments: Any) -> "Worker":
    from copier import _main

    class OneFolder(_main.Worker):
        """Does not start git for each file, which only matters in a repository."""

        def _sync_git_index_executable_bit(self, *_: Any) -> None:
            pass

    worker = OneFolder(
        src_path=str(template.loaded.url), dst_path=folder, answers_file=Path(ANSWERS), unsafe=trust, quiet=True,
        **arguments,
    )  # fmt: skip
    worker.template = template.loaded  # read, or fetched, once
    return worker


def check_answers(
    template: Template, values: Mapping[str, Any], kept: Mapping[str, Any] | None = None, *, trust: bool = False
) -> Answers:
    """Return the answers converted to their types; copier would ignore unknown ones and stop at the first invalid one.

    Args:
        template: the template.
        values: the answers that were given.
        kept: those of an MRE that is updated, instead of the defaults of the others.
        trust: let the template run code.

    Raises:
        InputError: with every invalid answer; or when the template cannot be used.
    """
    prompts = [question.name for question in template.prompts]
    faults = [
        f"{name} is not a question of {template.name}: it asks {', '.join(prompts)}"
        for name in values
        if name not in prompts
    ]
    answers: Answers = {}
    if values:
        with _naming(template.name):
            for question in _questions(template, dict(kept or {}), trust=trust):
                name, given = question.var_name, values.get(question.var_name)
                if given is None or name not in prompts:
                    continue
                answers[name], allowed = _convert(question, given)
                if allowed:
                    faults.append(f"{name} cannot be {given!r}: give {allowed}")
                question.answers.user[name] = answers[name]
    if faults:
        raise InputError(f"{len(faults)} invalid answer{'s' * (len(faults) > 1)}", faults, "fix them and try again")
    return answers


def _questions(template: Template, kept: Answers, *, trust: bool) -> "Iterator[CopierQuestion]":
    """Yield copier's questions; what is not answered meanwhile gets its default."""
    from copier._types import MISSING
    from copier._user_data import AnswersMap
    from copier._user_data import Question as CopierQuestion

    worker = _worker(template, Path(tempfile.gettempdir()), trust=trust)
    worker._check_unsafe("copy")
    worker.answers = answers = AnswersMap(last=kept)
    for name, settings in ((each.name, each.settings) for each in template.questions):
        question = CopierQuestion(
            answers=answers, context=worker._render_context(), jinja_env=worker.jinja_env, settings=worker.settings,
            var_name=name, **settings,
        )  # fmt: skip
        if name in kept:
            try:
                question.validate_answer(question.parse_answer(kept[name]))
            except (ValueError, TypeError):  # as copier does: the template may have changed
                answers.last.pop(name)
        yield question
        if answers.user.get(name) is None:
            answers.user.pop(name, None)
            try:
                default = question.get_default()
            except ValueError:  # it follows from an invalid answer, or the user must change it
                default = question.render_value(question.default)
            if default is not MISSING:
                answers.user[name] = default


def _convert(question: "CopierQuestion", given: Any) -> tuple[Any, str]:
    """Return an answer in its type, and what is allowed where it is invalid."""
    choices = [choice.value for choice in question._formatted_choices if not choice.disabled]
    kind = question.get_type_name()
    if kind == "bool" and not choices:
        answer = BOOLEANS.get(str(given).lower())
        return answer, "true or false" if answer is None else ""
    several = yaml.safe_load(given) if question.multiselect and isinstance(given, str) else given
    unknown = question.multiselect and not (isinstance(several, list) and {*map(str, several)} <= {*map(str, choices)})
    try:
        answer = None if unknown else question.parse_answer(several)
    except (ValueError, TypeError):
        answer = None
    if answer is None and choices:
        shown = ", ".join(map(str, choices))
        return None, f"a list of {shown}" if question.multiselect else f"one of {shown}"
    if answer is None and kind in TYPES:
        return None, TYPES[kind]
    return answer, str(question.render_value(question.validator, {question.var_name: answer})).strip()


def render(
    template: Template,
    answers: Answers,
    folder: Path,
    *,
    ask: bool,
    temporary: Path,
    kept: str = "",
    trust: bool = False,
) -> None:
    """Render a template into a new folder, and write the answers beside the files.

    Args:
        template: the template.
        answers: as `check_answers` returns them.
        folder: the folder to create.
        ask: ask the other questions at the terminal, instead of using their defaults.
        temporary: the folder of copier's own temporary ones.
        kept: the file of the answers that are the defaults.
        trust: let the template run code.

    Raises:
        InputError: when the template cannot be rendered.
    """
    with _temporary_in(temporary), _naming(template.name):
        worker = _worker(template, folder, trust=trust, data=answers, defaults=not ask)
        if kept:
            folder.mkdir()
            (folder / ANSWERS).write_text(kept, encoding="utf-8")
            worker.subproject.last_answers  # noqa: B018 - copier reads them here
            (folder / ANSWERS).unlink()
        worker.run_copy()
        if folder.is_dir() and not (folder / ANSWERS).exists():
            remembered = {**worker._answers_to_remember(), "_src_path": template.source}
            (folder / ANSWERS).write_text(
                HEAD + yaml.safe_dump(remembered, sort_keys=False, allow_unicode=True), encoding="utf-8"
            )
