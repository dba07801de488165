"""Make an MRE's files of a template."""

from pathlib import Path

from uvmre.scaffold.templates import Answers, Template


def render(template: Template, answers: Answers, folder: Path, *, ask: bool) -> None:
    """Write the files.

    Args:
        template: what they are made of.
        answers: those given already, as `templates.check` returns them.
        folder: where to; it is made.
        ask: ask the other questions at the terminal, instead of taking their defaults.
    """
    import copier

    copier.run_copy(str(template.folder), str(folder), data=answers, defaults=not ask, quiet=True)
