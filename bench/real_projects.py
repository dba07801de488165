"""Twelve projects from PyPI, each broken in another way, captured and shrunk without help.

    python bench/real_projects.py [--verify] [--keep FOLDER] [NAME…]

Each is an sdist of a pinned version, its break an edit that a person could make. `--verify` only runs the failing
commands with real uv, and says whether each fails for the reason that it is meant to. Otherwise each is captured with
`uvmre capture … --shrink`, and the MRE is run on the release of the capture and on another one. Ends with 1 if the
symptom of one does not hold on both.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urljoin

from uvmre.client import http_client
from uvmre.releases import binaries

RELEASE, OTHER_RELEASE = "0.8.17", "0.13.9"
MOST_SECONDS = 600
UVMRE = [sys.executable, "-m", "uvmre"]
ACCEPT = {"Accept": "application/vnd.pypi.simple.v1+json"}


@dataclass(frozen=True)
class Broken:
    """A project from PyPI, and how it is broken."""

    project: str
    version: str
    kind: str
    """What is special about it: its build backend, workspace, groups …"""
    what: str
    """What is wrong with it, in a few words."""
    damage: Callable[[Path], object]
    command: tuple[str, ...]
    innermost: str
    """A pattern of the innermost cause."""


def edit(path: str, old: str, new: str) -> Callable[[Path], object]:
    """Return a change of a file, in which the old text must be."""

    def change(folder: Path) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        (folder / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def remove(path: str) -> Callable[[Path], object]:
    """Return a change that removes a file."""
    return lambda folder: (folder / path).unlink()


MEMBER = "examples/servers/simple-tool/pyproject.toml"
CONFLICTS = '\n[tool.uv]\nconflicts = [[{ extra = "standard" }, { extra = "small" }]]\n'
BUILD = ("uv", "build", "--wheel")
PROJECTS = (
    Broken(
        *("httpx", "0.28.1", "hatchling, extras", "a version that does not exist"),
        edit("pyproject.toml", '"httpcore==1.*"', '"httpcore==1.99.*"'),
        ("uv", "lock"),
        r"httpcore.*unsatisfiable",
    ),
    Broken(
        *("requests", "2.32.3", "setuptools, setup.py", "setup.py reads a file that is gone"),
        remove("README.md"),
        BUILD,
        r"No such file or directory: 'README\.md'",
    ),
    Broken(
        *("flask", "3.1.0", "flit_core", "the module has another name"),
        edit("pyproject.toml", '[tool.flit.module]\nname = "flask"', '[tool.flit.module]\nname = "flasks"'),
        BUILD,
        r"No file/folder found for module flasks",
    ),
    Broken(
        *("unearth", "0.17.2", "pdm-backend", "the version comes from a file that is not there"),
        lambda folder: (
            edit("pyproject.toml", "dynamic = []", 'dynamic = ["version"]')(folder),
            edit("pyproject.toml", 'version = "0.17.2"\n', "")(folder),
            edit("pyproject.toml", 'source = "scm"', 'source = "file"\npath = "src/unearth/_version.py"')(folder),
        ),
        BUILD,
        r"FileNotFoundError|does not exist|No such file",
    ),
    Broken(
        *("rich", "13.9.4", "poetry-core, no [project]", "a dependency without such a version"),
        edit("pyproject.toml", 'pygments = "^2.13.0"', 'pygments = "^99.0"'),
        ("uv", "pip", "compile", "pyproject.toml"),
        r"pygments.*unsatisfiable",
    ),
    Broken(
        *("django-stubs-ext", "6.1.2", "uv_build", "the module is not where it is configured to be"),
        edit("pyproject.toml", 'module-root = ""', 'module-root = "src"'),
        BUILD,
        r"Expected a Python module",
    ),
    Broken(
        *("nanobind", "2.4.0", "scikit-build-core", "a setting that does not exist"),
        edit("pyproject.toml", "wheel.platlib = false", "wheel.platlibs = false"),
        BUILD,
        r"wheel\.platlibs",
    ),
    Broken(
        *("pluggy", "1.5.0", "setuptools-scm", "neither git nor PKG-INFO has the version"),
        remove("PKG-INFO"),
        ("uv", "pip", "compile", "setup.py"),
        r"unable to detect version",
    ),
    Broken(
        *("mcp", "1.9.4", "workspace of seven, uv.lock", "a source that is no member"),
        edit(MEMBER, "[tool.uv]\n", "[tool.uv.sources]\nclick = { workspace = true }\n\n[tool.uv]\n"),
        ("uv", "lock"),
        r"references a workspace in `tool\.uv\.sources`",
    ),
    Broken(
        *("structlog", "25.4.0", "dependency groups", "groups that include each other"),
        edit("pyproject.toml", 'typing = ["mypy>=1.4"', 'typing = [{ include-group = "dev" }, "mypy>=1.4"'),
        ("uv", "sync", "--group", "dev"),
        r"cycle",
    ),
    Broken(
        *("uvicorn", "0.34.0", "extras, conflicts", "two extras that exclude each other"),
        lambda folder: (
            edit("pyproject.toml", "standard = [", 'small = ["h11"]\nstandard = [')(folder),
            (folder / "pyproject.toml").open("a").write(CONFLICTS),
        ),
        ("uv", "sync", "--extra", "small", "--extra", "standard"),
        r"incompatible with the declared conflicts",
    ),
    Broken(
        *("attrs", "25.4.0", "uv.lock, groups", "the lock has another hash"),
        edit("uv.lock", "sha256:9deba5723312380e", "sha256:0000000000000000"),
        ("uv", "sync", "--frozen", "--only-group", "tests"),
        r"Hash mismatch for `iniconfig",
    ),
)


def download(project: str, version: str, folder: Path) -> Path:
    """Download and unpack the sdist of a version; return its folder."""
    page = f"https://pypi.org/simple/{project}/"
    with http_client() as client:
        files = client.get(page, headers=ACCEPT, follow_redirects=True).json()["files"]
        (url,) = [file["url"] for file in files if file["filename"].endswith(f"-{version}.tar.gz")]
        content = client.get(urljoin(page, url), follow_redirects=True).content
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def size(folder: Path) -> int:
    """Return the bytes of the files of a project or an MRE, without what uvmre keeps and generates there."""
    own = {".uvmre", ".venv", ".git"}
    files = [path for path in folder.rglob("*") if path.is_file() and not own & set(path.relative_to(folder).parts)]
    return sum(path.stat().st_size for path in files if path.name != "run.sh")


def run(command: Sequence[str | Path], folder: Path, cache: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command as in a terminal in which uv is the release."""
    _, uv = binaries.get(RELEASE, cache, lambda *_: None)
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{uv.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )


