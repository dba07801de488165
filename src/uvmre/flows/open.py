"""Make the folder of an MRE again from a file, standard input or a URL."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from uvmre import files
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.mre import manifest
from uvmre.core.mre.model import MANIFEST
from uvmre.errors import UsageError
from uvmre.flows.new import REPORT
from uvmre.folder.read import complete_mre, read_files
from uvmre.folder.write import write_mre
from uvmre.folder.written import read_origin
from uvmre.inbox.github import STDIN, is_on_github
from uvmre.report.read_back import read_back

LIMIT = 100_000_000
UNNAMED = "mre"


def is_packed(name: str) -> bool:
    """Tell whether a name is not that of a folder, but of something that has an MRE inside."""
    path = Path(name)
    return name == STDIN or "://" in name or is_on_github(name) or (path.exists() and not path.is_dir())


def open_mre(name: str, stdin: Callable[[], bytes]) -> tuple[Path, str]:
    """Return the folder of an MRE, made in the current one if it is not there, and a sentence on it.

    Args:
        name: a file in a format of `uvmre report`, `-`, a URL, or an issue on GitHub.
        stdin: returns what is on standard input.

    Raises:
        UsageError: if there is no such thing, it has no MRE, or the folder has another one.
        CannotTell: if the network is not available.
    """
    if Path(name).name == MANIFEST and "://" not in name:
        return Path(name).parent, f"`{name}` is in the MRE `{Path(name).parent}`"
    own, *rest = read_back(_content(name, stdin), name)
    text = own.content.decode(errors="replace")
    parsed = manifest.parse(text, source=name, dockerfile=any(file.path == DOCKERFILE for file in rest))
    mre = complete_mre(replace(parsed, files=tuple(rest)), name)
    target = Path(_folder_name(name))
    if target.exists() or target.is_symlink():
        same = target.is_dir() and read_origin(target) and (target / MANIFEST).is_file()
        if same and files.read_bytes(target / MANIFEST) == own.content and {*read_files(target)} == {*rest}:
            return target, f"`{target}` has the MRE of `{name}` already"
        hint = "move or remove it, or change to another folder"
        raise UsageError(f"`{target}` is not the MRE of `{name}`, whose folder it would be", hint)
    write_mre(mre, target, force=False, origin=REPORT, text=own.content)
    return target, f"made `{target}` from `{name}`"


def _content(name: str, stdin: Callable[[], bytes]) -> bytes:
    if name == STDIN:
        content = stdin()
        if len(content) > files.LIMIT:
            raise UsageError(f"standard input is larger than {files.LIMIT // 1_000_000} MB", "name a smaller file")
        return content
    if Path(name).exists():
        return files.read_bytes(name, limit=LIMIT)
    if is_on_github(name):
        from uvmre.flows.issues import read_issues

        _, text_of = read_issues((name,), stdin)
        return text_of(name).encode()
    from uvmre.inbox.web import fetch_file

    return fetch_file(name)


def _folder_name(name: str) -> str:
    """Return the name of the folder: that of the file without its suffix, or the last part of a URL."""
    last = re.split(r"[?#]", name)[0].rstrip("/") if "://" in name else name
    stem, _, suffix = Path(last).name.rpartition(".")
    plain = re.sub(r"[^\w-]+", "-", stem or (suffix if "/" in last and not Path(name).exists() else "")).strip("-")
    return plain or UNNAMED
