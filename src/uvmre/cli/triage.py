"""`uvmre triage`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import run_options
from uvmre.errors import CannotTell, Interrupted, UsageError, UvmreError

if TYPE_CHECKING:
    from uvmre.core.triage.answer import TriageAnswer
    from uvmre.flows.options import RunOptions
    from uvmre.flows.triage import TriageOptions

Fetch = Callable[[str], str]
"""Gives the text of an issue by its name."""
OPEN_LINES = 30
"""Of a step's output; more of it is in the evidence."""


@click.command(short_help="Read issues, run what they report, and say whether it shows.")
@click.argument("issues", nargs=-1, required=True, metavar="ISSUE...")
@click.option("--bisect", "search", is_flag=True, help="Find since when it shows, and since when no more.")
@click.option("--with-comments", "comments", is_flag=True, help="Read what others have answered, too.")
@click.option("--today", is_flag=True, help="PyPI as it is now, not as it was on the post's day.")
@click.option("--dry-run", is_flag=True, help="Only say what was understood, and what was not.")
@click.option("--comment", is_flag=True, help="Print the answer as a comment that can be pasted.")
@click.option("--label", is_flag=True, help="Print the labels that go with the answer, and nothing else.")
@run_options("jobs")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each issue on stdout, a line each.")
def triage(
    issues: tuple[str, ...],
    *,
    search: bool,
    comments: bool,
    today: bool,
    dry_run: bool,
    comment: bool,
    label: bool,
    options: "RunOptions",
    as_json: bool,
) -> int:
    """Read each ISSUE (a file, `-`, a folder of them, a GitHub URL or OWNER/REPO#N), make an MRE of it, and run that.

    Exit codes of one issue: 0 the bug shows, or is explained; 1 it does not; 125 cannot tell, or there is more to ask.
    Of several: 0 when each was answered, 125 when one could not be read. Of both: 2 wrong usage, 3 a bug of uvmre,
    130 interrupted.
    """
    from uvmre.flows.triage import TriageOptions
    from uvmre.flows.understand import inbox

    if sum([dry_run, comment, label]) > 1 or (as_json and (comment or label)):
        raise UsageError("An answer is given in one form.", "Take one of --json, --comment, --label and --dry-run.")
    settings = TriageOptions(run=options, search=search, today=today, comments=comments)
    box = inbox(console.read_stdin, comments=comments, offline=options.offline)
    names = list(box.names(issues))
    if dry_run:
        return _dry(lambda name: box.post(name).text, names, settings, as_json=as_json)
    form = "json" if as_json else "comment" if comment else "label" if label else "text"
    exits = []
    for number, name in enumerate(names):
        answer = _one(lambda name: box.post(name).text, name, settings)
        if number and form in ("text", "comment") and answer.exit is None:
            console.print_text("")
        _tell(answer, form, several=len(names) > 1)
        exits.append(answer)
    return _exit(exits)


def _one(fetch: Fetch, name: str, options: "TriageOptions") -> "TriageAnswer":
    """Answer for one issue, whatever happens: the others are not to wait for what is wrong with it."""
    from uvmre.cli.crash import report_internal_error
    from uvmre.cli.os_errors import as_uvmre_error
    from uvmre.cli.probe_progress import show_progress
    from uvmre.core.outcome.verdict import Verdict
    from uvmre.core.triage.answer import TriageAnswer
    from uvmre.flows.triage import triage as flow

    try:
        with show_progress() as progress:
            return flow(name, fetch(name), options, progress)
    except Interrupted:
        raise
    except Exception as error:
        if failed := error if isinstance(error, UvmreError) else as_uvmre_error(error):
            console.print_error(failed.message, failed.hint, cause=failed.cause)
            return TriageAnswer(name, Verdict("inconclusive", " ".join(failed.summary.split())), exit=failed.exit_code)
        exit_code = report_internal_error()
        told = f"uvmre itself failed on this issue ({type(error).__name__})."
        return TriageAnswer(name, Verdict("inconclusive", told), exit=exit_code)


def _exit(answers: "list[TriageAnswer]") -> int:
    if len(answers) == 1:
        return answers[0].exit_code
    worst = {answer.exit for answer in answers if answer.exit is not None}
    return 3 if 3 in worst else CannotTell.exit_code if worst else 0


def _tell(answer: "TriageAnswer", form: str, *, several: bool) -> None:
    if form == "json":
        from uvmre.core.triage.answer import to_data

        console.print_json(to_data(answer))
    elif answer.exit is not None:
        return  # the error was told; it is no answer, and nothing to paste below an issue
    elif form == "comment":
        from uvmre.flows.triage import as_comment

        console.print_document(as_comment(answer).rstrip("\n"))
    elif form == "label":
        console.print_document(" ".join([*([f"{answer.issue}:"] if several else []), *answer.labels]))
    else:
        _tell_text(answer)


def _tell_text(answer: "TriageAnswer") -> None:
    from uvmre.core.triage.decide import questions

    state, word = answer.state, answer.verdict.word
    console.print_text(answer.redacted(f"{answer.issue}: {state.parsed.title}" if state.parsed.title else answer.issue))
    console.print_text(f"{console.paint(word, console.COLORS.get(word, 'yellow'))}: {answer.verdict.reason}")
    lines = list(answer.sentences)
    if main := answer.main_run:
        for step in main.result.base.observation.steps:
            lines += [
                f"  $ {step.run}",
                *_said(answer.redacted(step.stdout + step.stderr)),
                f"    exit code {step.exit}",
            ]
    lines += [f"not as reported: {each}" for each in (*state.parsed.stand_ins, *state.missing)]
    lines += [f"to ask: {question}" for question in questions(state)]
    for line in lines:
        console.print_text(answer.redacted(line))
    if answer.folder:
        console.print_message(f"MRE: {answer.folder}")


def _said(text: str) -> list[str]:
    from uvmre.core.text.normalize import readable

    lines = readable(text).strip("\n").splitlines()
    left = len(lines) - OPEN_LINES
    if left > 0:
        lines = [*lines[: OPEN_LINES // 2], f"[… {left} lines]", *lines[-OPEN_LINES // 2 :]]
    return [f"    {line}" for line in lines]


def _dry(fetch: Fetch, names: list[str], options: "TriageOptions", *, as_json: bool) -> int:
    from uvmre.core.secrets.redact import redact
    from uvmre.core.triage.dry_run import as_data, as_lines
    from uvmre.flows.triage import understand_with

    for name in names:
        read = understand_with(options, fetch(name))
        findings = [(found.rule, found.where, found.why) for found in read.findings]
        if as_json:
            data = as_data(read.parsed, read.mre, findings, read.missing)
            console.print_json({"schema": 1, "issue": name, "uv": read.uv, **data})
        else:
            console.print_text(
                "\n".join([f"{name}: {redact(read.parsed.title)}", *as_lines(read.parsed, read.mre, findings, read.uv)])
            )
    return 0
