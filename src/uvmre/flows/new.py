"""Make an MRE: from a template, a scenario of packse, or a Dockerfile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre import files
from uvmre.core.mre import import_packse, manifest
from uvmre.core.mre.keys import RELEASE
from uvmre.core.mre.model import MANIFEST, Mre
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact_deep, secrets
from uvmre.errors import InputError, UsageError
from uvmre.flows.scratch import scratch
from uvmre.folder.read import read_mre
from uvmre.folder.write import Confirm, staged, write_mre
from uvmre.folder.written import read_record
from uvmre.scaffold import templates
from uvmre.scaffold.templates import render

ISSUE = "an issue"
REPORT = "a report"


@dataclass(frozen=True)
class NewMre:
    """An MRE that was made."""

    folder: Path
    template: str
    """What it was made from: a template's name, or a scenario's file."""
    mre: Mre
    files: tuple[str, ...]
    """The paths of all files that were written, the manifest among them."""


def new(
    target: Path,
    *,
    template: str = "",
    answers: Mapping[str, Any] | None = None,
    ask: bool = False,
    force: bool = False,
    confirm: Confirm | None = None,
) -> NewMre:
    """Make an MRE in `target`.

    Args:
        target: an empty or new folder.
        template: its name; optional if there is only one.
        answers: answers to its questions, by name.
        ask: ask the others on the terminal instead of using their defaults.
        force: replace the files of an MRE that uvmre wrote there.
        confirm: asked for confirmation unless `force` is set.

    Raises:
        UsageError: if the template, an answer or the folder is invalid.
    """
    chosen = templates.find_template(template) if template else _only()
    checked = templates.check_answers(chosen, answers or {})
    with staged(target, force=force, confirm=confirm) as folder, scratch() as temporary:
        render(chosen, checked, folder, ask=ask, temporary=temporary)
        _check(chosen, folder)
    return written_mre(target, chosen.name)


def _check(template: templates.Template, folder: Path) -> None:
    """Refuse a template whose result is no MRE, before anything of it is written."""
    if not (folder / MANIFEST).is_file():
        raise templates.unusable(template.name, [f"it makes no {MANIFEST}"])
    try:
        read_mre(folder)
    except InputError as error:
        raise templates.unusable(template.name, [error.message.replace(f"{folder}/", ""), *error.faults]) from None


def written_mre(target: Path, source: str) -> NewMre:
    """Return the MRE that was written into a folder."""
    return NewMre(target, source, read_mre(target), tuple(sorted(read_record(target))))


def from_packse(
    scenario: Path,
    target: Path,
    *,
    cache: Path,
    uv: str,
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> NewMre:
    """Make an MRE in `target` of a scenario of packse.

    `uv` is the release that the MRE is for, or `latest`: a scenario names none.

    Raises:
        UsageError: if the scenario, the release or the folder is invalid.
        CannotTell: if the latest release is not available.
    """
    text = files.read_text(scenario)
    release = _latest(cache, progress or Progress()) if uv == "latest" else uv
    if not RELEASE.match(release):
        raise UsageError(f"`{release}` is not a release of uv", "use a release, as in 0.5.21, or `latest`")
    write_mre(import_packse.import_scenario(text, str(scenario), uv=release), target, force=force, confirm=confirm)
    return written_mre(target, str(scenario))


def from_dockerfile(
    dockerfile: Path,
    target: Path,
    *,
    answers: Mapping[str, Any] | None = None,
    force: bool = False,
    confirm: Confirm | None = None,
) -> NewMre:
    """Make an MRE in `target` of a Dockerfile, whose RUNs are its steps.

    `answers` has the details that a Dockerfile lacks, by name; files are copied from the Dockerfile's folder.

    Raises:
        UsageError: if the Dockerfile, an answer or the folder is invalid.
    """
    from uvmre.core.dockerfile.comments import MARK
    from uvmre.core.dockerfile.single_file import read_back
    from uvmre.folder.read import read_files

    text = files.read_text(dockerfile)
    mre = read_back(text, str(dockerfile), answers or {}, lambda: read_files(dockerfile.parent))
    # Checked as any manifest is: an answer may be anything.
    manifest.parse(manifest.dump(mre), source="The manifest that the answers make", dockerfile=True)
    # A report is somebody's; a Dockerfile of another kind is the user's.
    origin = REPORT if MARK in text.splitlines() else ""
    write_mre(mre, target, force=force, confirm=confirm, origin=origin)
    return written_mre(target, str(dockerfile))


def from_issue(
    issue: str,
    target: Path,
    stdin: Callable[[], bytes],
    *,
    cache: Path,
    force: bool = False,
    confirm: Confirm | None = None,
) -> tuple[NewMre, list[str]]:
    """Make an MRE in `target` of an issue's text, and return it with what was understood of the text, in lines.

    What was not understood is a comment of the manifest, or a text to fill in.

    Raises:
        UsageError: if the issue does not exist, or the folder is invalid.
        CannotTell: if GitHub does not answer.
    """
    from uvmre.core.triage.dry_run import as_lines
    from uvmre.core.triage.fill_in import to_fill_in
    from uvmre.flows.issues import read_issues
    from uvmre.flows.understand import understand

    _, text_of = read_issues((issue,), stdin)
    found = understand(text_of(issue), cache)
    findings = [(each.rule, each.where, each.why) for each in found.findings]
    mre, comments = to_fill_in(found.parsed, found.mre, found.uv)
    write_mre(mre, target, force=force, confirm=confirm, origin=ISSUE, comments=redact_deep(comments, secrets(mre)))
    return written_mre(target, issue), as_lines(found.parsed, found.mre, findings, found.uv)


def _latest(cache: Path, progress: Progress) -> str:
    from uvmre.releases import binaries

    return binaries.get("latest", cache, progress.downloading)[0]


def known_templates() -> list[templates.Template]:
    """Return every template, by name."""
    return templates.templates()


def _only() -> templates.Template:
    known = [template for template in templates.templates() if not template.faults]
    if len(known) == 1:
        return known[0]
    raise UsageError(
        "no template is selected", f"select one with `-t`: {', '.join(template.name for template in known)}"
    )
