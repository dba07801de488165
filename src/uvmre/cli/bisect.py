"""`uvmre bisect`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli.console import paint
from uvmre.cli.options import release_option, run_options, target_options
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.probe_progress import blocked_host_warnings, show_progress
from uvmre.cli.progress import verbose_option
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from uvmre.flows.bisect import BisectReport
    from uvmre.flows.options import RunOptions
    from uvmre.flows.probe.target import ProbeTarget


COLORS = {"-": "red", "+": "green"}
SEVERAL = "name one release; `--range` limits the search"


@click.command(short_help="Find the first bad and the first fixed release of uv.")
@target_options
@release_option("--uv", several_with=SEVERAL, help="A release with the bug; default: that of the MRE.")
@release_option("--bad", several_with=SEVERAL, help="The same as --uv, as in `git bisect`.")
@release_option("--good", several_with=SEVERAL, help="An older release without the bug.")
@click.option("--range", "selector", default="", metavar="SELECTOR", help="Search only these releases, as 0.4..0.6.")
@click.option("--variant", default="", metavar="NAME", help="Search with a control instead of the MRE itself.")
@click.option("--repeat", default=1, type=click.IntRange(1), metavar="N", help="Run N times on a release: it is flaky.")
@click.option("--explain", is_flag=True, help="Print every run of the search.")
@run_options("python", "jobs", "backend", "trust", "again")
@verbose_option
@json_option
def bisect(
    *,
    target_of: Callable[..., "ProbeTarget"],
    uv: str,
    bad: str,
    good: str,
    selector: str,
    variant: str,
    repeat: int,
    explain: bool,
    options: "RunOptions",
) -> Rendered:
    """Find the first bad and the first fixed release of uv.

    With --command, SCRIPT runs instead of an MRE, with the uv of the release first in PATH, its version in UVMRE_UV, a
    fresh folder, home and temporary folder, and the gateway. It exits with 0 if the bug shows, 1 if not, and 125 if it
    cannot tell.

    Exit codes: 0 found, 125 cannot tell (the bug does not show where it should), 2 wrong usage, 3 internal error, 130
    interrupted: finished runs are kept, and the same command continues.
    """
    from uvmre.core.search.bisect_data import to_data
    from uvmre.core.search.boundary import describe
    from uvmre.flows.bisect import BisectRequest
    from uvmre.flows.bisect import bisect as flow

    if uv and bad and uv != bad:
        raise UsageError(f"`--uv {uv}` and `--bad {bad}` contradict each other", "use one of them")
    target = target_of((variant,) if variant else ())
    with show_progress(f"searching the releases of uv for: {target.title}") as progress:
        report = flow(target, BisectRequest(uv or bad, good, selector, repeat, keep=True), options, progress=progress)
    history = report.history
    links = ["release notes:", *(f"  {link}" for link in history.links())] if history.links() else []
    changes = [paint(line, COLORS[sign]) if sign else line for sign, line in describe(history)]
    runs = f"{report.ran} run{'' if report.ran == 1 else 's'}"

    def data() -> dict[str, Any]:
        return {
            "schema": 1,
            "title": report.target.title,
            "issue": report.target.issue,
            "python": report.python,
            **to_data(history),
            "ran": report.ran,
            "kept": report.kept,
            "refused": list(report.refused),
            "evidence": report.evidence,
        }

    return Rendered(
        "\n".join([*(history.explain() if explain else ()), *history.sentences(), *changes, *links]),
        data,
        history.exit_code,
        notes=[
            f"{runs}, {report.kept} cached" if report.kept else runs,
            *([f"evidence: {report.evidence}"] if report.evidence else ()),
            *([f"hint: {_next_step(report)}"] if history.unsound else ()),
        ],
        warnings=blocked_host_warnings(report.refused),
        secrets=target.secrets,
    )


def _next_step(report: "BisectReport") -> str:
    if report.history.boundaries.reported == "bad":
        return "name an older release with `--good`, or omit it"
    if report.target.script:
        return "name a release with the bug with `--uv`, or run the script by hand on this one"
    return "name a release with the bug with `--uv`; `uvmre run` shows why this one has none"
