"""Progress on stderr: quiet without a terminal, a line for each event with `--verbose`."""

import time
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from uvmre.cli.progress import LineProgress, QuietProgress
from uvmre.core.outcome.matching import Outcome
from uvmre.core.search.matrix import Cell

SCRIPT = "#!/bin/sh\ncase $UVMRE_UV in 0.4.[0-6]) exit 1;; esac; exit 0\n"
CELL = Cell("0.4.9", "3.12", "as reported", "shows", "because")
SEARCHES = {
    "bisect": ("bisect", "--uv", "0.4.9"),
    "matrix": ("matrix", "--uv", "0.4.0..0.4.19"),
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.sh"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("verb", SEARCHES)
def test_a_search_is_quiet_without_a_terminal(uvmre: CommandLine, home: Path, script: Path, verb: str) -> None:
    command = (*SEARCHES[verb], "--command", script, "--again")
    quiet = uvmre(*command, XDG_CACHE_HOME=str(home))
    assert quiet.exit == 0, quiet.stderr
    lines = quiet.stderr.splitlines()
    assert len(lines) <= 3, quiet.stderr
    verbose = uvmre(*command, "--verbose", XDG_CACHE_HOME=str(home))
    assert verbose.stdout == quiet.stdout
    assert len(verbose.stderr.splitlines()) > len(lines) + 3, verbose.stderr


def test_a_run_is_quiet_without_a_terminal(uvmre: CommandLine, home: Path, tmp_path: Path) -> None:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(
        'schema = 1\ntitle = "It breaks"\n[environment]\nuv = "0.4.9"\n'
        '[[step]]\nrole = "observe"\nrun = "uv fail"\n[symptom]\noutput = ["it broke in two"]\n'
    )
    quiet = uvmre("run", "mre", XDG_CACHE_HOME=str(home))
    assert quiet.stderr.splitlines()[0] == "running mre"
    assert "as reported: shows" not in quiet.stderr
    assert "as reported: shows" in uvmre("run", "mre", "-v", XDG_CACHE_HOME=str(home)).stderr


def test_a_quiet_command_prints_its_state_at_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    with QuietProgress("searching", interval=0.01) as progress:
        progress.cells(24)
        progress.ended("uv 0.4.9", CELL, kept=True)
        progress.begun("uv 0.4.8")
        deadline = time.monotonic() + 10
        printed = ""
        while "running uv 0.4.8" not in printed and time.monotonic() < deadline:
            time.sleep(0.01)
            printed += capsys.readouterr().err
    assert printed.splitlines()[0] == "searching"
    assert "1 of 24 done, running uv 0.4.8" in printed


def test_the_state_names_what_takes_its_time() -> None:
    progress = QuietProgress("")
    progress.downloading("0.4.9", 500_000, 2_000_000)
    assert progress.summary().endswith("0 done, downloading uv 0.4.9: 0.5 of 2.0 MB")
    progress.variants(["as reported", "fixed"])
    progress.step("fixed", "uv lock")
    assert progress.summary().endswith("0 of 2 done, running `uv lock` in fixed")
    progress.judged("fixed", Outcome("absent", "because"))
    assert progress.summary().endswith("1 of 2 done, fixed: absent")


def test_a_warning_is_printed_however_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    for progress in (QuietProgress(""), LineProgress()):
        progress.note("the cache is not pruned")
    assert capsys.readouterr().err == "warning: the cache is not pruned\n" * 2


def test_verbose_prints_each_event_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    for done in (1, 2, 3):
        progress.downloading("0.4.9", done, 3)
    progress.ended("uv 0.4.9", CELL, kept=True)
    assert capsys.readouterr().err.splitlines() == [
        "uv 0.4.9: downloading from PyPI",
        "uv 0.4.9: downloaded",
        "uv 0.4.9: shows (because), cached",
    ]
