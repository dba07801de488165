from pathlib import Path

import pytest

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.progress import Progress
from uvmre.flows.capturing.recording import complete_recording
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.folder.evidence import RECORDING
from uvmre.folder.write import write_mre

MRE = Mre(
    "a",
    Environment("0.8.17"),
    (Step("uv pip compile requirements.in", "observe"),),
    Symptom(exit="failure", output=("no version of six==99",)),
    files=(File("requirements.in", b"six==99\nidna\n"),),
)


@pytest.mark.network
@pytest.mark.slow
def test_what_a_recording_lacks_is_requested(tmp_path: Path, cache: Path) -> None:
    folder, options = tmp_path / "mre", RunOptions(cache=cache / "uvmre")
    write_mre(MRE, folder, force=False)
    assert run(folder, options).verdict.word == "reproducible"
    for path in (folder / RECORDING).iterdir():
        path.unlink()
    replay = RunOptions(cache=cache / "uvmre", network="replay")
    assert run(folder, replay).verdict.word == "inconclusive"
    complete_recording(folder, options, Progress())
    assert run(folder, replay).verdict.word == "reproducible"
