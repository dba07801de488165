"""The files of an MRE as Markdown, from which they can be built again byte for byte."""

import itertools
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from uvmre.core.mre.files import File
from uvmre.core.secrets.redact import redact, redact_bytes
from uvmre.core.text.file_lines import embed, extract
from uvmre.errors import InputError
from uvmre.report.markdown import code, fence

MAX_REDACTED = 1_048_576
"""Bytes of the shortest files of which a report may have some: redaction makes a text shorter."""
MOST_READ = 2_000_000
"""Characters of a text that is read as Markdown."""
LANGUAGES = {".toml": "toml", ".py": "python", ".sh": "sh", ".lock": "toml", ".md": "markdown", ".cfg": "ini"}

BASE64, CRLF, EMPTY, NO_NEWLINE = "base64", "CRLF line ends", "empty", "no newline at its end"
HEADING = re.compile(r" ?(?:\(([\w, 0-9]+)\))?:\Z")
"""What follows the path of a file."""
OMITTED = re.compile(r" is omitted: it is ")
ALL_OMITTED = re.compile(r"\d+ files are omitted: |\(cut: the steps alone ")


@dataclass(frozen=True)
class FileBlock:
    """One file of the report, and its placeholder."""

    position: int
    """In the MRE."""
    size: int
    """Bytes of its content."""
    block: str
    placeholder: str

    @property
    def saves(self) -> int:
        """Return the bytes that the placeholder saves."""
        return byte_size(self.block) - byte_size(self.placeholder)


def file_blocks(files: Sequence[File], values: Collection[str]) -> list[FileBlock]:
    """Return the files by path; those that are too long beside the shorter ones are not even redacted."""
    by_size = sorted(range(len(files)), key=lambda place: len(files[place].content))
    totals = itertools.accumulate(len(files[place].content) for place in by_size)
    short = {place for place, total in zip(by_size, totals, strict=True) if total <= MAX_REDACTED}
    by_path = sorted(range(len(files)), key=lambda place: files[place].path)
    return [file_block(files[place], values, place, short=place in short) for place in by_path]


def file_block(file: File, values: Collection[str], place: int = -1, *, short: bool = True) -> FileBlock:
    """Return one file of the report without the secrets `values`."""
    path, size = _shown_path(redact(file.path, values)), len(file.content)
    left_out = f"{path} is omitted: it is too long for an issue ({size} bytes).\n\n"
    if not short:
        return FileBlock(place, size, left_out, left_out)
    content = redact_bytes(file.content, values)
    crlf = content.count(b"\r\n") == content.count(b"\r") == content.count(b"\n") > 0
    kind, lines = embed(content.replace(b"\r\n", b"\n") if crlf else content)
    notes = ["executable"] * file.executable + [CRLF] * (crlf and kind != BASE64)
    if kind == BASE64:
        kind, lines = embed(content)
        notes += [BASE64]
    notes += [NO_NEWLINE] * (kind == "cut") + [EMPTY] * (not lines)
    heading = path + (f" ({', '.join(notes)})" if notes else "") + ":"
    language = "" if kind == BASE64 else _language(file.path)
    block = fence("\n".join(lines), language)
    return FileBlock(place, size, join_lines([heading, "", *block, ""]), left_out)


def _shown_path(path: str) -> str:
    """Return a code span of a path, or of its literal in JSON where a span cannot have its spaces."""
    shown = code(path)
    plain = path == " ".join(path.split()) and not path.startswith('"')
    return shown if plain else code(json.dumps(path, ensure_ascii=False).replace(" ", "\\u0020"))


def read_blocks(text: str, source: str) -> Iterator[File]:
    """Yield the files of a report, or of what somebody pasted of it.

    Raises:
        InputError: when the report says that it lacks files.
    """
    from markdown_it import MarkdownIt

    if len(text) > MOST_READ:
        raise InputError(f"failed to read `{source}`", [f"it has more than {MOST_READ} characters"])
    heading, faults = None, []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "inline" and (children := token.children):
            rest = "".join(child.content for child in children[1:])
            if (children[0].type == "code_inline" and OMITTED.match(rest)) or ALL_OMITTED.match(token.content):
                faults.append(token.content)
            is_heading = children[0].type == "code_inline" and HEADING.match(rest)
            heading = (children[0].content, is_heading[1] or "") if is_heading else None
        elif token.type == "fence" and heading:
            try:
                yield _read_block(*heading, token.content)
            except ValueError as error:
                faults.append(f"{heading[0]} is damaged: {error}")
            heading = None
    if faults:
        raise InputError(f"`{source}` does not have all files of the MRE", faults)


def _read_block(path: str, notes: str, text: str) -> File:
    known = notes.split(", ")
    lines = [] if EMPTY in known else text.removesuffix("\n").split("\n")
    kind = BASE64 if BASE64 in known else "cut" if NO_NEWLINE in known else "text"
    content = extract(kind, lines)
    path = str(json.loads(path)) if path.startswith('"') else path
    return File(path, content.replace(b"\n", b"\r\n") if CRLF in known else content, "executable" in known)


def _language(path: str) -> str:
    name = path.rpartition("/")[2]
    if name == "Dockerfile":
        return "dockerfile"
    return LANGUAGES.get("." + name.rpartition(".")[2], "")


def join_lines(lines: Iterable[str]) -> str:
    """Return lines as a text."""
    return "".join(f"{line}\n" for line in lines)


def byte_size(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
