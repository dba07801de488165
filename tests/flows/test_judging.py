"""What judges is part of the key of stored outcomes."""

import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import uvmre
from tests.test_architecture import MODULES, imports
from uvmre.core.outcome import script
from uvmre.core.triage import other_release
from uvmre.flows.probe.judging import PACKAGES, judging_digest
from uvmre.flows.probe.target import ProbeTarget

PRINT = "from uvmre.flows.probe.judging import judging_digest; print(judging_digest())"


def test_every_module_that_judges_counts() -> None:
    judged = inspect.getsource(ProbeTarget.judge)
    assert "script.judge(" in judged
    assert "judge_release(" in judged
    found, new = set[str](), {script.__name__, other_release.__name__}
    while new:
        found |= new
        new = {each for module in new for each in imports(MODULES[module], typing=False) if each in MODULES} - found
    # The errors say only how a command ends.
    uncovered = {module for module in found if module.removeprefix("uvmre.").rpartition(".")[0] not in PACKAGES}
    assert uncovered == {"uvmre.errors"}


def printed(path: Path) -> str:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(path)!r}); {PRINT}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_copy_and_a_zip_file_have_the_same_digest(tmp_path: Path) -> None:
    (source,) = uvmre.__path__
    shutil.copytree(source, tmp_path / "copy" / "uvmre", ignore=shutil.ignore_patterns("__pycache__"))
    assert printed(tmp_path / "copy") == judging_digest()
    zipped = shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path / "copy")
    assert printed(Path(zipped)) == judging_digest()


@pytest.mark.parametrize(
    ("module", "same"),
    [
        pytest.param("core/outcome/matching.py", False, id="what judges"),
        pytest.param("core/text/normalize.py", False, id="what it reads the output with"),
        pytest.param("cli/triage.py", True, id="what only prints"),
    ],
)
def test_a_change(tmp_path: Path, module: str, same: bool) -> None:
    (source,) = uvmre.__path__
    shutil.copytree(source, tmp_path / "uvmre", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "uvmre" / module).open("a") as file:
        file.write("# changed\n")
    assert (printed(tmp_path) == judging_digest()) is same
