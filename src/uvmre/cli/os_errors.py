"""What the system refuses, as an error with a cause and a hint: no mishap of files, disks or the network is a bug."""

import errno
import tempfile
from pathlib import Path

from uvmre.cli import console
from uvmre.errors import CannotTell, UsageError, UvmreError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
SHORT = {
    errno.EMFILE: "Raise the limit of open files (`ulimit -n`), then run it again.",
    errno.ENFILE: "Close some programs, then run it again.",
    errno.ENOMEM: "Close some programs, then run it again.",
    errno.EAGAIN: "Raise the limit of processes (`ulimit -u`), then run it again.",
}
"""What this machine has too little of, and what to do about it."""
WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "it would be larger than a file may be",
    errno.EROFS: "it is on a read-only file system",
    errno.EACCES: "it is not yours to write or read",
    errno.EPERM: "it is not yours to write or read",
    errno.ELOOP: "its symbolic links lead round in a circle",
}
LONG = 200
"""Characters of a path that are shown."""
CACHE_HINT = "Name another folder for the cache with XDG_CACHE_HOME, or repair this one."


def mishap(error: BaseException) -> UvmreError | None:
    """Return an error of the system or of memory as one to show; None where it is a bug of uvmre."""
    if isinstance(error, MemoryError):
        return CannotTell("There is not enough memory.", "Close some programs, or raise the limit (`ulimit -v`).")
    # Before Python 3.13, `resolve` says so of links that lead round in a circle.
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):
        return UsageError(f"{error}.", "Name a path whose links lead somewhere.")
    if not isinstance(error, OSError):
        return None
    if error.errno is None or not (error.filename or error.errno in (*NO_ROOM, *REFUSED, *SHORT)):
        return None
    what = error.filename if isinstance(error.filename, str) else str(error.filename or "A file")
    what = what if len(what) <= LONG else f"{what[:LONG]}…"
    why = WORDS.get(error.errno) or (error.strerror or str(error)).lower()
    if error.errno in NO_ROOM:
        return CannotTell(
            f"{what} could not be written: {why}.", "Make room, then run it again; nothing half-written was kept."
        )
    if error.errno in SHORT:
        return CannotTell(f"This machine has too little of something: {why}.", SHORT[error.errno])
    if error.filename and _ours(Path(what)):
        return CannotTell(f"{what} cannot be used: {why}.", CACHE_HINT)
    if error.errno in REFUSED:
        return UsageError(f"{what} cannot be used: {why}.", "Name a folder of yours that can be written.")
    return UsageError(f"{what} cannot be used: {why}.", "Look at the path, or name another.")


def _ours(path: Path) -> bool:
    """Tell whether a path is uvmre's own: in the cache, or in what is temporary."""
    whole = path.absolute()
    temporary = whole.is_relative_to(tempfile.gettempdir()) and "uvmre_" in str(whole)
    return temporary or whole.is_relative_to(console.cache().absolute())
