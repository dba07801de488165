"""Commands that a post does not show as such, but may be about: those of its title and sentences, and of its files."""

import re
from collections.abc import Iterator, Sequence

from uvmre.core.triage.parsed_issue import Command, PostedFile
from uvmre.issue.commands import recognize
from uvmre.issue.markdown import blocks
from uvmre.issue.timeline.classify import ClassifiedBlock
from uvmre.issue.timeline.events import INCOMPLETE

IN_TITLE = re.compile(
    r"\buv (?:(?:pip (?:install|compile|sync|uninstall|list|freeze|tree|check|show)|tool (?:install|run|upgrade|list)"
    r"|python (?:list|find|pin|install)|cache (?:prune|clean|dir))|sync|lock|run|add|remove|export|tree|build|venv|init"
    r"|publish)\b(?: --[a-z][\w-]{1,40}(?:=\S{1,80})?){0,4}"
)
"""A command in a title without backticks: only its options can be told from the sentence."""
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]{2,40}(?![\w=-])")
OF_FILES = (
    ("pyproject.toml", "uv lock"),
    ("pyproject.toml", "uv sync"),
    ("requirements.txt", "uv pip compile requirements.txt"),
    ("requirements.in", "uv pip compile requirements.in"),
    ("requirements.txt", "uv pip install -r requirements.txt"),
)
MOST = 4


def inferred_commands(
    title: str, found: Sequence[ClassifiedBlock], files: Sequence[PostedFile], known: Sequence[Command]
) -> list[Command]:
    """Return up to four commands that are not among the known ones, the likeliest first."""
    runs = [*_named(title, found), *_of_files(title, files)]
    posted = {each.run for each in known}
    commands = [Command(run, line, added_because=why) for run, line, why in runs if run not in posted]
    unique: dict[str, Command] = {}
    for each in commands:
        unique.setdefault(each.run, each)
    return list(unique.values())[:MOST]


def _named(title: str, found: Sequence[ClassifiedBlock]) -> Iterator[tuple[str, int, str]]:
    """Yield the commands that the title and the sentences name."""
    for code, _ in blocks.inline_code(title):
        if code.startswith("uv") and recognize.is_command(code) and not INCOMPLETE.search(code):
            yield code, 1, "the title names it"
    for match in IN_TITLE.finditer(title.replace("`", "")):
        if not INCOMPLETE.search(match[0]):
            yield match[0], 1, "the title names it"
    for block in found:
        for mention in block.mentions:
            if not INCOMPLETE.search(mention.run):
                yield mention.run, mention.line, "a sentence names it"


def _of_files(title: str, files: Sequence[PostedFile]) -> Iterator[tuple[str, int, str]]:
    """Yield the commands that use what the post shows, first with the options of the title."""
    shown = {file.path: file for file in files}
    options = " ".join(dict.fromkeys(OPTION.findall(title)))
    for path, run in OF_FILES:
        if path in shown and options:
            yield f"{run} {options}", shown[path].line, f"the post shows {path}, and the title names {options}"
    for path, run in OF_FILES:
        if path in shown:
            yield run, shown[path].line, f"the post shows {path} and no command that fails"
    for file in files:
        if file.path.endswith(".py") and "# /// script" in file.text:
            yield f"uv run {file.path}", file.line, f"the post shows {file.path} and no command that fails"
