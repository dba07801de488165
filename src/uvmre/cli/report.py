"""`uvmre report`."""

from pathlib import Path

import click

from uvmre.cli.options import mre_argument
from uvmre.cli.output import Rendered, json_option
from uvmre.errors import UsageError
from uvmre.report.formats import FORMATS

MASKED = "secrets are masked in it: it may not behave as the MRE does"
LISTED = ", ".join(f"{name}{'*' * each.two_way}" for name, each in FORMATS.items())


@click.command(short_help="Write an MRE and its last run in another format.", epilog=f"Formats: {LISTED}.")
@mre_argument
@click.option(
    "--format", "name", default="github", type=click.Choice(list(FORMATS)), metavar="NAME", help="Default: github."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="A file or folder, not stdout.")
@click.option("--copy", "copies", is_flag=True, help="Copy it to the clipboard.")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@json_option
def report(mre: Path, *, name: str, output: Path | None, copies: bool, opens: bool) -> Rendered:
    """Write the MRE in a folder (default: the current one), with its last run, in a format to share.

    A format that shows a run needs one. Of those with a *, `uvmre run` makes the MRE again.
    """
    from uvmre.flows import report as flow

    own, notes = FORMATS[name], []
    if own.folder and not output:
        raise UsageError(f"`{name}` is a folder", "name one with `--output`")
    made = flow.report(mre, name)
    saved = flow.save(made, output) if output else None
    if saved:
        notes.append(f"written: {saved}")
    if copies:
        flow.copy(made)
        notes.append("copied to the clipboard")
    if opens:
        notes.append(f"opened: {flow.open_in_browser(made, mre, saved)}")
    warnings = [MASKED] * (made.masked and own.two_way)
    if own.binary and not output:
        return Rendered("", lambda: flow.to_data(made, saved), notes=notes, warnings=warnings, content=made.content)
    shown = "" if saved or copies or opens else made.text.removesuffix("\n")
    return Rendered(
        shown, lambda: flow.to_data(made, saved), notes=notes, warnings=warnings, document=True, redacted=True
    )