def verify(broken: Broken, folder: Path, cache: Path) -> str:
    """Return why the command does not fail as it is meant to; empty if it does."""
    done = run(broken.command, folder, cache)
    text = " ".join(re.sub("[│╰├─▶]", " ", done.stdout + done.stderr).split())
    if done.returncode and re.search(broken.innermost, text):
        return ""
    return f"exit {done.returncode}: {text[-600:]}"


def capture(broken: Broken, project: Path, cache: Path) -> tuple[list[str], bool]:
    """Capture and shrink a project; return its row of the table, and whether the symptom holds on both releases."""
    work, before, started = project.parent, size(project), time.perf_counter()
    options = ["-o", work / "mre", "--shrink", "--yes", "--json"]
    try:
        done = run([*UVMRE, "capture", project, *options, "--", *broken.command], work, cache)
    except subprocess.TimeoutExpired:
        return [f">{MOST_SECONDS}", f"{before} →", "", "not done in time"], False
    seconds = time.perf_counter() - started
    if done.returncode:
        why = "; ".join(re.findall(r"^(?:error|cause): (.*)", done.stderr, re.MULTILINE))
        return [f"{seconds:.0f}", f"{before} →", "", f"exit {done.returncode}: {why}"], False
    data = json.loads(done.stdout)
    verdicts = []
    for release in (RELEASE, OTHER_RELEASE):
        ran = json.loads(run([*UVMRE, "run", work / "mre", "--uv", release, "--json"], work, cache).stdout)
        verdicts.append(ran.get("verdict") or ran["error"])
    tries = "".join(re.findall(r"(\d+) tries", data["shrunk"]))
    row = [f"{seconds:.0f}", f"{before} → {size(work / 'mre')}", tries, ", ".join(verdicts)]
    return row, set(verdicts) <= {"reproducible", "explained"}


def main() -> int:
    """Print the table; return 1 if a symptom does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--verify", action="store_true", help="only run the failing commands")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the projects and MREs are kept")
    options = parser.parse_args()
    home = subprocess.run(
        [sys.executable, "-m", "uvmre", "cache", "dir"], stdout=subprocess.PIPE, text=True, check=True
    )
    cache, failed = Path(home.stdout.strip()), 0
    root = options.keep or Path(tempfile.mkdtemp())
    print(f"{'project':<24} {'special':<28} {'seconds':>7}  {'bytes':<18} {'tries':>5}  on {RELEASE}, {OTHER_RELEASE}")
    for broken in PROJECTS:
        if options.names and broken.project not in options.names:
            continue
        shutil.rmtree(root / broken.project, ignore_errors=True)
        (root / broken.project).mkdir(parents=True)
        project = download(broken.project, broken.version, root / broken.project)
        broken.damage(project)
        name = f"{broken.project} {broken.version}"
        if options.verify:
            why = verify(broken, project, cache)
            print(f"{name:<24} {broken.kind:<28} {broken.what}: {why or 'fails as it is meant to'}", flush=True)
            failed += bool(why)
            continue
        (seconds, sizes, tries, verdicts), holds = capture(broken, project, cache)
        print(f"{name:<24} {broken.kind:<28} {seconds:>7}  {sizes:<18} {tries:>5}  {verdicts}", flush=True)
        failed += not holds
    if not options.keep:
        shutil.rmtree(root)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
