"""A folder of a stranger beside files of the user, and the real command line on it; nothing of the user's may change."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Ended
from tests.releases.caches import VERSIONS, stock
from uvmre import temp_folders

UV = VERSIONS[0]
PRECIOUS = "precious s3cr3t-of-the-user"
SECONDS = 60
MANIFEST = f"""\
schema = 1
title = "t"
[environment]
uv = "{UV}"
[[step]]
role = "observe"
run = "uv fail"
[symptom]
exit = 2
output = ["it broke in two"]
"""


@dataclass(frozen=True)
class Stranger:
    """What a stranger sent, and what is beside it."""

    root: Path

    @property
    def folder(self) -> Path:
        """Return the folder of the stranger."""
        return self.root / "stranger"

    @property
    def outside(self) -> Path:
        """Return a folder of the user."""
        return self.root / "outside"

    def mre(self, manifest: str = MANIFEST) -> Path:
        """Write an MRE."""
        (self.folder / "mre.toml").write_text(manifest)
        return self.folder

    def uvmre(self, *arguments: str | Path) -> Ended:
        """Run the command line; no attack may end in a crash, or take long."""
        done = subprocess.run(
            [sys.executable, "-m", "uvmre", *map(str, arguments)],
            cwd=self.root,
            env={**os.environ, "XDG_CACHE_HOME": str(self.root / "cache"), "HOME": str(self.outside)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
        ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert ended.exit in (0, 1, 2, 125), ended.stderr
        assert "Traceback" not in ended.stderr
        assert "s3cr3t" not in ended.stdout + ended.stderr
        return ended


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return the mode, the time and the content of everything in a folder."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Stranger]:
    """Return a stranger's folder; afterwards, the user's files are as before and there is none that was not."""
    found = Stranger(tmp_path)
    stock(tmp_path / "cache")
    found.folder.mkdir()
    (found.outside / ".ssh").mkdir(parents=True)
    for name in (".bashrc", "precious.json", "precious.md", ".ssh/id_rsa"):
        (found.outside / name).write_text(PRECIOUS)
        (found.outside / name).chmod(0o600)
    before = state(found.outside)
    try:
        yield found
        assert state(found.outside) == before
    finally:
        temp_folders.delete_tree(found.folder)  # pytest cannot delete folders that are too deep
    assert {path.name for path in tmp_path.iterdir()} <= {"stranger", "outside", "cache", "made"}
