"""Read the folder of an MRE."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from uvmre import files
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.generated.names import is_generated
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import LEFT_OUT, MANIFEST, Mre, read_env_file
from uvmre.core.mre.portable_names import name_faults
from uvmre.core.text.toml_checks import VARIABLE
from uvmre.core.text.visible import shown_name
from uvmre.errors import InputError, UsageError
from uvmre.folder.evidence import OWN

SIZE_LIMIT = 100_000_000
ENTRY_LIMIT = 10_000
"""Files and folders of an MRE."""
MAX_LENGTH = 200
"""Characters of a path that are shown."""


def read_mre(folder: Path) -> Mre:
    """Read `mre.toml` and the files beside it; without steps there, they are the RUNs of the Dockerfile.

    Raises:
        UsageError: when the folder is none, or has no manifest.
        InputError: with all the faults of the manifest, or of the files.
    """
    files.require_folder(folder)
    require_own_folders(folder)
    if any((folder / ".uvmre").glob("new-*")):
        from uvmre.folder.write import recover

        recover(folder)
    path = folder / MANIFEST
    if path.is_symlink() and not _is_inside(path, folder.resolve()):
        raise InputError(f"failed to read `{path}`", ["it is a link that leaves the folder: copy the file instead"])
    if not path.exists():
        raise UsageError(
            f"`{folder}` is not an MRE: it has no `{MANIFEST}`",
            "create one with `uvmre new`, or pass the folder that has it",
        )
    try:
        text = files.read_bytes(path).decode()
    except UnicodeDecodeError:
        raise InputError(f"failed to read `{path}`", ["it is not UTF-8, which TOML must be"]) from None
    faults: list[str] = []
    found = tuple(_files(folder, faults))
    mre = manifest.parse(text, source=str(path), dockerfile=any(file.path == DOCKERFILE for file in found))
    whole = replace(mre, files=found)
    return complete_mre(whole, str(folder), faults)


def complete_mre(mre: Mre, source: str, faults: Sequence[str] = ()) -> Mre:
    """Return an MRE with the steps of its Dockerfile, if it has none of its own.

    Raises:
        InputError: with the given faults, and those of what the manifest names.
    """
    if faults := [*faults, *_env_faults(mre), *_named_faults(mre)]:
        raise InputError(f"`{source}` has {len(faults)} error{'s' * (len(faults) > 1)}", faults)
    if mre.steps:
        return mre
    from uvmre.core.dockerfile.interpret import with_steps  # most manifests have steps of their own

    return with_steps(mre)


def read_files(folder: Path) -> tuple[File, ...]:
    """Return the files of any folder, as an MRE would have them.

    Raises:
        InputError: with all the faults of the files.
    """
    faults: list[str] = []
    found = tuple(_files(folder, faults))
    if faults:
        raise InputError(f"`{folder}` has {len(faults)} error{'s' * (len(faults) > 1)}", faults)
    return found


def require_own_folders(folder: Path) -> None:
    """Check that `.uvmre` has no links: a stranger could point them at what uvmre then writes, deletes or executes.

    Raises:
        UsageError: when it has.
    """
    for path in (folder / OWN, *(folder / OWN).glob("*"), *(folder / OWN).glob("*/*")):
        if path.is_symlink():
            raise UsageError(f"`{path}` is a symbolic link", "delete it")


def _is_inside(path: Path, root: Path) -> bool:
    return path.resolve(strict=True).is_relative_to(root)


def _env_faults(mre: Mre) -> list[str]:
    name = mre.environment.env_file
    if not name:
        return []
    file = mre.file(name)
    if file is None:
        return [f"environment.env-file names {name}, which is not in the folder"]
    variables = read_env_file(file.content.decode(errors="replace"))
    return [f"{name}: {key!r} is not the name of a variable" for key in variables if not VARIABLE.match(key)]


def _named_faults(mre: Mre) -> Iterator[str]:
    for index in mre.indexes:
        for package in index.packages:
            if package.file and mre.file(package.file) is None:
                yield f"{package.name} {package.version} names {package.file}, which is not in the folder"
    for answer in mre.answers:
        if answer.file and mre.file(answer.file) is None:
            yield f"the answer of {answer.url} names {answer.file}, which is not in the folder"
    for repository in mre.repositories:
        for commit in repository.commits:
            if not any(file.path.startswith(f"{commit.folder.rstrip('/')}/") for file in mre.files):
                yield f"the repository {repository.url} names the folder {commit.folder}, which has no files"


def _files(folder: Path, faults: list[str]) -> Iterator[File]:
    size, root, above = 0, folder.resolve(), len(str(folder).rstrip("/")) + 1
    paths: list[str] = []
    for entry in _walk(folder, faults):
        relative = entry.path[above:]
        try:
            # Resolving is slow, and only a link can leave the folder.
            inside = not entry.is_symlink() or _is_inside(Path(entry.path), root)
            relative.encode()
            regular = entry.is_file()
        except (OSError, RuntimeError, UnicodeEncodeError):
            faults.append(f"{relative!r} is a broken link, or its name is not UTF-8")
            continue
        if not inside:
            faults.append(f"{shown_name(relative)} is a link that leaves the folder: copy the file instead")
        elif not regular:
            faults.append(f"{shown_name(relative)} is neither a file nor a folder")
        else:
            size += entry.stat().st_size
            if size > SIZE_LIMIT:
                faults.append(f"with {shown_name(relative)} the folder is larger than {SIZE_LIMIT // 1_000_000} MB")
                return
            path = Path(entry.path).resolve() if entry.is_symlink() else entry.path
            content = files.read_bytes(path, limit=SIZE_LIMIT, follow=False)
            paths.append(relative)
            if not is_generated(relative, content):
                yield File(relative, content, os.access(entry.path, os.X_OK))
    faults += name_faults(paths)


def _walk(folder: Path, faults: list[str]) -> "Iterator[os.DirEntry[str]]":
    """Yield every file, and every link to a folder, except the manifest."""
    pending, count, above = [str(folder)], 0, len(str(folder).rstrip("/")) + 1
    while pending:
        where = pending.pop()
        try:
            with os.scandir(where) as found:
                entries = sorted(islice(found, ENTRY_LIMIT + 1), key=lambda entry: entry.name)
        except OSError as error:
            faults.append(f"{shown_name(where[above:])[:MAX_LENGTH]} cannot be read: {error.strerror}")
            continue
        count += len(entries)
        if count > ENTRY_LIMIT:
            faults.append(f"it has more than {ENTRY_LIMIT} files and folders")
            return
        folders = [entry for entry in entries if _is_folder(entry)]
        own = {entry.name for entry in folders if not entry.is_symlink()} | LEFT_OUT.intersection(
            e.name for e in folders
        )
        for entry in entries:
            if entry.name not in own and not (entry.name == MANIFEST and where == str(folder)):
                yield entry
        pending += [entry.path for entry in reversed(folders) if entry.name in own and entry.name not in LEFT_OUT]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False
