"""The comment of a Dockerfile with those files of an MRE that no instruction has, such as its manifest."""

import re
from collections.abc import Iterable, Sequence

from uvmre.core.mre.files import File
from uvmre.core.text.file_lines import embed, extract
from uvmre.errors import InputError

MARK = "# An MRE of a bug of uv, as uvmre writes it; `uvmre run FILE` makes it again, and runs its controls too."
HEADER = re.compile(r"## (?P<mode>644|755) (?P<kind>text|cut|base64) (?P<path>.+)\Z")
"""Before the lines of a file, which begin with one `#` and a space."""


def comment(files: Iterable[File]) -> list[str]:
    """Return the lines of the comment."""
    lines = [MARK]
    for file in files:
        kind, body = embed(file.content)
        lines.append(f"## {755 if file.executable else 644} {kind} {file.path}")
        lines += [f"# {line}" if line else "#" for line in body]
    return [*lines, ""]


def split_comment(lines: Sequence[str], source: str) -> tuple[dict[str, File], list[str]]:
    """Return the files of the comment, by path, and the lines of a Dockerfile without it.

    Raises:
        InputError: when a file is damaged.
    """
    if MARK not in lines:
        return {}, list(lines)
    start = lines.index(MARK)
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("#")), len(lines))
    heads = [i for i in range(start, end) if HEADER.match(lines[i])]
    files = {}
    for first, last in zip(heads, [*heads[1:], end], strict=False):
        head = HEADER.match(lines[first])
        assert head
        try:
            content = extract(head["kind"], [line[2:] for line in lines[first + 1 : last]])
        except ValueError as error:
            raise InputError(f"failed to read `{source}`", [f"line {first + 1}: {error}"]) from None
        files[head["path"]] = File(head["path"], content, head["mode"] == "755")
    return files, [*lines[:start], *lines[end + (end < len(lines) and not lines[end]) :]]
