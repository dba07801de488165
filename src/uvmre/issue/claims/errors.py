"""Claims of errors and warnings."""

import re
from collections.abc import Iterator
from dataclasses import replace

from uvmre.core.outcome.error_chain import PANICKED, RAISED, STARTS, Cause, innermost_cause, warnings
from uvmre.core.shell import statements
from uvmre.core.triage.parsed_issue import Claim, Command, Kind
from uvmre.issue.claims import state_checks
from uvmre.issue.claims.facts import Facts, overlap, source
from uvmre.issue.environment import sentiment
from uvmre.issue.markdown import blocks

MISSING_INPUT = re.compile(
    r"(?i)not found|no such file|does(?:n't| not) exist|no `?(?:pyproject|virtual environment)|no module named|missing"
    r"|unable to find|could not find|cannot find|no interpreter|\b(?:gcc|g\+\+|clang|cmake|cargo|rustc"
    r"|ninja|meson|pkg-config)\b"
    r"|\.h:|compiler|command '"
)
"""Errors that an incomplete MRE produces too: the texts alone are weak evidence."""

QUOTED = re.compile(
    r"[Ff]ailed to|No \w+ (?:found|solution)|Unable to|Could not|Because |Distribution not found|warning: "
)
FAILS_WITH = re.compile(
    r"(?i)\b(?:stop(?:s|ped)?|fail(?:s|ed|ing)?|error(?:s|ed)?|complain\w{0,3}|reject\w{0,3}|refus\w{1,3}|dies|died"
    r"|exit(?:s|ed)?|crash\w{0,3}|throws?|raises?)\b[^`\"“.;]{0,30}\Z"
)
SHOULD = re.compile(r"(?i)\b(?:should|would|expect\w{0,5})\b[^,;]{0,60}\Z")
RIGHTLY = re.compile(r"(?i)\b(?:correctly|properly|rightly|as (?:it should|expected|intended|desired))\b")
"""Of an error: uv is right to print it."""
NO_ERROR = re.compile(r"uvx? |--?\w|[\w./-]{1,100}\.\w{2,4}\Z|[\w-]{1,60}(?:\[[^\]]{0,60}\])? ?[<>=~!@]")
"""Commands, options, files and requirements."""
INTRODUCED = re.compile(
    r"(?i)\b(?:says|error(?: message)?(?: is)?|message(?: is)?|prints|reports|fails with|complains|stops with):\s{1,3}"
    r"(?P<text>[A-Z][a-z].{12,300})\Z"
)
RETOLD = re.compile(
    r"(?i)(?:step \d{1,2}|`uvx? [^`\n]{1,200}`|(?:the )?(?:last|final|second|third) (?:step|command|one|run)|it|uv)"
    r"(?: (?:then|now|always|still|again|also|even|just|wrongly)){0,2}"
    r" (?:says|reports|complains|claims)(?: that)? (?!(?:with|when|if|for|on|in|about|because|after|to)\b)"
    r"(?P<text>[a-z][^.;,:`\"“]{11,200})"
)
NEGATED = re.compile(r"(?i)(?:n't|\bnot|\bnever|\binstead of)\b[^,;]{0,30}\Z")
ARTICLE = re.compile(r"\A(?:the|an?|its|my) ")
VERB = re.compile(
    r" (?=(?:needs?|is|are|was|were|does|do|has|have|had|cannot|can't|could|must|requires?|failed|already|did)\b)"
)


def failures(facts: Facts) -> list[Claim]:
    """Return the claims of commands that end with an error, the one closest to the title first."""
    errors = [(i, innermost_cause(each.output)) for i, each in enumerate(facts.commands) if each.works is not True]
    failed = [(i, found) for i, found in errors if found and _is_relevant(facts.commands[i], found)]
    ranked = sorted(failed, key=lambda pair: (-_nearness(facts, pair), pair[0]))
    claims = [failure(facts.commands[i], i, found) for i, found in ranked]
    return [replace(each, unconfirmed=each.unconfirmed or _is_printed_by_script(facts, each)) for each in claims]


