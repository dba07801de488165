"""`uvmre demo`."""

from pathlib import Path

import click

from uvmre.cli import console
from uvmre.cli.options import release_option
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import show_progress, verbose_option


@click.command(short_help="Run a real bug report from its claim to its verdict.")
@click.argument("dest", default="uvmre-demo", type=click.Path(path_type=Path))
@release_option("--uv", several_with="name one release, or `latest`", help="Another release than the reported 0.5.21.")
@verbose_option
@json_option
def demo(dest: Path, uv: str) -> Rendered:
    """Scaffold astral-sh/uv#10903 in the folder DEST, run its claim and its controls, and write the report.

    Exit codes: 0 the reported error shows and is explained; otherwise those of `uvmre run`.
    """
    from uvmre.core.outcome.result import to_data
    from uvmre.flows.demo import demo as flow
    from uvmre.flows.options import RunOptions

    with show_progress(f"running the demo in {dest}") as progress:
        finished = flow(dest, RunOptions(cache=console.cache()), uv=uv, progress=progress)
    result, report = finished.result, str(finished.report)
    return Rendered(
        f"{result.title} ({result.issue})\n{console.render_result(result)}\nreport: {report}",
        lambda: {**to_data(result), "report": report},
        result.verdict.exit_code,
    )
