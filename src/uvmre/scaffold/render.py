"""Make an MRE's files of a template."""

from pathlib import Path

from uvmre.scaffold.templates import Answers, Template, broken


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
        raise broken(template.name, [f"{type(error).__name__}: {error}"]) from None
