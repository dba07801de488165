"""`uvmre matrix`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from uvmre.cli import console
from uvmre.cli.options import json_option, pythons, run_options, target_options
from uvmre.cli.probe_progress import show_progress, tell_refused

if TYPE_CHECKING:
    from uvmre.flows.matrix import FilledMatrix
    from uvmre.flows.options import RunOptions
    from uvmre.flows.probe.target import ProbeTarget

TOLD, CANNOT_TELL = 0, 125


@click.command(short_help="Run an MRE on many releases and interpreters.")
@target_options
@click.option("--uv", default="", metavar="SELECTOR", help="Releases, as 0.4..0.6; the reported and the latest.")
@click.option("--python", default="", metavar="VERSIONS", help="Interpreters, as 3.11,3.12; the MRE's own.")
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="A control of the MRE; may be given often.")
@click.option("--all-variants", "every", is_flag=True, help="The MRE itself and all its controls.")
@run_options("jobs", "backend", "again")
@json_option
def matrix(
    *,
    target_of: Callable[..., "ProbeTarget"],
    uv: str,
    python: str,
    variants: tuple[str, ...],
    every: bool,
    options: "RunOptions",
    as_json: bool,
) -> int:
    """Run an MRE, or a script, on releases × interpreters × variants, and say which of the three explains it.

    Selectors: 0.5.21, latest, previous, 0.5, 0.4.0..0.5.2, '>=0.4,<0.5', @2025-01-23, all; several with commas.
    What cannot be had (an interpreter, a release) is missing in the table, with its reason.

    Exit codes: 0 it is filled, 125 not one cell can tell, 2 wrong usage, 130 interrupted: what was finished is kept,
    and the same command goes on from there.
    """
    from uvmre.core.search.matrix import count_cells, explain_symptom, fold, render_rows
    from uvmre.flows.matrix import matrix as flow

    versions, target = pythons(python), target_of(variants, every=every)
    with show_progress() as progress:
        table = flow(target, uv, versions, options, progress=progress)
    code = TOLD if any(cell.word in ("shows", "absent") for cell in table.cells) else CANNOT_TELL
    if as_json:
        console.print_json(_data(table, code))
    else:
        console.print_text(render_rows(fold(table.cells)))
        console.print_text(explain_symptom(table.cells))
        for reason in _reasons(table):
            console.print_message(f"  {reason}")
        kept = sum(each.kept for each in table.filled)
        console.print_message(count_cells(len(table.filled)) + (f", {kept} of them from before" if kept else ""))
    tell_refused(table.refused)
    return code


def _reasons(table: "FilledMatrix") -> list[str]:
    """Say of the cells that cannot tell why: of each outcome in a row the first."""
    said: dict[tuple[str, str, str], str] = {}
    for cell in table.cells:
        if cell.word in ("different", "broken"):
            said.setdefault(
                (cell.interpreter, cell.variant, cell.word), f"{cell.word} on {cell.release}: {cell.reason}"
            )
    return list(dict.fromkeys(said.values()))


def _data(table: "FilledMatrix", code: int) -> dict[str, object]:
    from dataclasses import asdict

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
            {"python": row.interpreter, "variant": row.variant, "runs": [_run(asdict(run)) for run in row.runs]}
            for row in fold(table.cells)
        ],
        "explains": explain_symptom(table.cells),
        "refused": list(table.refused),
        "exit": code,
    }


def _run(run: dict[str, object]) -> dict[str, object]:
    return {"outcome" if name == "word" else name: value for name, value in run.items()}
