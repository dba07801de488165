"""Secrets planted everywhere are printed nowhere, and are in nothing that uvmre leaves behind. By the real command line."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import _run_uvmre
from tests.hostile.planted import KINDS, LINES, NAMED, Plants, plant_issue, plant_mre, plant_runnable_issue
from uvmre.core.secrets.redact import redact

BREAK = """\
import sys
if "lint" in sys.argv:
    import uvmre.lint.find as find
    def broken(mre, *_):
        raise AssertionError(f"no lint of {mre.files} {mre.variables} {mre.title}")
    find.find_mistakes = broken
"""
"""A bug of uvmre, whose error has the MRE."""
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", "mre"),
    "run --json": ("run", "mre", "--json"),
    "run --verbose": ("run", "mre", "--verbose"),
    "report": ("report", "mre"),
    "report --json": ("report", "mre", "--json"),
    "report --format json": ("report", "mre", "--format", "json"),
    "report --format dockerfile": ("report", "text", "--format", "dockerfile"),
    "lint": ("lint", "mre"),
    "lint --json": ("lint", "mre", "--json"),
    "matrix": ("matrix", "mre", "--all-variants", "--uv", "0.5.21", "--verbose"),
    "matrix --json": ("matrix", "mre", "--all-variants", "--uv", "0.5.21", "--json"),
    "bisect": ("bisect", "mre", "--range", "0.5.20..0.5.21", "--explain", "--verbose"),
    "bisect --json": ("bisect", "mre", "--range", "0.5.20..0.5.21", "--json"),
    "bisect, no such variant": ("bisect", "mre", "--variant", "none"),
    "triage": ("triage", "issue.md", "--verbose"),
    "triage --json": ("triage", "issue.md", "--json"),
    "triage --comment": ("triage", "issue.md", "--comment"),
    "triage --label": ("triage", "issue.md", "--label"),
    "triage --dry-run": ("triage", "issue.md", "--dry-run"),
    "triage --dry-run --json": ("triage", "issue.md", "--dry-run", "--json"),
    "triage, with a run": ("triage", "runs.md", "--verbose"),
    "triage, with a run --json": ("triage", "runs.md", "--json"),
    "triage, with a run --comment": ("triage", "runs.md", "--comment"),
    "triage, with a run --label": ("triage", "runs.md", "--label"),
    "triage, with a run --dry-run": ("triage", "runs.md", "--dry-run"),
    "triage, with a run --dry-run --json": ("triage", "runs.md", "--dry-run", "--json"),
    "new --from-issue": ("new", "made", "--from-issue", "issue.md"),
    "new --from-issue --json": ("new", "made2", "--from-issue", "issue.md", "--json"),
    "an invalid manifest": ("run", "invalid"),
    "an invalid manifest --json": ("run", "invalid", "--json"),
    "a folder that is not there": ("run", "{GitHub}"),
    "a file that is not there": ("triage", "{GitHub}", "https://me:{value}@host.example/o/r/issues/x"),
    "recording ls": ("recording", "ls", "mre"),
    "recording ls --json": ("recording", "ls", "mre", "--json"),
    "recording verify": ("recording", "verify", "mre"),
    "recording pack": ("recording", "pack", "out.zip", "mre"),
    "recording pack --allow-secrets": ("recording", "pack", "out.zip", "mre", "--allow-secrets", "--json"),
    "cache": ("cache", "ls"),
    "doctor": ("doctor",),
    "a crash": ("lint", "mre"),
}


class Left:
    """What was printed and what was left behind, with secrets planted everywhere."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.cache, self.plants = folder, cache, Plants()
        self.printed: dict[str, str] = {}
        plant_mre(folder / "mre", self.plants)
        plant_mre(folder / "text", self.plants)
        (folder / "text" / "data.bin").unlink()
        plant_issue(folder / "issue.md", self.plants)
        plant_runnable_issue(folder / "runs.md", self.plants)
        plant_mre(folder / "invalid", self.plants)
        manifest = folder / "invalid" / "mre.toml"
        invalid = self.plants.plant("GitHub", "an invalid manifest")
        more = f'[[step]]\nrole = "{invalid}"\n"{self.plants.plant("GitLab", "a key")}" = 1\n'
        manifest.write_text(f"{manifest.read_text()}{more}")
        (folder / "broken").mkdir()
        (folder / "broken" / "sitecustomize.py").write_text(BREAK)
        self.uvmre = functools.partial(_run_uvmre, (), cache, folder)

    def run(self, name: str) -> None:
        """Run a command, with a secret in each variable and argument that takes one."""
        plants = self.plants
        arguments = [
            each.format(GitHub=plants.plant("GitHub", "an argument"), value=plants.value("an argument"))
            if "{" in each
            else each
            for each in COMMANDS[name]
        ]
        variables = {"PYTHONPATH": str(self.folder / "broken")} if name == "a crash" else {}
        ended = self.uvmre(
            *arguments,
            GITLAB_TOKEN=plants.value("the environment"),
            UV_INDEX_URL=plants.plant("a URL", "the environment"),
            **variables,
        )
        assert (ended.exit == 3) == (name == "a crash"), ended.stderr
        self.printed[f"{name}, stdout"], self.printed[f"{name}, stderr"] = ended.stdout, ended.stderr

    def serve(self) -> None:
        """Serve the gateway, and send it requests with secrets."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache)}
        command = [sys.executable, "-m", "uvmre", "gateway", "mre", "--json"]
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stderr
            first = process.stdout.readline()
            url = first.split('"url": "')[1].split('"')[0]
            path = f"{self.plants.plant('GitHub', 'a path')}?token={self.plants.value('a query')}"
            proxied = [
                "curl",
                "-sk",
                "-x",
                url,
                "-u",
                f"me:{self.plants.value('a user')}",
                f"https://pypi.org/simple/{path}",
            ]
            subprocess.run(proxied, capture_output=True, check=False)
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            self.printed["gateway"] = first + process.stdout.read() + process.stderr.read()
            assert "GET pypi.org" in self.printed["gateway"]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    found = Left(tmp_path_factory.mktemp("planted"), tmp_path_factory.mktemp("home"))
    for name in COMMANDS:
        found.run(name)
    found.serve()
    return found


@pytest.mark.parametrize("kind", KINDS | NAMED | LINES)
def test_every_kind_is_masked(kind: str) -> None:
    plants = Plants()
    text = f"before\n{plants.plant(kind, 'a text')}\nafter"
    assert plants.found_in(text) == [f"{kind} in a text"]
    masked = redact(text)
    assert plants.found_in(masked) == []
    assert masked.startswith("before\n")
    assert masked.endswith("\nafter")


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_prints_a_secret(left: Left, name: str) -> None:
    stdout, stderr = left.printed[f"{name}, stdout"], left.printed[f"{name}, stderr"]
    assert stdout + stderr
    assert (left.plants.found_in(stdout), left.plants.found_in(stderr)) == ([], [])


@pytest.mark.slow
@pytest.mark.network
def test_what_was_run_is_what_was_planted(left: Left) -> None:
    assert "as reported   shows" in left.printed["run, stdout"]
    assert "without ****" in left.printed["matrix, stdout"]
    assert "UV_PUBLISH_TOKEN=****" in left.printed["triage, with a run, stdout"]
    assert "AWS_SECRET_ACCESS_KEY=**** uv lock" in left.printed["triage, with a run --comment, stdout"]
    assert left.printed["report, stdout"].count("****") > 80


@pytest.mark.slow
@pytest.mark.network
def test_the_gateway_prints_no_secret(left: Left) -> None:
    assert left.plants.found_in(left.printed["gateway"]) == []


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize(
    ("where", "pattern", "least"),
    [
        pytest.param("folder", "mre/.uvmre/runs", 10, id="evidence"),
        pytest.param("folder", "mre/.uvmre/recording", 1, id="the recording"),
        pytest.param("cache", "uvmre/bodies", 1, id="recorded bodies"),
        pytest.param("cache", "uvmre/outcomes.sqlite*", 1, id="outcomes"),
        pytest.param("cache", "uvmre/crash-*", 1, id="crash reports"),
        pytest.param("cache", "uvmre/triage/*/.uvmre", 1, id="the recording of an issue"),
    ],
)
def test_nothing_left_behind_has_a_secret(left: Left, where: str, pattern: str, least: int) -> None:
    roots = list(getattr(left, where).glob(pattern))
    files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
    assert len(files) >= least
    found = {}
    for file in files:
        content = file.read_bytes().decode(errors="replace") if file.is_file() else ""
        if places := left.plants.found_in(f"{file.relative_to(getattr(left, where))}\n{content}"):
            found[str(file)] = places
    assert found == {}


@pytest.mark.slow
@pytest.mark.network
def test_the_rest_of_the_cache_has_a_secret_only_in_the_mre_of_the_issue(left: Left) -> None:
    folders = {path for path in left.cache.glob("uvmre/triage/*") if path.is_dir()}
    for file in left.cache.rglob("*"):
        if file.is_file() and not folders & set(file.parents):
            assert left.plants.found_in(file.read_bytes().decode(errors="replace")) == [], file
