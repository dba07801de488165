"""An MRE as a zip archive, which is the same bytes for the same files."""

import io
import stat
import zipfile
import zlib
from collections.abc import Sequence

from uvmre.core.mre.files import File
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle

LIMIT = 100_000_000
"""Bytes of all files that are read."""
MOST = 10_000
"""Files that are read."""
DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that the format has."""


def write_bundle(bundle: Bundle) -> bytes:
    """Return an MRE, and what runs it without uvmre, as a zip archive."""
    return write_zip(bundle.whole)


def write_zip(files: Sequence[File]) -> bytes:
    """Return files as a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, DATE)
            entry.create_system = 3  # Unix, whose modes are kept
            entry.external_attr = (stat.S_IFREG | (0o755 if file.executable else 0o644)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.content)
    return buffer.getvalue()


def read_zip(content: bytes, source: str) -> tuple[File, ...]:
    """Return the files of a zip archive; a folder that all of them are in is left out of their paths.

    Raises:
        InputError: if it is damaged, too large, or has links.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > LIMIT or len(entries) > MOST:
                raise InputError(f"failed to read `{source}`", [f"it has more than {LIMIT} bytes or {MOST} files"])
            if links := [each.filename for each in entries if stat.S_ISLNK(each.external_attr >> 16)]:
                raise InputError(f"failed to read `{source}`", [f"{name} is a link" for name in links])
            # A stream of at most the size that the entry claims: the checksum finds one that is longer.
            files = [File(e.filename, archive.read(e), bool(e.external_attr >> 16 & 0o111)) for e in entries]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(f"failed to read `{source}`", [f"it is not a usable zip archive: {error}"]) from None
    top = files[0].path.partition("/")[0] + "/" if files else "/"
    if all(file.path.startswith(top) for file in files):
        return tuple(File(file.path.removeprefix(top), file.content, file.executable) for file in files)
    return tuple(files)
