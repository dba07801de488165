"""For each repair rule: an MRE that needs it, what an old and a new release of uv print for it, and one that does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from uvmre.core.mre.files import File
from uvmre.core.mre.model import Environment, Mre, Step
from uvmre.core.mre.symptom import Symptom
from uvmre.core.outcome.observation import StepResult
from uvmre.core.triage.hypothesis import Hypothesis
from uvmre.core.triage.parsed_issue import Claim, ParsedIssue, PostedFile
from uvmre.issue.repairs.repair import failure_of  # noqa: F401 - for the tests
from uvmre.issue.repairs.rule import Failure

OLD, NEW = "0.4.30", "0.13.9"
PROJECT = '[project]\nname = "thing"\nversion = "0.1.0"\nrequires-python = ">=3.8"\ndependencies = [{}]\n'
HATCH = PROJECT.format("") + '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
UV_SOURCE = PROJECT.format('"acme"') + "[tool.uv.sources]\nacme = {}\n"
NONE = "error: No `pyproject.toml` found in current directory or any parent directory"
GIT = (
    "error: Git operation failed\n  Caused by: failed to clone into: /home/.cache/uv/git-v0/db/ae2eef7cc0f2025a\n"
    "--- stderr\nfatal: unable to access 'https://github.com/org/acme/': CONNECT tunnel failed, response 403\n"
)
CLAIM = Claim("failure", -1, 9, ("The member of the workspace stands twice",))


@dataclass(frozen=True)
class RuleCase:
    """An MRE that needs a repair."""

    rule: str
    steps: tuple[str, ...]
    """The last one is observed."""
    messages: tuple[str, ...]
    """What releases print: those of OLD and NEW, and others'."""
    files: Mapping[str, str] = field(default_factory=dict)
    at: int = -1
    """The step that fails; by default the last one."""
    not_for: str = ""
    """An output for which the rule must not be used."""
    unplaced: tuple[PostedFile, ...] = ()
    requirements: tuple[str, ...] = ()
    inferred: bool = False
    """Whether its files are made up."""
    claim: Claim = CLAIM
    old: str = OLD
    """An old release that fails so; empty if none does."""
    real: bool = True
    """Whether uv shows it, rather than a backend or a host."""


def hypothesis_of(case: RuleCase, uv: str = NEW) -> Hypothesis:
    """Return the hypothesis of a case."""
    *setup, last = case.steps
    steps = (*map(Step, setup), Step(last, "observe"))
    files = tuple(File(path, text.encode()) for path, text in case.files.items())
    posted = tuple(
        PostedFile(path, text, 3, "the heading", inferred=case.inferred) for path, text in case.files.items()
    )
    mre = Mre("t", Environment(uv, "3.12"), steps, Symptom(exit="failure", output=case.claim.output), files=files)
    parsed = ParsedIssue("t", files=posted, claim=case.claim, unplaced=case.unplaced, requirements=case.requirements)
    return Hypothesis(parsed, mre)


def failure(case: RuleCase, output: str) -> Failure:
    """Return the failure of a case's step with an output."""
    hypothesis = hypothesis_of(case)
    at = case.at % len(case.steps)
    step = hypothesis.mre.steps[at]
    result = StepResult(step.title, step.run, step.role, 2, "", output, 0.1)
    return Failure(hypothesis, result, at, " ".join(output.split()))


def with_claim(case: RuleCase, *output: str) -> RuleCase:
    """Return a case whose report is about an output."""
    return replace(case, claim=replace(case.claim, output=output))


def block(path: str, text: str) -> PostedFile:
    """Return a block of the post that has no name."""
    return PostedFile(path, text, 12, "a block without a name")


