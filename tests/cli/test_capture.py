"""`uvmre capture` of the company's project, by the real command line and real uv: what is kept, and what never is."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.capture.company_server import PLANTED, Company, Credentials, serve, write_company
from tests.capture.scenarios import (
    RESTARTED,
    Scenario,
    Terminal,
    build_member,
    build_requirement,
    docker_build,
    flaky,
    hanging,
    hash_mismatch,
    lock_conflict,
    missing_file,
    needs_terminal,
    pip_install,
    run_script,
    succeeding,
    wrong_output,
    wrong_token,
)
from tests.conftest import CommandLine, Ended
from uvmre.core.network.registries import PROFILES
from uvmre.core.secrets.private import Machine, find_private
from uvmre.releases import binaries

pytestmark = pytest.mark.network

RELEASE, OTHER_RELEASE = "0.8.17", "0.13.9"
MOST_SECONDS = 60
"""What a capture may take."""
CREDENTIALS: tuple[Credentials, ...] = ("uv.toml", "url", ".netrc", "variables")
Prepare = Callable[[Terminal], Scenario]


@dataclass
class Capture:
    """A company in whose project something goes wrong, and its capture."""

    company: Company
    scenario: Scenario
    environment: dict[str, str]
    ended: Ended = field(default_factory=lambda: Ended(-1, "", ""))
    seconds: float = 0.0

    @property
    def mre(self) -> Path:
        """Return the folder of the MRE."""
        return self.company.root / "out" / "mre"

    def command(self, *options: str) -> list[str]:
        """Return the command line."""
        argv = ["capture", str(self.company.project), "-o", str(self.mre), *options, "--", *self.scenario.command]
        return [sys.executable, "-m", "uvmre", *argv]

    def run(self, *options: str, prefix: tuple[str, ...] = ()) -> "Capture":
        """Run it."""
        started = time.monotonic()
        done = subprocess.run(
            [*prefix, *self.command(*options)],
            cwd=self.mre.parent,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        self.seconds, self.ended = time.monotonic() - started, Ended(done.returncode, done.stdout, done.stderr)
        return self

    def require_sentence(self, pattern: str, code: int = 125) -> None:
        """Check that it ended with one error, which says why."""
        errors = [line for line in self.ended.stderr.splitlines() if line.startswith("error: ")]
        assert self.ended.exit == code, self.ended
        assert len(errors) == 1, self.ended.stderr
        assert re.search(pattern, errors[0]), errors
        assert "Traceback" not in self.ended.stderr


@contextlib.contextmanager
def prepared(
    root: Path, cache: Path, prepare: Prepare, registry: str = "gitlab", credentials: Credentials = ".netrc"
) -> Iterator[Capture]:
    """Write the company, prepare a scenario with real uv, and serve its index."""
    company = write_company(root / "company", registry, credentials)
    uv = binaries.get(RELEASE, cache / "uvmre", lambda *_: None)[1]
    (company.root / "out").mkdir()
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(serve(company, cache))
        scenario = prepare(Terminal(company, uv, network))
        if prepare in RESTARTED:
            stack.close()
            shutil.rmtree(company.home / ".cache")  # it has the files
            network = stack.enter_context(serve(company, cache))
        (company.home / ".cache").mkdir(exist_ok=True)
        (company.home / ".cache" / "uvmre").symlink_to(cache / "uvmre")
        yield Capture(company, scenario, company.environment(uv, network))


def planted_in(texts: dict[str, str]) -> dict[str, list[str]]:
    """Return the planted strings that texts have, by the names of the texts."""
    found = {name: [each for each in PLANTED if each.lower() in text.lower()] for name, text in texts.items()}
    return {name: each for name, each in found.items() if each}


def texts_of(folder: Path) -> dict[str, str]:
    """Return every file below a folder, and its path, as text."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_dir()]
    contents = {path: path.read_bytes() if path.is_file() else b"" for path in paths}
    return {
        str(path.relative_to(folder)): f"{path.relative_to(folder)}\n{content.decode(errors='replace')}"
        for path, content in contents.items()
    }


