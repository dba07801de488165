"""Report the last run of an MRE."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre.core.mre.model import Mre
from uvmre.core.outcome.result import Result, digest
from uvmre.core.secrets.redact import redact_deep, secrets
from uvmre.errors import UsageError
from uvmre.folder import evidence
from uvmre.folder.read import read_mre
from uvmre.report.github import github


@dataclass(frozen=True)
class RunReport:
    """The last run, and its report as Markdown."""

    mre: Mre
    result: Result
    markdown: str
    secrets: frozenset[str]

    def redacted(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what JSON says about this run without its secrets."""
        return redact_deep(data, self.secrets)


def as_dockerfile(folder: Path) -> str:
    """Return the MRE in `folder` as one Dockerfile with its files inside; it need not have been run.

    Raises:
        InputError: when the folder cannot be read, or a file cannot be in a Dockerfile.
    """
    from uvmre.report.dockerfile import dockerfile

    return dockerfile(read_mre(folder))


def report(folder: Path) -> RunReport:
    """Report the newest finished run of the MRE in `folder`.

    Raises:
        UsageError: when there is no run, or the MRE changed since.
        InputError: when the folder cannot be read.
    """
    mre, again = read_mre(folder), f"`uvmre run {shlex.quote(str(folder))}`"
    result = evidence.latest_result(folder)
    if result is None:
        raise UsageError(f"`{folder}` has no finished run", f"run it first: {again}")
    if result.digest != digest(mre):
        raise UsageError(f"`{folder}` changed since its last run", f"run it again: {again}")
    values = secrets(mre)
    return RunReport(mre, result, github(mre, result, values), values)
