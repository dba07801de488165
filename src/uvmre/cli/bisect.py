"""`uvmre bisect`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import json_option, release_option, run_options, target_options
from uvmre.cli.probe_progress import show_progress, tell_refused
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from uvmre.flows.bisect import BisectReport
    from uvmre.flows.options import RunOptions
    from uvmre.flows.probe.target import ProbeTarget


SEVERAL = "Name one; `--range` says among which releases to search."


@click.command(short_help="Find since when a bug shows, and since when no more.")
@target_options
@release_option("--uv", several_with=SEVERAL, help="Where it shows; the MRE's own release if not said.")
@release_option("--bad", several_with=SEVERAL, help="The same as --uv, as `git bisect` calls it.")
@release_option("--good", several_with=SEVERAL, help="An older release where it does not show.")
@click.option("--range", "among", default="", metavar="SELECTOR", help="Ask these only, as 0.4..0.6.")
@click.option("--variant", default="", metavar="NAME", help="A control of the MRE instead of the MRE itself.")
@click.option("--repeat", default=1, type=click.IntRange(1), metavar="N", help="Run each so often: it is flaky.")
@click.option("--explain", is_flag=True, help="Print the path that it took.")
@run_options("python", "jobs", "backend", "again")
@json_option
def bisect(
    *,
    target_of: Callable[..., "ProbeTarget"],
    uv: str,
    bad: str,
    good: str,
    among: str,
    variant: str,
    repeat: int,
    explain: bool,
    options: "RunOptions",
    as_json: bool,
) -> int:
    """Search the releases of uv for the first where the bug shows, and the first where it does not any more.

    With --command, SCRIPT is asked instead of an MRE: it gets the release's uv first in PATH, its version as UVMRE_UV,
    a fresh folder, home and temp, and the gateway; it is to exit with 0 where the bug shows, 1 where it does not, 125
    where it cannot tell.

    Exit codes: 0 found, 125 cannot tell (it does not show where it should, say), 2 wrong usage, 130 interrupted: what
    was finished is kept, and the same command goes on from there.
    """
    from uvmre.flows.bisect import BisectRequest
    from uvmre.flows.bisect import bisect as flow

    if uv and bad and uv != bad:
        raise UsageError(f"`--uv {uv}` and `--bad {bad}` contradict each other", "use one of them")
    target = target_of((variant,) if variant else ())
    with show_progress() as progress:
        found = flow(target, BisectRequest(uv or bad, good, among, repeat), options, progress=progress)
    if as_json:
        console.print_json(_data(found))
    else:
        _tell(found, explain=explain)
    tell_refused(found.refused)
    return found.history.exit_code


def _tell(found: "BisectReport", *, explain: bool) -> None:
    history = found.history
    if explain:
        console.print_text("\n".join(history.explain()))
    for sentence in history.sentences():
        console.print_text(sentence)
    if history.links():
        console.print_text("\n".join(["release notes:", *(f"  {link}" for link in history.links())]))
    runs = f"{found.ran} run{'' if found.ran == 1 else 's'}"
    console.print_message(f"{runs}, {found.kept} from before" if found.kept else runs)
    if history.unsound:
        console.print_message(f"hint: {_next(found)}")


def _next(found: "BisectReport") -> str:
    if found.history.boundaries.reported == "bad":
        return "name an older release with --good, or none"
    if found.target.script:
        return "name a release on which it shows with --uv, or run the script by hand there"
    return "name a release on which it shows with --uv; `uvmre run` tells why it does not on this one"


def _data(found: "BisectReport") -> dict[str, object]:
    from uvmre.core.search.bisect_result import to_data

    return {
        "schema": 1,
        "title": found.target.title,
        "issue": found.target.issue,
        "python": found.python,
        **to_data(found.history),
        "ran": found.ran,
        "kept": found.kept,
        "refused": list(found.refused),
    }
