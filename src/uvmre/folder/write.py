"""Write an MRE into a folder, atomically, and never over files that uvmre did not write."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from uvmre import temp_folders
from uvmre.core.generated.run_script import generated_files
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import LEFT_OUT, MANIFEST, Mre
from uvmre.core.mre.portable_names import is_reserved, name_faults
from uvmre.core.text.visible import shown_name, visible
from uvmre.errors import InputError, UsageError, naming_path
from uvmre.folder import written
from uvmre.folder.evidence import OWN, ignore_in_git

STAGE = "new-"
"""The prefix of the temporary folder in an MRE that is replaced."""
NEW, OLD = "mre", "old"
"""Its folders: of the new files, and of the old ones until the new ones are in place."""
SWAP = "swap.json"
"""Its file that names the new files while they are moved."""
MAX_LISTED = 20
"""Paths listed in an error."""

Confirm = Callable[[Sequence[str]], bool]
"""Called with the paths that would be replaced or removed; returns whether to do it."""


def write_mre(
    mre: Mre,
    target: Path,
    *,
    force: bool,
    confirm: Confirm | None = None,
    origin: str = "",
    comments: Sequence[str] = (),
    text: bytes = b"",
) -> None:
    """Write the manifest and the files of an MRE, and those that run it without uvmre.

    Args:
        mre: the MRE.
        target: the folder; its parents are created.
        force: replace files that uvmre wrote there before.
        confirm: called without `force`, where files would be replaced.
        origin: where it came from, if it is not the user's.
        comments: lines at the top of the manifest.
        text: the manifest itself, if there is one already.

    Raises:
        UsageError: when the folder cannot be written, or has other files.
        InputError: when a file has a name that it cannot have everywhere.
    """
    files = (*mre.files, *generated_files(mre))
    faults = [f"{shown_name(file.path)} is not a file of an MRE" for file in files if is_reserved(file.path)]
    if faults := [*faults, *name_faults(file.path for file in files)]:
        raise InputError(f"failed to write `{target}`", _shorten(faults))
    with staged(target, force=force, confirm=confirm, origin=origin) as folder:
        folder.mkdir()
        head = "".join(f"# {visible(line)}\n" for line in comments)
        (folder / MANIFEST).write_bytes(text or (head + manifest.dump(mre)).encode())
        for file in files:
            _write(folder, file)


@contextlib.contextmanager
def staged(
    target: Path, *, force: bool, confirm: Confirm | None = None, origin: str = "", rendered: bool = False
) -> Iterator[Path]:
    """Give the path of a folder to create; its files are moved into the target when the `with` block ends.

    Files that uvmre wrote there before are replaced or removed; any other file is an error, and nothing changes. With
    `rendered` the files are a template's, and are kept as they are for its next update.

    Raises:
        UsageError: when the target cannot be written, or has other files.
    """
    recover(target)
    require_usable(target, may_replace=force or confirm is not None)
    exists = target.is_dir()
    try:
        parent, prefix = (target / OWN, STAGE) if exists else (target.parent, f".{target.name}-")
        created_parent = exists and not parent.exists()
        parent.mkdir(parents=True, exist_ok=True)
        for abandoned in temp_folders.abandoned(parent, prefix):
            temp_folders.delete_tree(abandoned)
        temporary = temp_folders.create(parent, prefix)
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        what = error.filename or target.parent
        raise UsageError(
            f"`{what}` cannot be written", "choose a folder that you can write to", cause=error.strerror or ""
        ) from None
    try:
        new = temporary / NEW
        with naming_path(target):
            yield new
            hashes = written.hash_files(new)
            kept = tuple(written.regular_files(new).values()) if rendered else ()
            record = written.Record(hashes, origin, kept)
            if exists:
                old_paths = _paths_to_replace(target, hashes, force=force, confirm=confirm)
                _swap(target, temporary, old_paths, list(hashes), record)
                created_parent = False
            else:
                written.write_record(new, record)
                new.rename(target)
    finally:
        if not (temporary / SWAP).exists():  # else it has old files that could not be restored
            temp_folders.remove(temporary)
        if created_parent:
            with contextlib.suppress(OSError):
                parent.rmdir()


def require_usable(target: Path, *, may_replace: bool) -> None:
    """Check that an MRE can be written into a folder, whatever it has.

    Raises:
        UsageError: if it cannot.
    """
    if target.is_symlink() and not target.is_dir():
        raise UsageError(f"`{target}` is a link that is not to a folder", "choose another folder")
    if target.exists() and not target.is_dir():
        raise UsageError(f"`{target}` is a file, not a folder", "choose another folder")
    if not target.is_dir():
        return
    own = target / OWN
    if own.is_symlink() or (own.exists() and not own.is_dir()):
        raise UsageError(f"`{own}` is not a folder", "choose another folder")
    names = sorted(path.name + "/" * path.is_dir() for path in target.iterdir() if path.name not in LEFT_OUT)
    if names and not (target / MANIFEST).is_file() and not written.read_record(target):
        raise InputError(
            f"`{target}` is not empty and not an MRE",
            _shorten(names),
            "choose another folder",
        )
    if names and not may_replace:
        raise UsageError(
            f"`{target}` already contains an MRE",
            "choose another folder, or replace the MRE with `--force`",
        )


def _paths_to_replace(target: Path, hashes: written.Hashes, *, force: bool, confirm: Confirm | None) -> list[str]:
    """Return the paths of the target that files with these hashes replace or remove.

    Raises:
        InputError: with every file that uvmre did not write, or that was changed since.
        UsageError: when it is not confirmed.
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
            f"`{target}` has {len(faults)} file{'s' * (len(faults) > 1)} not written by uvmre",
            _shorten(faults),
            "move them, or choose another folder",
        )
    if replaced and not force and not (confirm and confirm(replaced)):
        raise UsageError(f"`{target}` was not replaced", "choose another folder, or replace the MRE with `--force`")
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


