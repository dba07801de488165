"""The evidence of runs: written as it comes, and read back."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from uvmre.core.network.request import Request
from uvmre.core.outcome.matching import Outcome
from uvmre.core.outcome.observation import FileState, Observation, StepResult
from uvmre.core.outcome.result import Result, Variant
from uvmre.core.outcome.verdict import Verdict
from uvmre.folder.evidence import begin_run, finish_run, latest_result, write_observation

NOON = datetime(2025, 1, 23, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2025, 1, 23, 12, 0, 1, tzinfo=UTC)
OBSERVATION = Observation(
    "as reported",
    "0.5.21",
    "3.11.7",
    "local",
    "Linux 6.1 x86_64",
    (
        StepResult("uv lock", "uv lock", "setup", 0, "", "Resolved 1 package\n", 0.5),
        StepResult("uv sync --frozen", "uv sync --frozen", "observe", 2, "out\n", "  × no\n", 1.5),
    ),
    (
        Request("GET", "pypi.org", "/simple/a/", 200, False, "upstream", 0.0125),
        Request("CONNECT", "example.com", "", 403, True, "refused", 0.001, "it is not on the list"),
    ),
    (FileState("uv.lock", exists=False),),
)
RESULT = Result(
    title="t",
    issue="",
    reported_uv="0.5.21",
    uv="0.5.21",
    python="3.11.7",
    backend="local",
    platform="Linux 6.1 x86_64",
    network="auto",
    started="2025-01-23T12:00:00+00:00",
    digest="d1",
    variants=(Variant("as reported", "", OBSERVATION, Outcome("shows", "so it is")),),
    verdict=Verdict("reproducible", "so it is"),
)


def test_a_run_gets_a_folder_that_says_when_and_with_what(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "0.5.21", NOON)
    assert run.is_dir()
    assert run.parent == tmp_path / ".uvmre" / "runs"
    assert re.fullmatch(r"20250123T120000\.000000Z-uv-0\.5\.21-[0-9a-f]{4}", run.name)


def test_runs_are_not_for_git(tmp_path: Path) -> None:
    begin_run(tmp_path, "0.5.21", NOON)
    assert (tmp_path / ".uvmre" / ".gitignore").read_text() == "*\n"


def test_what_a_variant_left_behind_is_kept_as_files(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "0.5.21", NOON)
    write_observation(run, OBSERVATION)
    folder = run / "as-reported"
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix != ".json"}
    assert kept == {
        "1-uv-lock.stdout": "",
        "1-uv-lock.stderr": "Resolved 1 package\n",
        "2-uv-sync-frozen.stdout": "out\n",
        "2-uv-sync-frozen.stderr": "  × no\n",
        "requests.log": "GET pypi.org/simple/a/ 200 no credentials upstream 12 ms\n"
        "CONNECT example.com 403 with credentials refused 1 ms it is not on the list\n",
    }
    data = json.loads((folder / "observation.json").read_text(encoding="utf-8"))
    assert data["variant"] == "as reported"
    assert [step["exit"] for step in data["steps"]] == [0, 2]
    assert data["requests"][1]["reason"] == "it is not on the list"


def test_two_steps_of_one_command_are_both_kept(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "0.5.21", NOON)
    first, second = (StepResult("uv sync", "uv sync", "observe", 0, text, "", 1.0) for text in ("first", "second"))
    write_observation(run, replace(OBSERVATION, steps=(first, second)))
    assert (run / "as-reported" / "1-uv-sync.stdout").read_text() == "first"
    assert (run / "as-reported" / "2-uv-sync.stdout").read_text() == "second"


def test_a_finished_run_is_read_back(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "0.5.21", NOON)
    write_observation(run, OBSERVATION)
    finish_run(run, RESULT)
    assert latest_result(tmp_path) == RESULT


def test_nothing_is_left_aside(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "0.5.21", NOON)
    write_observation(run, OBSERVATION)
    finish_run(run, RESULT)
    assert [path.name for path in run.rglob(".*")] == []


def test_the_newest_run_wins_whichever_release_it_ran(tmp_path: Path) -> None:
    finish_run(begin_run(tmp_path, "0.13.9", LATER), replace(RESULT, uv="0.13.9", variants=()))
    finish_run(begin_run(tmp_path, "0.5.21", NOON), RESULT)
    newest = latest_result(tmp_path)
    assert newest is not None
    assert newest.uv == "0.13.9"


def test_a_run_that_is_not_finished_is_not_the_latest(tmp_path: Path) -> None:
    finish_run(begin_run(tmp_path, "0.5.21", NOON), RESULT)
    write_observation(begin_run(tmp_path, "0.13.9", LATER), OBSERVATION)
    assert latest_result(tmp_path) == RESULT


def test_where_nothing_was_finished_there_is_no_latest(tmp_path: Path) -> None:
    assert latest_result(tmp_path) is None
    begin_run(tmp_path, "0.5.21", NOON)
    assert latest_result(tmp_path) is None


def runs(folder: Path) -> list[Path]:
    return sorted((folder / ".uvmre" / "runs").iterdir())


def test_the_last_ten_runs_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".uvmre" / "runs" / "notes").mkdir(parents=True)
    made = []
    for second in range(13):
        made.append(begin_run(tmp_path, "0.5.21", NOON.replace(second=second)))
        finish_run(made[-1], RESULT)
    assert runs(tmp_path) == [*made[-10:], tmp_path / ".uvmre" / "runs" / "notes"]


def test_the_newest_finished_run_and_one_under_way_are_kept_too(tmp_path: Path) -> None:
    under_way = begin_run(tmp_path, "0.5.21", NOON.replace(minute=0))
    finished = begin_run(tmp_path, "0.5.21", NOON.replace(minute=1))
    finish_run(finished, RESULT)
    code = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path; from uvmre.folder.evidence import begin_run; "
        "[begin_run(Path(sys.argv[1]), '0.5.21', datetime(2025, 1, 23, 12, 2, n, tzinfo=UTC)) for n in range(12)]"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)  # interrupted ones, whose process is gone
    newest = begin_run(tmp_path, "0.5.21", NOON.replace(minute=3))
    left = runs(tmp_path)
    assert {under_way, finished, newest} < set(left)
    assert len(left) == 12
    assert latest_result(tmp_path) == RESULT
