"""An MRE as one script, of bash or PowerShell, that writes its files and runs it; and back."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from uvmre.core.generated.names import is_generated
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.core.text.file_lines import delimiter, embed, extract
from uvmre.core.text.visible import visible
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle

BASH, POWERSHELL = (Path(__file__).with_name(f"prelude.{end}").read_text(encoding="utf-8") for end in ("sh", "ps1"))
BASH_MARK, POWERSHELL_MARK = (part.split("\n", 2)[1] for part in (BASH, POWERSHELL))
POWERSHELL_END = """
Write-Host "`nThe symptom is:"
Write-Host '{symptom}'
Write-Host 'reported on: uv {uv}'
Write-Host "this one: $(& uv --version)"
exit 125
"""
BASH_FILE = re.compile(r"file (?P<mode>644|755) (?P<kind>text|cut|base64) (?P<path>.+) <<'(?P<end>EOFF*)'\Z")
POWERSHELL_FILE = re.compile(r"Write-MreFile (?P<mode>644|755) (?P<kind>text|cut|base64) '(?P<path>.+)' @(?P<end>')\Z")
EMPTY = "="
"""Stands for no base64 at all."""
PLAIN = re.compile(r"uvx? [\w./=:@,+ -]+\Z", re.ASCII)
"""A command that is the same for every shell."""
SAFE = "".join(map(chr, range(0x20, 0x7F))).translate({ord(char): None for char in "%'"})


def write_script(bundle: Bundle) -> str:
    """Return a bash script that writes the MRE into a new folder, and runs it there as its `run.sh` does."""
    lines = [BASH.replace("TITLE", _title(bundle.mre))]
    for file in bundle.whole:
        kind, body = embed(file.content)
        end = delimiter(body)
        lines += [f"file {_mode(file)} {kind} {shlex.quote(file.path)} <<'{end}'", *body, end]
    runs = next((file.path for file in bundle.whole if is_generated(file.path, file.content)), "")
    last = f'exec sh "$folder/{runs}"' if runs else 'echo "error: only uvmre run can run this MRE" >&2'
    return "\n".join([*lines, "", last, ""])


def write_powershell(bundle: Bundle) -> str:
    """Return a PowerShell script that writes the MRE into a new folder, and runs its steps as far as they can be."""
    mre = bundle.mre
    lines = [POWERSHELL.replace("TITLE", _ascii(_title(mre)))]
    for file in bundle.files:
        path = f"'{quote(file.path, safe=SAFE)}' "
        lines.append(f"Write-MreFile {_mode(file)} {_here_string(file.content, path)}")
    lines += ["", "Push-Location -LiteralPath $folder"]
    lines += [f"Set-MreVariable '{name}' {_here_string(value.encode())}" for name, value in mre.variables.items()]
    for step in mre.steps:
        shell = "plain" if PLAIN.match(step.run) else "shell"
        lines.append(f"Invoke-MreStep {shell} {_here_string(step.run.encode())}")
    return "\n".join([*lines, POWERSHELL_END.format(symptom=_symptom(mre), uv=mre.environment.uv)])


def read_script(text: str, source: str) -> Iterator[File]:
    """Yield the files that a script of either kind writes.

    Raises:
        InputError: when it is not as uvmre wrote it.
    """
    bash = BASH_MARK in text
    lines = text.replace("\r\n", "\n").split("\n")
    decode: Callable[[str], str] = (lambda path: "".join(shlex.split(path))) if bash else unquote
    at, faults = 0, []
    while at < len(lines):
        if match := (BASH_FILE if bash else POWERSHELL_FILE).match(lines[at]):
            try:
                last = lines.index(match["end"] if bash else "'@", at + 1)
                body = lines[at + 1 : last]
                content = b"" if body == [EMPTY] and match["kind"] == "base64" else extract(match["kind"], body)
                yield File(decode(match["path"]), content, match["mode"] == "755")
                at = last
            except ValueError as error:
                faults.append(f"line {at + 1}: the file does not end, or is not base64: {error}")
        at += 1
    if faults:
        raise InputError(f"failed to read `{source}`", faults)


def _title(mre: Mre) -> str:
    return " ".join(visible(f"{mre.title} {mre.issue}").split())


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _mode(file: File) -> str:
    return "755" if file.executable else "644"


def _here_string(content: bytes, path: str = "") -> str:
    """Return the arguments of a function that takes a content; PowerShell 5 reads a script as ASCII at best."""
    kind, lines = embed(content, encoding="ascii", forbidden="'@")
    if not any(lines):  # blank lines at the ends of a here-string are hard to tell
        kind, lines = embed(content, forbidden="")
    return "\n".join([f"{kind} {path}@'", *(lines or [EMPTY]), "'@"])


def _symptom(mre: Mre) -> str:
    symptom = mre.symptom
    texts: Iterable[str] = [f"exit code: {symptom.exit}"] if symptom.exit is not None else []
    texts = [*texts, *(f"output: {text}" for text in (*symptom.output, *symptom.any))]
    return _ascii("; ".join(" ".join(text.split()) for text in texts) or "see mre.toml").replace("'", "''")