def replace_files(
    target: Path, files: Sequence[File], removed: Sequence[str], rendered: Sequence[File], origin: str = ""
) -> None:
    """Write and remove files of an MRE, all or none, and record what its template rendered."""
    ignore_in_git(target / OWN)
    temporary = temp_folders.create(target / OWN, STAGE)
    try:
        with naming_path(target):
            (temporary / NEW).mkdir()
            for file in files:
                _write(temporary / NEW, file)
            paths = [file.path for file in files]
            hashes = {file.path: hashlib.sha256(file.content).hexdigest() for file in rendered}
            record = written.Record(hashes, written.read_origin(target) or origin, tuple(rendered))
            _swap(target, temporary, [*removed, *paths], paths, record)
    finally:
        if not (temporary / SWAP).exists():
            temp_folders.remove(temporary)


def write_generated(folder: Path, files: Iterable[File]) -> None:
    """Write the files that run an MRE without uvmre, where it has none of their names."""
    for file in files:
        if not (folder / file.path).exists():
            _write(folder, file)


def _write(folder: Path, file: File) -> None:
    """Write a file into a folder, and create its parents."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    if file.executable:
        path.chmod(0o755)


def _swap(
    target: Path, temporary: Path, old_paths: Sequence[str], new_paths: Sequence[str], record: written.Record
) -> None:
    """Move the old files out and the new ones in; on failure, restore the target."""
    if record.origin:  # before its files, in case this process is killed between the two
        before = tuple(written.read_rendered(target).values())
        written.write_record(target, written.Record(written.read_record(target), record.origin, before))
    if (target / written.RECORD).exists():
        (temporary / OLD / OWN).mkdir(parents=True)
        shutil.copyfile(target / written.RECORD, temporary / OLD / written.RECORD)
    temp_folders.write_file(temporary / SWAP, json.dumps(sorted(new_paths)))
    try:
        _move(target, temporary / OLD, old_paths)
        _prune(target, old_paths)
        _move(temporary / NEW, target, sorted(new_paths))
        written.write_record(target, record)
    except BaseException:
        _restore(target, temporary)
        raise
    (temporary / SWAP).unlink()  # from here on, the new files are those of the target


def _restore(target: Path, temporary: Path) -> None:
    """Move the new files out again and the old ones in, however far a swap has come."""
    new_paths: list[str] = []
    with contextlib.suppress(ValueError, TypeError):  # damaged: the old files are restored all the same
        new_paths += map(str, json.loads((temporary / SWAP).read_text(encoding="utf-8")))
    _move(target, temporary / NEW, [path for path in new_paths if not (temporary / NEW / path).exists()])
    _prune(target, new_paths)
    _move(temporary / OLD, target, [*written.hash_files(temporary / OLD), written.RECORD])
    (temporary / SWAP).unlink()


def _move(source: Path, destination: Path, paths: Iterable[str]) -> None:
    """Move the files that exist; a folder that somebody sent may name others than its own."""
    for path in paths:
        folders = [(root, (root / path).parent) for root in (source, destination)]
        if all(folder.resolve().is_relative_to(root.resolve()) for root, folder in folders):
            with contextlib.suppress(FileNotFoundError):
                (source / path).lstat()
                (destination / path).parent.mkdir(parents=True, exist_ok=True)
                (source / path).rename(destination / path)


def recover(target: Path) -> None:
    """Restore an MRE whose replacement was killed."""
    for abandoned in temp_folders.abandoned(target / OWN, STAGE):
        if (abandoned / SWAP).exists():
            _restore(target, abandoned)
        temp_folders.delete_tree(abandoned)


def _prune(target: Path, paths: Sequence[str]) -> None:
    """Remove the folders of these paths that are now empty."""
    folders = {parent for path in paths for parent in (target / path).parents if parent.is_relative_to(target)}
    for folder in sorted(folders - {target}, key=lambda each: len(each.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
