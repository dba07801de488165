"""How an answer came about: each reading that was tried, its claim, its repairs, and why it was rejected."""

from collections.abc import Iterator, Sequence
from typing import Any

from uvmre.core.triage.decide import decide
from uvmre.core.triage.hypothesis import RULES
from uvmre.core.triage.state import TriageState

LONGEST = 140


def as_data(attempts: Sequence[TriageState]) -> list[dict[str, Any]]:
    """Return the attempts as JSON data, in the order in which they were tried."""
    return [
        {
            "number": each.number,
            "source": each.source,
            "claim": {
                "rule": each.parsed.claim.rule,
                "line": each.parsed.claim.line,
                "kind": each.parsed.claim.kind,
                "text": _claim(each),
            },
            "repairs": [vars(repair) for repair in each.repairs],
            "runs": [
                {"why": run.kind, "uv": run.result.uv, "outcome": run.outcome.word, "reason": run.outcome.reason}
                for run in each.runs
            ],
            "verdict": decide(each).word,
            "reason": decide(each).reason,
        }
        for each in attempts
    ]


def as_lines(attempts: Sequence[TriageState]) -> Iterator[str]:
    """Yield a few lines for each attempt."""
    for each in attempts:
        claim, name = each.parsed.claim, f" {each.number}" if each.number else ""
        reader = "" if each.source == RULES else f" by {each.source}"
        repaired = ", repaired" if each.repairs else ""
        where = f"line {claim.line}, rule `{claim.rule}`" if claim.rule else "no rule"
        yield f"hypothesis{name}{reader}{repaired}: {claim.kind} ({where}): {_shorten(_claim(each))}"
        for repair in each.repairs:
            trigger = _shorten(repair.trigger)
            yield f"  {repair.description} (rule `{repair.rule}`, {repair.kind}): uv printed “{trigger}”"
        for run in each.runs:
            yield f"  uv {run.result.uv} ({run.kind}): {run.outcome.word}: {_shorten(run.outcome.reason)}"
        verdict = decide(each)
        yield f"  {verdict.word}: {_shorten(verdict.reason)}"


def _claim(state: TriageState) -> str:
    claim = state.parsed.claim
    texts = claim.output[-1:] or claim.contains[-1:] or ((claim.test,) if claim.test else ())
    if claim.two_sided:
        texts = tuple(f"no “{text}”" for text in claim.absent) or (f"{'a' if claim.exists else 'no'} {claim.file}",)
    run = state.parsed.commands[claim.command].run if 0 <= claim.command < len(state.parsed.commands) else ""
    return " ".join(" ".join(filter(None, [f"`{run}`:" if run else "", *texts])).split())


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