CASES = (
    RuleCase(
        "quoted-error",
        ("uv sync --frozn", "uv run python -V"),
        ("error: unexpected argument '--frozn' found\n\n  tip: a similar argument exists: '--frozen'\n",),
        {"pyproject.toml": PROJECT.format("")},
        at=0,
        not_for="error: The member of the wall stands twice",
        claim=Claim("failure", 1, 9, ("unexpected argument '--frozn' found",)),
    ),
    RuleCase(
        "decoration",
        ("✔️ done", "uv --version"),
        ("/bin/sh: 1: ✔️: not found\n", "bash: line 1: ✔️: command not found\n"),
        at=0,
        not_for="/bin/sh: 1: tool: not found\n",
    ),
    RuleCase(
        "read-only-step",
        ("cat uv.lock", "uv --version"),
        ("cat: uv.lock: No such file or directory\n", ""),
        at=0,
    ),
    RuleCase(
        "earlier-run",
        ("uv sync", "uv sync"),
        ("error: Something is as it was before\n", "warning: Something is as it was before\n"),
        at=0,
        real=False,
    ),
    RuleCase(
        "other-tool",
        ("brewer install tea", "uv --version"),
        ("/bin/sh: 1: brewer: not found\n", "bash: line 3: brewer: command not found\n"),
        at=0,
        not_for="brewer: it was not found where it was last seen\n",
    ),
    RuleCase(
        "similar-option",
        ("uv pip compile --generate-hash a.in",),
        (
            "error: unexpected argument '--generate-hash' found\n\n  tip: a similar argument exists: '--generate-hashes'\n",
        ),
        {"a.in": "iniconfig\n"},
        not_for="error: unexpected argument '--env-file' found\n\n  tip: a similar argument exists: '--no-offline'\n",
        old="0.1.45",
    ),
    RuleCase(
        "no-folder",
        ("cd wall\nuv sync",),
        ("/bin/sh: 1: cd: can't cd to wall\n", "bash: line 1: cd: wall: No such file or directory\n"),
        not_for="/bin/sh: 1: cd: can't cd to ../wall\n",
    ),
    RuleCase(
        "initialized-project",
        ("uv init", "uv sync"),
        (
            "error: Project is already initialized in `/mre` (`pyproject.toml` file exists)\n",
            "error: Cannot initialize a project in `/mre` because `pyproject.toml` already exists\n",
        ),
        {"pyproject.toml": PROJECT.format("")},
        at=0,
        not_for="error: Cannot initialize a project in a wall\n",
    ),
    RuleCase(
        "venv-exists",
        ("uv venv", "uv venv", "uv pip list"),
        (
            "error: Failed to create virtual environment\n  Caused by: A virtual environment already exists at: .venv\n\n"
            "hint: Use the `--clear` flag",
        ),
        at=1,
        not_for="warning: A virtual environment already exists at `.venv`.",
        old="",
    ),
    RuleCase(
        "folder-exists",
        ("mkdir wall", "uv --version"),
        ("mkdir: cannot create directory ‘wall’: File exists\n",),
        {"wall/a.txt": "a"},
        at=0,
        not_for="mkdir: cannot create directory ‘wall’: Permission denied\n",
    ),
    RuleCase(
        "nothing-to-remove",
        ("rm -r uv.lock dist", "uv --version"),
        (
            "rm: cannot remove 'uv.lock': No such file or directory\nrm: cannot remove 'dist': No such file or directory\n",
        ),
        at=0,
        not_for="rm: cannot remove 'dist': Permission denied\n",
    ),
    RuleCase(
        "no-venv",
        ("uv pip install iniconfig",),
        (
            "error: No virtual environment found; run `uv venv` to create an environment, or pass `--system` to …\n",
            "error: No virtual environment found\n",
            "error: Failed to locate a virtualenv or Conda environment (checked: `VIRTUAL_ENV`, `CONDA_PREFIX`)\n",
            "error: No Python default installation found in virtual environments\n",
        ),
        not_for="error: No environment file found at: `a`",
        old="0.1.45",
    ),
    RuleCase(
        "no-named-venv",
        (". ./env/bin/activate\nuv pip list",),
        (
            "/bin/sh: 1: .: cannot open ./env/bin/activate: No such file\n",
            "bash: line 1: ./env/bin/activate: No such file or directory\n",
        ),
        not_for="bash: line 1: /opt/env/bin/activate: No such file or directory\n",
        old="0.1.45",
    ),
    RuleCase(
        "python-download",
        ("uv sync",),
        (
            "error: Failed to download https://github.com/astral-sh/python-build-standalone/releases/download/20250115/a.tar.gz\n",
            "error: error sending request for url (https://github.com/indygreg/python-build-standalone/releases/download/a.gz)\n",
        ),
        not_for="error: Failed to download https://github.com/org/acme/releases/download/1.0/a.tar.gz\n",
        real=False,
    ),
    RuleCase(
        "python-too-old",
        ("uv lock",),
        (
            "  × No solution found when resolving dependencies:\n  ╰─▶ Because the requested Python version (>=3.8) does not"
            " satisfy\n      Python>=3.10 and numpy==2.2.0 depends on Python>=3.10, we can conclude",
        ),
        {"pyproject.toml": PROJECT.format('"numpy==2.2.0"')},
        inferred=True,
        not_for="Because the current Python version (3.8.1) does not satisfy Python>=3.10",
    ),
    RuleCase(
        "no-distribution",
        ("uv venv -q && uv pip install ./dist/acme-1.0-py3-none-any.whl",),
        (
            "error: Distribution not found at: file:///mre/dist/acme-1.0-py3-none-any.whl\n",
            "error: Distribution not found at: file:///mre/dist/acme-1.0.tar.gz\n",
            "error: Distribution not found at: file:///mre/libs/acme\n",
        ),
        not_for="error: Distribution not found at: file:///acme\n",
    ),
    RuleCase(
        "no-member",
        ("uv sync",),
        ("error: Workspace member `/mre/libs/acme` is missing a `pyproject.toml` (matches: `libs/*`)\n",),
        {
            "pyproject.toml": PROJECT.format("") + '[tool.uv.workspace]\nmembers = ["libs/*"]\n',
            "libs/acme/acme/__init__.py": "",
        },
        not_for="error: Workspace member `/acme` is missing a `pyproject.toml` (matches: `../*`)\n",
    ),
    RuleCase(
        "no-module",
        ("uv sync",),
        (
            "  × Failed to build `thing @ file:///mre`\n  ╰─▶ The most likely cause of this is that there is no directory"
            " that matches the name of your project (thing).\n",
            "error: Failed to build `/mre`\n  cause: Expected a Python module at: src/thing/__init__.py\n",
            "ValueError: No file/folder found for module thing\n",
        ),
        {"pyproject.toml": HATCH},
        not_for="error: Expected a Python module at home\n",
    ),
    RuleCase(
        "no-metadata-file",
        ("uv sync",),
        (
            "OSError: Readme file does not exist: README.md\nhint: This usually indicates a problem with the package\n",
            "error: failed to open file `/mre/README.md`: No such file or directory (os error 2)\n",
            "  ╰─▶ `project.license-files` glob `LICENSE` did not match any files\n",
        ),
        {
            "pyproject.toml": HATCH.replace('"thing"\n', '"thing"\nreadme = "README.md"\n'),
            "thing/__init__.py": "",
        },
        not_for="error: failed to open file `/mre/uv.lock`: No such file or directory (os error 2)\n",
    ),
    RuleCase(
        "no-find-links",
        ("uv pip compile a.in --find-links ./wheels",),
        (
            "error: Failed to read `--find-links` directory: /mre/wheels\n  cause: No such file or directory (os error 2)\n",
            "error: invalid value 'wheels' for '--find-links <FIND_LINKS>': relative URL without a base\n",
        ),
        {"a.in": "iniconfig\n"},
        not_for="error: Failed to read `--find-links` URL: https://example.org/links\n",
        old="0.5.31",
    ),
    RuleCase(
        "no-project-but-block",
        ("uv sync",),
        (f"{NONE}\n", "error: Unable to find `pyproject.toml` for project.\n"),
        unplaced=(block("pyproject.toml", '[tool.acme]\nkey = "value"\n'),),
        not_for="error: No `pyproject.toml` was read\n",
    ),
    RuleCase(
        "project-in-folder",
        ("uv sync",),
        (f"{NONE}\n",),
        files={"services/api/pyproject.toml": PROJECT.format("")},
        not_for="error: `/mre/acme` does not appear to be a Python project, as neither `pyproject.toml` nor `setup.py` …\n",
    ),
    RuleCase(
        "no-project",
        ("uv sync",),
        (
            f"{NONE}\n",
            "error: /mre does not appear to be a Python project, as neither `pyproject.toml` nor `setup.py` are present\n",
            "error: `/mre/acme` does not appear to be a Python project, as neither `pyproject.toml` nor `setup.py` …\n",
            "error: Source distribution directory contains neither readable `pyproject.toml` nor `setup.py`: ``\n",
        ),
        not_for="error: No `project` table found in: `pyproject.toml`\n",
    ),
    RuleCase(
        "no-lockfile",
        ("uv sync --frozen",),
        (
            "error: Unable to find lockfile at `uv.lock`. To create a lockfile, run `uv lock` or `uv sync`.\n",
            "error: Unable to find lockfile at `uv.lock`, but `--frozen` was provided. To create a lockfile, run …\n",
            "error: failed to read from file `/mre/uv.lock`\n  Caused by: No such file or directory (os error 2)\n",
        ),
        {"pyproject.toml": PROJECT.format("")},
        not_for="error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.\n",
    ),
    RuleCase(
        "no-file-but-block",
        ("uv pip compile requirements.in",),
        (
            "error: File not found: `requirements.in`\n",
            "error: File not found: requirements.in\n",
            "error: failed to read from file `requirements.in`\n  Caused by: No such file or directory (os error 2)\n",
        ),
        unplaced=(block("main.py", "import sys\n"), block("requirements.txt", "iniconfig==2.0.0\n")),
        not_for="error: File not found: `tool.cfg`\n",
    ),
    RuleCase(
        "no-file",
        ("uv run --no-project main.py",),
        (
            "error: Failed to spawn: `main.py`\n  Caused by: No such file or directory (os error 2)\n",
            "error: Failed to spawn: main.py\n  cause: No such file or directory (os error 2)\n",
            "/bin/python: can't open file '/mre/main.py': [Errno 2] No such file or directory\n",
            "error: No environment file found at: `.env`\n",
        ),
        not_for="error: Failed to spawn: `main.py`\n  Caused by: Permission denied (os error 13)\n",
    ),
    RuleCase(
        "git-repository",
        ("uv venv -q && uv pip install 'acme @ git+https://github.com/org/acme@v1'",),
        (
            GIT,
            "error: Git operation failed\n  cause: process didn't exit successfully: `/usr/bin/git fetch --force"
            " --update-head-ok 'ssh://git@github.com/org/acme.git' '+HEAD:refs/remotes/origin/HEAD'` (exit status: 128)",
        ),
        not_for="fatal: unable to access '/srv/acme'\n",
    ),
    RuleCase(
        "index",
        ("uv lock",),
        (
            "error: Failed to fetch: `https://pypi.acme.example.org/simple/acme/`\n  Caused by: error sending request for"
            " url (https://pypi.acme.example.org/simple/acme/)\n  Caused by: client error (Connect)\n",
        ),
        {
            "pyproject.toml": UV_SOURCE.format('{ index = "own" }')
            + '[[tool.uv.index]]\nname = "own"\nurl = "https://pypi.acme.example.org/simple"\nexplicit = true\n'
        },
        not_for="error: error sending request for url (https://pypi.org/simple/acme/)\n",
    ),
    RuleCase(
        "private-package",
        ("uv lock",),
        (
            "  × No solution found when resolving dependencies:\n  ╰─▶ Because acme was not found in the package registry"
            " and your project depends\n      on acme, we can conclude that your project's requirements are unsatisfiable.\n",
            "  ╰─▶ Because there is no version of acme==2.0+cu118 and your project depends\n      on acme==2.0+cu118",
        ),
        {
            "pyproject.toml": PROJECT.format('"acme"')
            + '[[tool.uv.index]]\nname = "own"\nurl = "https://pypi.acme.example.org/simple"\n'
        },
        not_for="Because there is no version of acme==2.0 and your project depends on acme==2.0",
        real=False,
    ),
)
