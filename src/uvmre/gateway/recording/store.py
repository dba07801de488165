"""A recording: the responses of the network by their content, so that runs request each only once and cannot drift.

An entry is a small file in the MRE's recording, named after its request; bodies are files in the cache, named after
their sha256 and shared by all recordings. Both are written in a temporary folder and moved, so that runs may record at
the same time and a killed one leaves nothing incomplete.
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from uvmre import files, temp_folders
from uvmre.errors import UsageError
from uvmre.gateway.http.messages import Headers

CHUNK = 64 * 1024
ENTRY_LIMIT = 1_000_000
BODIES = "bodies"
SHA256 = re.compile(r"[0-9a-f]{64}")
METHODS = ("GET", "HEAD")
KEY_HEADERS = (b"accept", b"range")
"""The headers on which responses of an index depend; bodies are requested without a content coding."""
RECORDED_STATUSES = frozenset({200, 206, 301, 302, 303, 307, 308, 404, 410})
"""Others may come from a proxy on the way, or a server in trouble."""


class RecordingEntry(NamedTuple):
    """One recorded response."""

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    sha256: str
    size: int


def entry_key(method: str, url: str, headers: Headers) -> str | None:
    """Return the name of a request's entry; None where its response is not recorded."""
    if method not in METHODS or any(name == b"authorization" for name, _ in headers):
        return None
    varying = sorted((name.decode(), value.decode("latin-1")) for name, value in headers if name in KEY_HEADERS)
    return hashlib.sha256(json.dumps([method, url, varying]).encode()).hexdigest()


def body_paths(folder: Path, bodies: Path, sha256: str) -> tuple[Path, Path]:
    """Return where a body may be: in the cache, or beside the entries, where `uvmre recording pack` puts it."""
    name = Path(sha256[:2], sha256)
    return bodies / name, folder / BODIES / name


def is_intact(path: Path, sha256: str) -> bool:
    """Tell whether a body exists and has its digest."""
    try:
        with files.open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except (OSError, UsageError):
        return False


def read_entry(file: Path) -> RecordingEntry | None:
    """Read an entry, so strictly that its digest can be part of a path; None where it is invalid."""
    try:
        data = json.loads(files.read_bytes(file, limit=ENTRY_LIMIT, follow=False))
        entry = RecordingEntry(**{**data, "headers": tuple((name, value) for name, value in data["headers"])})
        texts = isinstance(entry.method, str) and isinstance(entry.url, str)
        numbers = isinstance(entry.status, int) and isinstance(entry.size, int) and entry.size >= 0
        return entry if texts and numbers and entry.url.isprintable() and SHA256.fullmatch(entry.sha256) else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError, UsageError):
        return None


class Recording:
    """The recorded responses of one MRE."""

    def __init__(self, folder: Path, bodies: Path) -> None:
        self._folder = folder
        self._bodies = bodies
        self._intact: dict[str, Path] = {}
        self._temporary: dict[Path, Path] = {}
        self._numbers = itertools.count()

    def find_entry(self, key: str) -> RecordingEntry | None:
        """Return an entry whose body is intact."""
        entry = read_entry(self._folder / f"{key}.json")
        body = self._find_body(entry.sha256) if entry else None
        return entry if entry and body and body.stat().st_size == entry.size else None

    def read_body(self, entry: RecordingEntry, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield a body, or the range of it from `start` up to `stop`, in chunks."""
        left = (entry.size if stop is None else stop) - start
        with (self._find_body(entry.sha256) or self._cached(entry.sha256)).open("rb") as file:
            file.seek(start)
            while chunk := file.read(min(CHUNK, left)):
                left -= len(chunk)
                yield chunk

    def start_entry(self, key: str, method: str, url: str, status: int, headers: Headers) -> "RecordingWriter":
        """Start to record a response."""
        decoded = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        kept = tuple(header for header in decoded if header[0] != "set-cookie")  # a secret of one client
        from uvmre.core.secrets.redact import redact

        return RecordingWriter(self, key, RecordingEntry(method, redact(url), status, kept, "", 0))

    def commit(self, key: str, entry: RecordingEntry, body: Path) -> None:
        """Move a body and its entry into place."""
        path = self._cached(entry.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        temp_folders.install(body, path)
        self._intact[entry.sha256] = path
        file = self._unfinished(self._folder)
        file.write_text(json.dumps(entry._asdict()), encoding="utf-8")
        temp_folders.install(file, self._folder / f"{key}.json")

    def unfinished_body(self) -> Path:
        """Return the path of a new body, on the disk of the others."""
        return self._unfinished(self._bodies)

    def close(self) -> None:
        """Remove the folders of unfinished files, also those that a killed process left."""
        for folder in self._temporary.values():
            temp_folders.remove(folder)
        temp_folders.sweep(self._bodies, self._folder)

    def _unfinished(self, parent: Path) -> Path:
        """Return a new path in a temporary folder of this process."""
        folder = self._temporary.get(parent)
        if folder is None or not folder.is_dir():
            parent.mkdir(parents=True, exist_ok=True)
            folder = self._temporary[parent] = temp_folders.create(parent, temp_folders.ASIDE)
        return folder / str(next(self._numbers))

    def _cached(self, sha256: str) -> Path:
        return body_paths(self._folder, self._bodies, sha256)[0]

    def _find_body(self, sha256: str) -> Path | None:
        """Return the path of an intact body; each is checked once."""
        if (known := self._intact.get(sha256)) and known.exists():
            return known
        paths = body_paths(self._folder, self._bodies, sha256)
        path = next((path for path in paths if is_intact(path, sha256)), None)
        if path:
            with contextlib.suppress(OSError):  # one that cannot be written cannot be pruned either
                os.utime(path)
            self._intact[sha256] = path
        return path


class RecordingWriter:
    """A response that is being recorded: committed when the `with` block succeeds, else removed."""

    def __init__(self, recording: Recording, key: str, entry: RecordingEntry) -> None:
        self._recording, self._key, self._entry = recording, key, entry
        self._sha = hashlib.sha256()
        self._size = 0
        self._file = recording.unfinished_body().open("xb")

    def __enter__(self) -> "RecordingWriter":
        """Return the writer."""
        return self

    def write(self, chunk: bytes) -> None:
        """Append a chunk of the body."""
        self._file.write(chunk)
        self._sha.update(chunk)
        self._size += len(chunk)

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """Commit the entry, or remove what was written."""
        path = Path(self._file.name)
        try:
            self._file.close()  # which may find the disk full
            if kind is None:
                entry = self._entry._replace(sha256=self._sha.hexdigest(), size=self._size)
                self._recording.commit(self._key, entry, path)
        finally:
            path.unlink(missing_ok=True)
