"""`uvmre matrix`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli.options import pythons, run_options, target_options
from uvmre.cli.output import Rendered, json_option
from uvmre.cli.probe_progress import blocked_host_warnings, show_progress
from uvmre.cli.progress import verbose_option

if TYPE_CHECKING:
    from uvmre.flows.matrix import FilledMatrix
    from uvmre.flows.options import RunOptions
    from uvmre.flows.probe.target import ProbeTarget

CANNOT_TELL = 125


@click.command(short_help="Run an MRE on many releases and interpreters.")
@target_options
@click.option(
    "--uv", default="", metavar="SELECTOR", help="Releases, as 0.4..0.6; default: the reported and the latest."
)
@click.option("--python", default="", metavar="VERSIONS", help="Interpreters, as 3.11,3.12; default: the MRE's own.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="A control of the MRE; can be repeated.")
@click.option("--all-variants", "every", is_flag=True, help="The MRE itself and all its controls.")
@run_options("jobs", "backend", "trust", "again")
@verbose_option
@json_option
def matrix(
    *,
    target_of: Callable[..., "ProbeTarget"],
    uv: str,
    python: str,
    variants: tuple[str, ...],
    every: bool,
    options: "RunOptions",
) -> Rendered:
    """Run an MRE, or a script, on releases × interpreters × variants, and name the one that explains the bug.

    Selectors: 0.5.21, latest, previous, 0.5, 0.4.0..0.5.2, '>=0.4,<0.5', @2025-01-23, all; several with commas.
    An interpreter or a release that is unavailable is `missing` in the table, with its reason.

    Exit codes: 0 at least one cell can tell, 125 no cell can tell, 2 wrong usage, 3 internal error, 130 interrupted:
    finished runs are kept, and the same command continues.
    """
    from uvmre.core.search.matrix import count_cells, explain_symptom, fold, render_rows
    from uvmre.flows.matrix import matrix as flow

    versions, target = pythons(python), target_of(variants, every=every)
    with show_progress(f"filling the matrix of: {target.title}") as progress:
        table = flow(target, uv, versions, options, progress=progress)
    code = 0 if any(cell.word in ("shows", "absent") for cell in table.cells) else CANNOT_TELL
    kept = sum(each.kept for each in table.filled)
    return Rendered(
        f"{render_rows(fold(table.cells))}\n{explain_symptom(table.cells)}",
        lambda: _data(table, code),
        code,
        notes=[*_reasons(table), count_cells(len(table.filled)) + (f", {kept} of them cached" if kept else "")],
        warnings=blocked_host_warnings(table.refused),
        secrets=target.secrets,
    )


def _reasons(table: "FilledMatrix") -> list[str]:
    """Return the reasons of the cells that cannot tell: of each outcome in a row the first."""
    reasons: dict[tuple[str, str, str], str] = {}
    for cell in table.cells:
        if cell.word in ("different", "broken"):
            row = (cell.interpreter, cell.variant, cell.word)
            reasons.setdefault(row, f"  {cell.word} on {cell.release}: {cell.reason}")
    return list(dict.fromkeys(reasons.values()))


def _data(table: "FilledMatrix", code: int) -> dict[str, Any]:
    from uvmre.core.search.matrix import explain_symptom, fold

    dates = {release.version: release.date for release in table.releases}
    return {
        "schema": 1,
        "title": table.target.title,
        "issue": table.target.issue,
        "cells": [
            {
                "release": each.cell.release,
                "date": f"{day:%Y-%m-%d}" if (day := dates[each.cell.release]) else None,
                "python": each.cell.interpreter,
                "variant": each.cell.variant,
                "outcome": each.cell.word,
                "reason": each.cell.reason,
                "seconds": round(each.seconds, 3),
                "kept": each.kept,
            }
            for each in table.filled
        ],
        "rows": [
            {"python": row.interpreter, "variant": row.variant, "runs": [_rename_word(asdict(run)) for run in row.runs]}
            for row in fold(table.cells)
        ],
        "explains": explain_symptom(table.cells),
        "refused": list(table.refused),
        "exit": code,
    }


def _rename_word(run: dict[str, Any]) -> dict[str, Any]:
    return {"outcome" if name == "word" else name: value for name, value in run.items()}
