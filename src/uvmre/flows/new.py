"""Scaffold an MRE from a template."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre.core.mre import Mre
from uvmre.errors import UsageError
from uvmre.folder.read import read
from uvmre.scaffold import templates
from uvmre.scaffold.render import render


@dataclass(frozen=True)
class New:
    """An MRE that was made."""

    folder: Path
    template: str
    mre: Mre


def new(
    target: Path,
    *,
    template: str = "",
    answers: Mapping[str, Any] | None = None,
    ask: bool = False,
    force: bool = False,
) -> New:
    """Make an MRE in `target`.

    Args:
        target: a folder that is empty, or not there yet.
        template: its name; may be left out while there is only one.
        answers: answers to its questions, by name.
        ask: ask the others at the terminal, instead of taking their defaults.
        force: write into a folder that has something in it already.

    Raises:
        UsageError: when the template, an answer or the folder cannot be taken.
    """
    chosen = templates.find(template) if template else _only()
    checked = templates.check(chosen, answers or {})
    render(chosen, checked, target, ask=ask, force=force)
    return New(target, chosen.name, read(target))


def known_templates() -> list[templates.Template]:
    """Return every template, by name."""
    return templates.templates()


def _only() -> templates.Template:
    known = templates.templates()
    if len(known) == 1:
        return known[0]
    raise UsageError("No template was named.", f"Take one with `-t`: {', '.join(template.name for template in known)}.")
