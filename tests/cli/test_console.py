"""What a person sees at a terminal: colours, widths, and words that stay whole."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest

from tests.releases.caches import stock
from uvmre.cli import console
from uvmre.cli.main import cli

COLOR = re.compile(r"\x1b\[[0-9;]*m")


def at_terminal(columns: int, *arguments: str, **variables: str) -> str:
    """Run the command line at a terminal of its own, and return what it shows."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        kept = {
            name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR", "TERM")
        }
        os.execve(sys.executable, [sys.executable, "-m", "uvmre", *arguments], {**kept, "TERM": "xterm", **variables})
    shown = bytearray()
    try:
        while block := os.read(terminal, 65536):
            shown += block
    except OSError:  # how Linux says that the other end is closed
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("verb", ["", *sorted(cli.commands)])
def test_help_fits(verb: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    monkeypatch.setenv("COLUMNS", str(columns))
    data = CliRunner().invoke(cli, [*([verb] if verb else []), "--help"]).output
    wide = [line for line in data.splitlines() if len(line) > columns and len(line.split()) > 1]
    assert wide == []


@pytest.mark.parametrize("columns", [40, 80])
def test_sentences_are_broken_between_words(columns: int, tmp_path: Path) -> None:
    arguments = ("run", "nowhere/" + "x" * 60, "--uv", "0.4.9")
    plain = at_terminal(400, *arguments, TERM="dumb")
    shown = at_terminal(columns, *arguments, TERM="dumb")
    assert shown.split() == plain.split()
    assert all(len(line) <= columns or len(line.split()) == 1 for line in shown.splitlines())
    assert len(shown.splitlines()) > len(plain.splitlines())


def test_a_document_is_not_broken(tmp_path: Path) -> None:
    stock(tmp_path)
    (tmp_path / "mre").mkdir()
    step = f"echo {'word ' * 40}"
    text = 'schema = 1\ntitle = "t"\n[environment]\nuv = "0.4.9"\n[[step]]\nrole = "observe"\nrun = "%s"\n[symptom]\nexit = 0\n'
    (tmp_path / "mre" / "mre.toml").write_text(text % step.strip())
    shown = at_terminal(40, "report", str(tmp_path / "mre"), "--format", "dockerfile")
    assert step.strip() in shown


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, True), ({"TERM": "dumb"}, False), ({"TERM": "unknown"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals_that_have_them(variables: dict[str, str], colored: bool) -> None:
    shown = at_terminal(80, "run", "nowhere", **variables)
    assert bool(COLOR.search(shown)) is colored
    assert "folder not found: `nowhere`" in shown


def test_a_line_that_fits_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert console.wrap("a  b\n\n  c") == "a  b\n\n  c"
    assert console.wrap("  one " + "word " * 10).splitlines()[1].startswith("      word")
