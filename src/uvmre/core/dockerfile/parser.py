"""A Dockerfile as its instructions and stages, read by BuildKit's own parser.

What the parser leaves to the builder (`<<-`, what a RUN hands to its shell) follows BuildKit's `frontend/dockerfile`:
`instructions/parse.go` and `dockerfile2llb/convert.go`.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from uvmre.errors import CannotTell, InputError

DOCKERFILE = "Dockerfile"
KNOWN = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
MAY_BE_EMPTY = frozenset({"CMD", "ENTRYPOINT"})
TABS = re.compile(r"^\t+", re.MULTILINE)
HEREDOC_WORD = re.compile(r"(?:^|(?<=\s))\d*<<(-?)((?:\"[^\"]*\"|'[^']*'|\\.|[^\s<\"'\\])+)(?=\s|$)")
ESCAPE = re.compile(r"\A(?:#\s*\w+\s*=.*\n)*#\s*escape\s*=\s*`", re.IGNORECASE)
AS_FILE = "f=$(mktemp) && "
"""How the command begins that executes a heredoc as a file."""
COMMANDS = re.compile(r"&&|\|\||[;|\n(){}`]|\$\(")
BEFORE_A_COMMAND = re.compile(r"\A(?:[A-Za-z_]\w*=\S*|exec|env|time|then|do|else|!|if|command|set -\S+)\s+")
NO_INSTRUCTIONS = "file with no instructions"


@dataclass(frozen=True)
class Heredoc:
    """A text within an instruction."""

    name: str
    """The delimiter, which is also the file's name where it is copied into a folder."""
    content: str
    """As written."""
    expand: bool
    """Whether COPY expands variables in it: not where the delimiter is quoted."""
    chomp: bool = False
    """Whether tabs at the start of a line are dropped (`<<-`)."""

    @property
    def data(self) -> str:
        """Return the content as the builder takes it, its variables not expanded yet."""
        return TABS.sub("", self.content) if self.chomp else self.content


@dataclass(frozen=True)
class Instruction:
    """One instruction, its words as written."""

    name: str
    """In capitals."""
    value: tuple[str, ...]
    """Its words; of ENV and LABEL a name and a value in turn; the command of a RUN is one, unless it is of JSON."""
    flags: tuple[str, ...]
    """`--name=value` before the words."""
    heredocs: tuple[Heredoc, ...]
    first: int
    """Its first line, from 1."""
    last: int
    text: str
    """Its lines as written."""
    json: bool = False
    """Whether the words are a JSON array, as `RUN ["uv", "sync"]`."""

    def flag(self, name: str) -> str | None:
        """Return the value of a flag, empty for one without; None where it is not given."""
        given = [flag.partition("=")[2] for flag in self.flags if flag.partition("=")[0] == f"--{name}"]
        return given[-1] if given else None

    @property
    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """Return the names of an ARG, ENV or LABEL with their values as written; None where an ARG has no default."""
        if self.name == "ARG":
            split = (word.partition("=") for word in self.value)
            return tuple((name, value if equals else None) for name, equals, value in split)
        return tuple(zip(self.value[::2], self.value[1::2], strict=True))


@dataclass(frozen=True)
class Stage:
    """A FROM and what follows it."""

    number: int
    """From 0, by which a COPY may name it too."""
    name: str
    """In lower case; empty without AS."""
    image: str
    """As written: variables not expanded."""
    start: Instruction
    instructions: tuple[Instruction, ...]
    """Without the FROM."""


@dataclass(frozen=True)
class RunInstruction:
    """What one RUN does."""

    command: str
    """As a shell takes it, heredocs and all; an exec form is quoted."""
    argv: tuple[str, ...]
    """The words of an exec form, which no shell sees; empty otherwise."""
    instruction: Instruction


def parse(text: str, source: str = DOCKERFILE) -> tuple[Instruction, ...]:
    """Read a Dockerfile.

    Raises:
        InputError: with every fault and its line, where the parser goes on after it; else with the first.
    """
    text = text.removeprefix("\ufeff")
    found = instructions(text, source)
    faults = [f"line {line}: {fault}" for line, fault in _find_faults(found)]
    if ESCAPE.match(text):
        faults.insert(0, "an escape character other than a backslash is for Windows and is not supported")
    if faults:
        message = f"`{source}` has {len(faults)} error{'s' * (len(faults) > 1)}"
        raise InputError(message, faults, "fix them and try again")
    return found


