"""Read the folder of an MRE into its value."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from uvmre.core import manifest
from uvmre.core.mre import MANIFEST, File, Mre
from uvmre.errors import InputError, UsageError

LEFT_OUT = frozenset({".uvmre", ".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
"""What comes into a folder by working in it, and is no part of the MRE."""
SIZE_LIMIT = 100_000_000


def read(folder: Path) -> Mre:
    """Read `mre.toml` and every file beside it.

    Raises:
        UsageError: when the folder is none, or has no manifest.
        InputError: with all the faults of the manifest, or of the files.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{folder} is not an MRE: it has no {MANIFEST}.",
            "Make one with `uvmre new`, or name the folder that has it.",
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path} could not be read.", ["it is not UTF-8, which TOML must be"]) from None
    mre = manifest.parse(text, source=str(path))
    faults: list[str] = []
    files = tuple(_files(folder, faults))
    named = [name for name in (mre.environment.env_file,) if name and all(file.path != name for file in files)]
    faults += [f"environment.env-file names {name}, which is not in the folder" for name in named]
    if faults:
        raise InputError(f"{folder} has {len(faults)} fault{'s' * (len(faults) > 1)}.", faults)
    return replace(mre, files=files)


def _files(folder: Path, faults: list[str]) -> Iterator[File]:
    size = 0
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in sorted(names):
            path = Path(where) / name
            relative = path.relative_to(folder).as_posix()
            if relative == MANIFEST:
                continue
            if not path.resolve().is_relative_to(folder.resolve()):
                faults.append(f"{relative} is a link that leaves the folder: put the file itself there")
            elif not path.is_file():
                faults.append(f"{relative} is neither a file nor a folder")
            else:
                size += path.stat().st_size
                if size > SIZE_LIMIT:
                    faults.append(
                        f"with {relative} the folder is larger than {SIZE_LIMIT // 1_000_000} MB: an MRE is small"
                    )
                    return
                yield File(relative, path.read_bytes(), os.access(path, os.X_OK))
