"""The formats of `uvmre report`: one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvmre.report.bundle import Bundle


@dataclass(frozen=True)
class Format:
    """One format, and what a command must know of it."""

    writer: str
    """The module and the function that writes a `Bundle`, imported when it is used. It returns a text, or bytes; the
    one of a folder takes its path too."""
    file_name: str
    """The name of its file in a folder that `--output` names."""
    needs_run: bool = False
    binary: bool = False
    folder: bool = False
    two_way: bool = True
    """Whether `read_back` gives the MRE again, byte for byte."""
    opens: bool = False
    """Whether a browser shows it."""


FORMATS: Mapping[str, Format] = {
    "github": Format("github:write_github", "issue.md", needs_run=True),
    "json": Format("github:write_json", "run.json", needs_run=True, two_way=False),
    "dockerfile": Format("dockerfile:write_dockerfile", "Dockerfile"),
    "script": Format("scripts.script:write_script", "mre.sh"),
    "powershell": Format("scripts.script:write_powershell", "mre.ps1"),
    "zip": Format("archive:write_bundle", "mre.zip", binary=True),
    "git": Format("repository:write_repository", "mre", folder=True),
    "html": Format("page.html:html", "mre.html", opens=True),
    "svg": Format("page.svg:svg", "mre.svg", needs_run=True, opens=True),
    "comment": Format("comment:write_comment", "comment.md", needs_run=True),
    "url": Format("issue_url:write_url", "issue-link.txt", needs_run=True, opens=True),
    "actions": Format("actions:write_actions", "mre.yml"),
    "handoff": Format("upstream.handoff:write_handoff", "README.md", needs_run=True),
    "uv-test": Format("upstream.uv_test:uv_test", "mre.rs", two_way=False),
    "packse": Format("upstream.packse:write_packse", "scenario.toml", two_way=False),
}


def write(name: str, bundle: "Bundle") -> bytes:
    """Return an MRE in a format that is one file.

    Raises:
        InputError: with everything that the format cannot contain.
    """
    module, _, function = FORMATS[name].writer.partition(":")
    written: str | bytes = getattr(import_module(f"uvmre.report.{module}"), function)(bundle)
    return written.encode() if isinstance(written, str) else written
