"""Read a file that somebody named: a regular one, and no larger than it may be."""

import os
import stat
from os import PathLike
from pathlib import Path

from uvmre.errors import UsageError

LIMIT = 32_000_000
"""Bytes; nobody writes that much by hand."""
PIPED = ("/dev/fd/", "/proc/self/fd/")
"""Where a shell puts what `<(command)` prints."""
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_bytes(path: "PathLike[str] | str", *, limit: int = LIMIT) -> bytes:
    """Return the bytes of a regular file, or of what a shell pipes in as one.

    Raises:
        UsageError: when there is none, it is something else (which might have no end), or it is too large.
    """
    name = os.fspath(path)
    hint = "Name a regular file."
    try:
        kind = stat.S_IFMT(os.stat(name).st_mode)  # noqa: PTH116 - a path may be anything that somebody typed
        if kind != stat.S_IFREG and not (kind == stat.S_IFIFO and name.startswith(PIPED)):
            raise UsageError(f"{name} is {KINDS.get(kind, 'something else')}, not a file.", hint)
        with open(name, "rb", buffering=0, opener=_open_nonblocking if kind == stat.S_IFREG else None) as file:
            data = bytearray()
            # What the kernel makes up as it is read has no size beforehand, and comes in pieces.
            while len(data) <= limit and (block := file.read(limit + 1 - len(data))):
                data += block
    except FileNotFoundError:
        raise UsageError(f"There is no file {name}.", "Look at the path, or name another.") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}.", hint) from None
    if len(data) > limit:
        raise UsageError(f"{name} is larger than {limit // 1_000_000} MB.", "Name a smaller file.")
    return bytes(data)


def read_text(path: "PathLike[str] | str", *, limit: int = LIMIT) -> str:
    """Return a file as UTF-8, with or without a byte order mark.

    Raises:
        UsageError: as `content`, and when it is not UTF-8.
    """
    try:
        return read_bytes(path, limit=limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is {error.object[error.start]:#04x}"
        raise UsageError(f"{os.fspath(path)} is not UTF-8: {why}.", "Save it as UTF-8.") from None


def _open_nonblocking(path: str, flags: int) -> int:
    # Some files of the kernel's wait for news as a pipe does.
    return os.open(path, flags | os.O_NONBLOCK)


def require_folder(path: Path, hint: str = "Look at the path, or make an MRE with `uvmre new`.") -> None:
    """Raise where a path is no folder, with this hint where nothing is there.

    Raises:
        UsageError: which says what it is instead.
    """
    if path.is_dir():
        return
    if path.exists():
        raise UsageError(f"{path} is not a folder.", "Name the folder itself.")
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link that leads nowhere.", "Name a folder that is there.")
    raise UsageError(f"There is no folder {path}.", hint)
