"""Claims about the state after a command: empty output, a missing final newline, a replaced link."""

import re

from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.triage.parsed_issue import Claim
from uvmre.issue.claims.facts import Facts, source
from uvmre.issue.claims.outputs import stable_lines
from uvmre.issue.claims.silence import SAYS_SILENT
from uvmre.issue.markdown import blocks

FAILS = re.compile(
    r"(?i)\b(?:fails?|failed|failing|breaks?|broken|crash\w*|errors? out|panics?|cannot|can't|unable"
    r"|bails?|refus\w+|chokes?)\b"
)
FINAL_NEWLINE = re.compile(
    r"(?i)(?:(?:no|not|n't|missing|without|lacks?|lacking|omits?)\b[^.;]{0,60}\b(?:trailing|final"
    r"|ending|end[- ]of[- ]file|EOF|terminating)\s+(?:new ?lines?|line ?breaks?|white ?space)"
    r"|(?:trailing|final|end[- ]of[- ]file|EOF)\s+(?:new ?line|white ?space)\b[^.;]{0,40}\b(?:missing"
    r"|not|absent)|no new ?line at (?:the )?end)"
)
FILE = re.compile(r"`(?P<path>(?:[\w.-]+/)*(?:[\w-]+\.[a-z]{2,5}|\.[\w-]+))`")
EMPTY = re.compile(
    r"(?i)\b(?:empty|blank|no) (?:output|result|export|lock ?file|requirements|tree|list|array)s?\b"
    r"|\b(?:outputs?|prints?|exports?|emits?|lists?|shows?|produces?|yields?|returns?|gives?|displays?) nothing\b"
    r"|\b(?:does(?:n't| not)|did(?:n't| not)|never) (?:outputs?|print|show|list|display|produce|emit|return)"
    r" (?:anything|any (?:output|packages?|results?)|(?:the )?packages)\b"
    r"|\boutput is (?:empty|blank)|\bnothing is (?:printed|exported|shown|listed|emitted|returned|displayed)"
)
PRINTS = re.compile(
    r"\buv(?: -\S{1,60}){0,6} (?:pip(?: -\S{1,60}){0,6} (?:list|freeze|tree|show|check|compile)|export|tree|version"
    r"|(?:python|tool|workspace) (?:list|dir)|cache (?:dir|size))\b"
)
"""Commands that exist for what they print."""


EMPHASIS = re.compile(r"(?<!\w)[_*]{1,2}(?=\w)|(?<=\w)[_*]{1,2}(?!\w)")
LISTED_LINK = re.compile(r"\A(?P<path>\S+) is a link to \S+")
LOST = re.compile(
    r"(?i)\b(?:remov|replac|overwrit|delet|break|destroy|regular file|new file|not (?:respect|follow"
    r"|preserv)|n't (?:respect|follow|preserv))"
)
LINK = re.compile(r"(?i)\bsym(?:bolic )?-?links?\b")


def state_claims(facts: Facts) -> list[Claim]:
    """Return the claims about the state after a command, and about failures without output."""
    found = []
    every = range(len(facts.commands))
    for sentence, line in facts.statements if facts.commands else ():
        path = next(reversed([match["path"] for match in FILE.finditer(sentence)]), "")
        if path and FINAL_NEWLINE.search(sentence):
            i = facts.command_in(sentence, every, 0)
            test = f'test -s {path} && test -n "$(tail -c 1 {path})"'
            found.append(Claim("file", i, line, file=path, test=test, unconfirmed=True, why=source(sentence)))
    found += _replaced_links(facts)
    for i, each in enumerate(facts.commands):
        context = facts.context.get(i, "")
        if each.works is False and not each.output and FAILS.search(context) and not SAYS_SILENT.search(context):
            found.append(Claim("failure", i, each.line, unconfirmed=True, why=source(" ".join(context.split()))))
    return found


def empty_output(facts: Facts) -> list[Claim]:
    """Return the claim that a command prints nothing, or only how many packages it resolved."""
    silent = [
        i
        for i, each in enumerate(facts.commands)
        if each.works is not True
        and not each.added_because
        and not innermost_cause(each.output)
        and not stable_lines(each.output)
    ]
    bare = [i for i in silent if not facts.commands[i].output]
    of_context = [(text, facts.commands[i].line) for i, text in facts.context.items() if i in silent]
    for sentence, line in [*facts.statements, *of_context]:
        if EMPTY.search(EMPHASIS.sub("", sentence)):
            named = [code for code, _ in blocks.inline_code(sentence) if " " in code]
            candidates = [i for i in bare if any(code in facts.commands[i].run for code in named)]
            candidates += [i for i in silent if facts.commands[i].run in sentence]
            candidates += [i for i in silent if facts.commands[i].line == line]
            candidates += [i for i in reversed(silent) if PRINTS.search(facts.commands[i].run)]
            for i in candidates[:1]:
                test = f"test -z \"$( {facts.commands[i].run} 2>/dev/null | grep -v '^ *#' )\""
                return [Claim("output", i, line, test=test, unconfirmed=True, why=source(sentence))]
    return []


def _replaced_links(facts: Facts) -> list[Claim]:
    """Return the claim that a command replaces a link by a file."""
    links = [match["path"] for context in facts.context.values() if (match := LISTED_LINK.fullmatch(context))]
    for sentence, line in facts.sentences if links and facts.commands else ():
        if LINK.search(sentence) and LOST.search(sentence):
            users = [i for i, each in enumerate(facts.commands) if links[0] in each.run]
            i = users[-1] if users else len(facts.commands) - 1
            test = f"test -e {links[0]} && test ! -L {links[0]}"
            return [Claim("file", i, line, file=links[0], test=test, unconfirmed=True, why=source(sentence))]
    return []
