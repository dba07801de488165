"""Files, standard input and URLs in place of a folder: the MRE in them is made again, and run in the sandbox."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.hub import Hub
from uvmre.folder.written import read_origin
from uvmre.report.archive import write_zip
from uvmre.report.read_back import read_back

MANIFEST = """\
# A comment that stays.
schema = 1
title = "uv fails"

[environment]
uv = "0.4.9"

[[step]]
run = "cat 'a b.txt'; uv fail"

[symptom]
exit = 2
output = ["it broke in two"]
"""


@pytest.fixture
def mre(tmp_path: Path) -> Path:
    folder = tmp_path / "mre"
    folder.mkdir()
    (folder / "mre.toml").write_text(MANIFEST)
    (folder / "a b.txt").write_bytes(b"binary\0\xff")
    return folder


@pytest.fixture
def packed(uvmre: CommandLine, home: Path, tmp_path: Path, mre: Path) -> Path:
    assert uvmre("report", "mre", "--format", "zip", "-o", "my bug.v2.zip", XDG_CACHE_HOME=str(home)).exit == 0
    shutil.rmtree(mre)
    return tmp_path / "my bug.v2.zip"


def test_a_file_is_run_in_the_sandbox(uvmre: CommandLine, home: Path, tmp_path: Path, packed: Path) -> None:
    ended = uvmre("run", packed.name, XDG_CACHE_HOME=str(home))
    assert ended.exit == 0, ended
    assert ended.stderr.startswith("made `my-bug-v2` from `my bug.v2.zip`\n")
    made = tmp_path / "my-bug-v2"
    assert ((made / "mre.toml").read_text(), (made / "a b.txt").read_bytes()) == (MANIFEST, b"binary\0\xff")
    assert read_origin(made) == "a report"
    again = uvmre("run", packed.name, "--json", XDG_CACHE_HOME=str(home))
    assert "`my-bug-v2` has the MRE of `my bug.v2.zip` already" in again.stderr
    assert again.json("run")["verdict"] == "reproducible"
    # Inside, nothing of the outside: what runs it is no part of it.
    assert uvmre("report", packed.name, "--format", "zip", "-o", "again.zip", XDG_CACHE_HOME=str(home)).exit == 0
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


@pytest.mark.few(1)
@pytest.mark.parametrize("change", ["more", "edited", "own"])
def test_a_folder_with_something_else_stays_as_it_is(
    uvmre: CommandLine, home: Path, tmp_path: Path, packed: Path, change: str
) -> None:
    assert uvmre("lint", packed.name, XDG_CACHE_HOME=str(home)).exit == 0
    made = tmp_path / "my-bug-v2"
    if change == "own":
        shutil.rmtree(made / ".uvmre")
    else:
        (made / ("more" if change == "more" else "a b.txt")).write_text("mine")
    ended = uvmre("run", packed.name, XDG_CACHE_HOME=str(home))
    assert ended.exit == 2
    assert "error: `my-bug-v2` is not the MRE of `my bug.v2.zip`, whose folder it would be" in ended.stderr
    assert (made / "mre.toml").read_text() == MANIFEST
    assert not (made / ".uvmre" / "runs").exists()


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["bisect", "matrix", "check", "report"])
def test_every_verb_takes_a_file(uvmre: CommandLine, home: Path, tmp_path: Path, packed: Path, name: str) -> None:
    more = ["--uv", "0.4.9"] if name == "matrix" else ["--range", "0.4.8..0.4.9"] if name == "bisect" else []
    ended = uvmre(name, packed.name, *more, XDG_CACHE_HOME=str(home))
    assert ended.stderr.startswith("made `my-bug-v2` from ")
    assert (tmp_path / "my-bug-v2" / "mre.toml").is_file()
    assert "Traceback" not in ended.stderr


def test_standard_input_is_made_a_folder(home: Path, tmp_path: Path, packed: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "uvmre", "lint", "-"],
        input=packed.read_bytes(),
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(home)},
        capture_output=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended
    assert (tmp_path / "mre" / "mre.toml").read_text() == MANIFEST


def test_an_issue_on_github_is_made_a_folder(
    uvmre: CommandLine, home: Path, tmp_path: Path, mre: Path, hub: Hub
) -> None:
    assert uvmre("run", "mre", XDG_CACHE_HOME=str(home)).exit == 0
    body = uvmre("report", "mre", XDG_CACHE_HOME=str(home)).stdout.replace("\n", "\r\n")
    issue = {"title": "it breaks", "created_at": "2024-09-06T22:56:03Z", "user": {"login": "a"}, "body": body}
    hub.answers["/repos/o/r/issues/12"] = (200, issue)
    token = "ghp_" + "0123456789abcdef" * 2 + "0123"
    url = "https://github.com/o/r/issues/12"
    ended = uvmre("lint", url, XDG_CACHE_HOME=str(home), GITHUB_TOKEN=token)
    assert ended.exit == 0, ended
    assert f"made `12` from `{url}`" in ended.stderr
    assert (tmp_path / "12" / "a b.txt").read_bytes() == (mre / "a b.txt").read_bytes()
    assert hub.requested == [("/repos/o/r/issues/12", f"Bearer {token}")]
    hub.answers["/repos/o/r/issues/13"] = (200, {**issue, "body": "It breaks."})
    other = uvmre("run", "o/r#13", XDG_CACHE_HOME=str(home))
    assert (other.exit, "`uvmre triage` reads an ordinary issue" in other.stderr) == (2, True)


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("content", "lines"),
    [
        pytest.param(b"", ["`x.md` has no MRE"], id="empty"),
        pytest.param(b"\xff\xfe\0", ["neither a zip archive nor UTF-8"], id="binary"),
        pytest.param(write_zip([]), ["it has no `mre.toml`"], id="an empty archive"),
        pytest.param(
            b"`mre.toml`:\n\n```\nschema = 2\n[environment\n```\n", ["`x.md` is not valid TOML"], id="no TOML"
        ),
        pytest.param(
            b"`mre.toml`:\n\n```\nschema = 1\nsteps = 1\n```\n",
            ["title", "environment", "steps"],
            id="all faults of the manifest",
        ),
        pytest.param(
            b"`mre.toml`:\n\n```\n```\n\n`../x`:\n\n```\n```\n\n`a` (base64):\n\n```\n*\n```\n",
            ["base64"],
            id="no base64",
        ),
        pytest.param(b'`mre.toml`:\n\n```\n```\n\n`"a`:\n\n```\n```\n', ["`x.md`"], id="no JSON"),
        pytest.param(
            b"`mre.toml`:\n\n```\n```\n\n`../x`:\n\n```\n```\n\n`/y`:\n\n```\n```\n",
            ["../x is outside", "/y is outside"],
            id="paths",
        ),
    ],
)
def test_bad_input_is_an_error_with_all_its_faults(
    uvmre: CommandLine, tmp_path: Path, content: bytes, lines: list[str]
) -> None:
    (tmp_path / "x.md").write_bytes(content)
    ended = uvmre("run", "x.md")
    assert ended.exit == 2, ended
    assert "Traceback" not in ended.stderr
    assert all(line in ended.stderr for line in lines), ended.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("url", "message", "code"),
    [
        pytest.param("http://example.com/x.zip", "is not an HTTPS URL", 2, id="no TLS"),
        pytest.param("https://127.0.0.1:9/x.zip", "failed to fetch", 125, id="this machine"),
        pytest.param("https://nowhere.invalid/x.zip", "failed to fetch", 125, id="no such host"),
        pytest.param("https://a:b/x", "is not a URL", 2, id="no URL"),
    ],
)
def test_a_url_that_is_not_read_is_an_error(uvmre: CommandLine, url: str, message: str, code: int) -> None:
    ended = uvmre("run", url)
    assert (ended.exit, message in ended.stderr, "Traceback" in ended.stderr) == (code, True, False), ended


def test_the_manifest_of_a_folder_stands_for_it(uvmre: CommandLine, home: Path, mre: Path) -> None:
    ended = uvmre("lint", "mre/mre.toml", XDG_CACHE_HOME=str(home))
    assert (ended.exit, "`mre/mre.toml` is in the MRE `mre`" in ended.stderr) == (0, True)


def test_what_is_written_is_what_is_read(packed: Path) -> None:
    assert [file.path for file in read_back(packed.read_bytes(), "x")] == ["mre.toml", "a b.txt"]
