"""The result of `uvmre triage --dry-run`: what an issue's text says and what it lacks, as lines and as JSON data."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from uvmre.core.mre.manifest import dump
from uvmre.core.mre.model import Mre
from uvmre.core.secrets.redact import redact, redact_deep, secrets
from uvmre.core.triage.parsed_issue import Claim, Located, ParsedIssue

Findings = Sequence[tuple[str, str, str]]
"""Known mistakes: the rule, where, and why."""


def as_lines(parsed: ParsedIssue, mre: Mre | None, findings: Findings, uv: str) -> list[str]:
    """Return one line per item, each with its line in the post, without secrets."""
    values = secrets(mre) if mre else frozenset[str]()
    return [redact(line, values) for line in _lines(parsed, mre, findings, uv)]


def _lines(parsed: ParsedIssue, mre: Mre | None, findings: Findings, uv: str) -> Iterator[str]:
    yield "found:"
    yield _located("uv", parsed.uv) if parsed.uv else f"{_at(0)}  uv {uv}, the latest before the post, which names none"
    for name, value in (("works with uv", parsed.good), ("Python", parsed.python), ("platform", parsed.platform)):
        if value:
            yield _located(name, value)
    for file in parsed.files:
        inferred = ", inferred" if file.inferred else ""
        before = f", before command {file.before + 1}" if file.before else ""
        yield f"{_at(file.line)}  file {file.path} ({file.why}{inferred}{before})"
    works = {True: " (works, according to the post)", False: " (fails, according to the post)", None: ""}
    for command in parsed.commands:
        added = f" (added: {command.added_because})" if command.added_because else ""
        yield f"{_at(command.line)}  $ {_one_line(command.run)}{works[command.works]}{added}"
    yield from _claim(parsed.claim)
    yield from (f"{_at(0)}  stand-in: {each}" for each in parsed.stand_ins)
    yield from (f"{_at(0)}  known mistake: {rule}, {where}: {why}" for rule, where, why in findings)
    yield "missing:" if parsed.gaps else "missing: nothing"
    for gap in parsed.gaps:
        blocking = " (blocking)" if gap.blocking else ""
        question = f" → {gap.question}" if gap.question else ""
        yield f"{_at(gap.line)}  {gap.description}{blocking}{question}"
    yield "MRE: none, the post contains no command to run" if mre is None else "MRE:"
    for step in mre.steps if mre else ():
        yield f"           {step.role:<7}  {_one_line(step.run)}"


def _claim(claim: Claim) -> Iterator[str]:
    unconfirmed = ", unconfirmed until another release behaves differently" if claim.unconfirmed else ""
    where = f" of command {claim.command + 1}" if claim.command >= 0 else ""
    yield f"{_at(claim.line)}  claim: {claim.kind}{where}{unconfirmed}"
    if claim.why:
        yield f"           source: {_one_line(claim.why)}"
    if claim.test:
        yield f"           test: `{_one_line(claim.test)}`"
    yield from (f"           output: “{_one_line(text)}”" for text in claim.output)
    yield from (f"           {claim.file} contains “{_one_line(text)}”" for text in claim.contains)
    yield from (f"           {claim.file or 'output'} lacks “{_one_line(text)}”" for text in claim.absent)
    if claim.exists is not None:
        yield f"           there is {'a' if claim.exists else 'no'} {claim.file}"
    yield from (f"           expected: “{_one_line(text)}”" for text in claim.expected)


def _located(name: str, value: Located) -> str:
    return f"{_at(value.line)}  {name} {value.text}"


def _at(line: int) -> str:
    return f"line {line:>4}" if line else "        -"


def _one_line(text: str) -> str:
    return text.strip().replace("\n", "⏎")


def as_data(parsed: ParsedIssue, mre: Mre | None, findings: Findings, missing: Sequence[str]) -> dict[str, Any]:
    """Return everything as JSON data, without secrets."""
    values = secrets(mre) if mre else frozenset[str]()
    data = dataclasses.asdict(parsed)
    data["created"] = f"{parsed.created:%Y-%m-%d}" if parsed.created else None
    data["address"] = data.pop("issue")
    data["reported_uv"] = data.pop("uv")
    data["variables"] = dict(parsed.variables)
    data["outages"] = [{"url": fault.url, "kind": fault.outage} for fault in parsed.outages]
    data["missing"] = list(missing)
    data["findings"] = [{"rule": rule, "where": where, "why": why} for rule, where, why in findings]
    data["mre"] = dump(mre) if mre else None
    return redact_deep(data, values)
