"""Which cells a matrix has, and which of them need no run."""

import threading
from pathlib import Path

import pytest

from tests.conftest import WriteMre
from tests.releases.caches import stock
from uvmre.core.progress import Progress
from uvmre.core.search.matrix import Cell
from uvmre.errors import UsageError
from uvmre.flows.matrix import FOUND_ON_PATH, matrix
from uvmre.flows.options import RunOptions
from uvmre.flows.probe.target import of_mre, of_script

MANIFEST = """\
schema = 1
title = "It breaks"
[environment]
uv = "0.4.9"
[[step]]
role = "observe"
run = "uv fail"
[symptom]
exit = "failure"
output = ["error"]
"""


class Recorder(Progress):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.total = 0
        self.finished: list[tuple[str, bool]] = []

    def cells(self, total: int) -> None:
        self.total = total

    def ended(self, name: str, cell: Cell, *, kept: bool) -> None:
        with self.lock:
            self.finished.append((name, kept))


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    return RunOptions(cache=stock(tmp_path / "home", gone=("0.4.8",)), network="replay", jobs=1)


def test_a_cell_without_an_interpreter_is_missing_and_not_run(write_mre: WriteMre, options: RunOptions) -> None:
    progress = Recorder()
    filled = matrix(of_mre(write_mre(MANIFEST)), "0.4.6,0.4.7", ["3.99"], options, progress=progress)
    assert [(cell.release, cell.word) for cell in filled.cells] == [("0.4.6", "missing"), ("0.4.7", "missing")]
    assert (progress.total, [kept for _, kept in progress.finished]) == (2, [False, False])
    assert "3.99" in filled.cells[0].reason


def test_a_cell_without_a_release_is_missing(tmp_path: Path, options: RunOptions) -> None:
    script = of_script(["sh", "-c", "exit 0"], tmp_path)
    filled = matrix(script, "0.4.8,0.4.9", [], options)
    assert [(cell.release, cell.interpreter, cell.word) for cell in filled.cells] == [
        ("0.4.8", FOUND_ON_PATH, "missing"),
        ("0.4.9", FOUND_ON_PATH, "shows"),
    ]


def test_the_second_matrix_is_filled_from_the_store(tmp_path: Path, options: RunOptions) -> None:
    script, progress = of_script(["sh", "-c", "exit 1"], tmp_path), Recorder()
    first = matrix(script, "0.4.6", [], options)
    second = matrix(script, "0.4.6", [], options, progress=progress)
    assert [[each.kept for each in filled.filled] for filled in (first, second)] == [[False], [True]]
    assert (second.cells, progress.finished) == (first.cells, [("uv 0.4.6, as reported", True)])


def test_a_script_needs_the_releases(tmp_path: Path, options: RunOptions) -> None:
    with pytest.raises(UsageError, match="needs the releases"):
        matrix(of_script(["sh"], tmp_path), "", [], options)
