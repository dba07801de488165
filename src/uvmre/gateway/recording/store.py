"""The recording: what the network answered, kept by content, so that a run asks it once and the next run cannot drift.

An entry is one small file in the MRE's recording, named by its request; bodies are files in the cache, named by their
sha256 and shared by all tapes. Both are written aside and renamed: two runs may record at once, and one that is killed
leaves no half.
"""

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from uvmre.gateway.http.messages import Headers

CHUNK = 64 * 1024
TEMP_PREFIX = ".aside-"
SHA256 = re.compile(r"[0-9a-f]{64}")
DAY_SECONDS = 24 * 60 * 60
METHODS = ("GET", "HEAD")
VARY = (b"accept", b"range")
"""What else than method and address an answer of an index depends on; bodies are asked for without encoding."""
RECORDED_STATUSES = frozenset({200, 206, 301, 302, 303, 307, 308, 404, 410})
"""Statuses that say something about what was asked; others may be a proxy's on the way, or a server in trouble."""


class RecordingEntry(NamedTuple):
    """One recorded answer."""

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    sha256: str
    size: int


def entry_key(method: str, url: str, headers: Headers) -> str | None:
    """Return the name of a request on a recording; None where its answer is not to be kept."""
    if method not in METHODS or any(name == b"authorization" for name, _ in headers):
        return None
    varying = sorted((name.decode(), value.decode("latin-1")) for name, value in headers if name in VARY)
    return hashlib.sha256(json.dumps([method, url, varying]).encode()).hexdigest()


def body_paths(folder: Path, bodies: Path, sha256: str) -> tuple[Path, Path]:
    """Return where a body may be: in the cache, or beside the entries, where `uvmre recording pack` puts it."""
    name = Path(sha256[:2], sha256)
    return bodies / name, folder / "bodies" / name


def is_intact(path: Path, sha256: str) -> bool:
    """Tell whether a body is there and is what its name says."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def read_entry(file: Path) -> RecordingEntry | None:
    """Read an entry, so strictly that the name of a file can be taken from it; None where it is none."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        entry = RecordingEntry(**{**data, "headers": tuple((name, value) for name, value in data["headers"])})
        texts = isinstance(entry.method, str) and isinstance(entry.url, str)
        numbers = isinstance(entry.status, int) and isinstance(entry.size, int)
        return entry if texts and numbers and SHA256.fullmatch(entry.sha256) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


class Recording:
    """The recorded answers of one MRE."""

    def __init__(self, folder: Path, bodies: Path) -> None:
        self._folder = folder
        self._bodies = bodies
        self._sound: dict[str, Path] = {}
        self._swept = False

    def find(self, key: str) -> RecordingEntry | None:
        """Return an entry whose body is there and is what it was; a bit that flipped makes it unheard."""
        entry = read_entry(self._folder / f"{key}.json")
        body = self._sound_body(entry.sha256) if entry else None
        return entry if entry and body and body.stat().st_size == entry.size else None

    def body(self, entry: RecordingEntry, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield a body, or the part of it from `start` up to `stop`, in pieces."""
        left = (entry.size if stop is None else stop) - start
        with (self._sound_body(entry.sha256) or self._path(entry.sha256)).open("rb") as file:
            file.seek(start)
            while chunk := file.read(min(CHUNK, left)):
                left -= len(chunk)
                yield chunk

    def record(self, key: str, method: str, url: str, status: int, headers: Headers) -> "RecordingWriter":
        """Begin to record an answer."""
        told = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        kept = tuple(header for header in told if header[0] != "set-cookie")  # which is one client's, and a secret
        return RecordingWriter(self, key, RecordingEntry(method, url, status, kept, "", 0))

    def keep(self, key: str, entry: RecordingEntry, aside: Path) -> None:
        """Put a body and its entry where they are found."""
        path = self._path(entry.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.rename(path)
        self._sound[entry.sha256] = path
        import tempfile

        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=self._folder, prefix=TEMP_PREFIX, encoding="utf-8", delete=False
        ) as file:
            json.dump(entry._asdict(), file)
        Path(file.name).rename(self._folder / f"{key}.json")

    def aside(self) -> Path:
        """Return the folder for what is not finished, on the bodies' disk; what was killed there is swept."""
        self._bodies.mkdir(parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            for folder in (self._bodies, self._folder):
                for left in folder.glob(f"{TEMP_PREFIX}*"):
                    with contextlib.suppress(FileNotFoundError):
                        if time.time() - left.stat().st_mtime > DAY_SECONDS:
                            left.unlink()
        return self._bodies

    def _path(self, sha256: str) -> Path:
        return body_paths(self._folder, self._bodies, sha256)[0]

    def _sound_body(self, sha256: str) -> Path | None:
        """Return where a body is and is what its name says; each is read once for that."""
        if (known := self._sound.get(sha256)) and known.exists():
            return known
        found = next((path for path in body_paths(self._folder, self._bodies, sha256) if is_intact(path, sha256)), None)
        if found:
            with contextlib.suppress(OSError):  # one that cannot be written cannot be pruned either
                os.utime(found)
            self._sound[sha256] = found
        return found


class RecordingWriter:
    """An answer that is being recorded: kept when the `with` ends well, gone when it does not."""

    def __init__(self, recording: Recording, key: str, entry: RecordingEntry) -> None:
        self._tape, self._key, self._entry = recording, key, entry
        self._sha = hashlib.sha256()
        self._size = 0
        import tempfile

        self._file = tempfile.NamedTemporaryFile(dir=recording.aside(), prefix=TEMP_PREFIX, delete=False)  # noqa: SIM115 - closed by `__exit__`

    def __enter__(self) -> "RecordingWriter":
        """Return the recording."""
        return self

    def write(self, chunk: bytes) -> None:
        """Take the next piece of the body."""
        self._file.write(chunk)
        self._sha.update(chunk)
        self._size += len(chunk)

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        """Keep the whole, or leave nothing."""
        aside = Path(self._file.name)
        try:
            self._file.close()  # which may find the disk full
            if kind is None:
                entry = self._entry._replace(sha256=self._sha.hexdigest(), size=self._size)
                self._tape.keep(self._key, entry, aside)
        finally:
            with contextlib.suppress(FileNotFoundError):
                aside.unlink()
