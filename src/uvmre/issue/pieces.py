"""Every block of a post as what it is to the story: commands, a file, output, a drawing, a Dockerfile, or talk."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from uvmre.issue import blocks, contents, names, shell, transcript
from uvmre.issue.blocks import Block
from uvmre.issue.transcript import Entry

Role = Literal["commands", "script", "file", "output", "tree", "dockerfile", "other", "talk"]
LEADING = re.compile(
    r"^\s*(?:[-*+]|\d+[.)])?\s*(?:(?:run|command|cmd|then|and|execute|repro(?:duce)?|1st|2nd)\s*:?\s*)?", re.IGNORECASE
)
ASSIGNS = re.compile(r"\A\s*(?:#.*|(?:export )?[A-Za-z_]\w*=.*)")
CALLED = re.compile(r"\A(?:\w+=\S* )*uvx? ")
LONE = re.compile(r"`{1,3}([^`\n]+)`{1,3}[.:;]?")


@dataclass(frozen=True)
class Piece:
    """A block, and what it is."""

    role: Role
    block: Block
    entries: tuple[Entry, ...] = ()
    """The commands: of a block of code, or those that stand on lines of their own in a paragraph."""
    mentions: tuple[Entry, ...] = ()
    """Commands within sentences; the comment is the sentence."""
    kind: contents.Kind = ""
    path: str = ""
    why: str = ""


def pieces(found: Sequence[Block]) -> list[Piece]:
    """Say of each block what it is."""
    return [_code(block) if block.kind == "code" else _talk(block) for block in found]


def _code(block: Block) -> Piece:
    entries = tuple(transcript.entries(block))
    kind = contents.kind(block.text, block.tag)
    if entries and kind not in ("script", "dockerfile", "pyproject", "tree"):
        named = names.name(block, "")
        if (
            named
            and named.path.rpartition("/")[2].startswith(".env")
            and all(ASSIGNS.fullmatch(line) for line in block.text.splitlines() if line.strip())
        ):
            return Piece("file", block, path=named.path, why=named.why)
        if named and named.path.endswith((".sh", ".bash")) and not any(entry.output for entry in entries):
            return Piece("script", block, entries, path=named.path, why=named.why)
        if transcript.is_script(block, entries):
            return Piece("script", block, entries, path=named.path if named and named.path.endswith("sh") else "")
        return Piece("commands", block, entries, kind=kind)
    if kind == "tree":
        return Piece("tree", block, kind=kind)
    named = names.name(block, kind)
    if kind == "dockerfile":
        return Piece("dockerfile", block, kind=kind, path=named.path if named else "Dockerfile")
    lead = (block.before.strip().split("\n") or [""])[-1]
    if kind in ("requirements", "python") and names.SHOWS_OUTPUT.search(lead) and not (named and "fence" in named.why):
        return Piece("output", block, kind="output")
    if named:
        return Piece("file", block, kind=kind, path=named.path, why=named.why)
    unnamed: Role = "file" if kind in ("script", "python", "requirements") else "other"
    return Piece("output" if kind == "output" else unnamed, block, kind=kind)


def _talk(block: Block) -> Piece:
    entries: list[Entry] = []
    mentions: list[Entry] = []
    lines = block.text.split("\n")
    output: list[str] = []
    for number, line in enumerate(lines):
        text = LEADING.sub("", line).strip()
        lone = LONE.fullmatch(text)
        candidate = lone[1].strip() if lone else text if "`" not in text else ""
        if candidate and _whole_line(candidate, raw=not lone):
            entries.append(Entry(candidate, block.line + number, prompted=False))
        elif entries and contents.OUTPUT.match(line):
            output.append(line)
    if entries and output:
        last = entries[-1]
        entries[-1] = Entry(last.run, last.line, "\n".join(output), prompted=False)
    alone = {entry.run for entry in entries}
    for sentence in blocks.sentences(block.text):
        at = block.text.find(sentence[:60])
        for code, start in blocks.inline_code(sentence):
            if code not in alone and CALLED.match(code) and shell.is_command(code):
                where = block.line + block.text.count("\n", 0, max(at, 0) + start)
                mentions.append(Entry(code, where, comment=" ".join(sentence.split()), prompted=False))
    if (
        not entries
        and contents.is_output(block.text)
        and re.search(r"(?m)^[^\S\n]*(?:error:|  ×|Traceback )", block.text)
    ):
        return Piece("output", block, mentions=tuple(mentions), kind="output")
    return Piece("talk", block, tuple(entries), tuple(mentions))


def _whole_line(text: str, *, raw: bool) -> bool:
    """Tell whether a line of a paragraph is a command and no sentence that begins with `uv`."""
    if not shell.is_command(text):
        return False
    if not raw:
        return True
    words = text.split()
    return (
        words[0] in ("uv", "uvx")
        and not text.endswith((".", "?", "!", ",", ":"))
        and not re.search(
            r"\b(?:is|does|doesn't|should|will|to|the|but|and then|fails|works|when|with a|in a|it)\b", text
        )
        and len(words) < 14
    )
