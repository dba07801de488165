"""Claims that a path is missing after a command, or left."""

import re
from collections.abc import Iterator, Sequence

from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.shell import statements
from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims.expected import PROPOSAL
from uvmre.issue.claims.facts import Facts, source
from uvmre.issue.markdown import blocks

LEFT = re.compile(
    r"(?i)\bstill (?:creat\w+|writ\w+|generat\w+|there|exists?|present|left|around|produc\w+|installed)\b"
    r"|\b(?:leav\w+|left)\b[^;\n]{0,80}\bbehind\b"
    r"|\b(?:does(?:n't| not)|did(?:n't| not)|(?:is|are|was|were)(?:n't| not)|not being|never|fails? to|without)"
    r" (?:\w{1,40} ){0,2}(?:remov|delet|clean|uninstall)\w*"
)
"""What says that a path is there, and should not be."""
MISSING = re.compile(
    r"(?i)\b(?:does(?:n't| not)|did(?:n't| not)|(?:is|are|was|were)(?:n't| not)|not being|never|fails? to|no longer)"
    r" (?:\w{1,40} ){0,2}(?:creat|writ|generat|install|produc)\w*|\b(?:is|are|was|were) missing\b"
)
"""What says that a path is not there, and should be."""
PATH = re.compile(
    r"(?:~/)?(?:[\w.@+-]{1,80}/){1,8}[\w.@+-]{0,80}|\.[\w-]{1,60}(?:\.\w{1,10})?"
    r"|[\w-]{1,80}(?:\.[\w-]{1,40}){0,4}\.(?!git\b|exe\b)[a-z]\w{1,6}"
)
OTHER_TOOL = re.compile(r"(?i)\b(?:poetry|pdm|hatch|rye|conda|virtualenv|tox|nox|(?<!uv )pip)\b")
INSPECTS = frozenset(["ls", "tar", "unzip", "zipinfo", "cat", "stat", "file", "test", "head", "tail", "find", "tree"])
"""Programs that only look at a path."""
UV = re.compile(r"(?:\w{1,40}=\S{0,200} ){0,6}uvx?\s")


def path_states(facts: Facts) -> list[Claim]:
    """Return the claims that a path is there after a command, or that it is not."""
    uv = [i for i, each in enumerate(facts.commands) if each.works is not True and UV.match(each.run)]
    found = []
    for sentence, line in facts.statements if uv and not PROPOSAL.search(facts.title) else ():
        exists = True if LEFT.search(sentence) else False if MISSING.search(sentence) else None
        if exists is None or OTHER_TOOL.search(blocks.INLINE_CODE.sub("", sentence)):
            continue
        above = [i for i in uv if facts.commands[i].line <= line] if line > 1 else []
        i = facts.command_in(sentence, uv, (above or uv)[-1])
        cause = innermost_cause(facts.commands[i].output)
        for path in _paths(facts, sentence):
            if exists or not (cause and cause.fatal):
                claim = Claim("file", i, line, file=path, exists=exists, unconfirmed=True, why=source(sentence))
                found.append(claim)
    return found[:2]


def _paths(facts: Facts, sentence: str) -> Iterator[str]:
    """Yield the paths in a sentence, else those that the command below it looks at."""
    named = [code.removeprefix("./").rstrip("/") for code, _ in blocks.inline_code(sentence) if PATH.fullmatch(code)]
    yield from dict.fromkeys(named)
    if not named:
        for i, each in enumerate(facts.commands):
            if sentence in " ".join(facts.context.get(i, "").split()):
                yield from _inspected(each.run)


def _inspected(run: str) -> Sequence[str]:
    parts = statements.statements(run)
    if len(parts) != 1 or parts[0].program not in INSPECTS:
        return ()
    words = [word.removeprefix("./").rstrip("/") for word in parts[0].argv[1:] if not word.startswith("-")]
    return [word for word in words if PATH.fullmatch(word)][:1]
