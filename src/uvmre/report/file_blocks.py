"""The files of an MRE as Markdown, from which they can be built again byte for byte."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from uvmre.core.mre.files import File
from uvmre.core.secrets.redact import redact
from uvmre.core.text.visible import visible
from uvmre.report.markdown import code, fence

MAX_REDACTED = 1_048_576
"""Bytes of the shortest files of which a report may have some: redaction makes a text shorter."""
LANGUAGES = {".toml": "toml", ".py": "python", ".sh": "sh", ".lock": "toml", ".md": "markdown", ".cfg": "ini"}


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
    path, size = code(redact(file.path, values)), len(file.content)
    left_out = f"{path} is omitted: it is {{}} ({size} bytes).\n\n"
    if not short:
        return FileBlock(place, size, *[left_out.format("too long for an issue")] * 2)
    text = _content(file)
    if text is None:
        return FileBlock(place, size, left_out.format("not text"), left_out.format("too long for an issue"))
    notes = ["executable"] * file.executable
    notes += ["no newline at its end"] * (text != "" and not text.endswith("\n"))
    notes += ["empty"] * (text == "")
    heading = path + (f" ({', '.join(notes)})" if notes else "") + ":"
    block = fence(redact(text, values).removesuffix("\n"), _language(file.path))
    return FileBlock(place, size, join_lines([heading, "", *block, ""]), left_out.format("too long for an issue"))


def _content(file: File) -> str | None:
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\r" in text or visible(text) != text else text


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
