"""The options that several verbs share, and what is wrong with their values."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from uvmre.core.search.release import is_path
from uvmre.core.search.selector import selects_several
from uvmre.errors import UsageError

FOLDER = click.Path(path_type=Path)
BACKENDS = ("local", "docker", "podman", "buildah", "auto")
PYTHON = re.compile(r"3\.\d+(\.\d+)?\Z")

Command = Callable[..., int]


def network_options(command: Command) -> Command:
    """Add the options that say what answers: recorded answers first and then the network, or only one of them."""

    @functools.wraps(command)
    def one_of_both(*, live: bool, replay: bool, **given: Any) -> int:
        if live and replay:
            raise UsageError("`--live` and `--replay` exclude each other.", "Give one of them, or neither.")
        return command(network="live" if live else "replay" if replay else None, **given)

    asking = click.option("--live", is_flag=True, help="Ask the network, and the public index itself.")
    recorded = click.option("--replay", is_flag=True, help="Ask no network: only recorded answers.")
    return asking(recorded(one_of_both))


def allow_host_option(command: Command) -> Command:
    """Add the option that lets more hosts through."""
    told = "Let this host through too, as example.com or *.example.com; may be given often."
    return click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST", help=told, callback=_hosts)(
        command
    )


def backend_option(command: Command) -> Command:
    """Add the option that says what runs the steps."""
    told = (
        "What runs the steps: local (this machine), an engine that builds the Dockerfile (docker, podman, buildah), "
        "or auto, the first that is there."
    )
    kind = click.Choice(BACKENDS)
    return click.option("--backend", default="local", type=kind, metavar="NAME", help=told)(command)


def jobs_option(command: Command) -> Command:
    """Add the option that says how many runs there are side by side."""
    told = "How many runs at the same time; 0 for one more than there are cores."
    return click.option("--jobs", default=0, type=click.IntRange(0), metavar="N", help=told)(command)


def python_option(command: Command) -> Command:
    """Add the option that takes another interpreter than the MRE's."""
    told = "An interpreter instead of the MRE's own, as 3.12."
    return click.option("--python", default="", metavar="VERSION", help=told, callback=_python)(command)


def release_option(*names: str, several_with: str, **options: Any) -> Callable[[Command], Command]:
    """Return an option that takes one release; `several_with` says what takes more of them."""

    def one(_context: click.Context, option: click.Parameter, value: str) -> str:
        if value and not is_binary(value) and selects_several(value):
            raise UsageError(f"`{option.opts[0]} {value}` names more than one release of uv.", several_with)
        return value

    return click.option(*names, default="", metavar="VERSION", callback=one, **options)


def is_binary(value: str) -> bool:
    """Tell whether a value names the binary of a local build: only a file may have a comma in its name."""
    return Path(value).is_file() or (is_path(value) and "," not in value)


def pythons(value: str) -> list[str]:
    """Return the versions in a list with commas.

    Raises:
        UsageError: when one of them is no version.
    """
    versions = [version.strip() for version in value.split(",")] if value else []
    if wrong := [version for version in versions if not PYTHON.match(version)]:
        raise UsageError(f"{wrong[0]!r} is no version of Python.", "Say it as 3.12, several as 3.11,3.12.")
    return versions


def _python(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if value and not PYTHON.match(value):
        raise UsageError(f"{value!r} is no version of Python.", "Say it as 3.12; `uvmre matrix` takes several.")
    return value


def _hosts(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    from uvmre.core.mre import schema

    for name in value:
        if fault := schema.host(name.lower()):
            raise UsageError(f"`--allow-host` {fault}.", "Give the name alone, without a scheme, a port or a path.")
    return value
