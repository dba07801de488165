"""Make an MRE: from a template, a scenario of packse, or an issue."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uvmre import files
from uvmre.core.generated.names import SCRIPT
from uvmre.core.generated.run_script import generated_files
from uvmre.core.mre import import_packse
from uvmre.core.mre.keys import RELEASE
from uvmre.core.mre.model import LEFT_OUT, MANIFEST, Mre
from uvmre.core.progress import Progress
from uvmre.core.secrets.redact import redact, redact_deep, secrets
from uvmre.core.text.visible import visible
from uvmre.errors import InputError, UsageError
from uvmre.flows.scratch import scratch
from uvmre.folder.read import read_mre
from uvmre.folder.write import Confirm, staged, write_generated, write_mre
from uvmre.folder.written import read_record
from uvmre.scaffold import templates
from uvmre.scaffold.propose import Proposal, fitting_answers, propose_templates, without_logs
from uvmre.scaffold.templates import render

ISSUE = "an issue"
REPORT = "a report"
TEMPLATE = "a fetched template"
MOST_TITLE = 100
"""Characters of a proposed title."""


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
    template: str,
    answers: Mapping[str, Any] | None = None,
    ask: bool = False,
    force: bool = False,
    confirm: Confirm | None = None,
    trust: bool = False,
) -> NewMre:
    """Make an MRE in `target`.

    Args:
        target: an empty or new folder.
        template: its name, path or URL.
        answers: answers to its questions, by name.
        ask: ask the others on the terminal instead of using their defaults.
        force: replace the files of an MRE that uvmre wrote there.
        confirm: asked for confirmation unless `force` is set.
        trust: let the template run code.

    Raises:
        UsageError: if the template, an answer or the folder is invalid.
    """
    with scratch() as temporary:
        chosen = templates.find_template(template, temporary=temporary)
        checked = templates.check_answers(chosen, answers or {}, trust=trust)
        origin = TEMPLATE if chosen.outside else ""
        with staged(target, force=force, confirm=confirm, origin=origin, rendered=True) as folder:
            render_mre(chosen, checked, folder, ask=ask, temporary=temporary, trust=trust)
    return written_mre(target, chosen.name)


def render_mre(template: templates.Template, answers: Mapping[str, Any], folder: Path, **options: Any) -> None:
    """Render a template into a new folder, with a script if it has none.

    Raises:
        InputError: if what it makes is no MRE.
    """
    render(template, dict(answers), folder, **options)
    if not (folder / MANIFEST).is_file():
        raise templates.unusable(template.name, [f"it makes no {MANIFEST}"])
    if faults := sorted({f"it makes `{path.name}`" for path in folder.rglob("*") if path.name in LEFT_OUT}):
        raise templates.unusable(template.name, faults)
    try:
        mre = read_mre(folder)
    except InputError as error:
        raise templates.unusable(template.name, [error.message.replace(f"{folder}/", ""), *error.faults]) from None
    if not (folder / SCRIPT).exists():
        write_generated(folder, generated_files(mre))


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


def propose(about: str, template: str = "") -> Proposal | None:
    """Return the template and the answers that fit a few words, an error or a whole report; None if none does.

    Args:
        about: the text.
        template: the only template to consider.

    Raises:
        UsageError: if there is no such template.
    """
    from uvmre.issue.read import read_issue

    parsed = read_issue(about)
    prose = without_logs(about)
    first = next((line.strip() for line in prose.splitlines() if line.strip()), "")
    title = " ".join((parsed.title or next(iter(parsed.claim.output), "") or first).lstrip("# ").split())
    title = visible(redact(title.removeprefix("error: ")))
    commands = [each.run for each in parsed.commands]
    text = "\n".join(commands)
    if template:
        with scratch() as temporary:
            best = Proposal(templates.find_template(template, temporary=temporary), {}, ())
    elif found := propose_templates(known_templates(), title, text, prose):
        best = found[0]
    else:
        return None
    stated = {"uv": parsed.uv, "python": parsed.python}
    facts = {name: each.text for name, each in stated.items() if each and each.line}
    facts["python"] = ".".join(facts.get("python", "").split(".")[:2])
    facts |= {"title": title[:MOST_TITLE], "issue": parsed.issue}
    shown = commands[parsed.claim.command] if 0 <= parsed.claim.command < len(commands) else ""
    answers = fitting_answers(best.template, facts, [shown, text, prose])
    for name, value in list(answers.items()):
        with suppress(InputError):
            templates.check_answers(best.template, {name: value})
            continue
        del answers[name]
    return replace(best, answers=answers)


def none_selected() -> InputError:
    """Return the error where no template is selected, with those that there are."""
    known = [template for template in known_templates() if not template.faults]
    width = max(len(template.name) for template in known)
    return InputError(
        "no template is selected",
        [f"{template.name:<{width}}  {template.summary}" for template in known],
        "select one with `-t`, or describe the bug with `--about`",
    )
