"""What the tests share: the real command line, a cache of real releases, and a loud skip where PyPI is out of reach."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests.available_engines import ENGINES, NONE, AtHand

# CI is to fail for what changed, not for what chance brought; elsewhere chance goes on looking. A slow machine is no bug.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@dataclass(frozen=True)
class Ended:
    """A command line that ended."""

    exit: int
    stdout: str
    stderr: str


CommandLine = Callable[..., Ended]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache home that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    context = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = context / "cache"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def uvmre(cache: Path, tmp_path: Path) -> CommandLine:
    """Return the real command line, run in a process of its own in `tmp_path`."""

    def run(*words: str | Path, cwd: Path = tmp_path, **variables: str) -> Ended:
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
        environment = {**kept, "XDG_CACHE_HOME": str(cache), **variables}
        command = [sys.executable, "-m", "uvmre", *map(str, words)]
        done = subprocess.run(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.title)
def engine(request: pytest.FixtureRequest) -> AtHand:
    """Return every engine in turn; one that does not answer here skips."""
    at_hand: AtHand = request.param
    if not at_hand.answers:
        pytest.skip(f"{at_hand.title} does not answer here: this was not tested with it")
    return at_hand


def pypi_answers() -> bool:
    try:
        socket.create_connection(("pypi.org", 443), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("network")]
    if marked and not pypi_answers():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="PyPI does not answer from here: nothing of this was tested"))
    built = [item for item in items if item.get_closest_marker("engine")]
    first = next((engine for engine in ENGINES if engine.answers), None) if built else None
    for item in built:
        if first is None:
            item.add_marker(pytest.mark.skip(reason=NONE))
        # One engine is quick enough for every day; the others are for `make test-all`.
        elif any(value != first for value in _engines(item)):
            item.add_marker(pytest.mark.slow)


def _engines(item: pytest.Item) -> list[AtHand]:
    """Return the engines that a test is for."""
    values = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    return [value for value in values if isinstance(value, AtHand)]
