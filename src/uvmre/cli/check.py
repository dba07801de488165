"""`uvmre check`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import mre_argument, run_options
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.progress import show_progress, verbose_option

if TYPE_CHECKING:
    from uvmre.flows.options import RunOptions

COLORS = {"ok": "green", "fault": "red", "unknown": "yellow", "skipped": "yellow"}
MOST_NAMED = 20
"""Private parts that are named at most."""


@click.command(short_help="Check whether an MRE is ready to be shared.")
@mre_argument
@run_options("python", "backend", "trust")
@verbose_option
@json_option
def check(mre: Path, *, options: "RunOptions") -> Rendered:
    """Check whether the MRE in a folder (default: the current one) is ready to be shared.

    It must show its symptom, its controls must hold, it must be minimal, have nothing that looks private, run without
    uvmre, and fit into an issue on GitHub. Each fault comes with what to do.

    Exit codes: 0 ready, 1 not ready, 125 cannot tell, 2 wrong usage, 3 internal error, 130 interrupted.
    """
    from uvmre.flows.check import check as flow

    with show_progress(f"checking {mre}") as progress:
        found = flow(mre, options, progress=progress)
    lines = []
    for each in found.checks:
        lines.append(f"{console.paint(f'{each.status:<8}', COLORS[each.status])} {each.name:<9} {each.reason}")
        lines += [f"    {part.where}: {part.kind} {part.text}".rstrip() for part in each.places[:MOST_NAMED]]
        if len(each.places) > MOST_NAMED:
            lines.append(f"    and {len(each.places) - MOST_NAMED} more")
        if each.remedy:
            lines.append(f"    {console.paint('fix', 'cyan')}: {each.remedy}")
    ready = {0: "ready to be shared", 1: "not ready to be shared", 125: "cannot tell whether it is ready"}
    data = {"schema": 1, "folder": str(mre), "ready": found.exit_code == 0, "exit": found.exit_code}
    checks = [asdict(each) for each in found.checks]
    return Rendered("\n".join(lines), lambda: {**data, "checks": checks}, found.exit_code, [ready[found.exit_code]])
