"""Errors of the operating system as errors with a cause and a hint: a full disk is no bug of uvmre."""

import errno
import tempfile
from pathlib import Path

from uvmre.cli import console
from uvmre.errors import CannotTell, UsageError, UvmreError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_PERMITTED = (errno.EROFS, errno.EACCES, errno.EPERM)
EXHAUSTED = {
    errno.EMFILE: "raise the limit of open files with `ulimit -n`, then run it again",
    errno.ENFILE: "close some programs, then run it again",
    errno.ENOMEM: "close some programs, then run it again",
    errno.EAGAIN: "raise the limit of processes with `ulimit -u`, then run it again",
}
"""Hints for resources of which the machine has too few."""
CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is exceeded",
    errno.EFBIG: "the file is too large for the file system",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
    errno.ELOOP: "its symbolic links form a loop",
}
MAX_LENGTH = 200
"""Characters of a path that are printed."""
CACHE_HINT = "set `XDG_CACHE_HOME` to another folder, or repair this one"


def as_uvmre_error(error: BaseException) -> UvmreError | None:
    """Return an error of the system or of memory as an error of a verb; None where it is a bug of uvmre."""
    if isinstance(error, MemoryError):
        return CannotTell("out of memory", "close some programs, or raise the limit with `ulimit -v`")
    # Before Python 3.13, `resolve` raises this for a loop of symbolic links.
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):
        return UsageError(str(error)[:1].lower() + str(error)[1:], "use a path without a loop of links")
    if not isinstance(error, OSError):
        return None
    if error.errno is None or not (error.filename or error.errno in (*NO_SPACE, *NOT_PERMITTED, *EXHAUSTED)):
        return None
    path = error.filename if isinstance(error.filename, str) else str(error.filename or "a file")
    path = path if len(path) <= MAX_LENGTH else f"{path[:MAX_LENGTH]}…"
    cause = CAUSES.get(error.errno) or (error.strerror or str(error)).lower()
    if error.errno in NO_SPACE:
        hint = "free some space, then run it again; no partial file was kept"
        return CannotTell(f"failed to write `{path}`", hint, cause=cause)
    if error.errno in EXHAUSTED:
        return CannotTell("a resource of this machine is exhausted", EXHAUSTED[error.errno], cause=cause)
    if error.filename and _is_own(Path(path)):
        return CannotTell(f"failed to access `{path}`", CACHE_HINT, cause=cause)
    hint = "use a writable folder" if error.errno in NOT_PERMITTED else "check the path"
    return UsageError(f"failed to access `{path}`", hint, cause=cause)


def _is_own(path: Path) -> bool:
    """Return whether a path belongs to uvmre: in the cache, or in a temporary folder."""
    absolute = path.absolute()
    temporary = absolute.is_relative_to(tempfile.gettempdir()) and "uvmre_" in str(absolute)
    return temporary or absolute.is_relative_to(console.cache().absolute())
