"""`uvmre run`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import json_option, mre_argument, release_option, run_options

if TYPE_CHECKING:
    from uvmre.flows.options import RunOptions


@click.command(short_help="Run an MRE and say whether the bug shows.")
@mre_argument
@release_option(
    "--uv",
    several_with="`uvmre matrix` runs several, with the same `--uv`.",
    help="Another release: 0.5.21, latest, 0.5, @2025-01-23, ./uv …",
)
@run_options("python", "backend")
@click.option("--keep", is_flag=True, help="Leave the folders in which the steps ran.")
@json_option
def run(mre: Path, *, uv: str, options: "RunOptions", keep: bool, as_json: bool) -> int:
    """Run the MRE in a folder (this one where none is named) and its controls, each in fresh folders.

    Exit codes: 0 the bug shows, 1 it does not, 125 cannot tell, 2 wrong usage, 3 a bug of uvmre, 130 interrupted.
    """
    from uvmre.cli.progress import show_progress
    from uvmre.core.outcome.result import to_data
    from uvmre.flows.run import run as flow

    with show_progress() as progress:
        result = flow(mre, options, uv=uv, keep=keep, progress=progress)
    if as_json:
        console.print_json(to_data(result))
    else:
        console.print_text(f"uv {result.uv}, Python {result.python}, {result.backend}")
        console.print_text(console.table(result))
        console.print_text(console.verdict(result))
        console.print_message(f"evidence: {result.evidence}")
        if result.stand_ins:
            console.print_message(f"not the real images, but stand-ins made here: {', '.join(result.stand_ins)}")
        replayed = sum(request.replayed for variant in result.variants for request in variant.observation.requests)
        if replayed and options.network == "auto":
            console.print_message(f"tape: {replayed} answers are recorded ones; `--live` asks the network again")
        if result.kept:
            console.print_message(f"kept: {result.kept}")
    return result.verdict.exit_code
