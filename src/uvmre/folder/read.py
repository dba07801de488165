"""Read the folder of an MRE into its value."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from uvmre import files
from uvmre.core import manifest
from uvmre.core.checks import VARIABLE
from uvmre.core.dockerfile import DOCKERFILE
from uvmre.core.generated import is_generated
from uvmre.core.mre import LEFT_OUT, MANIFEST, File, Mre, read_env_file
from uvmre.errors import InputError, UsageError

SIZE_LIMIT = 100_000_000


def read(folder: Path) -> Mre:
    """Read `mre.toml` and every file beside it; without a step there, the steps are the RUNs of the Dockerfile.

    Raises:
        UsageError: when the folder is none, or has no manifest.
        InputError: with all the faults of the manifest, or of the files.
    """
    files.demand_folder(folder)
    path = folder / MANIFEST
    if not path.exists():
        raise UsageError(
            f"{folder} is not an MRE: it has no {MANIFEST}.",
            "Make one with `uvmre new`, or name the folder that has it.",
        )
    try:
        text = files.content(path).decode()
    except UnicodeDecodeError:
        raise InputError(f"{path} could not be read.", ["it is not UTF-8, which TOML must be"]) from None
    faults: list[str] = []
    found = tuple(_files(folder, faults))
    mre = manifest.parse(text, source=str(path), dockerfile=any(file.path == DOCKERFILE for file in found))
    whole = replace(mre, files=found)
    faults += [*_env_faults(whole), *_package_faults(whole)]
    if faults:
        raise InputError(f"{folder} has {len(faults)} fault{'s' * (len(faults) > 1)}.", faults)
    if whole.steps:
        return whole
    from uvmre.core.follow import with_steps  # most manifests have steps of their own

    return with_steps(whole)


def files_of(folder: Path) -> tuple[File, ...]:
    """Return every file of any folder, as an MRE would have them.

    Raises:
        InputError: with all the faults of the files.
    """
    faults: list[str] = []
    found = tuple(_files(folder, faults))
    if faults:
        raise InputError(f"{folder} has {len(faults)} fault{'s' * (len(faults) > 1)}.", faults)
    return found


def _env_faults(mre: Mre) -> list[str]:
    name = mre.environment.env_file
    if not name:
        return []
    file = mre.file(name)
    if file is None:
        return [f"environment.env-file names {name}, which is not in the folder"]
    variables = read_env_file(file.content.decode(errors="replace"))
    return [f"{name}: {key!r} is not the name of a variable" for key in variables if not VARIABLE.match(key)]


def _package_faults(mre: Mre) -> Iterator[str]:
    for index in mre.indexes:
        for made in index.packages:
            if made.file and mre.file(made.file) is None:
                yield f"{made.name} {made.version} names {made.file}, which is not in the folder"


def _files(folder: Path, faults: list[str]) -> Iterator[File]:
    size = 0
    for path in _walk(folder, faults):
        relative = path.relative_to(folder).as_posix()
        try:
            inside = path.resolve(strict=True).is_relative_to(folder.resolve())
            relative.encode()
        except (OSError, RuntimeError, UnicodeEncodeError):
            faults.append(f"{relative!r} is a link that leads nowhere, or its name is not UTF-8")
            continue
        if not inside:
            faults.append(f"{relative} is a link that leaves the folder: put the file itself there")
        elif not path.is_file():
            faults.append(f"{relative} is neither a file nor a folder of its own: an MRE has only these")
        else:
            size += path.stat().st_size
            if size > SIZE_LIMIT:
                faults.append(
                    f"with {relative} the folder is larger than {SIZE_LIMIT // 1_000_000} MB: an MRE is small"
                )
                return
            content = path.read_bytes()
            if not is_generated(relative, content):
                yield File(relative, content, os.access(path, os.X_OK))


def _walk(folder: Path, faults: list[str]) -> Iterator[Path]:
    """Yield every file, and every link to a folder, but not the manifest."""

    def unreadable(error: OSError) -> None:
        faults.append(f"{error.filename} cannot be read: {error.strerror}")

    for where, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        linked = [name for name in folders if (Path(where) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if Path(where) / name != folder / MANIFEST:
                yield Path(where) / name
