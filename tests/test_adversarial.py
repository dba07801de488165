"""`bench/adversarial.py`, on invented posts over releases that are shell scripts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_triage import BUILD, SYNC, UV, console, post
from tests.releases.caches import VERSIONS, stock

SCRIPT = Path(__file__).parents[1] / "bench" / "adversarial.py"
LOCK = console("uv lock", "error: the marker of `ext` has two ends\n")
TITLE = "uv lock fails"


@pytest.mark.parametrize(
    ("second", "code", "confirmed"),
    [
        pytest.param(post(LOCK, title=TITLE), 0, 0, id="two bugs"),
        pytest.param(post(console("uv sync -v", BUILD)), 1, 2, id="one bug twice, which counts as wrong"),
    ],
)
def test_posts_that_are_changed(tmp_path: Path, second: str, code: int, confirmed: int) -> None:
    cache = stock(tmp_path / "home")
    for version in VERSIONS:
        (cache / "uv" / version / "uv").write_text(UV.format(number=version.rpartition(".")[2]))
    (tmp_path / "posts").mkdir()
    for name, text in {"1": post(SYNC), "2": second}.items():
        (tmp_path / "posts" / f"{name}.md").write_text(text)
    command = [sys.executable, str(SCRIPT), str(tmp_path / "posts"), "--trust"]
    ended = subprocess.run(
        command,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ended.stdout.splitlines()
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert lines[0] == "2 posts, of which triage answers 2 and confirms 2"
    assert "without the decisive block: 2 tried, 0 wrongly confirmed" in lines
    (others,) = (line for line in lines if line.startswith("the MRE of another post: 2 tried"))
    assert others.endswith(f" {confirmed} wrongly confirmed")
