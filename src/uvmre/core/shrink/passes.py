"""All passes, in their order: coarse before fine, removals before simplifications."""

import re

from uvmre.core.search.shrink import ShrinkPass
from uvmre.core.shrink.commands import command_passes
from uvmre.core.shrink.edits import Subject
from uvmre.core.shrink.files import Likely, comments, contents, edit_pass, folder_passes, lines, member_pass
from uvmre.core.shrink.requirements import requirement_name, requirement_pass
from uvmre.core.shrink.toml_passes import toml_passes

WORDS = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
PATHS = re.compile(r"(?<![\w./-])(?:\./)?([\w.-]+(?:/[\w.-]+)*)")


def folder_shrink_passes(hint: str = "", *, single: bool = False) -> tuple[ShrinkPass[Subject], ...]:
    """Return the passes for any folder; what `hint` names is probably needed. A `single` file stays."""
    likely = named_in(hint)
    everywhere = lambda _: False  # noqa: E731
    return (
        edit_pass("comments", comments, everywhere, easy=True),
        *(() if single else (member_pass(likely), *folder_passes(paths_in(hint), frozenset()))),
        edit_pass("contents", contents, everywhere),
        *toml_passes(likely, lambda _file, _path: False),
        edit_pass("lines", lines, likely),
        *command_passes(),
        requirement_pass(),
    )


def named_in(hint: str) -> Likely:
    """Return what tells whether a text is named in another one, as a whole word."""
    words = set(WORDS.findall(hint.lower()))

    def likely(text: str) -> bool:
        name = (requirement_name(text) or text).lower()
        return len(name) > 1 and (name in words or name.replace("_", "-") in words)

    return likely


def paths_in(hint: str) -> Likely:
    """Return what tells whether a path is named in a text, or a folder with something in it."""
    paths = PATHS.findall(hint)
    return lambda text: text in paths or (text.endswith("/") and any(path.startswith(text) for path in paths))
