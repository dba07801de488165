"""Look for known mistakes in an MRE; nothing is run."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from uvmre.core.mre.model import Mre
from uvmre.core.secrets.redact import redact_deep, secrets
from uvmre.folder.read import read_mre
from uvmre.lint.find import find_mistakes
from uvmre.lint.finding import Finding

T = TypeVar("T")


@dataclass(frozen=True)
class LintReport:
    """The known mistakes of an MRE."""

    mre: Mre
    findings: tuple[Finding, ...]

    @cached_property
    def _secrets(self) -> frozenset[str]:
        fixed = tuple(finding.fixed for finding in self.findings if finding.fixed)
        return secrets(replace(self.mre, controls=self.mre.controls + fixed))

    def redacted(self, value: T) -> T:
        """Return text or data about the findings without the secrets of the MRE and its fixed variants."""
        return redact_deep(value, self._secrets)


def lint(folder: Path) -> LintReport:
    """Read the MRE in `folder` and return what is known to be wrong with it.

    Raises:
        UsageError: when the folder is no MRE.
        InputError: with all the faults of its manifest, or of its files.
    """
    mre = read_mre(folder)
    return LintReport(mre, find_mistakes(mre))
