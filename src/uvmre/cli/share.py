"""`uvmre share`."""

from pathlib import Path

import click

from uvmre.cli import console
from uvmre.cli.options import FOLDER
from uvmre.cli.output import Rendered, json_option
from uvmre.errors import UsageError
from uvmre.report.formats import FORMATS


@click.command(short_help="Post an MRE on GitHub.")
@click.argument("mre", default=".", type=FOLDER)
@click.option("--to", "kind", required=True, type=click.Choice(["issue", "comment", "gist"]), help="Where to post it.")
@click.option("--repo", default="", metavar="OWNER/REPO", help="The repository; default: that of the reported issue.")
@click.option("--issue", type=click.IntRange(1), metavar="N", help="The issue; default: the reported one.")
@click.option(
    "--format",
    "name",
    default="github",
    type=click.Choice(list(FORMATS)),
    metavar="NAME",
    help="Default: github.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def share(mre: Path, *, kind: str, repo: str, issue: int | None, name: str, yes: bool) -> Rendered:
    """Post the MRE in a folder (default: the current one) as a new issue, a comment, or a gist.

    It shows first what will be public, and asks. It uses GITHUB_TOKEN, or the login of `gh`.
    """
    from uvmre.flows.share import post, prepare

    prepared = prepare(mre, kind, name, repo=repo, issue=str(issue or ""))
    console.print_message(prepared.preview)
    for each in prepared.warnings:
        console.print_warning(each)
    if not yes:
        if not console.is_interactive():
            raise UsageError("there is no terminal to ask whether this may be public", "look at it, and use `--yes`")
        if not click.confirm("Post it?", err=True):
            raise UsageError("nothing was posted", f"the text is in `{prepared.file}`")
    url = post(prepared)
    data = {"schema": 1, "to": kind, "url": url, "file": str(prepared.file)}
    return Rendered(url, lambda: data, document=True)
