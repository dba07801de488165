"""What was recorded is replayed: the same observation ten times out of ten, whatever befell the tape before."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CommandLine
from uvmre.core.text.normalize import normalize
from uvmre.gateway.recording.store import is_intact

pytestmark = pytest.mark.network

TIMES = 10
TEN = "attrs certifi click flask iniconfig packaging pluggy requests rich six"
DATED = f"""\
schema = 1
title = "Ten packages as they were"
[environment]
uv = "0.5.21"
exclude-newer = 2024-03-01
[[step]]
role = "observe"
run = "uv venv -q && uv pip install {TEN} && uv pip freeze"
[symptom]
exit = 0
output = ["click==8.1.7"]
"""
FEW = DATED.replace(TEN, "six iniconfig").replace("click==8.1.7", "six==1.16.0")
# What no two runs have in common, in what uv says.
DURATION = re.compile(r"\b\d+(\.\d+)?\s?(ns|µs|us|ms|s|m)\b")
TEMPORARY = re.compile(r"\.tmp\w{6}|/[\w-]{16,}/")

RunData = dict[str, Any]


def scrubbed(text: str) -> str:
    return normalize(TEMPORARY.sub("TEMPORARY", DURATION.sub("DURATION", text)))


def observations(data: RunData) -> Any:
    """Return what a run saw, without what is of its moment only."""
    return data["verdict"], {
        variant["name"]: (
            variant["outcome"],
            [
                (step["title"], step["exit"], scrubbed(step["stdout"]), scrubbed(step["stderr"]))
                for step in variant["steps"]
            ],
            {
                (r["method"], r["host"], r["path"], r["status"], r["credentials"], r["answered_by"])
                for r in variant["requests"]
                if r["method"] != "TLS"
            },
        )
        for variant in data["variants"]
    }


def create(folder: Path, manifest: str = FEW) -> Path:
    folder.mkdir()
    (folder / "mre.toml").write_text(manifest)
    return folder


def run(uvmre: CommandLine, folder: Path, *arguments: str, cache: Path | None = None) -> RunData:
    ended = uvmre("run", folder, "--json", *arguments, **({"XDG_CACHE_HOME": str(cache)} if cache else {}))
    assert ended.stdout, ended.stderr
    data: RunData = json.loads(ended.stdout)
    return data


def requests(data: RunData) -> Iterator[RunData]:
    """Yield what was asked; a TLS that the client broke off, as it does with a connection to spare, is chance."""
    for variant in data["variants"]:
        yield from (request for request in variant["requests"] if request["method"] != "TLS")


def taped(folder: Path) -> dict[str, RunData]:
    """Return the entries of a tape; every file of it is one."""
    recording = folder / ".uvmre" / "recording"
    return {path.name: json.loads(path.read_text()) for path in recording.iterdir()} if recording.exists() else {}


def bodies(cache: Path) -> list[Path]:
    return [path for path in (cache / "uvmre" / "bodies").rglob("*") if path.is_file()]


@pytest.fixture
def own(tmp_path: Path, cache: Path) -> Path:
    """Return a cache home of this test's own, which shares only the releases."""
    (tmp_path / "own" / "uvmre").mkdir(parents=True)
    (cache / "uvmre" / "uv").mkdir(parents=True, exist_ok=True)
    (tmp_path / "own" / "uvmre" / "uv").symlink_to(cache / "uvmre" / "uv")
    return tmp_path / "own"


@pytest.mark.slow
@pytest.mark.parametrize("which", ["of the template", "as it was on a day, with ten packages"])
def test_a_replay_is_the_same_ten_times_out_of_ten(
    offline_uvmre: CommandLine, uvmre: CommandLine, cache: Path, tmp_path: Path, which: str
) -> None:
    folder = tmp_path / "mre"
    if which == "of the template":
        assert uvmre("new", "mre", "-t", "workspace-index", "--defaults").exit == 0
    else:
        create(folder, DATED)
    recorded = run(uvmre, folder)
    replayed = [run(offline_uvmre, folder, "--replay") for _ in range(TIMES)]
    for data in replayed:
        assert observations(data) == observations(replayed[0])
        assert not [r for r in requests(data) if r["answered_by"] in ("unreachable", "refused")]
        assert all(r["replayed"] for r in requests(data) if r["status"] != 401)
    assert observations(recorded) == observations(replayed[0])


