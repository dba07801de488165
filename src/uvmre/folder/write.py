"""Write an MRE into a folder: prepared aside, then moved, and never over what uvmre did not write itself."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.generated.run_script import generated_files
from uvmre.core.mre import manifest
from uvmre.core.mre.model import LEFT_OUT, MANIFEST, Mre
from uvmre.errors import InputError, UsageError, naming_path
from uvmre.folder import written
from uvmre.folder.written import OWN

OLD = "old"
"""Where the old files are until the new ones are in."""
MAX_LISTED = 20
"""How many paths an error lists."""

Confirm = Callable[[Sequence[str]], bool]
"""Asked with the paths of uvmre's own files that would be replaced or removed."""


def write_mre(mre: Mre, target: Path, *, force: bool, confirm: Confirm | None = None) -> None:
    """Write the manifest and every file of an MRE, and what lets it run without uvmre.

    Args:
        mre: all of it.
        target: the folder; missing folders above it are made.
        force: replace the files of an MRE that uvmre wrote there before.
        confirm: asked about that, where `force` is not given.

    Raises:
        UsageError: when something is in the way, or the folder cannot be written.
    """
    with staged(target, force=force, confirm=confirm) as folder:
        folder.mkdir()
        (folder / MANIFEST).write_text(manifest.dump(mre), encoding="utf-8")
        for file in (*mre.files, *generated_files(mre)):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            if file.executable:
                path.chmod(0o755)


@contextlib.contextmanager
def staged(target: Path, *, force: bool, confirm: Confirm | None = None) -> Iterator[Path]:
    """Give the path of a folder to make; its files are moved into the target when the `with` block ends.

    The target then has these files, what uvmre keeps in `.uvmre`, and folders such as `.git`. A file that is neither
    new nor recorded as written by uvmre is never touched: it ends the call before anything is changed.

    Raises:
        UsageError: when something is in the way, or the target cannot be written.
    """
    _check(target, asks=force or confirm is not None)
    there = target.is_dir()
    try:
        beside, prefix = (target / OWN, "new-") if there else (target.parent, f".{target.name}-")
        made_own = there and not beside.exists()
        beside.mkdir(parents=True, exist_ok=True)
        for left in temp_folders.abandoned(beside, prefix):
            if not (left / OLD).exists():  # else it has what was moved out of the target
                temp_folders.delete_tree(left)
        aside = temp_folders.create(beside, prefix)
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        what = error.filename or target.parent
        raise UsageError(f"{what} cannot be written: {error.strerror}.", "Name a folder of yours.") from None
    try:
        made = aside / "mre"
        with naming_path(target):
            yield made
            hashes = written.hash_files(made)
            if there:
                gone = _paths_to_replace(target, hashes, force=force, confirm=confirm)
                _swap(target, made, aside / OLD, gone, sorted(hashes))
                made_own = False
                written.write_record(target, hashes)
            else:
                written.write_record(made, hashes)
                made.rename(target)
    finally:
        temp_folders.remove(aside)
        if made_own:
            with contextlib.suppress(OSError):
                beside.rmdir()


def _check(target: Path, *, asks: bool) -> None:
    """Refuse, before anything is prepared, a target that cannot be taken whatever is written there."""
    if target.is_symlink() and not target.is_dir():
        raise UsageError(f"{target} is a link that leads to no folder.", "Name another folder.")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file, not a folder.", "Name another folder.")
    if not target.is_dir():
        return
    own = target / OWN
    if own.is_symlink() or (own.exists() and not own.is_dir()):
        raise UsageError(f"{own} is not a folder of its own, so nothing is written there.", "Name another folder.")
    names = sorted(path.name + "/" * path.is_dir() for path in target.iterdir() if path.name not in LEFT_OUT)
    if names and not (target / MANIFEST).is_file():
        raise InputError(
            f"{target} has something in it already, and is not an MRE: nothing in it is replaced.",
            _shorten(names),
            "Name another folder.",
        )
    if names and not asks:
        raise UsageError(
            f"{target} has something in it already: an MRE.",
            "Name another folder, or replace the MRE with `--force`.",
        )


def _paths_to_replace(target: Path, hashes: written.Hashes, *, force: bool, confirm: Confirm | None) -> list[str]:
    """Return the paths of the target that are replaced or removed by files with these hashes.

    Raises:
        InputError: with every file that uvmre did not write, or that was changed since.
        UsageError: when nobody agreed.
    """
    before = written.read_record(target)
    faults, replaced, same = [], [], []
    for path, entry in written.hash_entries(target):
        if entry and entry == hashes.get(path):
            same.append(path)
        elif entry and entry == before.get(path):
            replaced.append(path)
        else:
            faults.append(f"{path}: {_fault(target / path, entry, known=path in before)}")
    if faults:
        raise InputError(
            f"{target} has {len(faults)} file{'s' * (len(faults) > 1)} that uvmre did not write: nothing is replaced.",
            _shorten(faults),
            "Move them away, or name another folder.",
        )
    if replaced and not force and not (confirm and confirm(replaced)):
        raise UsageError(f"{target} stays as it is.", "Name another folder, or replace the MRE with `--force`.")
    return [*replaced, *same]


def _fault(path: Path, entry: str, *, known: bool) -> str:
    if path.is_symlink():
        return "a link"
    if not entry:
        return "cannot be read"
    return "changed since uvmre wrote it" if known else "not written by uvmre"


def _shorten(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MAX_LISTED
    return [*lines[:MAX_LISTED], *([f"and {more} more"] if more > 0 else [])]


def _swap(target: Path, made: Path, old: Path, gone: Sequence[str], new: Sequence[str]) -> None:
    """Move the old files out and the new ones in; when that fails, the target is as it was."""
    undo: list[tuple[Path, Path]] = []

    def move(source: Path, destination: Path) -> None:
        destination.parent.mkdir(parents=True, exist_ok=True)
        source.rename(destination)
        undo.append((destination, source))

    try:
        for path in gone:
            move(target / path, old / path)
        _prune(target, gone)
        for path in new:
            move(made / path, target / path)
    except BaseException:
        for destination, source in reversed(undo):
            source.parent.mkdir(parents=True, exist_ok=True)
            destination.rename(source)
        _prune(target, new)
        raise


def _prune(target: Path, paths: Sequence[str]) -> None:
    """Remove the folders of these paths that are empty now."""
    folders = {parent for path in paths for parent in (target / path).parents if parent.is_relative_to(target)}
    for folder in sorted(folders - {target}, key=lambda each: len(each.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
