"""`uvmre run`."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from uvmre.cli import console

if TYPE_CHECKING:
    from uvmre.core.observation import Network

FOLDER = click.Path(path_type=Path)


@click.command(short_help="Run an MRE and say whether the bug shows.")
@click.argument("mre", default=".", type=FOLDER)
@click.option("--uv", default="", metavar="VERSION", help="A release instead of the MRE's own, or `latest`.")
@click.option("--python", default="", metavar="VERSION", help="An interpreter instead of the MRE's own, as 3.12.")
@click.option("--backend", default="local", type=click.Choice(["local"]), help="What runs the steps.")
@click.option("--live", "network", flag_value="live", help="Ask the network, and the public test index itself.")
@click.option("--replay", "network", flag_value="replay", help="Ask no network: only what was recorded answers.")
@click.option("--keep", is_flag=True, help="Leave the folders in which the steps ran.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def run(mre: Path, uv: str, python: str, backend: str, network: str | None, keep: bool, as_json: bool) -> int:
    """Run the MRE in a folder (this one where none is named) and its controls, each in fresh folders.

    Exit codes: 0 the bug shows, 1 it does not, 125 cannot tell, 2 wrong usage, 3 a bug of uvmre, 130 interrupted.
    """
    from uvmre.cli.progress import shown
    from uvmre.core.result import to_data
    from uvmre.flows.run import run as flow

    chosen = cast("Network", network or "auto")
    with shown() as progress:
        result = flow(
            mre,
            cache=console.cache(),
            uv=uv,
            python=python,
            backend=backend,
            network=chosen,
            keep=keep,
            progress=progress,
        )
    if as_json:
        console.answer_json(to_data(result))
    else:
        console.answer(f"uv {result.uv}, Python {result.python}, {result.backend}")
        console.answer(console.table(result))
        console.answer(console.verdict(result))
        console.say(f"evidence: {result.evidence}")
        taped = sum(request.taped for variant in result.variants for request in variant.observation.requests)
        if taped and not network:
            console.say(f"tape: {taped} answers are recorded ones; `--live` asks the network again")
        if result.kept:
            console.say(f"kept: {result.kept}")
    return result.verdict.exit_code