@pytest.mark.slow
@pytest.mark.parametrize("release", ["0.1.20", "0.13.9"])
def test_other_releases_are_replayed_as_they_were_recorded(
    offline_uvmre: CommandLine, uvmre: CommandLine, cache: Path, tmp_path: Path, release: str
) -> None:
    folder = create(tmp_path / "mre", DATED.replace("0.5.21", release))
    recorded = run(uvmre, folder)
    for _ in range(3):
        assert observations(run(offline_uvmre, folder, "--replay")) == observations(recorded)


def test_two_runs_may_record_on_one_recording_at_once(
    offline_uvmre: CommandLine, uvmre: CommandLine, own: Path, tmp_path: Path
) -> None:
    folder = create(tmp_path / "mre")
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda _: run(uvmre_in(uvmre, own), folder), range(3)))
    assert {data["verdict"] for data in together} == {"reproducible"}
    entries = taped(folder)
    assert entries
    assert all(name.endswith(".json") for name in entries)
    assert all(is_intact(path, path.name) for path in bodies(own))
    assert {entry["sha256"] for entry in entries.values()} <= {path.name for path in bodies(own)}
    assert len(list((folder / ".uvmre" / "runs").iterdir())) == 3
    replayed = run(offline_uvmre, folder, "--replay", cache=own)
    assert observations(replayed) == observations(together[0])


def uvmre_in(uvmre: CommandLine, cache: Path) -> CommandLine:
    """Return the command line with another cache."""

    def run(*arguments: str | Path, **variables: str) -> Any:
        return uvmre(*arguments, **{"XDG_CACHE_HOME": str(cache), **variables})

    return run


@pytest.mark.slow
@pytest.mark.parametrize("patience", [0.2, 0.6, 1.2, 2.0])
def test_a_run_that_was_killed_leaves_no_half_entry(
    offline_uvmre: CommandLine, uvmre: CommandLine, own: Path, tmp_path: Path, patience: float
) -> None:
    """Whenever it happens: before the first request, within an answer, or when all is done."""
    folder = create(tmp_path / "mre", DATED)
    started = subprocess.Popen(
        [sys.executable, "-m", "uvmre", "run", str(folder), "--json"],
        env={**os.environ, "XDG_CACHE_HOME": str(own), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(patience)
    started.send_signal(signal.SIGKILL)
    assert started.stderr
    # The gateway has it too, and notices by itself; who is left in the steps' group ends for want of a network.
    output = started.stderr.read().decode()
    started.stderr.close()
    started.wait()
    assert "Traceback" not in output
    entries = taped(folder)
    assert all(name.endswith(".json") for name in entries)
    for entry in entries.values():
        assert any(path.name == entry["sha256"] and is_intact(path, path.name) for path in bodies(own))
    assert all(is_intact(path, path.name) for path in bodies(own)), "a half body was left"
    data = run(uvmre_in(uvmre, own), folder)
    assert data["verdict"] == "reproducible", data["reason"]
    assert observations(run(offline_uvmre, folder, "--replay", cache=own)) == observations(data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["a bit flipped", "cut off", "empty", "gone"])
def test_a_body_that_is_not_what_it_was_is_noticed_and_fetched_again(
    offline_uvmre: CommandLine, uvmre: CommandLine, own: Path, tmp_path: Path, kind: str
) -> None:
    folder = create(tmp_path / "mre")
    here = uvmre_in(uvmre, own)
    recorded = run(here, folder)
    entry = next(e for e in taped(folder).values() if e["url"].endswith("/simple/six/"))
    (body,) = (path for path in bodies(own) if path.name == entry["sha256"])
    content = bytearray(body.read_bytes())
    content[len(content) // 2] ^= 1
    spoiled = {"a bit flipped": bytes(content), "cut off": bytes(content[:100]), "empty": b""}
    body.write_bytes(spoiled[kind]) if kind in spoiled else body.unlink()

    alone = run(offline_uvmre, folder, "--replay", cache=own)
    assert alone["verdict"] == "inconclusive"
    assert "is not in the recording" in alone["reason"]

    data = run(here, folder)
    asked_again = {r["path"] for r in requests(data) if not r["replayed"]}
    assert asked_again == {"/simple/six/"}
    assert observations(data) == observations(recorded)
    assert is_intact(body, body.name)
    assert observations(run(offline_uvmre, folder, "--replay", cache=own)) == observations(recorded)


def test_a_replay_says_by_its_command_line_what_it_is(uvmre: CommandLine, own: Path, tmp_path: Path) -> None:
    folder = create(tmp_path / "mre")
    here = uvmre_in(uvmre, own)
    assert run(here, folder)["network"] == "auto"
    data = run(here, folder, "--replay")
    assert (data["network"], {r["replayed"] for r in requests(data)}) == ("replay", {True})
    assert shlex.quote("--replay") in here("run", "--help").stdout
