"""Read what matters of a project, and of the user's home."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre import files
from uvmre.capture.relevant import SKIPPED, select
from uvmre.core.mre.files import File
from uvmre.core.text.parse_toml import parse_toml
from uvmre.errors import InputError, UsageError

PYPROJECT = "pyproject.toml"
MOST_FILES = 50_000
LARGEST = 5_000_000
"""Bytes of a file that is captured."""
WHOLE = 20_000_000
"""Bytes of all of them, with sources."""
HOME_FILES = (".netrc", "_netrc", ".config/uv/uv.toml", ".local/share/uv/credentials/credentials.toml")


@dataclass(frozen=True)
class ProjectTree:
    """The files of a project that matter."""

    root: Path
    """The root of the workspace."""
    folder: str
    """The captured folder, relative to it."""
    files: tuple[File, ...]
    left_out: tuple[str, ...]
    """The other files."""


def read_project(folder: Path, texts: Sequence[str], *, sources: bool = False) -> ProjectTree:
    """Read the files of a project that matter, and those that texts name; with `sources`, all text files.

    Raises:
        UsageError: if the folder does not exist, or cannot be read.
        InputError: if it has too many files.
    """
    files.require_folder(folder)
    root = workspace_root(folder.resolve())
    paths = sorted(_walk(root))
    relative_texts = [text.replace(f"{root}/", "") for text in texts]
    chosen = select(paths, relative_texts, lambda path: _text(root / path))
    found = [File(path, _bytes(root / path), os.access(root / path, os.X_OK)) for path in chosen]
    if sources:
        found += _sources(root, [path for path in paths if path not in chosen])
    kept = {file.path for file in found}
    relative = folder.resolve().relative_to(root).as_posix()
    return ProjectTree(root, relative, tuple(found), tuple(path for path in paths if path not in kept))


def workspace_root(folder: Path) -> Path:
    """Return the folder of the workspace that a folder is in, or the folder itself."""
    for parent in (folder, *folder.parents):
        if (parent / PYPROJECT).is_file():
            try:
                tool = parse_toml(_text(parent / PYPROJECT)).get("tool", {})
            except ValueError:
                continue
            if isinstance(tool, dict) and isinstance(tool.get("uv"), dict) and "workspace" in tool["uv"]:
                return parent
    return folder


def home_files(home: Path, variables: Mapping[str, str]) -> tuple[File, ...]:
    """Return the files of the user's home that uv reads, at their usual places."""
    config = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(variables.get("XDG_DATA_HOME") or home / ".local/share")
    places = {name: home / name for name in HOME_FILES}
    places[".netrc"] = Path(variables.get("NETRC") or home / ".netrc")
    places[".config/uv/uv.toml"] = config / "uv/uv.toml"
    places[HOME_FILES[-1]] = Path(variables.get("UV_CREDENTIALS_DIR") or data / "uv/credentials") / "credentials.toml"
    return tuple(File(name, _bytes(path)) for name, path in places.items() if path.is_file())


def _walk(root: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        if error.filename == str(root):
            raise UsageError(f"failed to read `{root}`", "check its permissions", cause=error.strerror or "")

    count = 0
    for folder, names, found in os.walk(root, onerror=refuse):
        names[:] = [name for name in names if name not in SKIPPED and not name.endswith(".egg-info")]
        for name in found:
            path = Path(folder, name)
            if path.is_file():
                count += 1
                if count > MOST_FILES:
                    raise InputError(
                        f"`{root}` has more than {MOST_FILES} files", [], "name the folder of the project itself"
                    )
                yield path.relative_to(root).as_posix()


def _sources(root: Path, paths: Sequence[str]) -> Iterator[File]:
    """Yield the text files, until there are too many."""
    size = 0
    for path in paths:
        content = _bytes(root / path)
        size += len(content)
        if size > WHOLE:
            return
        if b"\0" not in content:
            yield File(path, content, os.access(root / path, os.X_OK))


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.stat().st_size <= LARGEST and os.access(path, os.R_OK) else b""


def _text(path: Path) -> str:
    return _bytes(path).decode(errors="replace")
