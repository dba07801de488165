"""Make an MRE's folder of a template: rendered aside, then moved, so that nobody finds half of one."""

import shutil
import tempfile
from pathlib import Path

from uvmre.errors import UsageError, at
from uvmre.scaffold.templates import Answers, Template


def render(template: Template, answers: Answers, target: Path, *, ask: bool, force: bool) -> None:
    """Write the folder.

    Args:
        template: what it is made of.
        answers: those given already, as `templates.check` returns them.
        target: the folder; missing folders above it are made.
        ask: ask the other questions at the terminal, instead of taking their defaults.
        force: write into a folder that has something in it already.

    Raises:
        UsageError: when the folder has something in it, or cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file, not a folder.", "Name another folder.")
    if target.is_dir() and any(target.iterdir()) and not force:
        raise UsageError(
            f"{target} has something in it already.", "Name another folder, or write over it with `--force`."
        )
    import copier

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        what = error.filename or target.parent
        raise UsageError(f"{what} cannot be written: {error.strerror}.", "Name a folder of yours.") from None
    try:
        rendered = aside / "mre"
        with at(target):
            copier.run_copy(str(template.folder), str(rendered), data=answers, defaults=not ask, quiet=True)
            if target.exists():
                shutil.copytree(rendered, target, dirs_exist_ok=True)
            else:
                rendered.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
