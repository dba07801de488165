"""Run a user's own commands with the user's environment, in a copy of the project."""

import os
import shutil
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from uvmre.core.outcome.observation import StepResult
from uvmre.core.progress import Progress
from uvmre.errors import CannotTell
from uvmre.run import process

OWN_ENVIRONMENTS = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX", "UV_WORKING_DIRECTORY", "UV_PROJECT")
"""Variables with folders of the user, into which a command would write."""
VERSION_SECONDS = 20


def copy_project(root: Path, copy: Path, skipped: Collection[str]) -> None:
    """Copy a project without some folders.

    Raises:
        CannotTell: if the disk is full, or a file cannot be read.
    """

    def ignored(_folder: str, names: Sequence[str]) -> set[str]:
        return {name for name in names if name in skipped}

    try:
        shutil.copytree(root, copy, symlinks=True, ignore=ignored, ignore_dangling_symlinks=True)
    except (shutil.Error, OSError) as error:
        first = error.args[0][0][2] if isinstance(error, shutil.Error) and error.args[0] else error
        raise CannotTell(
            f"failed to copy `{root}`", "free some space, or check the permissions of its files", cause=str(first)
        ) from None
    for folder, _, _ in os.walk(copy):  # those of a read-only project
        Path(folder).chmod(0o755)


def user_environment(environment: Mapping[str, str], copy: Path, root: Path) -> dict[str, str]:
    """Return the user's environment without what leads out of the copy; paths of the project lead into it."""
    return {
        name: value.replace(str(root), str(copy))
        for name, value in environment.items()
        if name not in OWN_ENVIRONMENTS and not name.startswith("UVMRE_")
    }


def run_commands(
    commands: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    timeout: float,
    stop: threading.Event,
    progress: Progress,
) -> list[StepResult]:
    """Run commands in a folder, one after the other, until one fails."""
    results: list[StepResult] = []
    for command in commands:
        progress.detail(f"running `{command}` in a copy of the project")
        finished = process.run(
            ("/bin/sh", "-c", command), cwd=folder, environment=environment, timeout=timeout, stop=stop
        )
        result = StepResult(
            title=command,
            run=command,
            role="observe",
            exit=finished.exit,
            stdout=finished.stdout.decode(errors="replace"),
            stderr=finished.stderr.decode(errors="replace"),
            seconds=finished.seconds,
            timed_out=finished.timed_out,
        )
        results.append(result)
        if result.exit or result.timed_out:
            break
    return results


def ask_program(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Return what a short command prints; empty if it fails."""
    try:
        finished = process.run(
            command, cwd=folder, environment=environment, timeout=VERSION_SECONDS, stop=threading.Event()
        )
    except OSError:
        return ""
    return "" if finished.exit else finished.stdout.decode(errors="replace").strip()
