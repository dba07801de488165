"""Repairs by what real releases of uv print: the rule is triggered, and the MRE gets further than before."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.issue.repairs.cases import CASES, NEW, OLD, RuleCase, failure_of, hypothesis_of
from uvmre.core.outcome.observation import Observation
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.folder.write import write_mre
from uvmre.issue.repairs.repair import repair_failure

pytestmark = pytest.mark.network
QUICK = {("no-venv", "0.1.45"), ("no-venv", NEW), ("no-distribution", OLD), ("no-lockfile", NEW)}
"""What is in `make test`."""
REAL = [
    pytest.param(each, uv, id=f"{each.rule}-{uv}", marks=[] if (each.rule, uv) in QUICK else [pytest.mark.slow])
    for each in CASES
    if each.real
    for uv in dict.fromkeys((each.old, NEW))
    if uv
]


def observe(hypothesis: Hypothesis, folder: Path, cache: Path) -> Observation:
    write_mre(hypothesis.mre, folder, force=True)
    options = RunOptions(cache=cache / "uvmre", backend="local", trust=True)
    return run(folder, options, mre=hypothesis.mre).base.observation


@pytest.mark.parametrize(("case", "uv"), REAL)
def test_a_release_triggers_it_and_gets_further(case: RuleCase, uv: str, cache: Path, tmp_path: Path) -> None:
    hypothesis = hypothesis_of(case, uv)
    before = observe(hypothesis, tmp_path / "a", cache)
    found = failure_of(hypothesis, before)
    assert found
    repaired = repair_failure(found)
    assert repaired, found.output
    assert repaired.repairs[-1].rule == case.rule
    after = observe(replace(repaired, mre=repaired.mre), tmp_path / "b", cache)
    if case.rule == "quoted-error":
        assert after.steps[-1].role == "observe"
        return
    again = failure_of(repaired, after)
    assert again is None or (len(after.steps) > len(before.steps) or again.output != found.output)
    assert again is None or again.step.stderr != found.step.stderr
