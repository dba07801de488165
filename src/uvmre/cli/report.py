"""`uvmre report`."""

from pathlib import Path

import click

from uvmre.cli import console
from uvmre.cli.output import Rendered, json_option

FORMATS = click.Choice(["github", "json", "dockerfile"])


@click.command(short_help="Write the last run as text for an issue.")
@click.argument("mre", default=".", type=click.Path(path_type=Path))
@click.option("--format", "output_format", default="github", type=FORMATS, help="The format of the report.")
@json_option
def report(mre: Path, output_format: str) -> Rendered:
    """Write the last run of the MRE in a folder (default: the current one) as GitHub Markdown or JSON.

    `--format dockerfile` writes the MRE itself as a single Dockerfile, and needs no run.
    """
    from uvmre.core.outcome.result import to_data
    from uvmre.flows.report import as_dockerfile
    from uvmre.flows.report import report as flow

    if output_format == "dockerfile":
        dockerfile = as_dockerfile(mre)
        data = {"schema": 1, "dockerfile": dockerfile}
        return Rendered(dockerfile.removesuffix("\n"), lambda: data, document=True, redacted=True)
    result = flow(mre)
    data = {**result.redacted(to_data(result.result)), "markdown": result.markdown}
    text = console.format_json(data) if output_format == "json" else result.markdown
    return Rendered(text, lambda: data, document=True, redacted=True)
