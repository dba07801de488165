"""The story of astral-sh/uv#10903 from its report to its verdict, on real releases and a real error."""

from dataclasses import dataclass
from pathlib import Path

from uvmre.core.mre.model import MANIFEST
from uvmre.core.outcome.result import Result
from uvmre.core.progress import Progress
from uvmre.flows.new import new
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
    """What the demo leaves behind."""

    folder: Path
    result: Result
    report: Path


def demo(target: Path, *, cache: Path, uv: str = "", progress: Progress | None = None) -> Demo:
    """Scaffold the report's claim in `target`, run it with its controls, and write the report.

    Args:
        target: a folder that is empty, not there yet, or the last demo's.
        cache: where the releases of uv are kept.
        uv: another release than the report's.
        progress: is told how it goes.
    """
    new(target, template=TEMPLATE, answers=ANSWERS, force=(target / MANIFEST).exists())
    result = run(target, cache=cache, uv=uv, progress=progress)
    path = Path(result.evidence) / REPORT
    path.write_text(report(target).markdown, encoding="utf-8")
    return Demo(target, result, path)
