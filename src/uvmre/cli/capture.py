"""`uvmre capture`."""

import contextlib
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli import console
from uvmre.cli.new import confirm_replacing
from uvmre.cli.options import release_option, run_options
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import LineProgress, show_progress, verbose_option
from uvmre.cli.shrink import LiveShrink
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from uvmre.flows.capture import Captured
    from uvmre.flows.options import RunOptions

COMMAND = "uvmre.command"
COMPLAINTS = {
    "1": ("prints", "It prints this text"),
    "2": ("lacks", "It does not print this text"),
    "3": ("leaves", "It leaves this file or folder"),
    "4": ("leaves_no", "It does not leave this file or folder"),
}


class CommandAfterDashes(click.Command):
    """A command that keeps what follows `--` as it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the user's command off the arguments."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[COMMAND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command(cls=CommandAfterDashes, short_help="Make an MRE without private values of a failing project.")
@click.argument("folder", metavar="[DIR] -- COMMAND...", default=".", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "dest",
    default="mre",
    type=click.Path(path_type=Path),
    metavar="DEST",
    help="The MRE's folder (default: mre).",
)
@click.option("--shrink", "shrinking", is_flag=True, help="Shrink the MRE too, as `uvmre shrink` does.")
@click.option("--prints", multiple=True, metavar="TEXT", help="It succeeds, but prints TEXT, which is wrong.")
@click.option("--lacks", multiple=True, metavar="TEXT", help="It succeeds, but does not print TEXT.")
@click.option("--leaves", default="", metavar="PATH", help="It succeeds, but leaves PATH, which is wrong.")
@click.option("--leaves-no", default="", metavar="PATH", help="It succeeds, but does not leave PATH.")
@click.option("--hangs", is_flag=True, help="It does not end within `--seconds`, and that is the bug.")
@click.option("--seconds", default=300.0, type=click.FloatRange(1), metavar="N", help="Its time limit (default: 300).")
@click.option("--yes", is_flag=True, help="Run the command with your credentials without asking.")
@click.option("--force", is_flag=True, help="Replace the files of an existing MRE.")
@release_option("--uv", several_with="name one release", help="The release of the MRE, if not that of `uv` on PATH.")
@run_options("backend")
@verbose_option
@json_option
def capture(folder: Path, *, dest: Path, yes: bool, options: "RunOptions", **arguments: Any) -> Rendered:
    """Run COMMAND in a copy of the project in DIR, and make an MRE of it without anything private.

    COMMAND runs with your environment and credentials; a single argument is a shell text. What is private is replaced,
    and the MRE is run to prove that its error stays: packages, indexes, names, paths, tokens. The project is
    not changed, and nothing is uploaded. What was replaced by what is in DEST.private.txt, for you alone.

    Exit codes: 0 the MRE shows the error, 125 it does not, 2 wrong usage, 130 interrupted.
    """
    command = click.get_current_context().meta.get(COMMAND)
    if not command:
        raise UsageError("the command is missing", "write it after `--`: `uvmre capture -- uv sync`")
    from uvmre.flows.capture import capture as flow
    from uvmre.flows.capture import capture_request, shrink_captured

    force, shrinking = arguments.pop("force"), arguments.pop("shrinking")
    request = capture_request(command, **arguments)
    _require_consent(request.commands, yes=yes)
    if console.is_interactive() and not request.complaint.symptom:
        request = replace(request, ask=_ask_what_is_wrong)
    # It may ask, which a live table would overwrite.
    with contextlib.nullcontext(LineProgress()) if request.ask else show_progress(f"capturing {folder}") as progress:
        captured = flow(folder, dest, request, options, force=force, confirm=confirm_replacing(), progress=progress)
    if shrinking:
        with show_progress(f"shrinking {dest}", LiveShrink) as progress:
            captured = shrink_captured(captured, options, progress)
    return _render(captured)


def _require_consent(commands: tuple[str, ...], *, yes: bool) -> None:
    """Ask whether the command may run with the user's credentials."""
    if yes:
        return
    if not console.is_interactive():
        raise UsageError(
            "no terminal to ask on whether the command may run with your environment and credentials",
            "allow it with `--yes`",
        )
    console.print_message("this runs in a copy of the project, with your environment, credentials and network:")
    for command in commands:
        console.print_message(f"  {command}")
    if not click.confirm("Run it?", err=True):
        raise UsageError("nothing was run", "run it again, and confirm")


def _ask_what_is_wrong(command: str) -> dict[str, Any]:
    """Ask what is wrong with a command that succeeds; return the fields of its `Complaint`."""
    console.print_message(f"`{command}` succeeds. What is wrong?")
    for option, (_, question) in COMPLAINTS.items():
        console.print_message(f"  {option}  {question}")
    field, question = COMPLAINTS[click.prompt("Number", type=click.Choice(list(COMPLAINTS)), err=True)]
    text = click.prompt(question, err=True)
    return {field: (text,) if field in ("prints", "lacks") else text}


def _render(captured: "Captured") -> Rendered:
    kinds = captured.kinds
    lines = [
        f"captured {captured.folder}: {captured.mre.title}",
        f"  replaced: {', '.join(f'{count} {kind}' for kind, count in kinds.items()) or 'nothing'}",
        f"  left out: {len(captured.left_out)} files",
        f"  proven: {captured.runs} runs, {captured.seconds:.0f} s",
    ]
    if captured.shrunk:
        lines.append(f"  shrunk: {captured.shrunk}")
    data = {
        "schema": 1,
        "folder": str(captured.folder),
        "title": captured.mre.title,
        "verdict": captured.verdict,
        "uv": captured.mre.environment.uv,
        "replaced": kinds,
        "private": len(captured.kept),
        "look_at": len(captured.remaining),
        "left_out": len(captured.left_out),
        "runs": captured.runs,
        "seconds": round(captured.seconds, 1),
        "shrunk": captured.shrunk,
        "files": sorted(file.path for file in captured.mre.files),
        "notes": str(captured.notes_file),
    }
    warnings = [*captured.notes]
    if captured.kept:
        warnings.append(f"{len(captured.kept)} private values are needed for the error: the MRE is marked as private")
    elif captured.mre.private:
        warnings.append("the error shows only with the project's own code: the MRE has it, and is marked as private")
    if captured.remaining:
        warnings.append(f"{len(captured.remaining)} words may be private: see {captured.notes_file}")
    return Rendered(
        "\n".join(lines),
        lambda: data,
        0 if captured.verdict in ("reproducible", "explained") else 125,
        notes=[
            f"what was replaced by what is in {captured.notes_file}: look at it, and do not share it",
            f"hint: see whether it is ready to be shared with `uvmre check {shlex.quote(str(captured.folder))}`",
        ],
        warnings=warnings,
    )
