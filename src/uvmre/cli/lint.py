"""`uvmre lint`."""

from pathlib import Path
from typing import Any

import click

from uvmre.cli import console
from uvmre.cli.options import mre_argument
from uvmre.cli.output import Rendered, json_option

FOUND = 1


@click.command(short_help="Check an MRE for known mistakes.")
@mre_argument
@json_option
def lint(mre: Path) -> Rendered:
    """Check the MRE in a folder (default: the current one) for known mistakes, without running it.

    Exit codes: 0 no findings, 1 findings, 2 wrong usage, 3 internal error, 130 interrupted.
    """
    from uvmre.flows.lint import lint as flow

    report = flow(mre)
    exit_code = FOUND if report.findings else 0
    lines = []
    for finding in report.findings:
        lines.append(f"{finding.where}: {console.paint(finding.rule, 'yellow')}: {finding.why}")
        if finding.fixed:
            lines.append(f"  fixed: {finding.fixed.why}")
    count = f"{len(report.findings)} finding{'' if len(report.findings) == 1 else 's'}"

    def data() -> Any:
        findings = [
            {
                "rule": finding.rule,
                "where": finding.where,
                "why": finding.why,
                "fixed": finding.fixed.why if finding.fixed else None,
                "question": finding.question,
            }
            for finding in report.findings
        ]
        return report.redacted({"schema": 1, "folder": str(mre), "findings": findings, "exit": exit_code})

    text = "\n".join(report.redacted(line) for line in lines)
    return Rendered(text, data, exit_code, [count if report.findings else "no findings"])
