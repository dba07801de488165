"""A tape as a whole: what is on it, whether it is sound, and one file with which its MRE is replayed anywhere."""

import fnmatch
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uvmre import temp_folders
from uvmre.errors import naming_path
from uvmre.gateway.recording.store import RecordingEntry, body_paths, is_intact, read_entry

ByteProgress = Callable[[str, int, int], None]
"""Called with what is done, the bytes of it that are done, and those that there are."""

BODIES = "bodies"
CHUNK = 1 << 20
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first day that a zip knows: the same content is to give the same file on any day."""
COMPRESSED = (b"PK\x03\x04", b"\x1f\x8b")
"""How wheels and sdists begin, in which there is nothing left to compress."""
REGULAR = 0o100000


@dataclass(frozen=True)
class ListedEntry:
    """An entry and its file."""

    file: Path
    entry: RecordingEntry


@dataclass(frozen=True)
class Listing:
    """What is on a tape, by address."""

    entries: tuple[ListedEntry, ...]
    unreadable: tuple[Path, ...]
    """The files that should be entries, and are none."""

    @property
    def size(self) -> int:
        """Return the bytes of all answers."""
        return sum(listed.entry.size for listed in self.entries)


@dataclass(frozen=True)
class RecordingFault:
    """An entry that would not be heard."""

    file: str
    method: str
    url: str
    sha256: str
    what: Literal["missing", "damaged", "unreadable"]

    @property
    def line(self) -> str:
        """Return it as a sentence's half."""
        if self.what == "unreadable":
            return f"{self.file} is no entry of a tape: delete it"
        return f"{self.method} {self.url}: its body {self.sha256[:12]} is {self.what}"


@dataclass(frozen=True)
class Check:
    """What a tape needs to be heard, and what is wrong with it."""

    entries: int
    bodies: dict[str, Path]
    """Where each sound body is."""
    faults: tuple[RecordingFault, ...]


@dataclass(frozen=True)
class PackedFile:
    """One file of a pack."""

    name: str
    source: Path | bytes
    executable: bool = False

    @property
    def size(self) -> int:
        """Return how large it is."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


def list_recording(recording: Path) -> Listing:
    """List what is on a tape; a folder that is not there is an empty one."""
    read = [(file, read_entry(file)) for file in sorted(recording.glob("*.json"))]
    entries = [ListedEntry(file, entry) for file, entry in read if entry]
    entries.sort(key=lambda listed: (listed.entry.url, listed.entry.method, listed.file.name))
    return Listing(tuple(entries), tuple(file for file, entry in read if not entry))


def remove_entries(recording: Path, patterns: Sequence[str]) -> int:
    """Delete the entries whose whole address matches one of the patterns, all where there is none; say how many.

    The cache's bodies are those of other tapes too and stay; the tape's own go with the last entry that names them.
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


def check_recording(recording: Path, bodies: Path, told: ByteProgress) -> Check:
    """Look for the body of every entry, and read each once to see whether it is what its name says."""
    listed = list_recording(recording)
    sizes = {item.entry.sha256: item.entry.size for item in listed.entries}
    sound: dict[str, Path] = {}
    wrong: dict[str, Literal["missing", "damaged"]] = {}
    done = 0
    for sha256, size in sizes.items():
        where = body_paths(recording, bodies, sha256)
        if found := next((path for path in where if is_intact(path, sha256)), None):
            sound[sha256] = found
        else:
            wrong[sha256] = "damaged" if any(path.exists() for path in where) else "missing"
        done += size
        told("checking", done, sum(sizes.values()))
    faults = [
        RecordingFault(item.file.name, item.entry.method, item.entry.url, item.entry.sha256, wrong[item.entry.sha256])
        for item in listed.entries
        if item.entry.sha256 in wrong
    ]
    faults += [RecordingFault(file.name, "", "", "", "unreadable") for file in listed.unreadable]
    return Check(len(listed.entries), sound, tuple(faults))


def packed_files(recording: Path, bodies: dict[str, Path]) -> list[PackedFile]:
    """Return a tape's bodies and the entries that have one, named as they are found below a tape's folder."""
    entries = [
        PackedFile(item.file.name, item.file)
        for item in list_recording(recording).entries
        if item.entry.sha256 in bodies
    ]
    return [*entries, *(PackedFile(f"{BODIES}/{sha256[:2]}/{sha256}", path) for sha256, path in bodies.items())]


def write_pack(target: Path, top: str, packed: Iterable[PackedFile], told: ByteProgress) -> str:
    """Write a zip with all below one folder, the same bytes for the same content, and return its sha256.

    It is written aside and renamed: nobody ever sees half of it.
    """
    ordered = sorted(packed, key=lambda content: content.name)
    total = sum(content.size for content in ordered)
    done = 0
    with naming_path(target), temp_folders.temporary(target.parent, ".aside-") as folder:
        aside = folder / "pack"
        with zipfile.ZipFile(aside, "w") as zipped:
            for content in ordered:
                for size in _add_file(zipped, top, content):
                    done += size
                    told("packing", done, total)
        with aside.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        aside.rename(target)
    return sha256


def _add_file(zipped: zipfile.ZipFile, top: str, content: PackedFile) -> Iterator[int]:
    """Add one file, and yield the sizes of its pieces as they are written."""
    info = zipfile.ZipInfo(f"{top}/{content.name}", ZIP_EPOCH)
    info.external_attr = (REGULAR | (0o755 if content.executable else 0o644)) << 16
    info.file_size = content.size
    with io.BytesIO(content.source) if isinstance(content.source, bytes) else content.source.open("rb") as file:
        packed_already = file.read(4).startswith(COMPRESSED)
        info.compress_type = zipfile.ZIP_STORED if packed_already else zipfile.ZIP_DEFLATED
        file.seek(0)
        with zipped.open(info, "w") as member:
            while chunk := file.read(CHUNK):
                member.write(chunk)
                yield len(chunk)
