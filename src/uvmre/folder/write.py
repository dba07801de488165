"""Write an MRE into a folder: aside first, then moved, so that nobody finds half of one."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from uvmre.core import manifest
from uvmre.core.mre import MANIFEST, Mre
from uvmre.errors import UsageError, at


def write(mre: Mre, target: Path, *, force: bool) -> None:
    """Write the manifest and every file of an MRE.

    Args:
        mre: all of it.
        target: the folder; missing folders above it are made.
        force: write into a folder that has something in it already.

    Raises:
        UsageError: when the folder has something in it, or cannot be written.
    """
    with whole(target, force=force) as folder:
        folder.mkdir()
        (folder / MANIFEST).write_text(manifest.dump(mre), encoding="utf-8")
        for file in mre.files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            if file.executable:
                path.chmod(0o755)


@contextlib.contextmanager
def whole(target: Path, *, force: bool) -> Iterator[Path]:
    """Give the path of a folder to make beside the target; what is in it then comes to be the target's.

    Raises:
        UsageError: when the target has something in it (and `force` is not), or cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file, not a folder.", "Name another folder.")
    if target.is_dir() and any(target.iterdir()) and not force:
        raise UsageError(
            f"{target} has something in it already.", "Name another folder, or write over it with `--force`."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        what = error.filename or target.parent
        raise UsageError(f"{what} cannot be written: {error.strerror}.", "Name a folder of yours.") from None
    try:
        made = aside / "mre"
        with at(target):
            yield made
            if target.exists():
                shutil.copytree(made, target, dirs_exist_ok=True)
            else:
                made.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
