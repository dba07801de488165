"""Write an MRE and its last run in one of the formats of `report.formats`."""

import base64
import json
import shlex
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uvmre import files, temp_folders
from uvmre.core.mre.model import MANIFEST
from uvmre.core.outcome.result import digest
from uvmre.core.secrets.redact import secrets
from uvmre.errors import UsageError, naming_path
from uvmre.folder import evidence
from uvmre.folder.evidence import OWN
from uvmre.folder.read import read_mre
from uvmre.report import formats
from uvmre.report.bundle import Bundle, bundle
from uvmre.report.formats import FORMATS


@dataclass(frozen=True)
class Report:
    """An MRE in one format."""

    format: str
    bundle: Bundle
    content: bytes
    """Empty for a format that is a folder."""
    masked: bool
    """Whether its files lack secrets of the MRE's."""

    @property
    def text(self) -> str:
        """Return the content of a format that is text."""
        return self.content.decode()


def report(folder: Path, name: str) -> Report:
    """Return the MRE in `folder` in a format; most formats need its last run.

    Raises:
        UsageError: when there is no run, or the MRE changed since.
        InputError: when the folder cannot be read, or the format cannot contain the MRE.
    """
    mre, again = read_mre(folder), f"`uvmre run {shlex.quote(str(folder))}`"
    result = evidence.latest_result(folder)
    if FORMATS[name].needs_run:
        if result is None:
            raise UsageError(f"`{folder}` has no finished run", f"run it first: {again}")
        if result.digest != digest(mre):
            raise UsageError(f"`{folder}` changed since its last run", f"run it again: {again}")
    elif result and result.digest != digest(mre):
        result = None
    text = files.read_bytes(folder / MANIFEST).decode()
    shown = bundle(mre, text, result, secrets(mre), evidence.latest_search(folder, digest(mre)))
    whole = Bundle(mre, None, text)
    content = b"" if FORMATS[name].folder else formats.write(name, shown)
    return Report(name, shown, content, shown.files != whole.files)


def save(report: Report, output: Path) -> Path:
    """Write a report to a file, or into a folder, and return its path.

    Raises:
        UsageError: when it is a folder that has other files.
    """
    own = FORMATS[report.format]
    path = output / own.file_name if output.is_dir() and not own.folder else output
    if own.folder and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(f"`{path}` is not an empty folder", "choose another one with `--output`")
    with naming_path(path):
        if path.exists() and not path.is_file() and not own.folder:  # a device, or a pipe
            path.write_bytes(report.content)
            return path
        with temp_folders.temporary(path.parent, temp_folders.ASIDE) as temporary:
            part = temporary / "new"
            if own.folder:
                from uvmre.report.repository import write_repository

                write_repository(report.bundle, part)
            else:
                part.write_bytes(report.content)
            part.rename(path)
    return path


def open_in_browser(report: Report, folder: Path, saved: Path | None) -> str:
    """Show a report in the browser, and return its address.

    Raises:
        UsageError: when no browser shows the format, or there is none.
    """
    if not FORMATS[report.format].opens:
        names = ", ".join(name for name, each in FORMATS.items() if each.opens)
        raise UsageError(f"a browser does not show `{report.format}`", f"`--open` is for {names or 'no format'}")
    if report.format == "url":
        address = report.text.strip()
    else:
        address = (saved or save(report, folder / OWN)).resolve().as_uri()
    if not webbrowser.open(address):
        raise UsageError("there is no browser", "write it to a file with `--output`, and open that")
    return address


def copy(report: Report) -> None:
    """Put a report on the clipboard.

    Raises:
        UsageError: when it is not text, or there is no clipboard.
    """
    import pyperclip

    if FORMATS[report.format].binary or FORMATS[report.format].folder:
        raise UsageError(f"`{report.format}` is not text", "write it to a file with `--output`")
    try:
        pyperclip.copy(report.text)
    except pyperclip.PyperclipException:
        hint = "install `xclip` or `wl-clipboard`, or write it to a file with `--output`"
        raise UsageError("there is no clipboard", hint, cause="pyperclip found no program for one") from None


def to_data(report: Report, saved: Path | None) -> dict[str, Any]:
    """Return what `--json` prints of a report."""
    data: dict[str, Any] = {"schema": 1, "format": report.format, "file": str(saved) if saved else None}
    if saved:
        return data
    if report.format in ("github", "json"):  # the run itself
        run: dict[str, Any] = json.loads(formats.write("json", report.bundle))
        return run
    if FORMATS[report.format].binary:
        return {**data, "base64": base64.b64encode(report.content).decode()}
    return {**data, "text": report.text}
