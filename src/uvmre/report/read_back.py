"""Read the files of an MRE back from whatever a format of `uvmre report` wrote, recognized by its content."""

from collections import Counter
from collections.abc import Iterable

from uvmre.core.dockerfile.comments import MARK
from uvmre.core.generated.names import is_generated
from uvmre.core.mre.files import File
from uvmre.core.mre.model import BUNDLED, LEFT_OUT, MANIFEST
from uvmre.core.mre.portable_names import is_reserved, name_faults
from uvmre.core.text.visible import shown_name
from uvmre.errors import InputError

ZIP = b"PK"
NO_MRE = "it has no `mre.toml`"
MOST_LISTED = 20
WITH_MRE = ("<!DOCTYPE html", "<svg", "# Written by uvmre")
"""The start of a page, a picture and a workflow."""


def read_back(content: bytes, source: str) -> tuple[File, ...]:
    """Return the files of an MRE, the manifest first; those that uvmre generates are left out.

    Raises:
        InputError: with all its faults, when it is damaged or has no MRE.
    """
    if content.startswith(ZIP):
        from uvmre.report.archive import read_zip

        files = read_zip(content, source)
        if any(file.path.startswith(f"{BUNDLED}/") for file in files):
            fault = "it is what `uvmre recording pack` writes: an MRE with its recording"
            raise InputError(f"`{source}` is a pack", [fault], "unpack it, and name its folder")
        return _checked((file for file in files if LEFT_OUT.isdisjoint(file.path.split("/"))), source)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"`{source}` has no MRE", ["it is neither a zip archive nor UTF-8"]) from None
    return _checked(_read_text(text, source), source)


def _read_text(text: str, source: str) -> Iterable[File]:
    """Return the files in a text; each format is imported when it is met."""
    from uvmre.report.scripts.script import BASH_MARK, POWERSHELL_MARK, read_script

    head = text[:2_000]
    if BASH_MARK in head or POWERSHELL_MARK in head:
        return read_script(text, source)
    if MARK in text.split("\n", 100)[:-1]:
        from uvmre.report.dockerfile import read_dockerfile

        return read_dockerfile(text, source)
    if text.startswith(WITH_MRE):
        from uvmre.report.page.embedded import read_page

        return read_page(text, source)
    from uvmre.report.file_blocks import read_blocks

    if text.startswith("https://"):
        from urllib.parse import parse_qsl, urlsplit

        text = "\n\n".join(value for _, value in parse_qsl(urlsplit(text.strip()).query))
    return read_blocks(text, source)


def _checked(files: Iterable[File], source: str) -> tuple[File, ...]:
    """Return files with names that every system has, in an order that does not depend on the format."""
    found = list(files)
    if not any(file.path == MANIFEST for file in found):
        hint = "`uvmre triage` reads an ordinary issue, and `uvmre new --from-issue` makes an MRE of it"
        raise InputError(f"`{source}` has no MRE", [NO_MRE], hint)
    found = [file for file in found if not is_generated(file.path, file.content)]
    rest = sorted((file for file in found if file.path != MANIFEST), key=lambda file: file.path)
    counts = Counter(file.path for file in found)
    faults = [f"{shown_name(path)} is there {count} times" for path, count in counts.items() if count > 1]
    faults += [f"{shown_name(file.path)} is not a file of an MRE" for file in rest if is_reserved(file.path)]
    faults += name_faults(file.path for file in rest)
    if faults:
        more = [f"and {len(faults) - MOST_LISTED} more"] * (len(faults) > MOST_LISTED)
        raise InputError(f"failed to read `{source}`", [*faults[:MOST_LISTED], *more])
    return (next(file for file in found if file.path == MANIFEST), *rest)
