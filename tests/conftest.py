"""Fixtures of all tests: the real command line, a cache of real releases, and skips where PyPI does not answer."""

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import settings

from tests.available_engines import ENGINES, NONE, AtHand
from tests.hub import hub, secure_hub  # noqa: F401 - fixtures
from uvmre.run.sandbox import bubblewrap

# CI fails for what changed, not by chance; elsewhere the examples are random. A slow machine is no bug.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


MOST_SECONDS = 120
"""The time that a command line may take."""
SCHEMAS = Path(__file__).parents[1] / "docs" / "schemas"


@dataclass(frozen=True)
class Ended:
    """A command line that ended."""

    exit: int
    stdout: str
    stderr: str

    def json(self, schema: str = "") -> Any:
        """Return the JSON on stdout, validated against its schema, or against that of errors."""
        data = json.loads(self.stdout)
        if schema:
            name = "error" if "error" in data else schema
            jsonschema.validate(data, json.loads((SCHEMAS / f"{name}.json").read_text()))
        assert data.get("exit", self.exit) == self.exit
        return data


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
    return functools.partial(_run_uvmre, (), cache, tmp_path)


@pytest.fixture
def offline_uvmre(cache: Path, tmp_path: Path) -> CommandLine:
    """Return the real command line on a machine with nothing but its loopback."""
    if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True).returncode:
        pytest.skip("no network namespace can be created here")
    prefix = ("unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    return functools.partial(_run_uvmre, prefix, cache, tmp_path)


def _run_uvmre(
    prefix: tuple[str, ...],
    cache: Path,
    folder: Path,
    /,
    *arguments: str | Path,
    cwd: Path | None = None,
    **variables: str,
) -> Ended:
    inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    # What a test is about does not depend on the sandbox, unless it is one of tests/hostile.
    trust = ["--trust"] if no_sandbox() and arguments[:1] in [("triage",), ("run",), ("bisect",), ("matrix",)] else []
    with subprocess.Popen(
        [*prefix, sys.executable, "-X", "faulthandler", "-m", "uvmre", *map(str, arguments), *trust],
        cwd=cwd or folder,
        env={**inherited, "XDG_CACHE_HOME": str(cache), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            # Where each of its threads is, for what happens once in a thousand runs.
            process.send_signal(signal.SIGABRT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it hangs: {process.communicate(timeout=10)[1]}")
            process.kill()
            pytest.fail("it ended and left a process that holds its streams")
    return Ended(process.returncode, stdout, stderr)


WriteMre = Callable[..., Path]


@pytest.fixture
def write_mre(tmp_path: Path) -> WriteMre:
    """Return a function that writes an MRE in a folder of `tmp_path`."""

    def write(manifest: str, name: str = "mre") -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "mre.toml").write_text(manifest)
        return tmp_path / name

    return write


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.title)
def engine(request: pytest.FixtureRequest) -> AtHand:
    """Return every engine in turn; one that does not answer here skips."""
    at_hand: AtHand = request.param
    if not at_hand.answers:
        pytest.skip(f"{at_hand.title} does not answer here: this was not tested with it")
    return at_hand


@functools.cache
def no_sandbox() -> str:
    """Return why no sandbox can be made here; empty where one can."""
    return bubblewrap.find_fault()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if why := no_sandbox():
        terminalreporter.section("NO SANDBOX")
        terminalreporter.line(f"{why}: tests/hostile was skipped, and what came from outside ran with --trust")


def pypi_answers() -> bool:
    try:
        socket.create_connection(("pypi.org", 443), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("few") and not item.get_closest_marker("slow"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for group in cases.values():
        most = next(iter(group[0].iter_markers("few"))).args[0]
        kept = {number * len(group) // most for number in range(most)}
        for number, item in enumerate(group):
            if number not in kept:
                item.add_marker(pytest.mark.slow)
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
