"""`uvmre demo`."""

from pathlib import Path

import click

from uvmre.cli import console
from uvmre.cli.options import release_option


@click.command(short_help="One real report from its claim to its verdict.")
@click.argument("dest", default="uvmre-demo", type=click.Path(path_type=Path))
@release_option(
    "--uv", several_with="Name one, or `latest`.", help="Another release than the report's 0.5.21, or `latest`."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def demo(dest: Path, uv: str, as_json: bool) -> int:
    """Scaffold astral-sh/uv#10903 in the folder DEST, run its claim and its controls, and write the report.

    Exits 0 when the story ends as it did for its reporter, whose error shows and is explained; else as `run` does.
    """
    from uvmre.cli.progress import show_progress
    from uvmre.core.outcome.result import to_data
    from uvmre.flows.demo import demo as flow
    from uvmre.flows.options import RunOptions

    with show_progress() as progress:
        told = flow(dest, RunOptions(cache=console.cache()), uv=uv, progress=progress)
    result = told.result
    if as_json:
        console.print_json({**to_data(result), "report": str(told.report)})
    else:
        console.print_text(f"{result.title} ({result.issue})")
        console.print_text(f"uv {result.uv}, Python {result.python}, {result.backend}")
        console.print_text(console.table(result))
        console.print_text(console.verdict(result))
        console.print_text(f"report: {told.report}")
    return result.verdict.exit_code
