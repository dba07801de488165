"""Run the user's own commands once, in a copy of the project, and say what they showed."""

import os
import re
import shlex
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from uvmre.capture.docker_build import DockerBuild, docker_build
from uvmre.capture.project import UserProject
from uvmre.capture.relevant import SKIPPED
from uvmre.core.outcome.observation import StepResult
from uvmre.core.progress import Progress
from uvmre.errors import CannotTell, UsageError
from uvmre.flows.capturing.in_copy import ask_program, copy_project, run_commands, user_environment
from uvmre.flows.scratch import scratch
from uvmre.project.folder import ProjectTree, home_files

NEEDS_TERMINAL = re.compile(
    r"/dev/tty|not a (?:terminal|tty)|Inappropriate ioctl|EOF when reading a line|EOFError|cannot prompt"
    r"|requires? an? (?:interactive|tty|terminal)",
    re.IGNORECASE,
)
ENGINE_DOWN = re.compile(r"Cannot connect to the Docker daemon|docker\.sock|unable to connect to Podman", re.IGNORECASE)
NOT_FOUND = 127
ENGINE_FAILED = 125
"""Docker's exit code for a fault of its own, such as an unknown option."""
UV_VERSION = re.compile(r"uv (\d+\.\d+\.\d+)")
PYTHON_VERSION = re.compile(r"\d+\.\d+")
OF_UV = re.compile(
    r"UV_(?!CACHE_DIR|PROJECT_ENVIRONMENT|TOOL_|PYTHON_INSTALL|PYTHON_BIN|INSTALL|CREDENTIALS_DIR|RUN_|INTERNAL)\w+"
)
VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
NOT_PRIVATE = frozenset({"PATH", "HOME", "PWD", "USER", "SHELL", "TMPDIR", "LANG", "TERM"})


@dataclass(frozen=True)
class UserRunRequest:
    """What is run, and how."""

    commands: tuple[str, ...]
    environment: Mapping[str, str]
    """The user's, with its secrets."""
    uv: str = ""
    """The release of the MRE; by default, that of `uv` on PATH."""
    seconds: float = 300.0
    """The time limit of each command."""
    hangs: bool = False
    """Whether exceeding it is the bug."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the texts that may name files of the project."""
        settings = (value for name, value in self.environment.items() if OF_UV.fullmatch(name))
        return (*self.commands, *settings)


@dataclass(frozen=True)
class UserRun:
    """What the user's commands did."""

    project: UserProject
    results: tuple[StepResult, ...]
    """Empty where the RUNs of a Dockerfile could not be built, for lack of an engine."""
    had_environment: bool
    root: Path

    @property
    def last(self) -> StepResult:
        """Return the result of the last command that ran."""
        return self.results[-1]

    @property
    def build(self) -> DockerBuild | None:
        """Return the build of the last command, if it is one."""
        return docker_build(self.project.commands[-1]) if self.project.commands else None


def run_as_user(tree: ProjectTree, request: "UserRunRequest", progress: Progress) -> UserRun:
    """Run the commands in a copy of the project with the user's environment.

    Raises:
        CannotTell: if the copy cannot be made, or the commands have no answer in time or without a terminal.
        UsageError: if there is no uv, or no such command.
    """
    uses_vcs = any(b"scm" in file.content or b"vcs" in file.content for file in tree.files)
    skipped = SKIPPED - ({".git"} if uses_vcs else set())
    with scratch() as root:
        copy = root / tree.root.name
        progress.detail(f"copying {tree.root}")
        copy_project(tree.root, copy, skipped)
        environment = user_environment(request.environment, copy, tree.root)
        folder = copy / tree.folder
        release = request.uv or _release(folder, environment)
        had_environment = (tree.root / ".venv").is_dir() or "VIRTUAL_ENV" in request.environment
        if had_environment:
            ask_program(("uv", "venv", "--quiet"), folder, environment)
        python = ask_program(("uv", "python", "find"), folder, environment)
        version = ask_program((python, "-c", "import platform; print(platform.python_version())"), folder, environment)
        build = docker_build(request.commands[-1]) if request.commands else None
        # Without an engine, the RUNs of a Dockerfile are first run in the MRE.
        without_engine = build is not None and shutil.which(build.engine, path=environment.get("PATH")) is None
        results = (
            []
            if without_engine
            else run_commands(
                request.commands,
                folder,
                environment,
                timeout=request.seconds,
                stop=threading.Event(),
                progress=progress,
            )
        )
        results = [_without_copy(each, copy, tree.root) for each in results]
    if build and results and (results[-1].exit == ENGINE_FAILED or ENGINE_DOWN.search(results[-1].stderr)):
        results = []
    if results:
        _require_answer(results[-1], request)
    names = {name for text in (*request.commands, *_texts(tree)) for name in VARIABLE.findall(text)} - NOT_PRIVATE
    variables = {
        name: value.replace(f"{tree.root}/", "")
        for name, value in sorted(request.environment.items())
        if name in names or (OF_UV.fullmatch(name) and not _is_elsewhere(value, tree.root))
    }
    minor = PYTHON_VERSION.match(version)
    project = UserProject(
        files=tree.files,
        commands=request.commands,
        uv=release,
        folder=tree.folder,
        variables=variables,
        home=home_files(Path.home(), request.environment),
        python=minor[0] if minor else "",
        platform=f"{os.uname().sysname} {os.uname().machine}",
        left_out=tree.left_out,
    )
    return UserRun(project, tuple(results), had_environment, tree.root)


def _is_elsewhere(value: str, root: Path) -> bool:
    """Tell whether a value is a path of this machine outside the project, which no other machine has."""
    return value.startswith(("/", "~")) and not value.startswith(f"{root}/")


def _texts(tree: ProjectTree) -> list[str]:
    return [file.content.decode(errors="replace") for file in tree.files if not file.path.endswith(".py")]


def _release(folder: Path, environment: Mapping[str, str]) -> str:
    printed = ask_program(("uv", "--version"), folder, environment)
    if not (match := UV_VERSION.match(printed)):
        raise UsageError("`uv` is not on PATH, or does not print its version", "name the release with `--uv`")
    return match[1]


def _without_copy(result: StepResult, copy: Path, root: Path) -> StepResult:
    """Name the project where the output names its copy."""
    return replace(
        result,
        stdout=result.stdout.replace(str(copy), str(root)),
        stderr=result.stderr.replace(str(copy), str(root)),
    )


def _require_answer(result: StepResult, request: UserRunRequest) -> None:
    """Raise if the last command did not end by itself, or could not do what it does for the user."""
    command = result.title
    if result.exit == NOT_FOUND and f"{shlex.split(command)[0]}: " in result.stderr + result.stdout:
        raise UsageError(f"`{command}` was not found", "check the command, and PATH")
    if result.exit and NEEDS_TERMINAL.search(result.stderr + result.stdout):
        raise CannotTell(
            f"`{command}` needs a terminal", "give it its answers as options, or through a pipe: `yes | COMMAND`"
        )
    if result.timed_out and not request.hangs:
        raise CannotTell(
            f"`{command}` did not end in {request.seconds:.0f} s",
            "if it is slow, give it more time with `--seconds`; if it hangs, capture that with `--hangs`",
        )
