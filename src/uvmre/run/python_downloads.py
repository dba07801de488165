"""uv's own downloads of Python, answered with interpreters of this machine: a list for uv, and an archive of each.

uv checks the archives of its built-in list against hashes that only python-build-standalone's have. Releases that know
the variable take another list, whose archives may be local files.
"""

import json
import platform
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from uvmre.run.interpreters import Interpreter

VARIABLE = "UV_PYTHON_DOWNLOADS_JSON_URL"
LIST = "list.json"
LEFT_OUT = {"test", "tests", "__pycache__", "idlelib", "turtledemo", "site-packages"}
"""Folders that no step needs; they are most of an installation."""


def offer_downloads(folder: Path, interpreters: Iterable[Interpreter]) -> None:
    """Write the list and the archives into a folder, in python-build-standalone's layout."""
    folder.mkdir()
    offered = {}
    for interpreter in interpreters:
        real, (major, minor, patch) = interpreter.path.resolve(), interpreter.version.split(".")
        archive = folder / f"cpython-{interpreter.version}.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for path in (real, real.parents[1] / "lib" / real.name, real.parents[1] / "include"):
                tar.add(path, Path("python", path.relative_to(real.parents[1])), filter=_kept)
            for path in (real.parents[1] / "lib").glob("lib*.so*"):
                tar.add(path, Path("python/lib", path.name))
        offered[f"cpython-{interpreter.version}-linux-{platform.machine()}-gnu"] = {
            "name": "cpython",
            "arch": {"family": platform.machine(), "variant": None},
            **{"os": "linux", "libc": "gnu", "major": int(major), "minor": int(minor), "patch": int(patch)},
            **{"prerelease": "", "url": archive.as_uri(), "sha256": None, "variant": None, "build": "0"},
        }
    (folder / LIST).write_text(json.dumps(offered), encoding="utf-8")


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if LEFT_OUT & {*PurePosixPath(entry.name).parts} or entry.name.endswith(".a") else entry
