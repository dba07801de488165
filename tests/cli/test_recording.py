"""`uvmre recording`, by the real command line. Needs no network, but for the one story."""

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from uvmre.gateway.recording.store import Recording, entry_key

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
RELEASE = "0.0.3"
FAKE_UV = '#!/bin/sh\ncase "$1" in\n  fail) echo "error: it broke in two" >&2; exit 2;;\n  *) echo "did $*";;\nesac\n'
MRE = """\
schema = 1
title = "It breaks"

[environment]
uv = "0.0.3"

[[step]]
role = "observe"
run = "./steps.sh"

[symptom]
exit = 2
output = ["it broke in two"]
"""
PAGE = "https://pypi.org/simple/six/"
WHEEL = "https://files.pythonhosted.org/packages/six-1.17.0-py2.py3-none-any.whl"
BODIES = {PAGE: b"a page", WHEEL: b"a wheel"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a cache home of one test, whose one release of uv is a shell script."""
    tools = tmp_path / "home" / "uvmre" / "uv" / RELEASE
    tools.mkdir(parents=True)
    for name in ("uv", "uvx"):
        (tools / name).write_text(FAKE_UV)
        (tools / name).chmod(0o755)
    return tmp_path / "home"


@pytest.fixture
def mre(tmp_path: Path) -> Path:
    folder = tmp_path / "mre"
    (folder / ".uvmre" / "runs" / "one").mkdir(parents=True)
    (folder / ".uvmre" / "runs" / "one" / "run.json").write_text("{}")
    (folder / "mre.toml").write_text(MRE)
    (folder / "steps.sh").write_text("#!/bin/sh\nuv fail\n")
    (folder / "steps.sh").chmod(0o755)
    return folder


@pytest.fixture
def recorded(mre: Path, home: Path) -> Path:
    """Return the MRE with a recording, as runs leave one."""
    for url, body in BODIES.items():
        name = entry_key("GET", url, [])
        assert name
        with Recording(mre / ".uvmre" / "recording", home / "uvmre" / "bodies").start_entry(
            name, "GET", url, 200, []
        ) as recording:
            recording.write(body)
    return mre


@pytest.fixture
def recording(uvmre: CommandLine, home: Path) -> CommandLine:
    """Return `uvmre recording` with the cache of this test."""
    return lambda *arguments, **variables: uvmre("recording", *arguments, XDG_CACHE_HOME=str(home), **variables)


def body(home: Path, url: str) -> Path:
    sha256 = hashlib.sha256(BODIES[url]).hexdigest()
    return home / "uvmre" / "bodies" / sha256[:2] / sha256


def test_ls_tells_every_answer_by_address(recording: CommandLine, recorded: Path) -> None:
    ended = recording("ls", recorded)
    assert (ended.exit, ended.stderr) == (0, "")
    short = {url: hashlib.sha256(BODIES[url]).hexdigest()[:12] for url in BODIES}
    assert ended.stdout.splitlines() == [
        f"GET   200  7  {short[WHEEL]}  {WHEEL}",
        f"GET   200  6  {short[PAGE]}  {PAGE}",
        "2 answers, 13 bytes",
    ]
    data = recording("ls", recorded, "--json").json("recording")
    assert [entry["url"] for entry in data["entries"]] == [WHEEL, PAGE]
    assert data["entries"][1]["sha256"] == hashlib.sha256(BODIES[PAGE]).hexdigest()
    assert (data["bytes"], data["unreadable"]) == (13, [])


def test_ls_takes_this_folder_where_none_is_named(recording: CommandLine, recorded: Path) -> None:
    assert "2 answers" in recording("ls", cwd=recorded).stdout


def test_an_mre_without_a_recording_has_no_answers(recording: CommandLine, mre: Path) -> None:
    assert recording("ls", mre).stdout == "0 answers, 0 bytes\n"
    assert recording("rm", mre, "--json").json("recording")["removed"] == 0
    assert recording("verify", mre, "--json").json("recording")["exit"] == 0


def test_rm_deletes_what_matches_and_says_how_many(recording: CommandLine, recorded: Path, home: Path) -> None:
    assert recording("rm", recorded, "*/nothing/*").stdout == "deleted 0 answers\n"
    assert recording("rm", recorded, "*.whl", "*.zip").stdout == "deleted 1 answer\n"
    assert [entry["url"] for entry in recording("ls", recorded, "--json").json("recording")["entries"]] == [PAGE]
    assert recording("rm", recorded, "--json").json("recording")["removed"] == 1
    assert recording("ls", recorded, "--json").json("recording")["entries"] == []
    assert body(home, WHEEL).exists()


def test_a_pattern_in_the_place_of_the_mre_deletes_nothing(recording: CommandLine, recorded: Path) -> None:
    ended = recording("rm", "*.whl", cwd=recorded)
    assert ended.exit == 2
    assert "folder not found: `*.whl`" in ended.stderr
    assert "patterns come after it" in ended.stderr
    assert "2 answers" in recording("ls", recorded).stdout


def test_verify_says_what_is_wrong_and_exits_with_it(recording: CommandLine, recorded: Path, home: Path) -> None:
    fine = recording("verify", recorded)
    assert (fine.exit, fine.stdout) == (0, "2 answers, no faults\n")
    body(home, PAGE).unlink()
    body(home, WHEEL).write_bytes(b"a wheal")
    (recorded / ".uvmre" / "recording" / "odd.json").write_text("{")
    ended = recording("verify", recorded)
    assert ended.exit == 1
    lines = ended.stdout.splitlines()
    assert lines[0].startswith(f"GET {WHEEL}: its body")
    assert lines[0].endswith("is damaged")
    assert lines[1].endswith("is missing")
    assert lines[2:] == ["odd.json is not an entry of a recording: delete it", "2 answers, 3 faults"]
    in_json = recording("verify", recorded, "--json")
    data = in_json.json("recording")
    assert (in_json.exit, data["exit"], data["entries"]) == (1, 1, 2)
    assert [fault["what"] for fault in data["faults"]] == ["damaged", "missing", "unreadable"]


def test_pack_writes_all_that_a_run_needs_and_no_evidence(
    recording: CommandLine, recorded: Path, tmp_path: Path
) -> None:
    ended = recording("pack", "out.zip", "mre", "--json")
    data = ended.json("recording")
    assert (ended.exit, data["entries"], data["uv"], data["folder"]) == (0, 2, RELEASE, "mre")
    whole = (tmp_path / "out.zip").read_bytes()
    assert (data["bytes"], data["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())
    with zipfile.ZipFile(tmp_path / "out.zip") as zipped:
        bits = {info.filename: bool(info.external_attr >> 16 & 0o111) for info in zipped.infolist()}
        assert zipped.read(f"mre/.uvmre/uv/{RELEASE}/platform").decode().strip() == data["platform"]
    sha256s = [hashlib.sha256(content).hexdigest() for content in BODIES.values()]
    assert bits == {
        "mre/mre.toml": False,
        "mre/steps.sh": True,
        f"mre/.uvmre/uv/{RELEASE}/platform": False,
        f"mre/.uvmre/uv/{RELEASE}/uv": True,
        f"mre/.uvmre/uv/{RELEASE}/uvx": True,
        **{f"mre/.uvmre/recording/{entry_key('GET', url, [])}.json": False for url in BODIES},
        **{f"mre/.uvmre/recording/bodies/{sha256[:2]}/{sha256}": False for sha256 in sha256s},
    }


def test_a_pack_is_the_same_file_again_and_named_as_the_folder(
    recording: CommandLine, recorded: Path, tmp_path: Path
) -> None:
    first = recording("pack", tmp_path / "1.zip", cwd=recorded)
    assert first.stdout.startswith(f"{tmp_path / '1.zip'}: 2 answers, uv {RELEASE} for ")
    assert "unzip 1.zip && uvmre run mre --replay" in first.stderr
    assert recording("pack", "1.zip", "mre").exit == 0  # an older pack is replaced
    recording("pack", "2.zip", "mre")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_a_recording_that_is_not_sound_is_not_packed_and_all_is_reported(
    recording: CommandLine, recorded: Path, home: Path, tmp_path: Path
) -> None:
    body(home, PAGE).unlink()
    body(home, WHEEL).write_bytes(b"a wheal")
    ended = recording("pack", "out.zip", "mre", "--json")
    data = ended.json("recording")
    assert ended.exit == 2
    assert [fault.rpartition(" ")[2] for fault in data["faults"]] == ["damaged", "missing"]
    assert "uvmre recording rm mre URL" in data["hint"]
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        pytest.param(["out.zip", "mre"], "`mre` has no recording", "`uvmre run mre`", id="nothing recorded"),
        pytest.param(["out.zip", "nowhere"], "folder not found: `nowhere`", "uvmre new", id="no MRE"),
        pytest.param(["mre/out.zip", "mre"], "`mre/out.zip` is inside the MRE", "../mre.zip", id="into the MRE"),
        pytest.param(["none/out.zip", "mre"], "`none` is not a folder", "create it", id="into nothing"),
        pytest.param(["home", "mre"], "`home` is a folder", "home/mre.zip", id="a folder"),
        pytest.param(["text", "mre"], "`text` already exists", "another", id="over something else"),
    ],
)
def test_what_cannot_be_packed_ends_with_2_and_a_sentence(
    recording: CommandLine, mre: Path, tmp_path: Path, arguments: list[str], message: str, hint: str
) -> None:
    (tmp_path / "text").write_text("text")
    shutil.rmtree(mre / ".uvmre", ignore_errors=True)
    ended = recording("pack", *arguments)
    assert (ended.exit, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert hint in ended.stderr.partition("hint:")[2]
    assert recording("pack", *arguments, "--json").json("recording")["exit"] == 2
    assert (tmp_path / "text").read_text() == "text"
    assert not list(tmp_path.rglob("*.zip"))


def test_what_looks_like_a_secret_is_reported_and_not_shown(recording: CommandLine, recorded: Path) -> None:
    (recorded / "set.sh").write_text("export FOO_PASSWORD=tops3cret\n")
    (recorded / "run.sh").write_text("(export FOO_PASSWORD=heron)\n")
    (recorded / "notes.md").write_text("# Notes\n\nIt is https://glpat-0123456789abcdefghij@host/simple.\n")
    refused = recording("pack", "out.zip", "mre")
    assert (refused.exit, refused.stdout) == (2, "")
    assert "may contain secrets in 2 places" in refused.stderr
    assert "  notes.md:3\n  set.sh:1\n" in refused.stderr
    assert "run.sh" not in refused.stderr
    assert not (recorded.parent / "out.zip").exists()
    assert recording("pack", "out.zip", "mre", "--json").json("recording")["exit"] == 2
    ended = recording("pack", "out.zip", "mre", "--allow-secrets")
    assert ended.exit == 0
    assert "warning: `set.sh` is packed" in ended.stderr
    assert "tops3cret" not in refused.stderr + ended.stderr + ended.stdout
    assert recording("pack", "out.zip", "mre", "--allow-secrets", "--json").json("recording")["secrets"] == [
        "notes.md",
        "set.sh",
    ]


def elsewhere(offline_uvmre: CommandLine, folder: Path, *arguments: str) -> dict[str, Any]:
    """Run the command line on a machine with an empty cache and nothing but its loopback, and return its JSON."""
    ended = offline_uvmre(*arguments, "--json", cwd=folder / "there", XDG_CACHE_HOME=str(folder / "empty"))
    assert not (folder / "empty" / "uvmre" / "uv").exists()
    data: dict[str, Any] = ended.json()
    return data


def test_a_packed_release_runs_elsewhere_also_without_its_bits(
    offline_uvmre: CommandLine, recording: CommandLine, recorded: Path, tmp_path: Path
) -> None:
    recording("pack", "out.zip", "mre")
    (tmp_path / "there").mkdir()
    with zipfile.ZipFile(tmp_path / "out.zip") as zipped:
        zipped.extractall(tmp_path / "there")
    there = tmp_path / "there" / "mre"
    assert not os.access(there / ".uvmre" / "uv" / RELEASE / "uv", os.X_OK)
    (there / "steps.sh").chmod(0o755)
    data = elsewhere(offline_uvmre, tmp_path, "run", "mre", "--replay")
    assert (data["verdict"], data["uv"]) == ("reproducible", RELEASE)
    (there / ".uvmre" / "uv" / RELEASE / "platform").write_text("macosx_arm64\n")
    assert f"uv {RELEASE} is not in the cache" in elsewhere(offline_uvmre, tmp_path, "run", "mre", "--replay")["error"]


@pytest.mark.network
@pytest.mark.skipif(not shutil.which("unzip"), reason="there is no unzip here")
def test_what_was_packed_is_replayed_on_a_machine_without_network(
    offline_uvmre: CommandLine, uvmre: CommandLine, tmp_path: Path
) -> None:
    assert uvmre("new", "mre", "-t", "workspace-index", "--defaults").exit == 0
    recorded = json.loads(uvmre("run", "mre", "--json").stdout)
    packed = uvmre("recording", "pack", "out.zip", "mre", "--json").json("recording")
    assert packed["entries"] > 10
    assert packed["secrets"] == []
    subprocess.run(["unzip", "-q", tmp_path / "out.zip", "-d", tmp_path / "there"], check=True)
    shutil.rmtree(tmp_path / "mre")
    replayed = elsewhere(offline_uvmre, tmp_path, "run", "mre", "--replay")
    assert (replayed["verdict"], replayed["digest"]) == (recorded["verdict"], recorded["digest"])
    for before, after in zip(recorded["variants"], replayed["variants"], strict=True):
        assert before["outcome"] == after["outcome"]
        assert [step["exit"] for step in before["steps"]] == [step["exit"] for step in after["steps"]]
    assert any(request["replayed"] for variant in replayed["variants"] for request in variant["requests"])
    # A pack can be packed again, from what it brought.
    again = elsewhere(offline_uvmre, tmp_path, "recording", "pack", "again.zip", "mre")
    assert (again["sha256"], again["entries"]) == (packed["sha256"], packed["entries"])
    shutil.rmtree(tmp_path / "there" / "mre" / ".uvmre" / "recording" / "bodies")
    assert elsewhere(offline_uvmre, tmp_path, "run", "mre", "--replay")["verdict"] == "inconclusive"
    assert elsewhere(offline_uvmre, tmp_path, "recording", "verify", "mre")["exit"] == 1