def instructions(text: str, source: str = DOCKERFILE) -> tuple[Instruction, ...]:
    """Return what the parser takes for instructions, in a part of a Dockerfile too.

    Raises:
        InputError: when it cannot be parsed.
        CannotTell: when the parser is not installed.
    """
    try:
        import dockerfile  # brings Go's runtime along, and most runs have nothing to read with it
    except ImportError:
        raise CannotTell(
            f"failed to parse `{source}`: BuildKit's parser, the package `dockerfile`, is not installed",
            "it has wheels for x86-64 and macOS; elsewhere `pip install dockerfile` needs Go",
        ) from None

    # The parser cuts a text at a NUL, and a text that is not UTF-8 ends the whole process.
    odd = re.search("[\0\ud800-\udfff]", text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise InputError(f"failed to parse `{source}`", [f"line {line}: it contains a NUL byte or is not UTF-8"])
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        reason = str(error)
        if reason == NO_INSTRUCTIONS:
            raise InputError(f"failed to parse `{source}`", ["it has no instructions"]) from None
        raise InputError(f"failed to parse `{source}`", [f"line {_error_line(text)}: {reason}"]) from None
    lines = text.split("\n")
    return tuple(
        Instruction(
            name=(command.cmd or "").upper(),  # a lone backslash is none
            value=command.value,
            flags=command.flags,
            heredocs=_heredocs(command.original or "", command.heredocs),
            first=command.start_line,
            last=command.end_line,
            text="\n".join(lines[command.start_line - 1 : command.end_line]),
            json=command.json,
        )
        for command in commands
    )


def _error_line(text: str) -> int:
    """Return where the parser stopped, which it does not say: after the longest start of the text that it takes."""
    import dockerfile

    lines = text.split("\n")
    for count in range(len(lines) - 1, 0, -1):
        try:
            dockerfile.parse_string("\n".join(lines[:count]))
        except dockerfile.GoParseError as error:
            if str(error) != NO_INSTRUCTIONS:
                continue
        return count + 1
    return 1


def _heredocs(original: str, given: Sequence[Any]) -> tuple[Heredoc, ...]:
    """Complete heredocs by what their words say: the parser tells neither `-` nor quotes."""
    words = HEREDOC_WORD.findall(original.split("\n", 1)[0])
    return tuple(
        Heredoc(heredoc.name, heredoc.content, expand=not set("'\"\\") & set(word), chomp=bool(dash))
        for heredoc, (dash, word) in zip(given, words, strict=False)
    )


def _find_faults(instructions: Sequence[Instruction]) -> Iterator[tuple[int, str]]:
    in_stage = False
    for each in instructions:
        if each.name not in KNOWN:
            yield each.first, f"unknown instruction {each.name}".rstrip()
        elif not any(each.value) and each.name not in MAY_BE_EMPTY:
            yield each.first, f"{each.name} has no arguments"
        elif each.name == "FROM":
            in_stage = True
            if len(each.value) != 1 and (len(each.value) != 3 or each.value[1].upper() != "AS"):
                yield each.first, "FROM takes an image, or `image AS name`"
        elif not in_stage and each.name != "ARG":
            yield each.first, f"{each.name} before the first FROM, where only ARG is allowed"
        elif each.name in ("COPY", "ADD") and len(each.value) < 2:
            yield each.first, f"{each.name} takes a source and a destination"
        elif each.name == "SHELL" and not each.json:
            yield each.first, 'SHELL takes a JSON array, such as ["/bin/bash", "-c"]'
        elif each.name == "WORKDIR" and len(each.value) != 1:
            yield each.first, "WORKDIR takes one folder"
    if not in_stage:
        yield 1, "there is no FROM"


def stages(instructions: Sequence[Instruction]) -> tuple[tuple[Instruction, ...], tuple[Stage, ...]]:
    """Return the ARGs before the first FROM, and the stages in their order."""
    starts = [i for i, each in enumerate(instructions) if each.name == "FROM"]
    found = []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(instructions)], strict=True)):
        words = instructions[start].value
        name = words[2].lower() if len(words) == 3 else ""
        inner = tuple(instructions[start + 1 : end])
        found.append(Stage(number, name, words[0], instructions[start], inner))
    return tuple(instructions[: starts[0]]) if starts else tuple(instructions), tuple(found)


def run_instructions(instructions: Sequence[Instruction]) -> tuple[RunInstruction, ...]:
    """Return what each RUN does, in their order, whatever the stage."""
    return tuple(parse_run(each) for each in instructions if each.name == "RUN")


def parse_run(instruction: Instruction) -> RunInstruction:
    """Return what a RUN does: its heredocs go to the shell, or are all that the shell is given."""
    if instruction.json:
        return RunInstruction(shlex.join(instruction.value), instruction.value, instruction)
    command = instruction.value[0]
    if not instruction.heredocs:
        return RunInstruction(command, (), instruction)
    if HEREDOC_WORD.fullmatch(command.strip()):
        data = instruction.heredocs[0].data
        return RunInstruction(_as_file(data) if data.startswith("#!") else data, (), instruction)
    inner = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in instruction.heredocs)
    return RunInstruction(command + inner, (), instruction)


def _as_file(script: str) -> str:
    """Return a shell command that does what the builder does with a heredoc of its own `#!`: executes it as a file."""
    end = "EOF"
    while end in script.split("\n"):
        end += "F"
    return f'{AS_FILE}cat >"$f" <<\'{end}\'\n{script}{end}\nchmod +x "$f" && "$f"\n'


def called_programs(text: str) -> set[str]:
    """Return what the simple commands of a shell text call; `python -m uv` calls uv."""
    found = set()
    for part in COMMANDS.split(text.replace("\\\n", " ")):
        words = part.strip() + " "
        while match := BEFORE_A_COMMAND.match(words):
            words = words[match.end() :]
        if inner := re.match(r"python[\d.]* -m (\w+)", words):
            found.add(inner[1])
        found.add(words.split(" ")[0].strip("\"'"))
    return found - {""}
