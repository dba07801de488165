"""`uvmre report`."""

from pathlib import Path

import click

from uvmre.cli import console


@click.command(short_help="Tell the last run as text for an issue.")
@click.argument("mre", default=".", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", default="github", type=click.Choice(["github", "json", "dockerfile"]), help="What to write."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report(mre: Path, form: str, as_json: bool) -> int:
    """Write the last run of the MRE in a folder (this one where none is named): GitHub Markdown, or JSON.

    As `dockerfile` it is the MRE itself, in one file to build; that needs no run.
    """
    from uvmre.core.outcome.result import to_data
    from uvmre.flows.report import as_dockerfile
    from uvmre.flows.report import report as flow

    if form == "dockerfile":
        text = as_dockerfile(mre)
        if as_json:
            console.answer_json({"schema": 1, "dockerfile": text})
        else:
            console.document(text.removesuffix("\n"))
        return 0
    told = flow(mre)
    if as_json or form == "json":
        console.answer_json({**told.redacted(to_data(told.result)), "markdown": told.markdown})
    else:
        console.document(told.markdown)
    return 0
