"""`uvmre lint`."""

from pathlib import Path

import click

from uvmre.cli import console

FOUND = 1


@click.command(short_help="Look for known mistakes in an MRE.")
@click.argument("mre", default=".", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def lint(mre: Path, as_json: bool) -> int:
    """Look for known mistakes in the MRE of a folder (this one where none is named). Nothing is run.

    Exit codes: 0 nothing found, 1 something found, 2 wrong usage, 3 a bug of uvmre, 130 interrupted.
    """
    from uvmre.flows.lint import lint as flow

    told = flow(mre)
    if as_json:
        findings = [
            {
                "rule": finding.rule,
                "where": finding.where,
                "why": finding.why,
                "fixed": finding.fixed.why if finding.fixed else None,
                "question": finding.question,
            }
            for finding in told.findings
        ]
        data = {"schema": 1, "folder": str(mre), "findings": findings, "exit": FOUND if findings else 0}
        console.answer_json(told.redacted(data))
    else:
        for finding in told.findings:
            rule = console.paint(finding.rule, "yellow")
            console.answer(told.redacted(f"{finding.where}: {rule}: {finding.why}"))
            if finding.fixed:
                console.answer(told.redacted(f"  fixed: {finding.fixed.why}"))
        said = f"{len(told.findings)} known mistake{'s' * (len(told.findings) != 1)}"
        console.say(said if told.findings else "No known mistake.")
    return FOUND if told.findings else 0
