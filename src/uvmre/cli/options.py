"""The options that several verbs share, and the checks of their values."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre.cli import console
from uvmre.core.search.release import is_path
from uvmre.core.search.selector import selects_several
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from uvmre.core.network.request import Network
    from uvmre.flows.probe.target import ProbeTarget

FOLDER = click.Path(path_type=Path)
BACKENDS = ("local", "sandbox", "docker", "podman", "buildah", "auto")
PYTHON = re.compile(r"3\.\d+(\.\d+)?\Z")

Command = Callable[..., Any]


def opened(name: str) -> Path:
    """Return the folder of an MRE; what has one inside is made a folder first."""
    if Path(name).is_dir() and name != "-":
        return Path(name)
    from uvmre.flows.open import is_packed, open_mre

    if not is_packed(name):
        return Path(name)
    folder, message = open_mre(name, console.read_stdin)
    console.print_message(message)
    return folder


mre_argument = click.argument("mre", default=".", callback=lambda _context, _argument, name: opened(name))


def run_options(*names: str) -> Callable[[Command], Command]:
    """Add the network options and those in `names`, and pass them as one `RunOptions`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collect(*, live: bool, replay: bool, **arguments: Any) -> Any:
            from uvmre.flows.options import RunOptions

            if live and replay:
                raise UsageError("`--live` and `--replay` exclude each other", "use one of them, or neither")
            network: Network = "live" if live else "replay" if replay else "auto"
            selected = {name: arguments.pop(name) for name in (*names, "allow_hosts")}
            options = RunOptions(cache=console.cache(), network=network, **selected)
            return command(options=options, **arguments)

        decorated: Command = collect
        for option in reversed([*(_RUN_OPTIONS[name] for name in names), *_NETWORK_OPTIONS]):
            decorated = option(decorated)
        return decorated

    return decorate


def target_options(command: Command) -> Command:
    """Add the arguments that name an MRE or a script, and pass a function that returns the `ProbeTarget`."""

    @functools.wraps(command)
    def collect(*, script: str, arguments: tuple[str, ...], **others: Any) -> Any:
        return command(target_of=functools.partial(_probe_target, script, arguments), **others)

    argument = click.argument("arguments", nargs=-1, metavar="[MRE | ARGUMENTS]...")
    option = click.option(
        "--command",
        "script",
        default="",
        metavar="SCRIPT",
        help="A script instead of an MRE, called with ARGUMENTS: exit 0 if the bug shows, 1 if not, 125 cannot tell.",
    )
    return argument(option(collect))


def _probe_target(
    script: str, arguments: tuple[str, ...], variants: tuple[str, ...] = (), *, every: bool = False
) -> "ProbeTarget":
    """Return what `bisect` and `matrix` run on a release: a script, or the MRE in a folder."""
    from uvmre.flows.probe.target import of_mre, of_script

    if script:
        if variants or every:
            raise UsageError("a script has no variants", "omit `--variant` and `--all-variants`")
        return of_script((script, *arguments), console.cache())
    if len(arguments) > 1:
        raise UsageError(f"expected one MRE, got {len(arguments)}", "name one folder, or a script with `--command`")
    return of_mre(opened(arguments[0] if arguments else "."), variants, every=every)


def release_option(*names: str, several_with: str, **options: Any) -> Callable[[Command], Command]:
    """Return an option that takes one release; `several_with` is the hint when there are several."""

    def one(_context: click.Context, option: click.Parameter, value: str) -> str:
        if value and not is_binary(value) and selects_several(value):
            raise UsageError(f"`{option.opts[0]} {value}` selects more than one release of uv", several_with)
        return value

    return click.option(*names, default="", metavar="VERSION", callback=one, **options)


def is_binary(value: str) -> bool:
    """Return whether a value is the path of a local build: only a file may have a comma in its name."""
    return Path(value).is_file() or (is_path(value) and "," not in value)


def pythons(value: str) -> list[str]:
    """Return the versions in a comma-separated list.

    Raises:
        UsageError: if one of them is not a version.
    """
    versions = [version.strip() for version in value.split(",")] if value else []
    if invalid := [version for version in versions if not PYTHON.match(version)]:
        raise UsageError(f"`{invalid[0]}` is not a version of Python", "use a form like 3.12, or 3.11,3.12 for several")
    return versions


def _python(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if value and not PYTHON.match(value):
        hint = "use a form like 3.12; `uvmre matrix` takes several"
        raise UsageError(f"`{value}` is not a version of Python", hint)
    return value


def _hosts(_context: click.Context, _option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    from uvmre.core.mre import keys

    for name in value:
        if fault := keys.host(name.lower()):
            raise UsageError(f"`--allow-host` {fault}", "give the name alone, without a scheme, port or path")
    return value


_RUN_OPTIONS: dict[str, Callable[[Command], Command]] = {
    "python": click.option(
        "--python",
        default="",
        metavar="VERSION",
        callback=_python,
        help="An interpreter instead of the MRE's own, as 3.12.",
    ),
    "backend": click.option(
        "--backend",
        default=None,
        callback=lambda _context, _option, value: value or "",
        type=click.Choice(BACKENDS),
        metavar="NAME",
        help="What runs the steps: local (this machine), sandbox, an engine that builds the Dockerfile (docker, "
        "podman, buildah), or auto, the first that is available. Default: local; sandbox if the MRE came from outside.",
    ),
    "trust": click.option(
        "--trust", is_flag=True, help="Run what came from outside without a sandbox, with your permissions."
    ),
    "jobs": click.option(
        "--jobs",
        default=0,
        type=click.IntRange(0),
        metavar="N",
        help="The number of parallel runs; 0 for one more than there are cores.",
    ),
    "again": click.option("--again", is_flag=True, help="Run again what has a stored outcome."),
}
_NETWORK_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option("--live", is_flag=True, help="Use the network and the public test index itself, not the recording."),
    click.option("--replay", is_flag=True, help="Use the recording only, never the network."),
    click.option(
        "--allow-host",
        "allow_hosts",
        multiple=True,
        metavar="HOST",
        callback=_hosts,
        help="Allow requests to this host too, as example.com or *.example.com; can be repeated.",
    ),
)
