"""Outages that a report takes for granted: the bug is how uv handles them."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from uvmre.core.network.index import Fault
from uvmre.core.outcome.error_chain import innermost_cause
from uvmre.core.triage.parsed_issue import Claim, Command

KINDS = {
    "unresolvable": re.compile(
        r"(?i)dns error|failed to lookup address|name resolution|name or service not known|nodename nor servname"
        r"|no such host is known"
    ),
    "refused": re.compile(r"(?i)connection refused|actively refused|os error (?:111|61|10061)\b"),
    "timeout": re.compile(r"(?i)operation timed out|connection timed out|os error (?:110|60|10060)\b"),
}
DESCRIPTIONS = {
    "unresolvable": "its name does not resolve",
    "refused": "it refuses connections",
    "timeout": "it does not respond",
}
URL = re.compile(r"https?://[^\s)`'\"<>]{3,300}")
HOST = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,62}\.){1,20}[a-z][a-z0-9-]{0,62}")
OFFLINE = re.compile(r"--offline\b|\bUV_OFFLINE=|--no-index\b")
"""A command that is not allowed to use the network."""
EXPECTS_OFFLINE = re.compile(
    r"(?i)(?<!are you )\boffline\b|\bair-?gapped\b|\b(?:from|in) (?:the |its |uv's )?cache\b|\bcached\b"
    r"|\balready (?:installed|downloaded|locked|resolved)\b"
    r"|\bshould(?:n't| not) (?:have to |even )?"
    r"(?:need|require|try|attempt|contact|access|connect|reach|query|fetch|hit)\b"
    r"|\bstill (?:tries|tried|trying|attempts|connects|contacts|reaches|queries|fetches|goes|hits)\b"
    r"|\b(?:ignores?|ignored|ignoring|not honou?red|not respected)\b"
    r"|\b(?:does|do|did)(?:n't| not) (?:honou?r|respect|use|fall ?back)\b|\bfall(?:s|ing)?[ -]?back\b"
    r"|\b(?:instead of|rather than)\b[^.\n]{0,40}\b(?:index|mirror|proxy|registry|pypi)\b"
    r"|\bpanic(?:s|ked)?\b|\bhangs?\b|\bstuck\b|\bforever\b"
)
"""Phrases of a report that takes the outage for granted. A report without any of them may be about its own network."""


def required_outages(commands: Sequence[Command], claim: Claim, prose: str) -> tuple[Fault, ...]:
    """Return the outages that the symptom requires; none if the report is about the network itself.

    Args:
        commands: the commands of the post.
        claim: the symptom.
        prose: the title and the sentences of the post.
    """
    command = commands[claim.command] if 0 <= claim.command < len(commands) else None
    if command is None or not (OFFLINE.search(command.run) or EXPECTS_OFFLINE.search(prose)):
        return ()
    found = innermost_cause(command.output) if command.output else None
    links = found.links if found else claim.output
    kind = next((kind for link in reversed(links[-2:]) for kind in KINDS if KINDS[kind].search(link)), "")
    url = next((match[0] for link in reversed(links) if (match := URL.search(link))), "")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ()
    if not kind or not HOST.fullmatch(host):
        return ()
    pattern = f"{parts.scheme}://{host}/*"
    return (Fault(pattern, unresolvable=kind == "unresolvable", refused=kind == "refused", timeout=kind == "timeout"),)


def describe(fault: Fault) -> str:
    """Describe an outage in one line."""
    return f"{fault.host} is unreachable, as in the posted error: {DESCRIPTIONS[fault.outage]}"
