"""Read a file that a user names: a regular one of a limited size."""

import os
import stat
from os import PathLike
from pathlib import Path

from uvmre.errors import UsageError

LIMIT = 32_000_000
PIPED = ("/dev/fd/", "/proc/self/fd/")
"""The paths of a shell's `<(command)`."""
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_bytes(path: "PathLike[str] | str", *, limit: int = LIMIT) -> bytes:
    """Return the content of a regular file or of a shell's pipe.

    Raises:
        UsageError: when there is none, it is something else (and may have no end), or it is too large.
    """
    name = os.fspath(path)
    hint = "name a regular file"
    try:
        kind = stat.S_IFMT(os.stat(name).st_mode)  # noqa: PTH116 - a Path would normalize what the user wrote
        if kind != stat.S_IFREG and not (kind == stat.S_IFIFO and name.startswith(PIPED)):
            raise UsageError(f"`{name}` is {KINDS.get(kind, 'something else')}, not a file", hint)
        with open(name, "rb", buffering=0, opener=_open_nonblocking if kind == stat.S_IFREG else None) as file:
            data = bytearray()
            # The kernel's virtual files have no size, and are read in pieces.
            while len(data) <= limit and (block := file.read(limit + 1 - len(data))):
                data += block
    except FileNotFoundError:
        raise UsageError(f"file not found: `{name}`", "check the path") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read `{name}`", hint, cause=reason) from None
    if len(data) > limit:
        raise UsageError(f"`{name}` is larger than {limit // 1_000_000} MB", "name a smaller file")
    return bytes(data)


def read_text(path: "PathLike[str] | str", *, limit: int = LIMIT) -> str:
    """Return a file as UTF-8, with or without a byte order mark.

    Raises:
        UsageError: as `read_bytes`, and when it is not UTF-8.
    """
    try:
        return read_bytes(path, limit=limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is {error.object[error.start]:#04x}"
        raise UsageError(f"`{os.fspath(path)}` is not UTF-8", "save it as UTF-8", cause=reason) from None


def _open_nonblocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # some virtual files block until there is news


def require_folder(path: Path, hint: str = "check the path, or create an MRE with `uvmre new`") -> None:
    """Check that a path is a folder; the hint is for a missing one.

    Raises:
        UsageError: when it is not.
    """
    if path.is_dir():
        return
    if path.exists():
        raise UsageError(f"`{path}` is not a folder", "name the folder itself")
    if path.is_symlink():
        raise UsageError(f"`{path}` is a broken symbolic link", "name an existing folder")
    raise UsageError(f"folder not found: `{path}`", hint)
