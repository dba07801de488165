"""A recording as a whole: its entries, whether they are intact, and one file that replays an MRE anywhere."""

import fnmatch
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uvmre import temp_folders
from uvmre.core.text.visible import shown_name
from uvmre.errors import naming_path
from uvmre.gateway.recording.store import BODIES, RecordingEntry, body_paths, is_intact, read_entry

ProgressCallback = Callable[[str, int, int], None]
"""Called with the current action, the bytes done, and the bytes in all."""

CHUNK = 1 << 20
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first day of the zip format: the same content gives the same file on any day."""
COMPRESSED = (b"PK\x03\x04", b"\x1f\x8b")
"""How wheels and sdists begin, which are compressed already."""
REGULAR = 0o100000


@dataclass(frozen=True)
class ListedEntry:
    """An entry and its file."""

    file: Path
    entry: RecordingEntry


@dataclass(frozen=True)
class Listing:
    """The entries of a recording, by URL."""

    entries: tuple[ListedEntry, ...]
    unreadable: tuple[Path, ...]
    """The files that are no valid entries."""

    @property
    def size(self) -> int:
        """Return the bytes of all bodies."""
        return sum(listed.entry.size for listed in self.entries)


@dataclass(frozen=True)
class RecordingFault:
    """An entry that cannot be replayed."""

    file: str
    method: str
    url: str
    sha256: str
    what: Literal["missing", "damaged", "unreadable"]

    @property
    def line(self) -> str:
        """Return the fault as one line."""
        if self.what == "unreadable":
            return f"{self.file} is not an entry of a recording: delete it"
        return f"{self.method} {self.url}: its body {self.sha256[:12]} is {self.what}"


@dataclass(frozen=True)
class Check:
    """What can be replayed, and what cannot."""

    entries: int
    bodies: dict[str, Path]
    """The path of each intact body."""
    faults: tuple[RecordingFault, ...]


@dataclass(frozen=True)
class PackedFile:
    """One file of a pack."""

    name: str
    source: Path | bytes
    executable: bool = False

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


def list_recording(recording: Path) -> Listing:
    """List the entries of a recording; a missing folder has none."""
    read = [(file, read_entry(file)) for file in sorted(recording.glob("*.json"))]
    entries = [ListedEntry(file, entry) for file, entry in read if entry]
    entries.sort(key=lambda listed: (listed.entry.url, listed.entry.method, listed.file.name))
    return Listing(tuple(entries), tuple(file for file, entry in read if not entry))


def remove_entries(recording: Path, patterns: Sequence[str]) -> int:
    """Delete the entries whose URL matches one of the patterns, all without patterns; return their number.

    The bodies in the cache are shared and stay; the recording's own go with the last entry that refers to them.
    """
    listed = list_recording(recording)
    doomed = [
        item.file
        for item in listed.entries
        if not patterns or any(fnmatch.fnmatchcase(item.entry.url, pattern) for pattern in patterns)
    ]
    doomed += [] if patterns else listed.unreadable
    for file in doomed:
        file.unlink(missing_ok=True)
    needed = {item.entry.sha256 for item in listed.entries if item.file not in doomed}
    for body in (recording / BODIES).glob("*/*"):
        if body.name not in needed:
            body.unlink(missing_ok=True)
    return len(doomed)


def check_recording(recording: Path, bodies: Path, progress: ProgressCallback) -> Check:
    """Check the digest of every body once."""
    listed = list_recording(recording)
    sizes = {item.entry.sha256: item.entry.size for item in listed.entries}
    intact: dict[str, Path] = {}
    faulty: dict[str, Literal["missing", "damaged"]] = {}
    done = 0
    for sha256, size in sizes.items():
        paths = body_paths(recording, bodies, sha256)
        if path := next((path for path in paths if is_intact(path, sha256)), None):
            intact[sha256] = path
        else:
            faulty[sha256] = "damaged" if any(path.exists() for path in paths) else "missing"
        done += size
        progress("checking", done, sum(sizes.values()))
    faults = [
        RecordingFault(item.file.name, item.entry.method, item.entry.url, item.entry.sha256, faulty[item.entry.sha256])
        for item in listed.entries
        if item.entry.sha256 in faulty
    ]
    faults += [RecordingFault(shown_name(file.name), "", "", "", "unreadable") for file in listed.unreadable]
    return Check(len(listed.entries), intact, tuple(faults))


def packed_files(recording: Path, bodies: dict[str, Path]) -> list[PackedFile]:
    """Return the entries that have a body, and the bodies, named as they are in the folder of a recording."""
    listed = list_recording(recording).entries
    entries = [PackedFile(item.file.name, item.file) for item in listed if item.entry.sha256 in bodies]
    return [*entries, *(PackedFile(f"{BODIES}/{sha256[:2]}/{sha256}", path) for sha256, path in bodies.items())]


def write_pack(target: Path, top: str, packed: Iterable[PackedFile], progress: ProgressCallback) -> str:
    """Write a reproducible zip with everything in one folder, atomically, and return its sha256."""
    ordered = sorted(packed, key=lambda file: file.name)
    total = sum(file.size for file in ordered)
    done = 0
    with naming_path(target), temp_folders.temporary(target.parent, ".aside-") as folder:
        temporary = folder / "pack"
        with zipfile.ZipFile(temporary, "w") as archive:
            for file in ordered:
                for size in _add_file(archive, top, file):
                    done += size
                    progress("packing", done, total)
        with temporary.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        temporary.rename(target)
    return sha256


def _add_file(archive: zipfile.ZipFile, top: str, packed: PackedFile) -> Iterator[int]:
    """Add one file, and yield the sizes of its chunks as they are written."""
    info = zipfile.ZipInfo(f"{top}/{packed.name}", ZIP_EPOCH)
    info.external_attr = (REGULAR | (0o755 if packed.executable else 0o644)) << 16
    info.file_size = packed.size
    with io.BytesIO(packed.source) if isinstance(packed.source, bytes) else packed.source.open("rb") as file:
        is_compressed = file.read(4).startswith(COMPRESSED)
        info.compress_type = zipfile.ZIP_STORED if is_compressed else zipfile.ZIP_DEFLATED
        file.seek(0)
        with archive.open(info, "w") as member:
            while chunk := file.read(CHUNK):
                member.write(chunk)
                yield len(chunk)
