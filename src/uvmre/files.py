"""Read a file that a user names: a regular one of a limited size."""

import io
import os
import stat
from os import PathLike
from pathlib import Path

from uvmre.errors import UsageError

LIMIT = 32_000_000
HINT = "name a regular file"
PIPED = ("/dev/fd/", "/proc/self/fd/")
"""The paths of a shell's `<(command)`."""
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_bytes(path: "PathLike[str] | str", *, limit: int = LIMIT, follow: bool = True) -> bytes:
    """Return the content of a regular file or of a shell's pipe; without `follow` not of a symbolic link.

    Raises:
        UsageError: when there is none, it is something else (and may have no end), or it is too large.
    """
    name = os.fspath(path)
    try:
        with open_file(name, follow=follow) as file:
            data = bytearray()
            # The kernel's virtual files have no size, and are read in pieces.
            while len(data) <= limit and (block := file.read(limit + 1 - len(data))):
                data += block
    except FileNotFoundError:
        raise UsageError(f"file not found: `{name}`", "check the path") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read `{name}`", HINT, cause=reason) from None
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


def open_file(path: "PathLike[str] | str", *, follow: bool = False) -> io.FileIO:
    """Open a regular file or a shell's pipe, whatever is swapped for it meanwhile; a link only with `follow`.

    Raises:
        UsageError: when it is something else.
    """
    name = os.fspath(path)
    kind = _require_file(name, os.stat(name, follow_symlinks=follow))  # noqa: PTH116 - a Path would normalize the name
    # Some virtual files block until there is news.
    flags = (0 if follow else os.O_NOFOLLOW) | (os.O_NONBLOCK | os.O_NOCTTY if kind == stat.S_IFREG else 0)
    file = io.FileIO(name, "rb", opener=lambda path, own: os.open(path, own | flags))
    try:
        _require_file(name, os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def _require_file(name: str, found: os.stat_result) -> int:
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG and not (kind == stat.S_IFIFO and name.startswith(PIPED)):
        raise UsageError(f"`{name}` is {KINDS.get(kind, 'something else')}, not a file", HINT)
    return kind


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
