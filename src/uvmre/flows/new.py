"""Make an MRE: from a template, or from a scenario of packse."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre.core import packse
from uvmre.core.mre import Mre
from uvmre.core.progress import Progress
from uvmre.core.schema import RELEASE
from uvmre.errors import InputError, UsageError
from uvmre.folder.read import read
from uvmre.folder.write import whole, write
from uvmre.scaffold import templates
from uvmre.scaffold.render import render


@dataclass(frozen=True)
class New:
    """An MRE that was made."""

    folder: Path
    template: str
    """What it was made from: a template's name, or a scenario's file."""
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
    with whole(target, force=force) as folder:
        render(chosen, checked, folder, ask=ask)
    return New(target, chosen.name, read(target))


def from_packse(
    scenario: Path, target: Path, *, cache: Path, uv: str, force: bool = False, progress: Progress | None = None
) -> New:
    """Make an MRE in `target` of a scenario of packse.

    Args:
        scenario: its file.
        target: a folder that is empty, or not there yet.
        cache: where the releases of uv are kept.
        uv: the release that the MRE is for, or `latest`; a scenario names none.
        force: write into a folder that has something in it already.
        progress: is told how the download of the latest release goes.

    Raises:
        UsageError: when the scenario, the release or the folder cannot be taken.
        CannotTell: when PyPI does not say which release is the latest.
    """
    try:
        text = scenario.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{scenario} could not be read.", [str(error)], "Give the TOML file of a scenario.") from None
    release = _latest(cache, progress or Progress()) if uv == "latest" else uv
    if not RELEASE.match(release):
        raise UsageError(f"{release!r} is not a release of uv.", "Name one, as 0.5.21, or `latest`.")
    write(packse.read(text, str(scenario), uv=release), target, force=force)
    return New(target, str(scenario), read(target))


def _latest(cache: Path, progress: Progress) -> str:
    from uvmre.releases import binaries

    return binaries.get("latest", cache, progress.downloading)[0]


def known_templates() -> list[templates.Template]:
    """Return every template, by name."""
    return templates.templates()


def _only() -> templates.Template:
    known = templates.templates()
    if len(known) == 1:
        return known[0]
    raise UsageError("No template was named.", f"Take one with `-t`: {', '.join(template.name for template in known)}.")
