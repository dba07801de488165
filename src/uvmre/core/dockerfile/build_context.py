"""The build context of an MRE: `.dockerignore`, and the sources of a COPY."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from uvmre.core.mre.files import File

IGNORE = ".dockerignore"
OWN_IGNORE = "Dockerfile.dockerignore"
"""Takes precedence over IGNORE."""


@dataclass(frozen=True)
class CopySource:
    """The files of a source of a COPY, or of one match of its pattern."""

    path: str
    """Relative to the context; empty for all of it."""
    folder: bool
    files: tuple[File, ...]


def build_context(files: Sequence[File]) -> tuple[File, ...]:
    """Return the files of the build context; the last matching line of `.dockerignore` decides."""
    texts = {file.path: file.content for file in files if file.path in (IGNORE, OWN_IGNORE)}
    text = texts.get(OWN_IGNORE, texts.get(IGNORE, b"")).decode(errors="replace").removeprefix("\ufeff")
    rules: list[tuple[bool, re.Pattern[str]]] = []
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith("#"):
            pattern = "/".join(part for part in line.removeprefix("!").strip().split("/") if part not in ("", "."))
            if pattern:
                rules.append((not line.startswith("!"), _compiled(pattern)))
    return tuple(file for file in files if not _ignored(file.path, rules))


def _ignored(path: str, rules: Iterable[tuple[bool, re.Pattern[str]]]) -> bool:
    ignored = False
    parts = path.split("/")
    for ignores, pattern in rules:
        if any(pattern.fullmatch("/".join(parts[:depth])) for depth in range(1, len(parts) + 1)):
            ignored = ignores
    return ignored


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of Go's `filepath.Match` with `**` for any folders."""
    out, at = "", 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**"):
            out, at = (f"{out}(?:.*/)?", at + 3) if rest.startswith("**/") else (f"{out}.*", at + 2)
        elif rest[0] in "*?":
            out, at = out + ("[^/]*" if rest[0] == "*" else "[^/]"), at + 1
        elif group := re.match(r"\[\^?[^\]]+\]", rest):
            out, at = out + group[0].replace("\\", "\\\\"), at + group.end()
        elif rest[0] == "\\" and len(rest) > 1:
            out, at = out + re.escape(rest[1]), at + 2
        else:
            out, at = out + re.escape(rest[0]), at + 1
    try:
        return re.compile(out)
    except re.error:
        return re.compile(re.escape(pattern))


def copy_sources(source: str, files: Sequence[File]) -> tuple[CopySource, ...]:
    """Return the files and folders that a source of a COPY matches."""
    parts = [part for part in PurePosixPath(source).parts if part != "/"]
    if not parts:
        return (CopySource("", True, tuple(files)),)
    patterns = [_compiled(part) for part in parts]
    found: dict[str, list[File]] = {}
    for file in files:
        heads = file.path.split("/")[: len(parts)]
        if len(heads) == len(parts) and all(p.fullmatch(head) for p, head in zip(patterns, heads, strict=True)):
            found.setdefault("/".join(heads), []).append(file)
    return tuple(
        CopySource(path, any(file.path != path for file in inner), tuple(inner))
        for path, inner in sorted(found.items())
    )
