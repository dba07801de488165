"""Parse a code block into commands, each with its output."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uvmre.core.shell import statements
from uvmre.issue.commands import prompts, recognize
from uvmre.issue.markdown.blocks import Block

_SHELLS = "sh bash shell zsh fish console shell-session shellsession terminal powershell ps1 pwsh bat cmd"
SHELLS = frozenset(_SHELLS.split())
MIXED = frozenset(["", "text", "txt", "log", "plain", "plaintext", "output", *SHELLS])
"""Info strings of blocks that may contain commands."""
MOST_ENTRIES = 150
"""The limit of commands of one block."""
MOST_LINES = 60
"""The limit of lines of one command: a longer one is unterminated."""
OPENS_SHELL = re.compile(
    r"(?:sudo )?(?:docker|podman) (?:run|exec)\b[^\n]{0,500} -[a-z]*[it]|su\b|sudo (?:su|-i|-s)\b|ssh "
)
CONTINUED = re.compile(r"(?:>>?|dquote>|quote>|heredoc>|cmdsubst>|pipe>|\.\.\.)\s")
PRINTED = re.compile(r"(?:error|warning|thread '|  [×╰├]|Traceback|Resolved \d|Installed \d)")
OUTPUT_COMMENT = re.compile(r"#\s*(?:=>|->|⇒|→|>+|output:?|prints?:?|returns?:?)?\s*(?P<output>.*)")


@dataclass(frozen=True)
class TranscriptEntry:
    """A command of a block."""

    run: str
    line: int
    output: str = ""
    comment: str = ""
    """The comment above it, or after it."""
    prompted: bool = True


def entries(block: Block) -> list[TranscriptEntry]:
    """Return the commands of a block."""
    lines = block.text.rstrip("\n").split("\n")
    marks = [prompts.command_of(line) for line in lines]
    prompt_marks = {found[0] for found in marks if found}
    first = next((found for found in marks if found), None)
    in_shell = bool(first and OPENS_SHELL.match(first[1]))
    # `# ` is the prompt of root in a container; elsewhere it starts a comment.
    if prompt_marks - {"#"} and not in_shell:
        marks = [found if found and found[0] != "#" else None for found in marks]
    elif prompt_marks == {"#"} and any(recognize.is_command(line) for line in lines if line.lstrip()[:1] != "#"):
        marks = [None] * len(lines)
    if not _may_hold_commands(block.tag) and not any(marks):
        return []
    if any(marks):
        return _with_prompts(lines, marks, block.line, in_shell=in_shell)
    return _without_prompts(lines, block)


def _may_hold_commands(tag: str) -> bool:
    word = tag.split(maxsplit=1)[0].lower().strip("{}.") if tag else ""
    return word in MIXED


def _with_prompts(
    lines: Sequence[str], marks: Sequence[tuple[str, str] | None], first: int, *, in_shell: bool
) -> list[TranscriptEntry]:
    found: list[TranscriptEntry] = []
    output: list[str] = []
    comment: list[str] = []
    i = 0
    while i < len(lines) and len(found) < MOST_ENTRIES:
        mark = marks[i]
        if not mark:
            text = lines[i]
            if in_shell and text.startswith("# "):
                mark = ("#", text[2:].strip())
        if not mark:
            if prompts.is_empty_prompt(text):
                pass
            elif found and not (
                text.lstrip().startswith("# ") and not "".join(output).strip() and _is_prompt_next(marks, i)
            ):
                output.append(text)
            elif text.strip().startswith(("#", "//")):
                comment.append(text.strip("#/ \t"))
            i += 1
            continue
        if found:
            found[-1] = _with_output(found[-1], output)
        start, (command, i) = i, _join_lines(mark[1], lines, i, marks)
        command, trailing = _split_comment(command)
        found.append(TranscriptEntry(command, first + start, comment=" ".join([*comment, trailing]).strip()))
        output, comment = [], []
    if found:
        found[-1] = _with_output(found[-1], output)
    return found


def _is_prompt_next(marks: Sequence[tuple[str, str] | None], i: int) -> bool:
    return i + 1 < len(marks) and marks[i + 1] is not None


def _with_output(entry: TranscriptEntry, output: Sequence[str]) -> TranscriptEntry:
    return replace(entry, output="\n".join(output).strip("\n"))


def _join_lines(
    command: str, lines: Sequence[str], i: int, marks: Sequence[tuple[str, str] | None] | None = None
) -> tuple[str, int]:
    """Join a command with its continuation lines; return it, and the index of the next line."""
    last = i
    while recognize.is_open(command) and last + 1 < min(len(lines), i + MOST_LINES):
        following = lines[last + 1]
        heredoc = recognize.HEREDOC.search(command)
        if not heredoc and not command.rstrip().endswith("\\") and marks and marks[last + 1]:
            break
        last += 1
        if not heredoc and (found := CONTINUED.match(following)):
            following = following[found.end() :]
        command += "\n" + following
    if last > i and not statements.statements(command.strip()):
        # Not an open quote but an apostrophe: the command is only this line.
        return recognize.close_open(command.split("\n", 1)[0]), i + 1
    return command.strip(), last + 1


def _split_comment(command: str) -> tuple[str, str]:
    """Split a trailing comment off a command."""
    if "\n" in command or "#" not in command:
        return command, ""
    quote = ""
    for i, character in enumerate(command):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and i and command[i - 1] in " \t":
            return command[:i].rstrip(), command[i:].strip("# ")
    return command, ""


def _without_prompts(lines: Sequence[str], block: Block) -> list[TranscriptEntry]:
    """Parse a block without prompts: it must start with a command, and other lines are output."""
    content = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not content or not recognize.is_command(content[0]):
        return []
    found: list[TranscriptEntry] = []
    output: list[str] = []
    comment: list[str] = []
    i = 0
    while i < len(lines) and len(found) < MOST_ENTRIES:
        text = lines[i]
        if text.lstrip().startswith("#") and not text.startswith("#!"):
            match = OUTPUT_COMMENT.match(text.strip())
            is_output = found and match and (text.startswith(("#  ", "# =>", "# ->")) or PRINTED.match(match["output"]))
            (output if is_output else comment).append(match["output"] if match else text)
            i += 1
        elif recognize.is_command(text) and not (output and _is_prose(text)):
            if found:
                found[-1] = _with_output(found[-1], output)
            start, (command, i) = i, _join_lines(text, lines, i)
            command, trailing = _split_comment(command)
            comment = [" ".join([*comment, trailing]).strip()]
            found.append(TranscriptEntry(command, block.line + start, comment=comment[0], prompted=False))
            output, comment = [], []
        else:
            if found:
                output.append(text)
            i += 1
    found[-1] = _with_output(found[-1], output)
    return found


def _is_prose(text: str) -> bool:
    return text[:1] in " \t" or text.rstrip().endswith((".", ":"))


def is_script(block: Block, found: Sequence[TranscriptEntry]) -> bool:
    """Tell whether a block is a script: it has a shebang, a function, a loop, or `set -e`."""
    text = block.text.lstrip()
    if any(entry.output.strip() for entry in found) or any(entry.prompted for entry in found):
        return False
    if re.match(r"#!.*\b(?:ba|z|da)?sh\b", text):
        return True
    parts = statements.statements(text)
    return len(parts) > 1 and any(
        not part.simple
        or (part.program == "set" and any(word.startswith("-") and "e" in word for word in part.argv[1:]))
        for part in parts
    )
