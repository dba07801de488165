"""What was understood of an issue's text, and what was not: as lines, and as JSON has it."""

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
    """Return a line for everything, each with the line of the post that it came from, without secrets."""
    values = secrets(mre) if mre else frozenset[str]()
    return [redact(line, values) for line in _lines(parsed, mre, findings, uv)]


def _lines(parsed: ParsedIssue, mre: Mre | None, findings: Findings, uv: str) -> Iterator[str]:
    yield "understood:"
    yield _said("uv", parsed.uv) if parsed.uv else f"        -  uv {uv}, the newest before the post: it names none"
    for name, said in (("good is uv", parsed.good), ("Python", parsed.python), ("on", parsed.platform)):
        if said:
            yield _said(name, said)
    for file in parsed.files:
        implied = ", implied" if file.inferred else ""
        before = f", before command {file.before + 1}" if file.before else ""
        yield f"{_at(file.line)}  file {file.path} ({file.why}{implied}{before})"
    for command in parsed.commands:
        good = (
            " (works, says the post)" if command.works else " (fails, says the post)" if command.works is False else ""
        )
        added = f" (added: {command.added_because})" if command.added_because else ""
        yield f"{_at(command.line)}  $ {_one_line(command.run)}{good}{added}"
    yield from _claim(parsed.claim)
    yield from (f"        -  stands in: {each}" for each in parsed.stand_ins)
    yield from (f"        -  known mistake: {rule}, {where}: {why}" for rule, where, why in findings)
    yield "not understood:" if parsed.gaps else "not understood: nothing"
    for gap in parsed.gaps:
        decides = " (decides)" if gap.blocking else ""
        question = f" → {gap.question}" if gap.question else ""
        yield f"{_at(gap.line)}  {gap.description}{decides}{question}"
    yield "no MRE can be made of it" if mre is None else "the MRE:"
    for step in mre.steps if mre else ():
        yield f"           {step.role:<7}  {_one_line(step.run)}"


def _claim(claim: Claim) -> Iterator[str]:
    weak = ", which proves it only where a release differs" if claim.unconfirmed else ""
    where = f" of command {claim.command + 1}" if claim.command >= 0 else ""
    yield f"{_at(claim.line)}  claim: {claim.kind}{where}{weak}"
    if claim.why:
        yield f"           because {_one_line(claim.why)}"
    if claim.test:
        yield f"           seen by `{_one_line(claim.test)}`"
    yield from (f"           says “{_one_line(text)}”" for text in claim.output)
    yield from (f"           {claim.file} has “{_one_line(text)}”" for text in claim.contains)
    yield from (f"           wanted “{_one_line(text)}”" for text in claim.expected)


def _said(name: str, said: Located) -> str:
    return f"{_at(said.line)}  {name} {said.text}"


def _at(line: int) -> str:
    return f"line {line:>4}" if line else "        -"


def _one_line(text: str) -> str:
    return text.strip().replace("\n", "⏎")


def as_data(parsed: ParsedIssue, mre: Mre | None, findings: Findings, lacks: Sequence[str]) -> dict[str, Any]:
    """Return all of it as JSON has it."""
    values = secrets(mre) if mre else frozenset[str]()
    data = dataclasses.asdict(parsed)
    data["created"] = f"{parsed.created:%Y-%m-%d}" if parsed.created else None
    data["address"] = data.pop("issue")
    data["reported_uv"] = data.pop("uv")
    data["variables"] = dict(parsed.variables)
    data["outages"] = [{"url": fault.url, "kind": fault.outage} for fault in parsed.outages]
    data["missing"] = list(lacks)
    data["findings"] = [{"rule": rule, "where": where, "why": why} for rule, where, why in findings]
    data["mre"] = dump(mre) if mre else None
    return redact_deep(data, values)
