"""The record of the files that uvmre wrote into an MRE, so that it replaces no others."""

import base64
import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre.core.mre.files import File
from uvmre.core.mre.model import BUNDLED, LEFT_OUT
from uvmre.core.mre.portable_names import name_faults
from uvmre.folder.evidence import OWN, ignore_in_git

RECORD = f"{OWN}/written.json"
SCHEMA = 1

Hashes = Mapping[str, str]
"""SHA-256 by path, relative and with `/`."""


def hash_files(folder: Path) -> Hashes:
    """Return the hashes of all files in a folder."""
    return dict(hash_entries(folder))


@dataclass(frozen=True)
class Record:
    """What uvmre wrote into an MRE."""

    files: Hashes
    origin: str = ""
    """Where it came from, if that is outside."""
    rendered: tuple[File, ...] = ()
    """What its template rendered, whatever became of that."""


def write_record(folder: Path, record: Record) -> None:
    """Record what was written into an MRE, atomically."""
    ignore_in_git(folder / OWN)
    path = folder / RECORD
    part = path.with_suffix(".part")
    data = {"schema": SCHEMA, "origin": record.origin, "files": dict(record.files)}
    if record.rendered:
        data["rendered"] = {
            file.path: [file.executable, base64.b64encode(file.content).decode()] for file in record.rendered
        }
    part.write_text(json.dumps(data, indent=1), encoding="utf-8")
    part.replace(path)


def read_rendered(folder: Path) -> dict[str, File]:
    """Return the files that the template of an MRE rendered, as they were before any edit; empty without a record."""
    with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
        rendered = _read(folder)["rendered"].items()
        return {
            path: File(path, base64.b64decode(text, validate=True), bool(executable))
            for path, (executable, text) in rendered
            if not any(name_faults([path]))
        }
    return {}


def regular_files(folder: Path, paths: Iterable[str] | None = None) -> dict[str, File]:
    """Return the regular files of a folder, or those that it has of some paths."""
    found = {}
    for path in hash_files(folder) if paths is None else paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            mode = (folder / path).lstat().st_mode
            if stat.S_ISREG(mode):
                found[path] = File(path, (folder / path).read_bytes(), bool(mode & 0o100))
    return found


def read_record(folder: Path) -> Hashes:
    """Return what uvmre wrote into an MRE; empty without a readable record."""
    with contextlib.suppress(KeyError, TypeError, AttributeError):
        return {str(path): str(digest) for path, digest in _read(folder)["files"].items()}
    return {}


def is_unchanged(folder: Path) -> bool:
    """Tell whether an MRE has the files that uvmre wrote, and no others."""
    return (record := read_record(folder)) != {} and record == hash_files(folder)


def read_origin(folder: Path) -> str:
    """Return where an MRE came from, if that is outside, as `an issue`; empty for one of the user."""
    if (folder / BUNDLED).exists():
        return "a pack"
    return str(_read(folder).get("origin", ""))


def _read(folder: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if data["schema"] == SCHEMA:
            return dict(data)
    return {}


def hash_entries(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every file and link of a folder with its hash, which is empty for a link or an unreadable file."""
    unreadable: list[str] = []
    for where, folders, names in os.walk(folder, onerror=lambda error: unreadable.append(str(error.filename))):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        linked = [name for name in folders if (Path(where) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = Path(where) / name
            yield path.relative_to(folder).as_posix(), _hash(path)
    for name in unreadable:
        yield Path(name).relative_to(folder).as_posix(), ""


def _hash(path: Path) -> str:
    with contextlib.suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    return ""