def _is_printed_by_script(facts: Facts, claim: Claim) -> bool:
    """Tell whether a program of the post prints the error: alone it says nothing about uv."""
    text = re.sub(r"\A\w{1,60}: ", "", claim.output[-1]) if claim.output else ""
    parts = [part for part in text.split("…") if len(part.strip()) > 5]
    scripts = [file.text for file in facts.files if file.path.endswith((".py", ".sh"))]
    programs = [*scripts, *(each.run for each in facts.commands if "<<" in each.run or " -c " in each.run)]
    return bool(parts) and any(all(part in program for part in parts) for program in programs)


def _is_relevant(command: Command, found: Cause) -> bool:
    parts = statements.statements(command.run)
    program = parts[0].program if parts else ""
    may_fail = program not in ("ls", "which", "cat", "grep", "echo", "cd", "export") or bool(
        re.search(r"\buvx?\s", command.run)
    )
    return may_fail and bool(found.links)


def _nearness(facts: Facts, failed: tuple[int, Cause]) -> int:
    command, found = facts.commands[failed[0]], failed[1]
    return overlap(" ".join(found.links), facts.title) + (1 if command.works is False else 0)


def failure(command: Command, i: int, found: Cause) -> Claim:
    """Return the claim of a command that ends with an error."""
    line = command.line + 1 + found.offset
    kind: Kind = "failure" if found.fatal else "output"
    missing_input = bool(MISSING_INPUT.search(found.links[-1])) and found.links[0] != PANICKED
    why = f"`{command.run.splitlines()[0][:80]}` ends with “{found.links[-1][:160]}”"
    return Claim(kind, i, line, found.texts, why=why, unconfirmed=missing_input)


def relevant_warnings(facts: Facts) -> list[Claim]:
    """Return the claims of warnings that the title or a sentence is about."""
    prose = " ".join([facts.title, *(sentence for sentence, _ in facts.sentences)])
    found = []
    for i, each in enumerate(facts.commands):
        for text in warnings(each.output) if each.works is not True else ():
            core = " ".join(text.replace("…", " ").split())
            if overlap(core, facts.title) >= 3 or core[:40] in prose:
                found.append(Claim("output", i, each.line + 1, (text,), why=f"the warning “{text[:120]}”"))
    return found


def quoted_errors(facts: Facts) -> list[Claim]:
    """Return the claims of errors in a sentence, for the command in that sentence or the last one."""
    found = []
    for sentence, line in facts.statements if facts.commands else ():
        if sentiment.is_proposal(sentence) and not state_checks.FAILS.search(sentence):
            continue
        if (right := RIGHTLY.search(sentence)) and not NEGATED.search(sentence[: right.start()]):
            continue
        for text in _errors_in(sentence):
            if reason := innermost_cause(text) or innermost_cause(f"error: {text}"):
                i = facts.command_in(sentence, range(len(facts.commands)), len(facts.commands) - 1)
                kind: Kind = "output" if text.startswith("warning") else "failure"
                texts = tuple(text.removeprefix("warning: ") for text in reason.texts)
                found.append(Claim(kind, i, line, texts, why=source(sentence)))
    return found


def _errors_in(sentence: str) -> Iterator[str]:
    """Yield the errors that a sentence quotes, or introduces by a colon."""
    for text, at in blocks.quotations(sentence):
        if len(text) <= 12 or SHOULD.search(sentence[:at]):
            continue
        is_error = RAISED.match(text) or STARTS.match(text) or QUOTED.match(text)
        if is_error or (" " in text and FAILS_WITH.search(sentence[:at]) and not NO_ERROR.match(text)):
            yield text
    if introduced := INTRODUCED.search(sentence):
        yield introduced["text"].rstrip(". ")


def retold_errors(facts: Facts) -> list[Claim]:
    """Return the claims of errors that a sentence retells: `Step 4 says that the lockfile needs to be updated`."""
    found = []
    uv = [i for i, each in enumerate(facts.commands) if each.works is not True and re.search(r"\buvx?\s", each.run)]
    for sentence, line in facts.sentences if uv else ():
        found_error = RETOLD.match(sentence)
        if found_error and not sentiment.is_proposal(sentence[: found_error.end()]):
            # Between a subject and its verb, uv may name a file.
            text = VERB.sub("…", ARTICLE.sub("", found_error["text"]), count=1)
            i = facts.command_in(sentence, uv, uv[-1])
            found.append(Claim("output", i, line, (text,), unconfirmed=True, why=source(sentence)))
    return found
