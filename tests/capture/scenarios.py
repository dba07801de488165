"""What goes wrong at the company: each scenario prepares the project with real uv, and names the command that fails."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.capture.company_server import TOKEN, Company, remove_version, serve

MOST_SECONDS = 120
UNAUTHORIZED = r"40[13] (?:Unauthorized|Forbidden)"
MISSING = r"40[34] (?:Not Found|Forbidden)"
NO_VERSION = r"no version of \S+==9\.9 and you require \S+==9\.9"


@dataclass(frozen=True)
class Scenario:
    """A command that fails in the company's project, and what it prints."""

    name: str
    command: tuple[str, ...]
    innermost: str
    """A pattern of the innermost cause."""
    kept: str = ""
    """A pattern of it without private names, as an MRE must print it."""
    fails: bool = True
    slow: bool = False
    """Whether it never ends by itself."""


@dataclass(frozen=True)
class Terminal:
    """A terminal of the company's user."""

    company: Company
    uv: Path
    network: Mapping[str, str]

    def run(self, *command: str, timeout: float = MOST_SECONDS) -> "subprocess.CompletedProcess[str]":
        """Run a command in the project."""
        with subprocess.Popen(
            command,
            cwd=self.company.project,
            env=self.company.environment(self.uv, self.network),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            finally:  # what uv started would be left
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def prepare(self, *command: str) -> None:
        """Run a command that must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def lock_conflict(terminal: Terminal) -> Scenario:
    """An internal package excludes what another member needs."""
    project = terminal.company.project
    edit(project / "pyproject.toml", '"heliodor-noyau>=1.4"', '"heliodor-noyau>=2", "gestalt-qv"')
    return Scenario(
        "lock conflict", ("uv", "lock"), r"gestalt-qv.*heliodor-noyau.*unsatisfiable", r"<2.*>=2.*unsatisfiable"
    )


def wrong_token(terminal: Terminal) -> Scenario:
    """The lock was made with a token that is no longer valid."""
    terminal.prepare("uv", "lock")
    revoke(terminal.company)
    return Scenario("wrong token", ("uv", "sync", "--frozen", "--all-packages"), UNAUTHORIZED, UNAUTHORIZED)


def revoke(company: Company) -> None:
    """Give the index another token, so that the user's is rejected."""
    edit(company.root / "network" / "mre.toml", TOKEN, "qvt-another-token")


def build_requirement(terminal: Terminal) -> Scenario:
    """A member is built with an internal package that has no such version."""
    terminal.prepare("uv", "lock")
    edit(
        terminal.company.project / "packages/Moteur d'été/pyproject.toml",
        'requires = ["hatchling"]',
        'requires = ["hatchling", "passerelle-qv>=4"]',
    )
    command = ("uv", "sync", "--frozen", "--all-packages")
    kept = r"Because only \S+==3\.1\.0 is available and you require \S+>=4"
    return Scenario("build requirement", command, r"passerelle-qv.*unsatisfiable", kept)


def hash_mismatch(terminal: Terminal) -> Scenario:
    """A file of the index was replaced after it was locked."""
    terminal.prepare("uv", "lock")
    lock = terminal.company.project / "uv.lock"
    text = lock.read_text(encoding="utf-8")
    start = text.index('name = "heliodor-noyau"\nversion')
    head, tail = text[:start], text[start:]
    end = tail.index("[[package]]") if "[[package]]" in tail else len(tail)
    changed = re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", tail[:end])
    assert changed != tail[:end], "the lock has no hash"
    lock.write_text(head + changed + tail[end:], encoding="utf-8")
    command = ("uv", "sync", "--frozen", "--all-packages")
    return Scenario("hash mismatch", command, r"Hash mismatch for `heliodor-noyau", r"Hash mismatch for `\S+==2\.0\.1`")


def missing_file(terminal: Terminal) -> Scenario:
    """A version was deleted from the index after it was locked."""
    terminal.prepare("uv", "lock")
    remove_version(terminal.company, "heliodor-noyau", "2.0.1")
    return Scenario(
        "missing file",
        ("uv", "sync", "--frozen", "--all-packages"),
        MISSING + r"\) for url \(\S*heliodor_noyau",
        MISSING,
    )


def pip_install(terminal: Terminal) -> Scenario:
    """A requirement file pins a version that the extra index lacks."""
    terminal.prepare("uv", "venv")
    url = terminal.company.url_with_credentials()
    command = ("uv", "pip", "install", "-r", "requirements.txt", "--extra-index-url", url)
    return Scenario("pip install", command, r"heliodor-noyau==9\.9.*unsatisfiable", NO_VERSION)


def run_script(terminal: Terminal) -> Scenario:
    """A script needs a version that the index lacks."""
    del terminal
    command = ("uv", "run", "tableau-de-bord/rapport.py")
    kept = r"only \S+<=1\.1\.0 is available and you require \S+>=3"
    return Scenario("script", command, r"rapport-vapeur.*unsatisfiable", kept)


def build_member(terminal: Terminal) -> Scenario:
    """A member's build file names a file that is not there."""
    member = terminal.company.project / "packages/Moteur d'été/pyproject.toml"
    edit(member, 'version = "1.0.0"', 'version = "1.0.0"\nreadme = "LISEZ-MOI.md"')
    command = ("uv", "build", "--package", "heliodor-moteur")
    return Scenario(
        "build", command, r"Readme file does not exist: LISEZ-MOI\.md", r"Readme file does not exist: \S+\.md"
    )


def docker_build(terminal: Terminal) -> Scenario:
    """A RUN of the Dockerfile fails."""
    secret = f"id=qv-netrc,src={terminal.company.home}/.netrc"
    command = ("docker", "build", "--secret", secret, ".")
    return Scenario("docker build", command, r"heliodor-noyau==9\.9.*unsatisfiable", NO_VERSION)


def wrong_output(terminal: Terminal) -> Scenario:
    """A command succeeds and prints what the user did not expect."""
    terminal.prepare("uv", "lock")
    return Scenario("wrong output", ("uv", "tree", "--frozen", "--package", "relais-vapeur"), "", fails=False)


def flaky(terminal: Terminal) -> Scenario:
    """A command fails every second time, by a state outside of the project."""
    count = terminal.company.root / "count"
    count.write_text("0")
    script = f"n=$(cat '{count}'); echo $((n + 1)) >'{count}'; [ $((n % 2)) = 1 ] || uv pip install heliodor-noyau==9.9"
    terminal.prepare("uv", "venv")
    (terminal.company.project / "essai.sh").write_text(f"{script}\n", encoding="utf-8")
    return Scenario("flaky", ("sh", "essai.sh"), r"heliodor-noyau==9\.9.*unsatisfiable", NO_VERSION)


def hanging(terminal: Terminal) -> Scenario:
    """A command that never ends."""
    del terminal
    return Scenario(
        "hanging", ("uv", "run", "--no-project", "python", "-c", "import time; time.sleep(9999)"), "", slow=True
    )


def needs_terminal(terminal: Terminal) -> Scenario:
    """A command that reads the terminal, and fails without one."""
    del terminal
    script = 'open("/dev/tty").readline()'
    return Scenario("terminal", ("uv", "run", "--no-project", "python", "-c", script), r"/dev/tty")


def succeeding(terminal: Terminal) -> Scenario:
    """A command that succeeds."""
    terminal.prepare("uv", "lock")
    return Scenario("succeeding", ("uv", "lock", "--locked"), "", fails=False)


SCENARIOS: tuple[Callable[[Terminal], Scenario], ...] = (
    *(lock_conflict, wrong_token, build_requirement, hash_mismatch, missing_file, pip_install, run_script),
    *(build_member, docker_build, wrong_output, flaky, hanging, needs_terminal, succeeding),
)
RESTARTED = {wrong_token, missing_file}
"""Those that change what the index has, so that it must be served anew."""

__all__ = ["RESTARTED", "SCENARIOS", "Scenario", "Terminal", "serve"]
