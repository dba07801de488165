"""`uvmre run`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import mre_argument, release_option, run_options
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import show_progress, verbose_option

if TYPE_CHECKING:
    from uvmre.flows.options import RunOptions


@click.command(short_help="Run an MRE and show whether the bug occurs.")
@mre_argument
@release_option(
    "--uv",
    several_with="`uvmre matrix --uv` runs several releases",
    help="Another release: 0.5.21, latest, 0.5, @2025-01-23, ./uv …",
)
@run_options("python", "backend", "trust")
@click.option("--keep", is_flag=True, help="Keep the folders in which the steps ran.")
@verbose_option
@json_option
def run(mre: Path, *, uv: str, options: "RunOptions", keep: bool) -> Rendered:
    """Run the MRE in a folder (default: the current one) and its controls, each in fresh folders.

    A file, a URL or `-` that has an MRE, as `uvmre report` writes it, is made a folder first, and runs in the sandbox.

    Exit codes: 0 the bug shows, 1 it does not, 125 cannot tell, 2 wrong usage, 3 internal error, 130 interrupted.
    """
    from uvmre.core.outcome.result import to_data
    from uvmre.flows.run import run as flow

    with show_progress(f"running {mre}") as progress:
        result = flow(mre, options, uv=uv, keep=keep, progress=progress)
    notes = [f"evidence: {result.evidence}"]
    if result.stand_ins:
        notes.append(f"stand-ins instead of the real images: {', '.join(result.stand_ins)}")
    replayed = sum(request.replayed for variant in result.variants for request in variant.observation.requests)
    if replayed and options.network == "auto":
        notes.append(f"{replayed} answers were replayed from the recording; `--live` ignores it")
    if result.kept:
        notes.append(f"kept: {result.kept}")
    return Rendered(console.render_result(result), lambda: to_data(result), result.verdict.exit_code, notes)
