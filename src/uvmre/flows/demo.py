"""Scaffold, run and report astral-sh/uv#10903 on real releases."""

from dataclasses import dataclass
from pathlib import Path

from uvmre.core.mre.model import MANIFEST
from uvmre.core.outcome.result import Result
from uvmre.core.progress import Progress
from uvmre.flows.new import new
from uvmre.flows.options import RunOptions
from uvmre.flows.report import report
from uvmre.flows.run import run

TEMPLATE = "workspace-index"
ANSWERS = {
    "title": "Credentials in UV_INDEX_FOO_USERNAME and _PASSWORD do not reach build requirements",
    "issue": "https://github.com/astral-sh/uv/issues/10903",
    "uv": "0.5.21",
    "python": "3.11",
    "credentials": "environment",
    "dockerfile": "run-export",
}
REPORT = "report.md"


@dataclass(frozen=True)
class Demo:
    """The demo's MRE, result and report."""

    folder: Path
    result: Result
    report: Path


def demo(target: Path, options: RunOptions, *, uv: str = "", progress: Progress | None = None) -> Demo:
    """Scaffold the reported MRE in `target`, run it with its controls, and write the report.

    Args:
        target: a folder that is empty, does not exist, or holds the last demo.
        options: how it is run.
        uv: another release than the reported one.
        progress: a progress callback.
    """
    new(target, template=TEMPLATE, answers=ANSWERS, force=(target / MANIFEST).exists())
    result = run(target, options, uv=uv, progress=progress)
    path = Path(result.evidence) / REPORT
    path.write_text(report(target, "github").text, encoding="utf-8")
    return Demo(target, result, path)
