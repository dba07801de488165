"""Scripts that write an MRE and run it: by real shells, a real linter and a real parser."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell

from uvmre.core.generated.names import is_generated
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.errors import InputError
from uvmre.report.bundle import Bundle
from uvmre.report.scripts.script import read_script, write_powershell, write_script

FILES = (
    File("EOF", b"EOF\nEOFF\n$HOME `id` \\\n"),
    File('a b/it\'s "q" $x', b"no newline"),
    File("bin/x", b"#!/bin/sh\n", executable=True),
    File("binary", bytes(range(256)), executable=True),
    File("crlf.bat", b"a\r\n"),
    File("equals", b"="),
    File("empty", b""),
    File("here", b"'@\n\n@'\n"),
    File("newline", b"\n"),
    File("newlines", b"\n\n\n"),
    File("-n", b"x\n"),
    File("ümlaut", "é\u2019@\n".encode()),
)
MRE = Mre(
    "uv says $(id) `id` é 'x'",
    Environment("0.4.9", variables={"A": "it's é\n'@"}),
    (Step("uv --version"), Step("uv fail 'a'", "observe")),
    Symptom(2, ("it’s broken",)),
    files=FILES,
)


def bundle(mre: Mre = MRE) -> Bundle:
    return Bundle(mre, None, manifest.dump(mre))


def run(script: str, where: Path, uv: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of bash with a uv that is a shell script."""
    (where / "bin").mkdir()
    (where / "bin" / "uv").write_text(f'#!/bin/sh\n[ "$1" = fail ] || {{ echo "uv 0.4.9"; exit; }}\n{uv}\n')
    (where / "bin" / "uv").chmod(0o755)
    (where / "mre.sh").write_text(script)
    path = f"{where / 'bin'}:{os.environ['PATH']}"
    command = ["bash", "mre.sh", *arguments]
    return subprocess.run(
        command, cwd=where, env={"PATH": path, "TMPDIR": str(where)}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("uv", "code"),
    [
        pytest.param("echo 'it’s broken' >&2; exit 2", 0, id="the symptom shows"),
        pytest.param("echo fine", 1, id="it does not"),
        pytest.param("echo 'it’s broken' >&2; exit 3", 125, id="it fails in another way"),
    ],
)
def test_a_bash_script_writes_the_files_and_runs_them(tmp_path: Path, uv: str, code: int) -> None:
    ended = run(write_script(bundle()), tmp_path, uv, "new")
    assert ended.returncode == code, ended
    for file in bundle().files:
        path = tmp_path / "new" / file.path
        assert (path.read_bytes(), os.access(path, os.X_OK)) == (file.content, file.executable), file.path


def test_a_folder_that_has_files_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("x")
    ended = run(write_script(bundle()), tmp_path, "exit 2", "new")
    assert (ended.returncode, [path.name for path in (tmp_path / "new").iterdir()]) == (125, ["mine"])
    assert "is not empty" in ended.stderr


def test_a_script_that_was_cut_tells_nothing(tmp_path: Path) -> None:
    text = write_script(bundle())
    ended = run(text[: text.rindex("\nexec sh")], tmp_path, "echo 'it’s broken' >&2; exit 2")
    assert ended.returncode == 125


def test_a_name_of_two_lines_cannot_leave_its_quotes(tmp_path: Path) -> None:
    """No MRE on disk has one; the reader refuses it as any bad name."""
    text = write_script(bundle(replace(MRE, files=(File("a\nid", b"x\n"),))))
    assert [file.path for file in read_script(text, "x")] != ["mre.toml", "a\nid"]


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not here: the script was not linted")
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mre.sh"
    path.write_text(write_script(bundle()))
    ended = subprocess.run(["shellcheck", path], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "")


def nodes(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [node, *(inner for child in node.children for inner in nodes(child))]


def test_a_powershell_script_is_valid() -> None:
    text = write_powershell(bundle())
    assert text.isascii()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    root = parser.parse(text.encode()).root_node
    assert not [node for node in nodes(root) if node.is_error or node.is_missing]
    calls = [node.text.decode().split()[0] for node in nodes(root) if node.type == "command" and node.text]
    assert calls.count("Write-MreFile") == len(FILES) + 1
    assert calls.count("Invoke-MreStep") == 2
    strings = [node.text for node in nodes(root) if node.type == "verbatim_here_string_characters"]
    assert len(strings) == len(FILES) + 1 + 1 + 2


def test_a_powershell_script_never_claims_a_verdict() -> None:
    text = write_powershell(bundle())
    assert text.endswith("\nexit 125\n")
    assert "\nInvoke-MreStep plain cut @'\nuv --version\n'@\n" in text
    assert "\nInvoke-MreStep shell cut @'\nuv fail 'a'\n'@\n" in text


@pytest.mark.parametrize("write", [write_script, write_powershell])
def test_a_damaged_script_is_refused_with_all_its_faults(write: object) -> None:
    assert callable(write)
    text: str = write(bundle())
    assert {file.path: file for file in read_script(text, "x") if not is_generated(file.path, file.content)} == {
        file.path: file for file in bundle().files
    }
    assert list(read_script(text.replace("\n", "\r\n"), "x")) == list(read_script(text, "x"))
    start = text.index("AAECAwQF")
    damaged = f"{text[:start]}A*{text[start + 2 :]}"
    last = "'@" if write is write_powershell else "\nEOF"
    cut = damaged[: damaged.rindex(last)]
    with pytest.raises(InputError) as raised:
        list(read_script(cut[: cut.rindex(last)] if write is write_powershell else cut, "x"))
    assert any("base64" in fault for fault in raised.value.faults)
