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
    runs = dict.fromkeys(_runs(title, found, files))
    posted = {each.run for each in known}
    commands = [Command(run, line, added_because=why) for run, line, why in runs if run not in posted]
    return list({each.run: each for each in reversed(commands)}.values())[::-1][:MOST]


def _runs(title: str, found: Sequence[ClassifiedBlock], files: Sequence[PostedFile]) -> Iterator[tuple[str, int, str]]:
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
    shown = {file.path: file for file in files}
    for path, run in OF_FILES:
        if path in shown:
            yield run, shown[path].line, f"the post shows {path} and no command that fails"
    for file in files:
        if file.path.endswith(".py") and "# /// script" in file.text:
            yield f"uv run {file.path}", file.line, f"the post shows {file.path} and no command that fails"