def state_of(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return mode, mtime and hash of every file and folder."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        stat = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (stat.st_mode, stat.st_mtime_ns, hashlib.sha256(content).hexdigest())
    return found


def require_clean(captured: Capture, uvmre: CommandLine) -> None:
    """Check that the MRE shows the symptom, and that nothing of it, of its run and of its report is private."""
    assert captured.ended.exit == 0, captured.ended
    run = uvmre("run", captured.mre, "--json")
    assert run.exit == 0, run
    observed = run.json("run")["variants"][0]["steps"][-1]
    shown = " ".join(re.sub("[│╰├─▶]", " ", observed["stderr"] + observed["stdout"]).split())
    assert re.search(captured.scenario.kept, shown), shown
    report = uvmre("report", captured.mre)
    outputs = {"capture": captured.ended.stdout, "run": run.stdout + run.stderr, "report": report.stdout}
    assert report.exit == 0, report
    texts = texts_of(captured.mre)
    assert planted_in({**texts, **outputs}) == {}
    own = {name: text for name, text in {**texts, **outputs}.items() if not name.startswith((".uvmre", "capture"))}
    assert list(find_private(own, Machine("m.kerbrat", "poste-kerbrat", str(captured.company.home)))) == []
    assert "private = true" not in texts["mre.toml"]
    notes = captured.mre.with_name("mre.private.txt")
    assert notes.stat().st_mode & 0o777 == 0o600
    assert "heliodor" in notes.read_text(encoding="utf-8")


CAPTURED = [
    *(lock_conflict, wrong_token, build_requirement, hash_mismatch, missing_file, pip_install, run_script),
    *(build_member, docker_build),
]


@pytest.mark.few(2)
@pytest.mark.parametrize("prepare", CAPTURED)
def test_a_failure_is_captured_without_anything_private(
    prepare: Prepare, tmp_path: Path, cache: Path, uvmre: CommandLine
) -> None:
    with prepared(tmp_path, cache, prepare) as capture:
        before = state_of(capture.company.project)
        capture.run("--yes")
        assert state_of(capture.company.project) == before
    assert capture.seconds < MOST_SECONDS
    require_clean(capture, uvmre)


BESIDE_PAGE = pytest.mark.xfail(strict=False, reason="a file beside a page is served only after its page")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("number", "registry"),
    [
        pytest.param(*each, marks=BESIDE_PAGE if PROFILES[each[1]].links == "{filename}" else ())
        for each in enumerate(PROFILES)
    ],
)
def test_every_registry(number: int, registry: str, tmp_path: Path, cache: Path, uvmre: CommandLine) -> None:
    credentials = CREDENTIALS[number % len(CREDENTIALS)]
    # The gateway knows no file beside a page before the page is requested, which `--frozen` never does.
    prepare = hash_mismatch if PROFILES[registry].links == "{filename}" else missing_file
    with prepared(tmp_path, cache, prepare, registry, credentials) as capture:
        capture.run("--yes", "--json")
    assert capture.seconds < MOST_SECONDS
    require_clean(capture, uvmre)
    capture.ended.json("capture")
    assert f'registry = "{registry}"' in (capture.mre / "mre.toml").read_text() or registry == "pypi-proxy"


def test_it_runs_without_a_network(tmp_path: Path, cache: Path, uvmre: CommandLine, offline_uvmre: CommandLine) -> None:
    with prepared(tmp_path, cache, build_requirement) as capture:
        assert capture.run("--yes").ended.exit == 0, capture.ended
    assert uvmre("run", capture.mre).exit == 0
    for options in ((), ("--replay",)):
        ended = offline_uvmre("run", capture.mre, *options)
        assert ended.exit == 0, ended


