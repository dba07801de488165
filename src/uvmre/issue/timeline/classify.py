"""Classify the blocks of a post: commands, a script, a file, output, a tree, a Dockerfile, or prose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from uvmre.core.triage.parsed_issue import Command, PostedFile
from uvmre.issue.commands import image_log, recognize, transcript, workflow
from uvmre.issue.commands.dockerfile import CALLS_UV
from uvmre.issue.commands.transcript import TranscriptEntry
from uvmre.issue.files import content_type, names
from uvmre.issue.markdown import blocks
from uvmre.issue.markdown.blocks import Block

Role = Literal["commands", "workflow", "script", "file", "output", "tree", "dockerfile", "other", "prose"]
LEADING = re.compile(
    r"^\s*(?:[-*+]|\d+[.)])?\s*(?:(?:run|command|cmd|then|and|execute|repro(?:duce)?|1st|2nd)\s*:?\s*)?", re.IGNORECASE
)
ASSIGNS = re.compile(r"\A\s*(?:#.*|(?:export )?[A-Za-z_]\w*=.*)")
UV_CALL = re.compile(r"\A(?:\w+=\S* )*(?:(?:echo|cat|printf) [^|]{1,200}\| ?)?uvx? ")
USUAL_NAMES = {"toml": "pyproject.toml", "requirements": "requirements.txt", "python": "main.py", "script": "main.py"}
ONLY_CODE = re.compile(r"`{1,3}([^`\n]+)`{1,3}[.:;]?")


@dataclass(frozen=True)
class ClassifiedBlock:
    """A block and its role."""

    role: Role
    block: Block
    entries: tuple[TranscriptEntry, ...] = ()
    """The commands of a code block, or those on lines of their own in a paragraph."""
    mentions: tuple[TranscriptEntry, ...] = ()
    """Commands in sentences; the comment is the sentence."""
    kind: content_type.Kind = ""
    path: str = ""
    why: str = ""


def classify(found: Sequence[Block]) -> list[ClassifiedBlock]:
    """Return the role of each block."""
    return [_code(block) if block.kind == "code" else _prose(block) for block in found]


def unplaced_files(
    parts: Sequence[ClassifiedBlock], used: Sequence[PostedFile], commands: Sequence[Command]
) -> tuple[PostedFile, ...]:
    """Return the blocks that may be files, and are none and no output, each under the usual name of its type."""
    known = {file.line for file in used} | {each.output for each in commands}
    return tuple(
        PostedFile(USUAL_NAMES[part.kind], part.block.text, part.block.line, "a block without a name")
        for part in parts
        if part.role in ("file", "other")
        and part.kind in USUAL_NAMES
        and not {part.block.line, part.block.text} & known
    )


def _build(block: Block) -> ClassifiedBlock | None:
    """Return a workflow, or the log of an image's build; None if a block is neither."""
    if runs := workflow.commands_of(block.text, block.tag):
        at = [max(block.text.find(run.split("\n", 1)[0]), 0) for run in runs]
        lines = [block.line + block.text.count("\n", 0, each) for each in at]
        entries = tuple(TranscriptEntry(run, line, prompted=False) for run, line in zip(runs, lines, strict=True))
        return ClassifiedBlock("workflow", block, entries)
    if any(CALLS_UV.search(run) for run, _ in image_log.runs_of(block.text)):
        return ClassifiedBlock("output", block, kind="output")
    return None


def _code(block: Block) -> ClassifiedBlock:
    if found := _build(block):
        return found
    entries = tuple(transcript.entries(block))
    kind = content_type.detect(block.text, block.tag)
    if entries and kind not in ("script", "dockerfile", "pyproject", "tree"):
        guess = names.guess_name(block, "")
        if (
            guess
            and guess.path.rpartition("/")[2].startswith(".env")
            and all(ASSIGNS.fullmatch(line) for line in block.text.splitlines() if line.strip())
        ):
            return ClassifiedBlock("file", block, path=guess.path, why=guess.why)
        if guess and guess.path.endswith((".sh", ".bash")) and not any(entry.prompted for entry in entries):
            return ClassifiedBlock("script", block, entries, path=guess.path, why=guess.why)
        if transcript.is_script(block, entries):
            return ClassifiedBlock(
                "script", block, entries, path=guess.path if guess and guess.path.endswith("sh") else ""
            )
        return ClassifiedBlock("commands", block, entries, kind=kind)
    if kind == "tree":
        return ClassifiedBlock("tree", block, kind=kind)
    guess = names.guess_name(block, kind)
    if kind == "dockerfile":
        return ClassifiedBlock("dockerfile", block, kind=kind, path=guess.path if guess else "Dockerfile")
    lead = (block.before.strip().split("\n") or [""])[-1]
    if kind in ("requirements", "python") and names.SHOWS_OUTPUT.search(lead) and not (guess and "fence" in guess.why):
        return ClassifiedBlock("output", block, kind="output")
    if guess:
        return ClassifiedBlock("file", block, kind=kind, path=guess.path, why=guess.why)
    unnamed: Role = "file" if kind in ("script", "python", "requirements") else "other"
    return ClassifiedBlock("output" if kind == "output" else unnamed, block, kind=kind)


def _prose(block: Block) -> ClassifiedBlock:
    entries: list[TranscriptEntry] = []
    mentions: list[TranscriptEntry] = []
    lines = block.text.split("\n")
    output: list[str] = []
    for number, line in enumerate(lines):
        text = LEADING.sub("", line).strip()
        lone = ONLY_CODE.fullmatch(text)
        candidate = lone[1].strip() if lone else text if "`" not in text else ""
        if candidate and _is_command_line(candidate, raw=not lone):
            entries.append(TranscriptEntry(candidate, block.line + number, prompted=False))
        elif entries and content_type.OUTPUT.match(line):
            output.append(line)
    if entries and output:
        last = entries[-1]
        entries[-1] = TranscriptEntry(last.run, last.line, "\n".join(output), prompted=False)
    listed = {entry.run for entry in entries}
    for sentence in blocks.sentences(block.text):
        at = block.text.find(sentence[:60])
        for code, start in blocks.inline_code(sentence):
            if code not in listed and UV_CALL.match(code) and recognize.is_command(code):
                where = block.line + block.text.count("\n", 0, max(at, 0) + start)
                mentions.append(TranscriptEntry(code, where, comment=" ".join(sentence.split()), prompted=False))
    if (
        not entries
        and content_type.is_output(block.text)
        and re.search(r"(?m)^[^\S\n]*(?:error:|  ×|Traceback )", block.text)
    ):
        return ClassifiedBlock("output", block, mentions=tuple(mentions), kind="output")
    return ClassifiedBlock("prose", block, tuple(entries), tuple(mentions))


def _is_command_line(text: str, *, raw: bool) -> bool:
    """Tell whether a line of a paragraph is a command, not a sentence that begins with `uv`."""
    if not recognize.is_command(text):
        return False
    if not raw:
        return True
    words = text.split()
    return (
        words[0] in ("uv", "uvx")
        and not re.match(r"uv version v?\d", text)
        and not text.endswith((".", "?", "!", ",", ":"))
        and not re.search(
            r"\b(?:is|does|doesn't|should|will|to|the|but|and then|fails|works|when|with a|in a|it)\b", text
        )
        and len(words) < 14
    )
