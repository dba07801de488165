"""`uvmre triage`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli import console
from uvmre.cli.options import FOLDER, run_options
from uvmre.cli.output import Rendered, print_rendered
from uvmre.cli.progress import show_progress, verbose_option
from uvmre.errors import CannotTell, Interrupted, UsageError, UvmreError

if TYPE_CHECKING:
    from uvmre.core.triage.answer import TriageAnswer
    from uvmre.flows.options import RunOptions
    from uvmre.flows.triage import TriageOptions

Fetch = Callable[[str], str]
"""Returns the text of an issue by its name."""
MAX_LINES = 30
"""Lines of a step's output; the evidence has the rest."""


@click.command(short_help="Read issues, run what they report, and show whether the bug occurs.")
@click.argument("issues", nargs=-1, required=True, metavar="ISSUE...")
@click.option("--bisect", "search", is_flag=True, help="Find the first bad and the first fixed release.")
@click.option(
    "--with-comments/--no-comments",
    "comments",
    default=None,
    help="Whether to read the comments too; by default, those of an issue on GitHub.",
)
@click.option("--mre", type=FOLDER, metavar="FOLDER", help="Run an MRE that somebody made of the issue instead.")
@click.option(
    "--reader",
    default="",
    metavar="COMMAND",
    help="Ask a program for an MRE if the rules reach no verdict: claude, codex, llm or any command.",
)
@click.option(
    "--hypothesis", type=click.IntRange(1), metavar="N", help="Try only this reading, as `--explain` numbers them."
)
@click.option("--no-rule", "no_rules", multiple=True, metavar="ID", help="Leave out a claim rule or a repair rule.")
@click.option("--shrink", is_flag=True, help="Search a smaller MRE of a bug that shows, for two minutes at most.")
@click.option("--today", is_flag=True, help="Use PyPI as it is now, not as it was on the day of the post.")
@click.option("--dry-run", is_flag=True, help="Print what was extracted and what is missing, without running it.")
@click.option("--explain", is_flag=True, help="Print what was tried, which text became what, and why it was rejected.")
@click.option("--comment", is_flag=True, help="Print the answer as a comment to paste.")
@click.option("--label", is_flag=True, help="Print only the labels for the issue.")
@run_options("jobs", "trust")
@verbose_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each issue on stdout, a line each.")
def triage(
    issues: tuple[str, ...],
    *,
    reader: str,
    no_rules: tuple[str, ...],
    dry_run: bool,
    explain: bool,
    comment: bool,
    label: bool,
    options: "RunOptions",
    as_json: bool,
    **reading: Any,
) -> int:
    """Read each ISSUE (a file, `-`, a folder of files, a GitHub URL or OWNER/REPO#N), create an MRE, and run it.

    Exit codes for one issue: 0 the bug shows, or is explained; 1 it does not; 125 cannot tell, or there are questions.
    For several: 0 all were answered, 125 one could not be read. For both: 2 wrong usage, 3 internal error,
    130 interrupted.
    """
    from uvmre.core.triage.answer import to_data
    from uvmre.flows.issues import read_issues
    from uvmre.flows.other_readers import prepare_reader
    from uvmre.flows.triage import TriageOptions, as_comment
    from uvmre.flows.understand import check_rules

    if sum([dry_run, comment, label, explain]) > 1 or (as_json and (comment or label or explain)):
        raise UsageError(
            "`--json`, `--comment`, `--label`, `--explain` and `--dry-run` exclude each other", "use one of them"
        )
    check_rules(no_rules)
    settings = TriageOptions(
        run=options, reader=prepare_reader(reader) if reader else None, no_rules=frozenset(no_rules), **reading
    )
    _check_exclusions(settings, dry_run=dry_run)
    with show_progress() as progress:
        progress.detail("reading the issues")
        names, fetch = read_issues(
            issues, console.read_stdin, comments=settings.comments is not False, offline=options.offline
        )
    _require_one_issue(names, settings)
    if dry_run:
        for name in names:
            print_rendered(_dry_run(name, fetch(name), settings), as_json=as_json)
        return 0
    answers: list[TriageAnswer] = []
    for name in names:
        answer = _answer(name, fetch, settings)
        if as_json:
            console.print_json(to_data(answer))
        elif answer.exit is None:  # an error is printed already
            if answers and not label:
                console.print_text("")
            if comment:
                console.print_document(as_comment(answer).rstrip("\n"))
            elif label:
                shown = answer.redacted(f"{name}:")
                console.print_document(" ".join([*([shown] if len(names) > 1 else []), *answer.labels]))
            elif explain:
                _print_explanation(answer)
            else:
                _print_answer(answer)
        answers.append(answer)
    return _exit_code(answers)


