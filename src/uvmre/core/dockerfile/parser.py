"""Parse a Dockerfile into instructions and stages with BuildKit's own parser.

Heredocs and the command of a RUN follow BuildKit's `instructions/parse.go` and `dockerfile2llb/convert.go`.
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
"""The start of a command that executes a heredoc as a file."""
COMMANDS = re.compile(r"&&|\|\||[;|\n(){}`]|\$\(")
BEFORE_A_COMMAND = re.compile(r"\A(?:[A-Za-z_]\w*=\S*|exec|env|time|then|do|else|!|if|command|set -\S+)\s+")
NO_INSTRUCTIONS = "file with no instructions"


@dataclass(frozen=True)
class Heredoc:
    """A heredoc of an instruction."""

    name: str
    """The delimiter, also the name of the file in a folder."""
    content: str
    """As written."""
    expand: bool
    """Whether COPY expands variables in it: not if the delimiter is quoted."""
    chomp: bool = False
    """Whether leading tabs are removed (`<<-`)."""

    @property
    def data(self) -> str:
        """Return the content before the expansion of variables."""
        return TABS.sub("", self.content) if self.chomp else self.content


@dataclass(frozen=True)
class Instruction:
    """An instruction."""

    name: str
    """In capitals."""
    value: tuple[str, ...]
    """Its words as written; names and values of ENV and LABEL alternate; a RUN is one word unless JSON."""
    flags: tuple[str, ...]
    """`--name=value` before the words."""
    heredocs: tuple[Heredoc, ...]
    first: int
    """Its first line, from 1."""
    last: int
    text: str
    """Its lines as written."""
    json: bool = False
    """Whether the words are a JSON array, such as `RUN ["uv", "sync"]`."""

    def flag(self, name: str) -> str | None:
        """Return the value of a flag, empty if it has none; None without the flag."""
        given = [flag.partition("=")[2] for flag in self.flags if flag.partition("=")[0] == f"--{name}"]
        return given[-1] if given else None

    @property
    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """Return the names and values of an ARG, ENV or LABEL; None for an ARG without a default."""
        if self.name == "ARG":
            split = (word.partition("=") for word in self.value)
            return tuple((name, value if equals else None) for name, equals, value in split)
        return tuple(zip(self.value[::2], self.value[1::2], strict=True))


@dataclass(frozen=True)
class Stage:
    """A stage: a FROM and its instructions."""

    number: int
    """From 0, as a COPY may refer to it."""
    name: str
    """In lower case; empty without AS."""
    image: str
    """As written, without expansion of variables."""
    start: Instruction
    instructions: tuple[Instruction, ...]
    """Without the FROM."""


@dataclass(frozen=True)
class RunInstruction:
    """The command of a RUN."""

    command: str
    """For a shell, with heredocs; an exec form is quoted."""
    argv: tuple[str, ...]
    """The words of an exec form; empty otherwise."""
    instruction: Instruction


def parse(text: str, source: str = DOCKERFILE) -> tuple[Instruction, ...]:
    """Parse a Dockerfile.

    Raises:
        InputError: with all errors and their lines, or the first one that stops the parser.
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
    """Return the instructions of a Dockerfile or a part of one, without checks.

    Raises:
        InputError: if it cannot be parsed.
        CannotTell: if the parser is not installed.
    """
    try:
        import dockerfile  # imported late: it starts Go's runtime
    except ImportError:
        raise CannotTell(
            f"failed to parse `{source}`: BuildKit's parser, the package `dockerfile`, is not installed",
            "it has wheels for x86-64 and macOS; elsewhere `pip install dockerfile` needs Go",
        ) from None

    # The parser stops at a NUL, and crashes the process if the text is not UTF-8.
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
    """Return the line of a parse error: the one after the longest valid start of the text."""
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
    """Complete heredocs with `-` and quotes, which the parser does not report."""
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
    """Return the ARGs before the first FROM, and the stages."""
    starts = [i for i, each in enumerate(instructions) if each.name == "FROM"]
    found = []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(instructions)], strict=True)):
        words = instructions[start].value
        name = words[2].lower() if len(words) == 3 else ""
        inner = tuple(instructions[start + 1 : end])
        found.append(Stage(number, name, words[0], instructions[start], inner))
    return tuple(instructions[: starts[0]]) if starts else tuple(instructions), tuple(found)


def run_instructions(instructions: Sequence[Instruction]) -> tuple[RunInstruction, ...]:
    """Return the RUNs of all stages."""
    return tuple(parse_run(each) for each in instructions if each.name == "RUN")


def parse_run(instruction: Instruction) -> RunInstruction:
    """Return the command of a RUN; its heredocs are input of the command, or the script itself."""
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
    """Return a shell command that executes a heredoc with a `#!` as a file."""
    end = "EOF"
    while end in script.split("\n"):
        end += "F"
    return f'{AS_FILE}cat >"$f" <<\'{end}\'\n{script}{end}\nchmod +x "$f" && "$f"\n'


def called_programs(text: str) -> set[str]:
    """Return the programs that a shell text calls; `python -m uv` calls uv."""
    found = set()
    for part in COMMANDS.split(text.replace("\\\n", " ")):
        words = part.strip() + " "
        while match := BEFORE_A_COMMAND.match(words):
            words = words[match.end() :]
        if inner := re.match(r"python[\d.]* -m (\w+)", words):
            found.add(inner[1])
        found.add(words.split(" ")[0].strip("\"'"))
    return found - {""}
