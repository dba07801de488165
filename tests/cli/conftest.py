"""What tests of the command line share."""

from pathlib import Path

import pytest

from tests.releases.caches import stock


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return where the cache is, with releases that are shell scripts."""
    stock(tmp_path / "home")
    return tmp_path / "home"