def _check_exclusions(settings: "TriageOptions", *, dry_run: bool) -> None:
    if settings.mre and (settings.reader or dry_run or settings.hypothesis or settings.no_rules):
        raise UsageError("`--mre` excludes `--reader`, `--dry-run`, `--hypothesis` and `--no-rule`", "use one of them")
    if settings.hypothesis and settings.reader:
        raise UsageError("`--hypothesis` excludes `--reader`", "use one of them")


def _require_one_issue(names: list[str], settings: "TriageOptions") -> None:
    if settings.mre and len(names) > 1:
        raise UsageError(f"`--mre` is for one issue, and these are {len(names)}", "name the issue that it is an MRE of")


def _answer(name: str, fetch: Fetch, options: "TriageOptions") -> "TriageAnswer":
    """Answer for one issue; an error of it does not stop the others."""
    from uvmre.cli.crash import report_internal_error
    from uvmre.cli.os_errors import as_uvmre_error
    from uvmre.cli.probe_progress import show_progress
    from uvmre.core.outcome.verdict import Verdict
    from uvmre.core.triage.answer import TriageAnswer
    from uvmre.flows.triage import triage as flow

    try:
        with show_progress(f"triaging {name}") as progress:
            return flow(name, fetch(name), options, progress)
    except Interrupted:
        raise
    except Exception as error:
        if failed := error if isinstance(error, UvmreError) else as_uvmre_error(error):
            console.print_error(failed.message, failed.hint, cause=failed.cause)
            return TriageAnswer(name, Verdict("inconclusive", " ".join(failed.summary.split())), exit=failed.exit_code)
        exit_code = report_internal_error()
        reason = f"uvmre crashed on this issue ({type(error).__name__})"
        return TriageAnswer(name, Verdict("inconclusive", reason), exit=exit_code)


def _exit_code(answers: "list[TriageAnswer]") -> int:
    if len(answers) == 1:
        return answers[0].exit_code
    codes = {answer.exit for answer in answers if answer.exit is not None}
    return 3 if 3 in codes else CannotTell.exit_code if codes else 0


def _print_verdict(answer: "TriageAnswer") -> None:
    title, word = answer.state.parsed.title, answer.verdict.word
    console.print_text(answer.redacted(f"{answer.issue}: {title}" if title else answer.issue))
    console.print_text(f"{console.paint(word, console.COLORS.get(word, 'yellow'))}: {answer.verdict.reason}")


def _print_answer(answer: "TriageAnswer") -> None:
    from uvmre.core.triage.decide import questions

    state = answer.state
    _print_verdict(answer)
    lines = list(answer.sentences)
    if main := answer.main_run:
        for step in main.result.base.observation.steps:
            output = _shorten(answer.redacted(step.stdout + step.stderr))
            lines += [f"  $ {step.run}".replace("\n", "\n    "), *output, f"    exit code {step.exit}"]
    lines += [f"not as reported: {each}" for each in (*state.parsed.stand_ins, *state.missing)]
    lines += [f"to ask: {question}" for question in questions(state)] + answer.remarks
    for line in lines:
        console.print_text(answer.redacted(line))
    if answer.folder:
        console.print_message(f"MRE: {answer.folder}")
    if answer.small:
        console.print_message(f"smaller MRE: {answer.small}")


def _print_explanation(answer: "TriageAnswer") -> None:
    from uvmre.core.triage.explain import as_lines

    _print_verdict(answer)
    for line in as_lines(answer.attempts):
        console.print_text(answer.redacted(line))


def _shorten(text: str) -> list[str]:
    from uvmre.core.text.normalize import readable

    lines = readable(text).strip("\n").splitlines()
    omitted = len(lines) - MAX_LINES
    if omitted > 0:
        lines = [*lines[: MAX_LINES // 2], f"[… {omitted} lines]", *lines[-MAX_LINES // 2 :]]
    return [f"    {line}" for line in lines]


def _dry_run(name: str, text: str, options: "TriageOptions") -> Rendered:
    from uvmre.core.secrets.redact import certain_secrets
    from uvmre.core.triage.dry_run import as_data, as_lines
    from uvmre.flows.triage import understand_with

    result = understand_with(options, name, text)
    findings = [(finding.rule, finding.where, finding.why) for finding in result.findings]
    lines = as_lines(result.parsed, result.mre, findings, result.uv)
    data = as_data(result.parsed, result.mre, findings, result.missing)
    return Rendered(
        "\n".join([f"{name}: {result.parsed.title}", *lines]),
        lambda: {"schema": 1, "issue": name, "uv": result.uv, **data},
        secrets=certain_secrets(text),
    )
