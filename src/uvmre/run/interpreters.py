"""The Python interpreters of this machine: on PATH, in pyenv's and in uv's folders."""

import functools
import os
import re
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uvmre.errors import CannotTell
from uvmre.run import process

QUERY_TIMEOUT = 20
NAME = re.compile(r"python(3\.\d+)\Z")


@dataclass(frozen=True)
class Interpreter:
    """One interpreter that can be run."""

    path: Path
    version: str
    """In full, as `3.11.7`."""

    @property
    def minor(self) -> str:
        """Return the version's first two numbers."""
        return ".".join(self.version.split(".")[:2])


def base_interpreter() -> Path:
    """Return the interpreter that runs uvmre, outside its virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def find_interpreter(version: str) -> Interpreter | None:
    """Return an interpreter of a version (`3.11` or `3.11.7`), by default of the one that runs uvmre."""
    version = version or ".".join(map(str, sys.version_info[:2]))
    for path in _candidates(".".join(version.split(".")[:2])):
        exact = _version(path)
        if exact and (exact == version or exact.startswith(f"{version}.")):
            return Interpreter(path, exact)
    return None


def available() -> list[str]:
    """Return the minor versions on this machine, for a message."""
    found = {match[1] for folder in _folders() for file in _files(folder) if (match := NAME.match(file.name))}
    return sorted(found, key=lambda minor: int(minor.split(".")[1]))


def _candidates(minor: str) -> Iterator[Path]:
    base = base_interpreter()
    if minor == ".".join(map(str, sys.version_info[:2])):
        yield base
    for folder in _folders():
        path = folder / f"python{minor}"
        if os.access(path, os.X_OK) and path.is_file():  # of a folder that is closed to us, `is_file` is an error
            yield path


def _folders() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        # A shim of pyenv works for the active version only; the real folders follow below.
        if folder and not folder.endswith("/shims"):
            yield Path(folder)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    for root in (pyenv / "versions", uv):
        if root.is_dir():
            yield from (folder / "bin" for folder in sorted(root.iterdir(), key=_numbers, reverse=True))


def _numbers(folder: Path) -> list[int]:
    """Return the numbers in a name, so that 3.11.10 comes after 3.11.9."""
    return [int(number) for number in re.findall(r"\d+", folder.name)]


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


@functools.cache
def _version(path: Path) -> str:
    """Return an interpreter's version; empty where it does not run."""
    if path == base_interpreter():
        return ".".join(map(str, sys.version_info[:3]))
    command = [str(path), "-I", "-S", "-c", "import platform; print(platform.python_version())"]
    try:
        result = process.run(command, cwd=Path("/"), environment={}, timeout=QUERY_TIMEOUT, stop=threading.Event())
    except OSError:
        return ""
    return result.stdout.decode(errors="replace").strip() if result.exit == 0 else ""


def require_interpreter(version: str) -> Interpreter:
    """Return an interpreter of a version.

    Raises:
        CannotTell: when there is none.
    """
    found = find_interpreter(version)
    if found is None:
        raise CannotTell(
            f"no interpreter found for Python {version} (available: {', '.join(available()) or 'none'})",
            f"install it with `uv python install {version}`, or choose another one with `--python`",
        )
    return found
