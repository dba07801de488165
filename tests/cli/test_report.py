"""`uvmre report`: where a report goes."""

import os
import zipfile
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from uvmre.report.formats import FORMATS

MANIFEST = """\
schema = 1
title = "uv fails"
[environment]
uv = "0.4.9"
[[step]]
run = "uv fail"
[symptom]
exit = 2
"""


@pytest.fixture
def mre(tmp_path: Path) -> Path:
    (tmp_path / "mre").mkdir()
    (tmp_path / "mre" / "mre.toml").write_text(MANIFEST)
    return tmp_path / "mre"


def test_a_format_that_shows_a_run_needs_one(uvmre: CommandLine, home: Path, mre: Path) -> None:
    for name, each in FORMATS.items():
        if each.needs_run:
            ended = uvmre("report", "mre", "--format", name, XDG_CACHE_HOME=str(home))
            assert (ended.exit, "has no finished run" in ended.stderr) == (2, True), ended
            break
    assert uvmre("report", "mre", "--format", "script", XDG_CACHE_HOME=str(home)).stdout.startswith(
        "#!/usr/bin/env bash"
    )


def test_a_report_is_written_to_a_file_or_into_a_folder(
    uvmre: CommandLine, home: Path, mre: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    ended = uvmre("report", "mre", "--format", "zip", "-o", "out", "--json", XDG_CACHE_HOME=str(home))
    assert ended.json("report") == {"schema": 1, "format": "zip", "file": "out/mre.zip"}
    with zipfile.ZipFile(tmp_path / "out" / "mre.zip") as archive:
        assert archive.namelist() == ["mre.toml", "run.sh", "Dockerfile"]
    piped = uvmre("report", "mre", "--format", "zip", "--json", XDG_CACHE_HOME=str(home))
    assert sorted(piped.json("report")) == ["base64", "file", "format", "schema"]
    ended = uvmre("report", "mre", "--format", "git", "-o", "repository", XDG_CACHE_HOME=str(home))
    assert (ended.exit, (tmp_path / "repository" / ".git" / "HEAD").is_file()) == (0, True)
    for where, message in (("out", "is not an empty folder"), ("no/where", "no")):
        ended = uvmre("report", "mre", "--format", "git", "-o", where, XDG_CACHE_HOME=str(home))
        assert (ended.exit, message in ended.stderr) == (2, True), ended
    ended = uvmre("report", "mre", "--format", "git", XDG_CACHE_HOME=str(home))
    assert (ended.exit, "name one with `--output`" in ended.stderr) == (2, True)


def test_a_report_is_copied(uvmre: CommandLine, home: Path, mre: Path, tmp_path: Path) -> None:
    none = uvmre("report", "mre", "--format", "script", "--copy", XDG_CACHE_HOME=str(home), PATH="/bin", DISPLAY="")
    if none.exit:
        assert (none.exit, "error: there is no clipboard" in none.stderr) == (2, True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "xclip").write_text(f"#!/bin/sh\ncat >{tmp_path}/copied\n")
    (tmp_path / "bin" / "xclip").chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    ended = uvmre("report", "mre", "--format", "script", "--copy", XDG_CACHE_HOME=str(home), PATH=path, DISPLAY=":9")
    assert (ended.exit, ended.stdout, ended.stderr) == (0, "", "copied to the clipboard\n")
    assert (tmp_path / "copied").read_text() == uvmre(
        "report", "mre", "--format", "script", XDG_CACHE_HOME=str(home)
    ).stdout


def test_a_page_is_opened_in_the_browser(uvmre: CommandLine, home: Path, mre: Path, tmp_path: Path) -> None:
    assert uvmre("run", "mre", XDG_CACHE_HOME=str(home)).exit == 0
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/opened\n')
    browser.chmod(0o755)
    variables = {"XDG_CACHE_HOME": str(home), "BROWSER": f"{browser} %s"}
    ended = uvmre("report", "mre", "--format", "html", "--open", **variables)
    assert ended.exit == 0, ended
    address = (tmp_path / "opened").read_text().strip()
    assert address == (mre / ".uvmre" / "mre.html").as_uri()
    assert (mre / ".uvmre" / "mre.html").read_text().startswith("<!DOCTYPE html>")
    ended = uvmre("report", "mre", "--format", "url", "--open", **variables)
    assert (tmp_path / "opened").read_text().splitlines()[1].startswith("https://github.com/astral-sh/uv/issues/new?")
    ended = uvmre("report", "mre", "--format", "script", "--open", **variables)
    assert (ended.exit, "`--open` is for html, svg, url" in ended.stderr) == (2, True)
    ended = uvmre("report", "mre", "--format", "html", "--open", XDG_CACHE_HOME=str(home), PATH="/nowhere", BROWSER="")
    assert (ended.exit, "there is no browser" in ended.stderr) == (2, True), ended


def test_a_masked_secret_is_reported(uvmre: CommandLine, home: Path, mre: Path) -> None:
    (mre / "x.env").write_text("A_TOKEN=abcdefgh12345678\n")
    ended = uvmre("report", "mre", "--format", "script", XDG_CACHE_HOME=str(home))
    assert "abcdefgh12345678" not in ended.stdout
    assert "warning: secrets are masked in it: it may not behave as the MRE does" in ended.stderr