@pytest.mark.slow
def test_it_runs_as_another_user(tmp_path: Path, cache: Path) -> None:
    with prepared(tmp_path, cache, hash_mismatch) as capture:
        assert capture.run("--yes").ended.exit == 0, capture.ended
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    pythons = [each for each in (sys.executable, shutil.which(minor, path="/usr/bin")) if each]
    path = ":".join(each for each in sys.path if each)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # tmp_path is closed to others
        home = Path(folder)
        shutil.copytree(capture.mre, home / "mre", ignore=shutil.ignore_patterns(".uvmre"))
        subprocess.run(["chown", "-R", "65534:65534", folder], check=False)
        environment = {"HOME": folder, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}
        for name in ("SSL_CERT_FILE", "HTTPS_PROXY"):
            environment |= {name: os.environ[name]} if name in os.environ else {}
        for python in pythons:
            if subprocess.run([*user, python, "-c", "import click"], env=environment, capture_output=True).returncode:
                continue
            done = subprocess.run(
                [*user, python, "-m", "uvmre", "run", home / "mre"], env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return
    pytest.skip("no other user can run Python here")


@pytest.mark.slow
def test_it_is_shrunk_and_shows_on_two_releases(tmp_path: Path, cache: Path, uvmre: CommandLine) -> None:
    with prepared(tmp_path, cache, build_requirement) as capture:
        capture.run("--yes", "--shrink")
    require_clean(capture, uvmre)
    for release in (RELEASE, OTHER_RELEASE):
        assert uvmre("run", capture.mre, "--uv", release).exit == 0
    assert uvmre("check", capture.mre).exit == 0


@pytest.mark.slow
def test_a_project_that_is_mounted_read_only(tmp_path: Path, cache: Path) -> None:
    with prepared(tmp_path, cache, hash_mismatch) as capture:
        mount = 'mount --bind -o ro "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        prefix = ("unshare", "--mount", "sh", "-c", mount, str(capture.company.project))
        if subprocess.run([*prefix, "true"], capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")
        capture.run("--yes", prefix=prefix)
    assert capture.ended.exit == 0, capture.ended


NO_TERMINAL = pytest.mark.xfail(reason="the failure without a terminal is taken for the bug")
# What cannot be captured: one sentence each, and nothing is left behind.
SENTENCES = [
    pytest.param(succeeding, (), r"`uv lock --locked` succeeds", id="it succeeds"),
    pytest.param(wrong_output, (), r"`uv tree .*` succeeds", id="it succeeds with a wrong output"),
    pytest.param(flaky, (), r"something else each time", id="it fails every second time"),
    pytest.param(hanging, ("--seconds", "3"), r"did not end in 3 s", id="it hangs"),
    pytest.param(needs_terminal, (), r"terminal", id="it needs a terminal", marks=NO_TERMINAL),
]


@pytest.mark.few(3)
@pytest.mark.parametrize(("prepare", "options", "sentence"), SENTENCES)
def test_one_sentence_says_why_it_cannot_be_captured(
    prepare: Prepare, options: tuple[str, ...], sentence: str, tmp_path: Path, cache: Path
) -> None:
    with prepared(tmp_path, cache, prepare) as capture:
        before = state_of(capture.company.project)
        capture.run("--yes", *options).require_sentence(sentence)
        assert state_of(capture.company.project) == before
    assert not capture.mre.exists()


def test_a_wrong_output_is_captured_by_its_text(tmp_path: Path, cache: Path, uvmre: CommandLine) -> None:
    with prepared(tmp_path, cache, wrong_output) as capture:
        capture.run("--yes", "--prints", "relais-vapeur")
    capture.scenario = Scenario("wrong output", capture.scenario.command, "", kept=r"└ +idna")
    require_clean(capture, uvmre)


def test_it_asks_before_it_runs_the_command(tmp_path: Path, cache: Path) -> None:
    with prepared(tmp_path, cache, lock_conflict) as capture:
        capture.run().require_sentence("no terminal to ask on", code=2)
    assert not capture.mre.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_is_ended_in_the_middle(number: int, tmp_path: Path, cache: Path) -> None:
    with prepared(tmp_path, cache, hanging) as capture:
        before = state_of(capture.company.project)
        process = subprocess.Popen(
            capture.command("--yes"),
            cwd=capture.mre.parent,
            env=capture.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        sleeping = wait_for_child(process.pid, "time.sleep(9999)")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
        assert state_of(capture.company.project) == before
        assert not capture.mre.exists()
        if number == signal.SIGINT:
            assert process.returncode == 130
            assert len([line for line in stderr.splitlines() if "interrupted" in line]) == 1
            assert has_ended(sleeping)
        # The next one is not disturbed, and ends what a killed one left.
        capture.scenario = Scenario("another", ("uv", "pip", "compile", "requirements.txt"), "", kept="9.9")
        assert capture.run("--yes").ended.exit == 0, capture.ended
        assert has_ended(sleeping)


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended; in a container nothing may wait for it."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_for_child(parent: int, word: str) -> psutil.Process:
    """Wait until a process below one has a word in its command line."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if word in " ".join(child.cmdline()) and child.name().startswith("python"):
                    return child
        time.sleep(0.05)
    raise AssertionError(f"no process has {word}")


def test_what_json_says(tmp_path: Path, cache: Path) -> None:
    with prepared(tmp_path, cache, hash_mismatch) as capture:
        data = capture.run("--yes", "--json").ended.json("capture")
    assert data["verdict"] in ("reproducible", "explained")
    assert planted_in({"json": json.dumps({**data, "folder": "", "notes": ""}, ensure_ascii=False)}) == {}
