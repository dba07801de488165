"""Strip the shell prompt of a command."""

import re

from uvmre.issue.commands import recognize

LEAD = (
    r"(?:\[[^\]\n]{1,60}\]\s*+|\([\w.@ +-]{1,40}\)\s*+|[\w.-]++@[\w.-]++(?:[:\s]\s*+[\w./~@-]*+)?\s*+"
    r"|(?:~|/|\.{1,2}/)[\w./~@+-]*+\s*+|[\w.-]++(?:/[\w./~-]++)?\s++|bash-[\d.]++|sh-[\d.]++|\d\d:\d\d(?::\d\d)?\s++"
    r"|git:\([^)\n]{1,60}\)\s*+|on\s++\S++\s++)"
)
MARKED = re.compile(
    rf"\A(?P<lead>(?:{LEAD}){{0,4}})"
    r"(?P<mark>->\s*%|[:;]-?\)|[❯➜➤λ»›▶]+|❱|\$+|%|#|>{1,3})(?P<gap>\s*)(?P<command>\S.*)"
)
WINDOWS = re.compile(r"(?:\([\w.-]+\)\s*)?(?:PS\s+)?[A-Za-z]:(?:\\[^>\n]{0,200})?>\s*(?P<command>\S.*)")
POWERSHELL = re.compile(r"(?:\([\w.-]+\)\s*)?PS(?:\s+[^>\n]{1,200})?>\s*(?P<command>\S.*)")
NUMBERED = re.compile(r"(?:In \[\d+\]: )?[!%](?P<command>(?:uv|pip)\s.*)")
HOST = re.compile(r"^[\w.-]+:[~/][\w./~-]*\s+(?P<command>uvx?\s.*)")
AFTER_PROMPT = re.compile(r"(?:[\w.~/-]+\s+)?(?:git:\([^)\n]{0,60}\)\s*)?(?:[✗✔±×*]\s*)?(?P<command>\S.*)")
EMPTY_PROMPT = re.compile(rf"\A(?:{LEAD}){{0,4}}(?:\$|%|#|>|❯|➜)\s*")
"""A prompt without a command."""
FANCY = "❯➜➤λ»›▶❱"


def command_of(line: str) -> tuple[str, str] | None:
    """Return the prompt character and the command; None if the line has no prompt."""
    text = line.strip().replace("\u00a0", " ")
    for pattern in (POWERSHELL, WINDOWS, NUMBERED, HOST):
        if found := pattern.fullmatch(text):
            mark = ">" if pattern in (POWERSHELL, WINDOWS) else "$"
            return (mark, found["command"]) if _is_typed_command(found["command"], known=False) else None
    found = MARKED.fullmatch(text[:600])
    if not found:
        return None
    mark, lead, command = found["mark"], found["lead"], found["command"] + text[600:]
    behind = AFTER_PROMPT.fullmatch(command) if mark[0] in FANCY and not recognize.is_command(command) else None
    if behind and recognize.is_command(behind["command"]):
        command = behind["command"]
    if mark == "$" and not found["gap"] and not lead and not recognize.is_command(command):
        return None
    known = mark in ("#", "%", "->%") or mark.startswith(">") or (bool(lead.strip()) and "@" not in lead)
    if mark in ("#", "%") and not found["gap"]:
        return None
    return (mark, command) if _is_typed_command(command, known=known) else None


def _is_typed_command(command: str, *, known: bool) -> bool:
    if command[0] in "=<>│|":
        return False
    return recognize.is_command(command, strict=known) or (known and command.startswith("$env:"))


def is_empty_prompt(line: str) -> bool:
    """Tell whether a line is a prompt without a command."""
    text = line.strip()
    return (
        bool(text)
        and len(text) < 120
        and bool(EMPTY_PROMPT.fullmatch(text) or re.fullmatch(r"\[[~/\w. -]{1,60}\]", text))
    )
