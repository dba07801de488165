"""`uvmre doctor`."""

import platform
from typing import TYPE_CHECKING

import click

from uvmre import __version__
from uvmre.cli import console
from uvmre.cli.output import Rendered, json_option

if TYPE_CHECKING:
    from uvmre.flows.doctor import Health


@click.command(short_help="Check this machine for what uvmre needs.")
@json_option
def doctor() -> Rendered:
    """Check the container engines, interpreters, sandbox, network and cache; print how to install what is missing."""
    from uvmre.flows.doctor import examine

    health = examine(console.cache())
    rows = _rows(health)
    width = max(len(name) for name, _, _ in rows)
    lines = [
        f"{name:<{width}}  {state}" + (f"  → {console.paint(command, 'cyan')}" if command else "")
        for name, state, command in rows
    ]
    return Rendered("\n".join(lines), lambda: _data(health))


def _rows(health: "Health") -> list[tuple[str, str, str]]:
    """Return the name, the state, and the command that installs it, of all that was checked."""
    rows = [(f"uvmre {__version__}", f"Python {platform.python_version()}, {platform.platform()}", "")]
    for checked in health.engines:
        engine = checked.engine
        builder = ("BuildKit" if engine.buildkit else "classic builder") if engine.name == "docker" else ""
        state = ", ".join(part for part in (engine.version, builder, engine.program) if part)
        rows.append((engine.name, _state(state, engine.why), checked.command))
    versions = ", ".join(each.version for each in health.interpreters)
    rows.append(("interpreters", versions or "none found", "" if versions else "uv python install"))
    sandbox, network, cache = health.sandbox, health.network, health.cache
    rows.append(("sandbox", _state(f"{sandbox.name} {sandbox.version}", sandbox.why), sandbox.command))
    rows.append(
        ("clock", _state(f"{health.clock.name}, {health.clock.version}", health.clock.why), health.clock.command)
    )
    rows.append(("network", _state(f"PyPI answers ({network.seconds:.1f} s)", network.why), ""))
    size = "unknown size" if cache.size is None else console.format_size(cache.size)
    rows.append(("cache", f"{cache.path}, {size}, {console.format_size(cache.free)} free", ""))
    if cache.why:
        rows.append(("", _state("", cache.why), ""))
    return rows


def _state(usable: str, why: str) -> str:
    return console.paint(f"no: {why}", "yellow") if why else usable


def _data(health: "Health") -> dict[str, object]:
    return {
        "schema": 1,
        "uvmre": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "engines": [
            {
                "name": checked.engine.name,
                "usable": not checked.engine.why,
                "why": checked.engine.why,
                "version": checked.engine.version,
                "client": checked.engine.client,
                "program": checked.engine.program,
                "buildkit": checked.engine.buildkit,
                "heredocs": not checked.engine.why and checked.engine.heredocs,
                "secrets": not checked.engine.why and checked.engine.secrets,
                "command": checked.command,
            }
            for checked in health.engines
        ],
        "interpreters": [{"version": each.version, "path": str(each.path)} for each in health.interpreters],
        **{
            name: {
                "name": tool.name,
                "usable": not tool.why,
                "why": tool.why,
                "version": tool.version,
                "command": tool.command,
            }
            for name, tool in (("sandbox", health.sandbox), ("clock", health.clock))
        },
        "network": {
            "pypi": not health.network.why,
            "why": health.network.why,
            "seconds": round(health.network.seconds, 3),
        },
        "cache": {
            "path": str(health.cache.path),
            "bytes": health.cache.size,
            "free": health.cache.free,
            "writable": not health.cache.why,
            "why": health.cache.why,
        },
        "seconds": round(health.seconds, 3),
    }
