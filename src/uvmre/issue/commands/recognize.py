"""Recognize shell commands in text."""

import re

from uvmre.core.shell.statements import Statement, statements

LONGEST_LINE = 2_000
"""The limit of characters of a command line."""
_PROGRAMS = (
    "uv uvx uvw python python3 pip pip3 pipx cd mkdir touch echo printf cat cp mv rm ln ls export env "
    "source . set unset tail head grep egrep sed awk find tree diff stat wc sort uniq tr cut tee xargs "
    "which pwd chmod test [ true false time timeout command type sh bash zsh git docker podman curl wget "
    "sudo apt apt-get brew cargo make nox tox pyenv poetry pdm hatch conda mamba pip-compile pytest ruff "
    "mypy nix file readlink realpath basename dirname date sleep jq od xxd md5sum sha256sum unzip zip tar "
    "kill pushd popd alias unalias rye virtualenv pre-commit direnv dir md rmdir del type copy move "
    "New-Item Get-Content Set-Content Remove-Item ipython powershell pwsh"
)
PROGRAMS = frozenset(_PROGRAMS.split())
"""The programs that start a command on a line without a prompt."""
_TOOLS = (
    "uvx pipx source env docker podman git cargo make nox tox pyenv poetry pdm hatch conda mamba pytest "
    "ruff mypy nix jq apt brew rye virtualenv pre-commit direnv ipython pip pip3 curl wget command sudo "
    "bash sh zsh kill"
)
TOOLS = frozenset(_TOOLS.split())
"""Programs that need an argument, and whose names are in listings too."""
VERSIONED = re.compile(r"(?:python|pypy)3?(?:\.\d+)?")
_UV_WORDS = (
    "pip venv sync lock add remove run init tool python tree export build publish cache self version help "
    "auth format generate-shell-completion audit workspace clean virtualenv x check upgrade metadata "
    "indexes uninstall"
)
UV_WORDS = frozenset(_UV_WORDS.split())
_READ_ONLY = "ls cat which grep head tail stat test type file readlink find"
READ_ONLY = frozenset(_READ_ONLY.split())
"""Programs that change nothing, so that nothing depends on whether they fail."""
READING_FAILED = re.compile(r"(?i)no such file|not found|cannot |can't |no \S+ in \(")
HEREDOC = re.compile(r"(?<!<)<<-?\s*(['\"]?)(?P<word>[A-Za-z_]\w*)\1")
GLOBAL_OPTION = re.compile(r"--?[a-zA-Z][\w-]*(?:=\S+)?")


def is_command(text: str, *, strict: bool = True) -> bool:
    """Tell whether a line is a command by itself.

    Args:
        text: the line.
        strict: accept only known programs; otherwise any shell command.
    """
    stripped = text.strip()
    if not stripped or len(stripped) > LONGEST_LINE or stripped[0] in "│├└╰×✗✔+|<>=*{}":
        return False
    first = stripped.split(maxsplit=1)[0]
    if strict and not (first in PROGRAMS or VERSIONED.fullmatch(first) or "=" in first or _is_path(first)):
        return False
    parts = statements(stripped) or statements(close_open(stripped))
    if not parts:
        return False
    return all(_is_known(part) for part in parts[:1]) if strict else True


def fails_to_read(run: str, output: str) -> bool:
    """Tell whether a command only reads, and its output says that what it reads is missing."""
    parts = statements(run) if not re.search(r"[|>&;]", run) else ()
    return bool(parts and parts[0].program in READ_ONLY and READING_FAILED.search(output))


def _is_path(first: str) -> bool:
    return bool(re.fullmatch(r"(?:\.{1,2}|~|target|[A-Za-z]:)?[\w./\\-]*[/\\](?:uvx?|python3?|pip)(?:\.exe)?", first))


def _is_known(part: Statement) -> bool:
    if not part.argv:
        return bool(part.assignments) and all(name.isidentifier() for name, _ in part.assignments)
    program = part.program
    if program == "uv":
        return is_uv(part.argv)
    if program in ("time", "file", "find", "type", "set", "command", "test", "make", "which", "date", "copy", "move"):
        # English sentences start with these words.
        return len(part.argv) < 8 and not part.text.rstrip().endswith((".", ":"))
    if program in TOOLS or program == ".":
        return len(part.argv) > 1 and not re.match(r"v?\d|\(|is$|are$", part.argv[1])
    return program in PROGRAMS or bool(VERSIONED.fullmatch(program))


def is_uv(words: tuple[str, ...]) -> bool:
    """Tell whether the words after `uv` are a command, not a sentence or a version."""
    rest = [word for word in words[1:] if not GLOBAL_OPTION.fullmatch(word)]
    if len(words) > 1 and not rest:
        return True
    following = list(words[1:])
    while following and following[0].startswith("-"):
        option = following.pop(0)
        takes = option in ("--directory", "--project", "--color", "--config-file", "--cache-dir", "-C")
        if takes and following:
            following.pop(0)
    return bool(following) and following[0] in UV_WORDS


def close_open(text: str) -> str:
    """Close the quotes and here-documents of a truncated line."""
    if (found := HEREDOC.search(text)) and "\n" not in text[found.end() :]:
        return f"{text}\n{found['word']}"
    if quote := _open_quote(text):
        return text + quote
    return text.rstrip().removesuffix("\\").rstrip().removesuffix("&&").removesuffix("|")


def is_open(text: str) -> bool:
    """Tell whether a command continues on the next line."""
    stripped = text.rstrip()
    if stripped.endswith(("\\", "&&", "||")) or (stripped.endswith("|") and not stripped.endswith("||")):
        return not stripped.endswith("\\\\")
    if found := HEREDOC.search(text):
        rest = text[found.end() :].split("\n")[1:]
        return not any(line.strip() == found["word"] for line in rest)
    return bool(_open_quote(text))


def _open_quote(text: str) -> str:
    """Return the open quote of a text; empty if there is none."""
    inside = ""
    skip = False
    for i, character in enumerate(text):
        if skip:
            skip = False
        elif character == "\\" and inside != "'":
            skip = True
        elif inside:
            inside = "" if character == inside else inside
        elif character == "#" and (i == 0 or text[i - 1] in " \t\n"):
            return ""
        elif character in "'\"":
            inside = character
    return inside
